/** Where an attempt stands at a given time, which nobody can write down: it follows from what happened. */
import { type LegName, type Proof, handoffProof, selfieProof } from './assurance.ts';
import type { Attempt, Captured, DenialReason, Identity } from './attempt.ts';
import { isNewEnough } from './deciding.ts';
import { claimForMs, typeForMs } from './handoff.ts';
import type { FactorName } from './message.ts';

/** The verdict is fresh for this long; after that another selfie is asked for. */
export const verdictFreshForMs = 120_000;
/** Where locality cannot be told, the door waits for a foreign arrival that may still be on its way. */
export const foreignWaitMs = 3_000;

export function isOver(attempt: Attempt): boolean {
  return !['new', 'joining', 'identified', 'captured', 'proven'].includes(attempt.phase);
}

/** A selfie has a shorter time than the sign-in that it is for. */
export function deadline(attempt: Attempt): number {
  if (attempt.phase !== 'captured') return attempt.expiresAtMs;
  return Math.min(attempt.expiresAtMs, attempt.capture.expectation.expiresAtMs);
}

/** Where an attempt stands now: what the dispatcher shows and what `finished` relies on. */
export type Standing =
  | { at: 'identify' }
  | { at: 'joining'; address: string }
  | { at: 'capture'; identity: Identity }
  /** The policy wants something else than a selfie, or before one. */
  | { at: 'ways' }
  | { at: 'factor'; factor: FactorName }
  /** One leg was shown, and another has to be chosen. */
  | { at: 'second_leg'; shown: readonly LegName[] }
  /** A code is shown for a phone to open; `untilMs` is absent once one did. */
  | { at: 'handed_off'; untilMs: number | undefined }
  | { at: 'waiting'; returned: boolean; opensAtMs: number | undefined }
  /** The phone has its approval; `untilMs` is absent until it shows the code for it. */
  | { at: 'type_code'; untilMs: number | undefined }
  | { at: 'ready'; proof: Proof }
  | { at: 'denied'; reason: DenialReason }
  | { at: 'consumed' | 'expired' | 'foreign' | 'superseded' };

export function standing(attempt: Attempt, nowMs: number): Standing {
  if (!isOver(attempt) && nowMs >= deadline(attempt)) return { at: 'expired' };
  switch (attempt.phase) {
    case 'new':
      return { at: 'identify' };
    case 'joining':
      return { at: 'joining', address: attempt.address };
    case 'identified':
      return standingOfIdentified(attempt, nowMs);
    case 'captured':
      return standingOfCapture(attempt, nowMs);
    case 'proven':
      return standingOfProven(attempt, nowMs);
    case 'denied':
      return { at: 'denied', reason: attempt.reason };
    default:
      return { at: attempt.phase };
  }
}

function standingOfIdentified(
  { factor, legs, decision, identity, handoff }: Extract<Attempt, { phase: 'identified' }>,
  nowMs: number,
): Standing {
  if (factor !== undefined) return { at: 'factor', factor };
  if (handoff?.claim) return { at: 'handed_off', untilMs: undefined };
  const untilMs = handoff && handoff.offeredAtMs + claimForMs;
  if (untilMs !== undefined && nowMs < untilMs) return { at: 'handed_off', untilMs };
  const isSelfieNext = decision !== undefined && decision.action !== 'fallback';
  if (legs && !isSelfieNext) return { at: 'second_leg', shown: legs.map(({ name }) => name) };
  return decision?.action === 'fallback' ? { at: 'ways' } : { at: 'capture', identity };
}

function standingOfProven(
  { proof, skippedAtMs, request }: Extract<Attempt, { phase: 'proven' }>,
  nowMs: number,
): Standing {
  const isStale = nowMs - (skippedAtMs ?? proof.provenAtMs) > verdictFreshForMs;
  // What was proven earlier grows too old for the app while somebody hesitates before the last button.
  const isOld = skippedAtMs !== undefined && !isNewEnough(request, proof.provenAtMs, nowMs);
  return isStale || isOld ? { at: 'denied', reason: 'stale' } : { at: 'ready', proof };
}

function standingOfCapture(attempt: Captured, nowMs: number): Standing {
  const { verdict, returnedAtMs, handoff } = attempt;
  const returned = returnedAtMs !== undefined;
  if (!verdict || !returned) return { at: 'waiting', returned, opensAtMs: undefined };
  if (nowMs - verdict.decidedAtMs > verdictFreshForMs) return { at: 'denied', reason: 'stale' };
  const opensAtMs =
    verdict.locality === 'agrees'
      ? returnedAtMs
      : Math.max(returnedAtMs, verdict.decidedAtMs) + foreignWaitMs;
  if (nowMs < opensAtMs) return { at: 'waiting', returned, opensAtMs };
  const { accountId } = attempt.identity;
  // A decoy: no verdict can be good enough for nobody.
  if (accountId === undefined) return { at: 'denied', reason: 'declined' };
  const { environment, livenessMethods } = attempt.capture.expectation;
  const { decidedAtMs } = verdict;
  if (attempt.capture.handoff) {
    if (handoff?.typedAtMs === undefined) return standingOfCode(handoff?.shown?.atMs, nowMs);
    return { at: 'ready', proof: handoffProof(accountId, decidedAtMs, environment) };
  }
  const taken = { livenessMethods, hasDevice: attempt.device !== undefined };
  return { at: 'ready', proof: selfieProof(accountId, { ...taken, decidedAtMs }, environment) };
}

function standingOfCode(shownAtMs: number | undefined, nowMs: number): Standing {
  const untilMs = shownAtMs === undefined ? undefined : shownAtMs + typeForMs;
  const isLate = untilMs !== undefined && nowMs >= untilMs;
  return isLate ? { at: 'denied', reason: 'stale' } : { at: 'type_code', untilMs };
}
