/** Which attempt a Didit session belongs to. A session that is not listed here was not created by us. */
import { type DiditTraces, diditSessionKey as keyOf } from '../store/didit-traces.ts';
import type { Metered } from '../store/meter.ts';
import { type Store, update } from '../store/store.ts';
import type { SelfieSignIn } from './withdraw.ts';

/**
 * Longer than an attempt lives, so that a late event is known to be late and not taken for a stranger's: who finishes a
 * selfie by Didit's link long after their sign-in costs as much. No longer than the meter gives back and charges anew.
 */
const ttlSeconds = 12 * 3_600;

/** Which attempt a Didit session was created for, and once it was approved, what that opens. */
export interface DiditSessionOf {
  interactionUid: string;
  attemptId: string;
  /** What it will be counted as, until its end was counted. */
  cost?: Metered;
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

    /**
     * It has ended, as often as anybody says so.
     * @param signIn where it was approved: Didit may think otherwise for as long as anything hangs on it.
     * @returns what its end is to be counted as; of many callers one is told.
     */
    end: (diditSessionId: string, signIn?: SelfieSignIn): Promise<Metered | undefined> =>
      update<Metered | undefined>(store, keyOf(diditSessionId), (current) => {
        if (current === undefined) return { result: undefined };
        const { cost, ...before } = JSON.parse(current) as DiditSessionOf;
        const after = { ...before, ...(signIn ? { signIn } : {}) };
        if (!cost && (before.signIn || !signIn)) return { result: undefined };
        return {
          value: JSON.stringify(after),
          ttlSeconds: after.signIn ? keptSeconds : ttlSeconds,
          result: cost,
        };
      }),

    async find(diditSessionId: string): Promise<DiditSessionOf | undefined> {
      const stored = await store.get(keyOf(diditSessionId));
      return stored && (JSON.parse(stored.value) as DiditSessionOf);
    },
  };
}
