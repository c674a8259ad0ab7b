/** The end of an attempt: final, and with no more left of it than what may still be asked. */
import type { Proof } from './assurance.ts';
import type { Attempt, DenialReason } from './attempt.ts';
import type { Locality } from './locality.ts';

export type Ending =
  | { phase: 'consumed'; proof: Proof }
  | { phase: 'denied'; reason: DenialReason; because?: string; locality?: Locality }
  | { phase: 'expired' | 'foreign' | 'superseded' };

export function end(attempt: Attempt, ending: Ending, nowMs: number): Attempt {
  const { schema, id, kind, interactionUid, reference, client, request, createdAtMs, expiresAtMs } =
    attempt;
  return {
    ...{ schema, id, kind, interactionUid, reference, client, request, createdAtMs, expiresAtMs },
    ...('identity' in attempt ? { identity: attempt.identity } : {}),
    ...('decision' in attempt ? { decision: attempt.decision } : {}),
    ...('capture' in attempt ? { capture: attempt.capture } : {}),
    ...('returnedAtMs' in attempt ? { returnedAtMs: attempt.returnedAtMs } : {}),
    ...('verdict' in attempt ? { decidedAtMs: attempt.verdict.decidedAtMs } : {}),
    endedAtMs: nowMs,
    ...ending,
  };
}
