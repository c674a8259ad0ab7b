/** The selfie's two sides: a verdict that comes from Didit, and a browser that comes back. Neither knows of the other. */
import { isActive } from './assurance.ts';
import type { Attempt, AttemptEvent, Capture, Transition } from './attempt.ts';
import { end } from './end.ts';
import { isOfClaim } from './handoff.ts';
import { isEnrolling } from './joining.ts';

export function capture(attempt: Attempt, taken: Capture): Transition {
  if (attempt.phase !== 'identified') return { attempt, refused: 'out_of_order' };
  // A login is compared with the face that is enrolled, an enrolment with a document: never the other way round.
  const isByDocument = taken.expectation.reference === 'document';
  if (isByDocument !== isEnrolling(attempt)) return { attempt, refused: 'out_of_order' };
  if (!isByDocument && !isDecidedOn(attempt, taken)) return { attempt, refused: 'out_of_order' };
  if (!isOfClaim(attempt.handoff, taken)) return { attempt, refused: 'out_of_order' };
  const { factor: _, legs: __, handoff, ...identified } = attempt;
  // Whoever takes the selfie where it was asked for has no use for a hand-off any more.
  const kept = taken.handoff && handoff ? { handoff } : {};
  return { attempt: { ...identified, ...kept, phase: 'captured', capture: taken } };
}

/** No selfie without the policy's word, and none of a weaker kind than it asked for. */
function isDecidedOn(
  { decision }: Extract<Attempt, { phase: 'identified' }>,
  { expectation }: Capture,
): boolean {
  if (decision?.action === 'selfie_active') return isActive(expectation.livenessMethods);
  return decision?.action === 'selfie';
}

export function takeVerdict(
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
    case 'not_finished': {
      const ending = { phase: 'denied', reason: verdict.outcome, because: verdict.reason } as const;
      const seen = verdict.outcome === 'in_review' ? { locality } : {};
      return { attempt: end(attempt, { ...ending, ...seen }, nowMs) };
    }
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

/** A browser that is not the one that took the selfie has no return, whatever else it holds. */
export function takeReturn(
  attempt: Attempt,
  { nonceHash, cookieHash }: Extract<AttemptEvent, { type: 'returned' }>,
  nowMs: number,
): Transition {
  if (attempt.phase !== 'captured') return { attempt, refused: 'out_of_order' };
  const { callbackNonceHash, handoff } = attempt.capture;
  if (callbackNonceHash !== nonceHash || handoff?.cookieHash !== cookieHash) {
    return { attempt, refused: 'wrong_nonce' };
  }
  if (attempt.returnedAtMs !== undefined) return { attempt, refused: 'spent' };
  return { attempt: { ...attempt, returnedAtMs: nowMs } };
}

export function takeStranger(attempt: Attempt, nonceHash: string, nowMs: number): Transition {
  if (attempt.phase !== 'captured' || attempt.capture.callbackNonceHash !== nonceHash) {
    return { attempt, refused: 'wrong_nonce' };
  }
  return { attempt: end(attempt, { phase: 'foreign' }, nowMs) };
}
