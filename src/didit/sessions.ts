/** Which attempt a Didit session belongs to. A session that is not listed here was not created by us. */
import { type DiditTraces, diditSessionKey as keyOf } from '../store/didit-traces.ts';
import type { Store } from '../store/store.ts';
import type { SelfieSignIn } from './withdraw.ts';

/** Longer than an attempt lives, so that a late event is known to be late and not taken for a stranger's. */
const ttlSeconds = 3_600;

/** Which attempt a Didit session was created for, and once it was approved, what that opens. */
export interface DiditSessionOf {
  interactionUid: string;
  attemptId: string;
  signIn?: SelfieSignIn;
}

export type DiditSessions = ReturnType<typeof createDiditSessions>;

/** @param keptSeconds how long something may hang on an approval. */
export function createDiditSessions(store: Store, traces: DiditTraces, keptSeconds: number) {
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

    /** It was approved: Didit may think otherwise for as long as anything hangs on it. */
    async keep(of: DiditSessionOf & { signIn: SelfieSignIn }): Promise<void> {
      const key = keyOf(of.signIn.accepted.diditSessionId);
      await store.put(key, JSON.stringify(of), { ttlSeconds: keptSeconds });
    },

    async find(diditSessionId: string): Promise<DiditSessionOf | undefined> {
      const stored = await store.get(keyOf(diditSessionId));
      return stored && (JSON.parse(stored.value) as DiditSessionOf);
    },
  };
}
