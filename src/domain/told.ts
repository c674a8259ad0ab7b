/** What an event tells of the attempt that it happened to: ids, what was decided, how long somebody waited. */
import type { Attempt } from './attempt.ts';
import type { AuditEvent } from './event.ts';
import { whoseIs } from './whose.ts';

export function toldOf(
  attempt: Attempt,
  event: AuditEvent['event'],
  atMs: number,
  reason?: string,
): AuditEvent {
  const decision = 'decision' in attempt ? attempt.decision.action : undefined;
  const waitedMs = waited(attempt, event, atMs);
  return {
    ...{ event, atMs, attempt: attempt.id, reference: attempt.reference },
    client: attempt.client.id,
    ...whoseIs(attempt),
    ...(reason === undefined ? {} : { reason }),
    ...(decision === undefined ? {} : { decision }),
    ...(waitedMs === undefined ? {} : { waitedMs }),
  };
}

/** Undefined where the event ends no waiting. */
function waited(attempt: Attempt, event: AuditEvent['event'], nowMs: number): number | undefined {
  const returnedAtMs = 'returnedAtMs' in attempt ? attempt.returnedAtMs : undefined;
  const decidedAtMs = verdictAtMs(attempt);
  if (returnedAtMs === undefined || decidedAtMs === undefined) return undefined;
  switch (event) {
    case 'verdict.received':
      return Math.max(0, decidedAtMs - returnedAtMs);
    case 'browser.returned':
      return 0;
    case 'login.completed':
      return Math.max(0, nowMs - Math.max(decidedAtMs, returnedAtMs));
    default:
      return undefined;
  }
}

function verdictAtMs(attempt: Attempt): number | undefined {
  if ('decidedAtMs' in attempt) return attempt.decidedAtMs;
  return 'verdict' in attempt ? attempt.verdict.decidedAtMs : undefined;
}
