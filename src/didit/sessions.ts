/** Which attempt a Didit session belongs to. A session that is not listed here was not created by us. */
import type { DiditTraces } from '../store/didit-traces.ts';
import type { Store } from '../store/store.ts';
import type { DiditSessionOf } from './settle.ts';

/** Longer than an attempt lives, so that a late event is known to be late and not taken for a stranger's. */
const ttlSeconds = 3_600;

export type DiditSessions = ReturnType<typeof createDiditSessions>;

export function createDiditSessions(store: Store, traces: DiditTraces) {
  const keyOf = (diditSessionId: string): string => `didit:${diditSessionId}`;
  return {
    /**
     * Also remembers, for longer, because of whom it lies at Didit.
     * @returns false when the session already belongs to an attempt.
     */
    async claim(
      diditSessionId: string,
      of: DiditSessionOf,
      accountId: string | undefined,
    ): Promise<boolean> {
      const options = { ttlSeconds, ifAbsent: true };
      if (!(await store.put(keyOf(diditSessionId), JSON.stringify(of), options))) return false;
      await traces.add(accountId, diditSessionId);
      return true;
    },

    async find(diditSessionId: string): Promise<DiditSessionOf | undefined> {
      const stored = await store.get(keyOf(diditSessionId));
      return stored && (JSON.parse(stored.value) as DiditSessionOf);
    },
  };
}
