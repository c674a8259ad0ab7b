/**
 * The attempt: everything that can happen to a person at the door, as one record and one pure function.
 *
 * It is the only thing that crosses requests and processes. The browser's side and Didit's side never call each
 * other: both load the attempt, propose an event to `transition`, and save the answer with a compare-and-set.
 *
 *     new → identified → captured ─ verdict: approved ┐
 *                            └───── returned ─────────┴→ (ready) → consumed
 *     and from anywhere before that: denied · expired · foreign · superseded
 *
 * A webhook or a poll can only bring the verdict; a browser can only bring itself back. Neither alone opens the
 * door. "Ready" is not stored: it is what `standing` says of a captured attempt at a given time, so that no
 * writer can put it there. Terminal phases are final. Events may come in any order, twice, late, or never.
 */
import { type Proof, selfieProof } from './assurance.ts';
import type { Locality, Place } from './locality.ts';
import type { Expectation, Verdict } from './verdict.ts';

/** `step_up`: somebody is signed in in this browser and has to prove it anew. */
export type AttemptKind = 'login' | 'step_up';

interface Common {
  schema: 1;
  id: string;
  kind: AttemptKind;
  /** The library's interaction that this attempt answers; an interaction has at most one live attempt. */
  interactionUid: string;
  /** Short, random, quotable on the phone; stands for nothing. */
  reference: string;
  client: { id: string; name: string; host: string };
  request: { loginHint: string | undefined; uiLocales: string | undefined };
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
  workflowVersion: number | undefined;
  expectation: Expectation;
  /** The nonce in the path of the callback, hashed. The one in the metadata is in the expectation. */
  callbackNonceHash: string;
  enrolmentId: string;
  /** Gives the enrolment's single slot back. */
  slotReceipt: string;
  /** The browser that asked for the selfie. */
  place: Place;
}

export type DenialReason =
  | 'declined'
  | 'in_review'
  | 'not_finished'
  | 'elsewhere'
  | 'stale'
  | 'unavailable'
  | 'limited'
  | 'other_way'
  | 'cancelled';

interface Captured {
  phase: 'captured';
  identity: Identity & { accountId: string };
  capture: Capture;
  verdict?: { reason: string; decidedAtMs: number; locality: Locality };
  returnedAtMs?: number;
}

interface Ended {
  /** Kept so that "try again" need not ask who it is. */
  identity?: Identity;
  endedAtMs: number;
  /** Kept so that a late, foreign arrival can still be told from a stranger's guess. */
  capture?: Capture;
}

export type Attempt = Common &
  (
    | { phase: 'new' }
    | { phase: 'identified'; identity: Identity }
    | Captured
    | (Ended & { phase: 'consumed'; proof: Proof })
    | (Ended & { phase: 'denied'; reason: DenialReason })
    | (Ended & { phase: 'expired' | 'foreign' | 'superseded' })
  );

export type AttemptEvent =
  | { type: 'identified'; identity: Identity }
  | { type: 'captured'; capture: Capture }
  | { type: 'judged'; diditSessionId: string; verdict: Verdict; locality: Locality }
  | { type: 'returned'; nonceHash: string }
  | { type: 'arrived_elsewhere'; nonceHash: string }
  | { type: 'finished' }
  | { type: 'gave_up'; reason: 'unavailable' | 'limited' | 'other_way' | 'cancelled' }
  | { type: 'superseded' };

export type Refusal =
  'over' | 'out_of_order' | 'other_session' | 'wrong_nonce' | 'spent' | 'not_ready';

/** `refused` is absent when the event was taken, also when it changed nothing because it had happened before. */
export interface Transition {
  attempt: Attempt;
  refused?: Refusal;
}

/** The verdict is fresh for this long; after that another selfie is asked for. */
export const verdictFreshForMs = 120_000;
/** Where locality cannot be told, the door waits for a foreign arrival that may still be on its way. */
export const foreignWaitMs = 3_000;

export type NewAttempt = Omit<Common, 'schema'>;

