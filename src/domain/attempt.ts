/**
 * The attempt: everything that can happen to a person at the door, as one record and one pure function.
 *
 * It is the only thing that crosses requests and processes. The browser's side and Didit's side never call each
 * other: both load the attempt, propose an event to `transition`, and save the answer with a compare-and-set.
 *
 *     new → identified ┬→ captured ─ verdict: approved ┐   (somebody new: new → joining → identified)
 *                      │       └──── returned ─────────┼→ (ready) → consumed
 *                      └→ (a passkey, or two legs) → proven ─┘
 *     and from anywhere before that: denied · expired · foreign · superseded
 *
 * A webhook or a poll can only bring the verdict; a browser can only bring itself back. Neither alone opens the
 * door. "Ready" is not stored: it is what `standing` (standing.ts) says of an attempt at a given time,
 * so that no writer can put it there. Terminal phases are final. Events may come in any order, twice, late, or never.
 */
import type { LegName, Proof } from './assurance.ts';
import type { Verdict } from './decision.ts';
import { isEnrolling, join } from './joining.ts';
import { type Leg, choose, takeLeg, takeProof } from './legs.ts';
import type { Locality, Place } from './locality.ts';
import type { FactorName } from './message.ts';
import { deadline, isOver, standing } from './standing.ts';
import type { DeviceClass } from './turn.ts';
import type { Expectation } from './verdict.ts';

/**
 * `step_up`: somebody is signed in in this browser and has to prove it anew. `enrol`: somebody new, whose face is
 * compared with a document. `re_enrol`: a face takes the place of an earlier one. `recovery`: the same, by somebody
 * who has lost the other ways in.
 */
export type AttemptKind = 'login' | 'step_up' | 'enrol' | 're_enrol' | 'recovery';

export { isEnrolling };

interface Common {
  schema: 1;
  id: string;
  kind: AttemptKind;
  /** The library's interaction that this attempt answers; an interaction has at most one live attempt. */
  interactionUid: string;
  /** Short, random, quotable on the phone; stands for nothing. */
  reference: string;
  client: { id: string; name: string; host: string };
  request: {
    loginHint: string | undefined;
    /** The languages that the person wants: as the app said (`ui_locales`), then as the browser says. */
    uiLocales: string | undefined;
    /** The classes of which the app says that one is essential; nothing that proves less is offered. */
    essentialAcr?: readonly string[];
  };
  createdAtMs: number;
  expiresAtMs: number;
}

/** What the person typed, and whom it names, if anybody. */
export interface Identity {
  identifier: string;
  accountId: string | undefined;
}

export interface Capture {
  diditSessionId: string;
  expectation: Expectation;
  /** The nonce in the path of the callback, hashed. The one in the metadata is in the expectation. */
  callbackNonceHash: string;
  /** Whose turn it is, see turn.ts. A name without an account has one too, that no record knows. */
  enrolmentId: string;
  /** The browser that asked for the selfie. */
  place: Place;
  device: { id: string; deviceClass: DeviceClass };
}

export type DenialReason =
  | 'declined'
  | 'in_review'
  | 'not_finished'
  | 'elsewhere'
  | 'stale'
  | 'changed'
  | 'unavailable'
  | 'limited'
  | 'other_way'
  | 'cancelled';

export interface Captured {
  phase: 'captured';
  identity: Identity;
  capture: Capture;
  verdict?: Pick<Verdict, 'reason' | 'isNear'> & { decidedAtMs: number; locality: Locality };
  returnedAtMs?: number;
}

/** The person chose another factor, and showed it; with `legs` it took two. */
interface Proven {
  phase: 'proven';
  identity: Identity;
  legs?: readonly Leg[];
  proof: Proof;
}

interface Ended {
  /** Kept so that "try again" need not ask who it is. */
  identity?: Identity;
  endedAtMs: number;
  returnedAtMs?: number;
  /** Kept so that a late, foreign arrival can still be told from a stranger's guess. */
  capture?: Capture;
}

