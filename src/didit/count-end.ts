/** What a session at Didit came to is counted once, by whoever ends it here, or hears late that it has ended there. */
import type { Outcome } from '../domain/budget.ts';
import type { Spending } from '../store/spending.ts';
import type { DiditSessions } from './sessions.ts';
import type { SelfieSignIn } from './withdraw.ts';

export interface CountTools {
  sessions: Pick<DiditSessions, 'end'>;
  spending: Pick<Spending, 'ended'>;
}

export function createCountEnd({ sessions, spending }: CountTools) {
  return async function countEnd(
    diditSessionId: string,
    outcome: Outcome | undefined,
    signIn?: SelfieSignIn,
  ): Promise<void> {
    if (outcome === undefined) return;
    const cost = await sessions.end(diditSessionId, signIn);
    if (cost) spending.ended(cost, outcome);
  };
}
