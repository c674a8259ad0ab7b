/** Which attempt a Didit session belongs to. A session that is not listed here was not created by us. */
import { type DiditTraces, diditSessionKey as keyOf } from '../store/didit-traces.ts';
import type { Metered } from '../store/meter.ts';
import { smallRandom } from '../store/random.ts';
import { type Change, type Store, update } from '../store/store.ts';
import type { SelfieSignIn } from './withdraw.ts';

/**
 * Longer than an attempt lives, so that a late event is known to be late and not taken for a stranger's: who finishes a
 * selfie by Didit's link long after their sign-in costs as much. No longer than the meter gives back and charges anew.
 */
const ttlSeconds = 12 * 3_600;

/** A store that is away answers no end: so many of the last ones are remembered. */
const unsureAtMost = 1_000;

/** Which attempt a Didit session was created for, and once it was approved, what that opens. */
export interface DiditSessionOf {
  interactionUid: string;
  attemptId: string;
  /** What it will be counted as, until its end was counted. */
  cost?: Metered;
  /** The mark of the call that took `cost` out, see `end`. */
  takenBy?: string;
  signIn?: SelfieSignIn;
}

export type DiditSessions = ReturnType<typeof createDiditSessions>;

/** @param keptSeconds how long something may hang on an approval. */
export function createDiditSessions(store: Store, traces: DiditTraces, keptSeconds: number) {
  const unsure = createUnsure();

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
     * @returns what its end is to be counted as; of many callers one is told. Where the store did not answer
     * this process tells whoever asks it next. Another one cannot know whether it was counted, and leaves it.
     */
    async end(diditSessionId: string, signIn?: SelfieSignIn): Promise<Metered | undefined> {
      const mark = smallRandom(9).toString('base64url');
      /** What a write that fails would have taken out. */
      let tried: Metered | undefined;
      const take = (current: string | undefined): Change<DiditSessionOf | undefined> => {
        const before = current === undefined ? undefined : (JSON.parse(current) as DiditSessionOf);
        tried = before?.cost;
        if (!before || (!tried && (before.signIn || !signIn))) return { result: before };
        const { cost, ...rest } = before;
        const taken = cost ? { takenBy: mark } : {};
        const after = { ...rest, ...taken, ...(signIn ? { signIn } : {}) };
        return {
          value: JSON.stringify(after),
          ttlSeconds: after.signIn ? keptSeconds : ttlSeconds,
          result: before,
        };
      };
      try {
        const before = await update(store, keyOf(diditSessionId), take);
        return before?.cost ?? unsure.take(before?.takenBy);
      } catch (error) {
        if (tried) unsure.add(mark, tried);
        throw error;
      }
    },

    async find(diditSessionId: string): Promise<DiditSessionOf | undefined> {
      const stored = await store.get(keyOf(diditSessionId));
      return stored && (JSON.parse(stored.value) as DiditSessionOf);
    },
  };
}

/** What was perhaps taken out, and is counted by nobody, under the mark that stands in the record if it was. */
function createUnsure() {
  const costs = new Map<string, Metered>();
  return {
    add(mark: string, cost: Metered): void {
      const [oldest] = costs.keys();
      if (oldest !== undefined && costs.size >= unsureAtMost) costs.delete(oldest);
      costs.set(mark, cost);
    },
    take(mark = ''): Metered | undefined {
      const cost = costs.get(mark);
      costs.delete(mark);
      return cost;
    },
  };
}