export type Attempt = Common &
  (
    | { phase: 'new' }
    /** Somebody new gave an address, and has to show that it is theirs. */
    | { phase: 'joining'; address: string }
    /**
     * `factor`: the one that is being asked for instead of a selfie. `legs`: what was shown so far, never enough.
     * `withoutFace`: somebody new wants no selfie.
     */
    | {
        phase: 'identified';
        identity: Identity;
        factor?: FactorName;
        legs?: readonly Leg[];
        withoutFace?: true;
      }
    | Captured
    | Proven
    | (Ended & { phase: 'consumed'; proof: Proof })
    | (Ended & { phase: 'denied'; reason: DenialReason })
    | (Ended & { phase: 'expired' | 'foreign' | 'superseded' })
  );

export type AttemptEvent =
  | { type: 'identified'; identity: Identity }
  | { type: 'address_given'; address: string }
  | { type: 'address_confirmed'; identity: Identity }
  /** By an invitation, or by the person's own page. */
  | { type: 'admitted'; identity: Identity }
  | { type: 'face_refused' }
  | { type: 'prolonged'; untilMs: number }
  | { type: 'captured'; capture: Capture }
  | { type: 'judged'; diditSessionId: string; verdict: Verdict; locality: Locality }
  | { type: 'returned'; nonceHash: string }
  | { type: 'arrived_elsewhere'; nonceHash: string }
  | { type: 'factor_chosen'; factor: FactorName }
  | { type: 'proven'; proof: Proof }
  /** `accountId`: whose code it was. */
  | { type: 'leg_proven'; leg: LegName; accountId: string; environment: 'live' | 'sandbox' }
  | { type: 'finished'; account: CurrentAccount | undefined }
  | { type: 'gave_up'; reason: 'unavailable' | 'limited' | 'other_way' | 'cancelled' }
  | { type: 'superseded' };

/** The account as it is when the door opens; undefined when it is gone or blocked. */
export interface CurrentAccount {
  enrolmentId: string | undefined;
}

export type Refusal =
  | 'over'
  | 'out_of_order'
  | 'other_session'
  | 'other_account'
  | 'wrong_nonce'
  | 'spent'
  | 'not_ready';

/** `refused` is absent when the event was taken, also when it changed nothing because it had happened before. */
export interface Transition {
  attempt: Attempt;
  refused?: Refusal;
}

export type NewAttempt = Omit<Common, 'schema'>;

/** However often somebody asks for more time. */
export const attemptAtMostMs = 60 * 60_000;

export function newAttempt(fields: NewAttempt): Attempt {
  return { schema: 1, ...fields, phase: 'new' };
}

export function transition(attempt: Attempt, event: AttemptEvent, nowMs: number): Transition {
  if (isOver(attempt)) return { attempt, refused: 'over' };
  if (nowMs >= deadline(attempt)) {
    return { attempt: end(attempt, { phase: 'expired' }, nowMs), refused: 'over' };
  }
  switch (event.type) {
    case 'identified':
      // Whoever merely says who they are is never given a face by it.
      if (attempt.phase !== 'new' || isEnrolling(attempt)) {
        return { attempt, refused: 'out_of_order' };
      }
      return { attempt: { ...attempt, phase: 'identified', identity: event.identity } };
    case 'address_given':
    case 'address_confirmed':
    case 'admitted':
    case 'face_refused':
      return join(attempt, event);
    case 'prolonged': {
      const latestMs = attempt.createdAtMs + attemptAtMostMs;
      const expiresAtMs = Math.max(attempt.expiresAtMs, Math.min(event.untilMs, latestMs));
      return {
        attempt: expiresAtMs === attempt.expiresAtMs ? attempt : { ...attempt, expiresAtMs },
      };
    }
    case 'captured':
      return capture(attempt, event.capture);
    case 'judged':
      return takeVerdict(attempt, event, nowMs);
    case 'returned':
      return takeReturn(attempt, event.nonceHash, nowMs);
    case 'arrived_elsewhere':
      if (attempt.phase !== 'captured' || attempt.capture.callbackNonceHash !== event.nonceHash) {
        return { attempt, refused: 'wrong_nonce' };
      }
      return { attempt: end(attempt, { phase: 'foreign' }, nowMs) };
    case 'factor_chosen':
      return choose(attempt, event.factor);
    case 'proven':
      return takeProof(attempt, event.proof);
    case 'leg_proven':
      return takeLeg(attempt, event, nowMs);
    case 'finished':
      return finish(attempt, event.account, nowMs);
    case 'gave_up':
      return { attempt: end(attempt, { phase: 'denied', reason: event.reason }, nowMs) };
    case 'superseded':
      return { attempt: end(attempt, { phase: 'superseded' }, nowMs) };
  }
}

