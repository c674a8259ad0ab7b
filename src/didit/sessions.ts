/** Which attempt a Didit session belongs to. A session that is not listed here was not created by us. */
import type { Store } from '../store/store.ts';
import type { DiditSessionOf } from './settle.ts';

/** Longer than an attempt lives, so that a late event is known to be late and not taken for a stranger's. */
const ttlSeconds = 3_600;

export type DiditSessions = ReturnType<typeof createDiditSessions>;

export function createDiditSessions(store: Store) {
  const keyOf = (diditSessionId: string): string => `didit:${diditSessionId}`;
  return {
    /** @returns false when the session already belongs to an attempt. */
    async claim(diditSessionId: string, of: DiditSessionOf): Promise<boolean> {
      const options = { ttlSeconds, ifAbsent: true };
      return (await store.put(keyOf(diditSessionId), JSON.stringify(of), options)) !== undefined;
    },

    async find(diditSessionId: string): Promise<DiditSessionOf | undefined> {
      const stored = await store.get(keyOf(diditSessionId));
      return stored && (JSON.parse(stored.value) as DiditSessionOf);
    },
  };
}
