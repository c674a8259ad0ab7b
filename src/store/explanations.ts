/** Why each sign-in went as it did (domain/explain.ts), by the reference on the person's page and by time. */
import type { Clock } from '../domain/environment.ts';
import type { Explanation } from '../domain/explain.ts';
import { forgetMembers, membersSince } from './index-pages.ts';
import type { Store } from './store.ts';

const keptSeconds = 90 * 86_400;
const all = 'explanations:all';
const pageOf = 100;

export type Explanations = ReturnType<typeof createExplanations>;

export function createExplanations(store: Store, clock: Clock) {
  const indexOf = (reference: string): string => `explanations:${reference}`;

  /** All tries of one request have the same reference. Oldest first. */
  async function of(reference: string): Promise<Explanation[]> {
    const range = { min: 0, max: Number.MAX_SAFE_INTEGER, limit: pageOf };
    const found = await store.indexRange(indexOf(reference), range);
    return found.map(({ member }) => JSON.parse(member) as Explanation);
  }

  return {
    of,

    async add(explanation: Explanation): Promise<void> {
      const { reference, beganAtMs } = explanation;
      await Promise.all([
        store.indexAdd(indexOf(reference), JSON.stringify(explanation), beganAtMs, keptSeconds),
        store.indexAdd(all, reference, beganAtMs, keptSeconds),
      ]);
    },

    /** Oldest first. */
    async *since(sinceMs: number): AsyncGenerator<Explanation> {
      for await (const reference of membersSince(store, all, sinceMs)) yield* await of(reference);
    },

    /** What is too old leaves the list of all; the rest of it goes by itself. */
    prune: (): Promise<void> => forgetMembers(store, all, clock() - keptSeconds * 1000),
  };
}