function capture(attempt: Attempt, taken: Capture): Transition {
  if (attempt.phase !== 'identified') return { attempt, refused: 'out_of_order' };
  // A login is compared with the face that is enrolled, an enrolment with a document: never the other way round.
  const isByDocument = taken.expectation.reference === 'document';
  if (isByDocument !== isEnrolling(attempt)) return { attempt, refused: 'out_of_order' };
  const { factor: _, legs: __, ...identified } = attempt;
  return { attempt: { ...identified, phase: 'captured', capture: taken } };
}

function takeVerdict(
  attempt: Attempt,
  { diditSessionId, verdict, locality }: Extract<AttemptEvent, { type: 'judged' }>,
  nowMs: number,
): Transition {
  if (attempt.phase !== 'captured') return { attempt, refused: 'out_of_order' };
  if (attempt.capture.diditSessionId !== diditSessionId) {
    return { attempt, refused: 'other_session' };
  }
  switch (verdict.outcome) {
    case 'pending':
      return { attempt };
    case 'declined':
    case 'in_review':
    case 'not_finished':
      return { attempt: end(attempt, { phase: 'denied', reason: verdict.outcome }, nowMs) };
    case 'approved':
      // Also when only a second reading sees a stranger: a verdict may be lowered.
      if (locality === 'differs' || locality === 'unknown') {
        return { attempt: end(attempt, { phase: 'denied', reason: 'elsewhere' }, nowMs) };
      }
      if (attempt.verdict) return { attempt };
      return {
        attempt: {
          ...attempt,
          verdict: {
            ...{ reason: verdict.reason, decidedAtMs: nowMs, locality },
            ...(verdict.isNear ? { isNear: true } : {}),
          },
        },
      };
  }
}

function takeReturn(attempt: Attempt, nonceHash: string, nowMs: number): Transition {
  if (attempt.phase !== 'captured') return { attempt, refused: 'out_of_order' };
  if (attempt.capture.callbackNonceHash !== nonceHash) return { attempt, refused: 'wrong_nonce' };
  if (attempt.returnedAtMs !== undefined) return { attempt, refused: 'spent' };
  return { attempt: { ...attempt, returnedAtMs: nowMs } };
}

function finish(attempt: Attempt, account: CurrentAccount | undefined, nowMs: number): Transition {
  const where = standing(attempt, nowMs);
  if (where.at === 'denied') {
    return {
      attempt: end(attempt, { phase: 'denied', reason: where.reason }, nowMs),
      refused: 'not_ready',
    };
  }
  if (where.at !== 'ready') return { attempt, refused: 'not_ready' };
  // The face was compared with one that is no longer the account's, or there is no account any more.
  const isReplaced =
    attempt.phase === 'captured' && attempt.capture.enrolmentId !== account?.enrolmentId;
  if (!account || isReplaced) {
    return {
      attempt: end(attempt, { phase: 'denied', reason: 'changed' }, nowMs),
      refused: 'not_ready',
    };
  }
  return { attempt: end(attempt, { phase: 'consumed', proof: where.proof }, nowMs) };
}

type Ending =
  | { phase: 'consumed'; proof: Proof }
  | { phase: 'denied'; reason: DenialReason }
  | { phase: 'expired' | 'foreign' | 'superseded' };

function end(attempt: Attempt, ending: Ending, nowMs: number): Attempt {
  const { schema, id, kind, interactionUid, reference, client, request, createdAtMs, expiresAtMs } =
    attempt;
  return {
    ...{ schema, id, kind, interactionUid, reference, client, request, createdAtMs, expiresAtMs },
    ...('identity' in attempt ? { identity: attempt.identity } : {}),
    ...('capture' in attempt ? { capture: attempt.capture } : {}),
    ...('returnedAtMs' in attempt ? { returnedAtMs: attempt.returnedAtMs } : {}),
    endedAtMs: nowMs,
    ...ending,
  };
}
