/**
 * The attempt: everything that can happen to a person at the door, as one record and one pure function.
 *
 * It is the only thing that crosses requests and processes. The browser's side and Didit's side never call each
 * other: both load the attempt, propose an event to `transition`, and save the answer with a compare-and-set.
 *
 *     new → identified ┬→ captured ─ verdict: approved ┐   (somebody new: new → joining → identified)
 *            (decided) │       └──── returned ─────────┼→ (ready) → consumed
 *                      └→ (a passkey, two legs, or skipped) → proven ─┘
 *     A selfie that is handed off to a phone (handoff.ts) is ready once a code has gone back from there.
 *     and from anywhere before that: denied · expired · foreign · superseded
 *
 * A webhook or a poll can only bring the verdict; a browser can only bring itself back. Neither alone opens the
 * door. "Ready" is not stored: it is what `standing` (standing.ts) says of an attempt at a given time,
 * so that no writer can put it there. Terminal phases are final. Events may come in any order, twice, late, or never.
 */
import type { LegName, Proof } from './assurance.ts';
import { capture, takeReturn, takeStranger, takeVerdict } from './capturing.ts';
import {
  type AssuranceRequest,
  type DecisionOnRecord,
  type DeviceProof,
  type Reach,
  takeDecision,
  takeDevice,
} from './deciding.ts';
import type { Verdict } from './decision.ts';
import { end } from './end.ts';
import {
  type Handoff,
  type HandoffOfCapture,
  offer,
  showCode,
  takeClaim,
  takeCode,
} from './handoff.ts';
import { isEnrolling, join } from './joining.ts';
import { type Leg, choose, takeLeg, takeProof } from './legs.ts';
import type { Locality, Place } from './locality.ts';
import type { FactorName } from './message.ts';
import type { Decision } from './policy.ts';
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
  /** `policy`: the name that an operator wrote at an app which is kept in the store. */
  client: { id: string; name: string; host: string; policy?: string };
  request: {
    loginHint: string | undefined;
    /** The languages that the person wants: as the app said (`ui_locales`), then as the browser says. */
    uiLocales: string | undefined;
  } & AssuranceRequest;
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
  /** By the word of whoever sits there, others do too: it is not remembered. */
  isShared?: true;
  device: { id: string; deviceClass: DeviceClass };
  /** Taken on a phone, for another browser. */
  handoff?: HandoffOfCapture;
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
  /** What may be spent on selfies is spent. */
  | 'paused'
  | 'other_way'
  | 'cancelled'
  /** The code of a hand-off, too often. */
  | 'wrong_code'
  /** By the policy. */
  | 'refused'
  /** What the app asked for cannot be reached here. */
  | 'unmet';

/** Said by us or by the person, and not by Didit. */
export type GivenUp = Extract<
  DenialReason,
  'unavailable' | 'limited' | 'paused' | 'other_way' | 'cancelled' | 'unmet'
>;

export interface Captured {
  phase: 'captured';
  identity: Identity;
  capture: Capture;
  device?: DeviceProof;
  decision?: DecisionOnRecord;
  /** Only where the capture is of one. */
  handoff?: Handoff;
  verdict?: Pick<Verdict, 'reason' | 'isNear'> & { decidedAtMs: number; locality: Locality };
  returnedAtMs?: number;
}

/** The person chose another factor, and showed it; with `legs` it took two. */
interface Proven {
  phase: 'proven';
  identity: Identity;
  legs?: readonly Leg[];
  device?: DeviceProof;
  decision?: DecisionOnRecord;
  proof: Proof;
  /** The policy spared the person a selfie: what was proven was proven earlier. */
  skippedAtMs?: number;
}

interface Ended {
  /** Kept so that "try again" need not ask who it is. */
  identity?: Identity;
  endedAtMs: number;
  /** Kept for whoever explains it. */
  decision?: DecisionOnRecord;
  decidedAtMs?: number;
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
     * `withoutFace`: somebody new wants no selfie. `decision`: by what is known so far; something new is decided anew.
     * `handoff`: offered to a phone, or taken on by one.
     */
    | {
        phase: 'identified';
        identity: Identity;
        factor?: FactorName;
        legs?: readonly Leg[];
        device?: DeviceProof;
        decision?: DecisionOnRecord;
        handoff?: Handoff;
        withoutFace?: true;
      }
    | Captured
    | Proven
    | (Ended & { phase: 'consumed'; proof: Proof })
    /** `because`: the code of the verdict, which no person ever sees. `locality`: of what people have to look at. */
    | (Ended & { phase: 'denied'; reason: DenialReason; because?: string; locality?: Locality })
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
  | { type: 'device_proven'; accountId: string; device: DeviceProof }
  | { type: 'decided'; decision: Decision; reach: Reach }
  | ({ type: 'handed_off'; environment: 'live' | 'sandbox' } & Pick<
      Handoff,
      'codeHash' | 'salt' | 'from' | 'deviceClass'
    >)
  | { type: 'claimed'; codeHash: string; cookieHash: string; place: Place }
  | { type: 'captured'; capture: Capture }
  | { type: 'judged'; diditSessionId: string; verdict: Verdict; locality: Locality }
  /** `cookieHash`: of the phone, where the selfie was handed off. */
  | { type: 'returned'; nonceHash: string; cookieHash?: string }
  | { type: 'arrived_elsewhere'; nonceHash: string }
  /** On the phone, and then in the browser that asked. */
  | { type: 'code_shown'; hash: string }
  | { type: 'code_typed'; hash: string }
  | { type: 'factor_chosen'; factor: FactorName }
  | { type: 'proven'; proof: Proof }
  /** `accountId`: whose code it was. */
  | { type: 'leg_proven'; leg: LegName; accountId: string; environment: 'live' | 'sandbox' }
  | { type: 'finished'; account: CurrentAccount | undefined }
  | { type: 'gave_up'; reason: GivenUp }
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
  | 'wrong_code'
  | 'late'
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
    case 'device_proven':
      return takeDevice(attempt, event);
    case 'decided':
      return takeDecision(attempt, event, nowMs);
    case 'handed_off':
      return offer(attempt, event, nowMs);
    case 'claimed':
      return takeClaim(attempt, event, nowMs);
    case 'captured':
      return capture(attempt, event.capture);
    case 'judged':
      return takeVerdict(attempt, event, nowMs);
    case 'returned':
      return takeReturn(attempt, event, nowMs);
    case 'arrived_elsewhere':
      return takeStranger(attempt, event.nonceHash, nowMs);
    case 'code_shown':
      return showCode(attempt, event.hash, nowMs);
    case 'code_typed':
      return takeCode(attempt, event.hash, nowMs);
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
