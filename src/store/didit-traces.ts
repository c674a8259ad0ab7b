/**
 * Which Didit sessions were begun because of whom, by time: each has to be deleted there one day. An entry stays
 * until Didit has confirmed that its session is gone.
 */
import type { Clock } from '../domain/environment.ts';
import type { Store } from './store.ts';

export type DiditTraces = ReturnType<typeof createDiditTraces>;

/** What is known of one session, see didit/sessions.ts. */
export const diditSessionKey = (diditSessionId: string): string => `didit:${diditSessionId}`;

export function createDiditTraces(store: Store, clock: Clock) {
  /** Selfies for names that lead to nobody lie at Didit as well. */
  const keyOf = (accountId: string | undefined): string => `didit-sessions:${accountId ?? ''}`;

  return {
    add: (accountId: string | undefined, diditSessionId: string): Promise<void> =>
      store.indexAdd(keyOf(accountId), diditSessionId, clock()),

    /** Oldest first. */
    async list(
      accountId: string | undefined,
      untilMs = Number.MAX_SAFE_INTEGER,
      limit = 1_000,
    ): Promise<{ diditSessionId: string; atMs: number }[]> {
      const entries = await store.indexRange(keyOf(accountId), { min: 0, max: untilMs, limit });
      return entries.map(({ member, score }) => ({ diditSessionId: member, atMs: score }));
    },

    /** What else is known of the session goes with it: there is nothing left that could be read. */
    async remove(accountId: string | undefined, diditSessionId: string): Promise<boolean> {
      await store.delete(diditSessionKey(diditSessionId));
      return store.indexRemove(keyOf(accountId), diditSessionId);
    },
  };
}