export function newAttempt(fields: NewAttempt): Attempt {
  return { schema: 1, ...fields, phase: 'new' };
}

export function isOver(attempt: Attempt): boolean {
  return attempt.phase !== 'new' && attempt.phase !== 'identified' && attempt.phase !== 'captured';
}

export function transition(attempt: Attempt, event: AttemptEvent, nowMs: number): Transition {
  if (isOver(attempt)) return { attempt, refused: 'over' };
  if (nowMs >= deadline(attempt)) {
    return { attempt: end(attempt, { phase: 'expired' }, nowMs), refused: 'over' };
  }
  switch (event.type) {
    case 'identified':
      if (attempt.phase !== 'new') return { attempt, refused: 'out_of_order' };
      return { attempt: { ...attempt, phase: 'identified', identity: event.identity } };
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
    case 'finished':
      return finish(attempt, nowMs);
    case 'gave_up':
      return { attempt: end(attempt, { phase: 'denied', reason: event.reason }, nowMs) };
    case 'superseded':
      return { attempt: end(attempt, { phase: 'superseded' }, nowMs) };
  }
}

function capture(attempt: Attempt, taken: Capture): Transition {
  if (attempt.phase !== 'identified') return { attempt, refused: 'out_of_order' };
  const { accountId, identifier } = attempt.identity;
  if (accountId === undefined) return { attempt, refused: 'out_of_order' };
  const identity = { identifier, accountId };
  return { attempt: { ...attempt, phase: 'captured', identity, capture: taken } };
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
          verdict: { reason: verdict.reason, decidedAtMs: nowMs, locality },
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

function finish(attempt: Attempt, nowMs: number): Transition {
  const where = standing(attempt, nowMs);
  if (where.at === 'denied') {
    return {
      attempt: end(attempt, { phase: 'denied', reason: where.reason }, nowMs),
      refused: 'not_ready',
    };
  }
  if (where.at !== 'ready') return { attempt, refused: 'not_ready' };
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
    endedAtMs: nowMs,
    ...ending,
  };
}

function deadline(attempt: Attempt): number {
  if (attempt.phase !== 'captured') return attempt.expiresAtMs;
  return Math.min(attempt.expiresAtMs, attempt.capture.expectation.expiresAtMs);
}

/** Where an attempt stands now: what the dispatcher shows and what `finished` relies on. */
export type Standing =
  | { at: 'identify' }
  | { at: 'capture'; identity: Identity }
  | { at: 'waiting'; returned: boolean; opensAtMs: number | undefined }
  | { at: 'ready'; proof: Proof }
  | { at: 'denied'; reason: DenialReason }
  | { at: 'consumed' | 'expired' | 'foreign' | 'superseded' };

export function standing(attempt: Attempt, nowMs: number): Standing {
  if (!isOver(attempt) && nowMs >= deadline(attempt)) return { at: 'expired' };
  switch (attempt.phase) {
    case 'new':
      return { at: 'identify' };
    case 'identified':
      return { at: 'capture', identity: attempt.identity };
    case 'captured':
      return standingOfCapture(attempt, nowMs);
    case 'denied':
      return { at: 'denied', reason: attempt.reason };
    default:
      return { at: attempt.phase };
  }
}

function standingOfCapture(attempt: Captured, nowMs: number): Standing {
  const { verdict, returnedAtMs } = attempt;
  const returned = returnedAtMs !== undefined;
  if (!verdict || !returned) return { at: 'waiting', returned, opensAtMs: undefined };
  if (nowMs - verdict.decidedAtMs > verdictFreshForMs) return { at: 'denied', reason: 'stale' };
  const opensAtMs =
    verdict.locality === 'agrees'
      ? returnedAtMs
      : Math.max(returnedAtMs, verdict.decidedAtMs) + foreignWaitMs;
  if (nowMs < opensAtMs) return { at: 'waiting', returned, opensAtMs };
  const { environment } = attempt.capture.expectation;
  const proof = selfieProof(attempt.identity.accountId, verdict.decidedAtMs, environment);
  return { at: 'ready', proof };
}
