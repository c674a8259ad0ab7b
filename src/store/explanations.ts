/** Why each sign-in went as it did (domain/explain.ts), by the reference on the person's page and by time. */
import type { Clock } from '../domain/environment.ts';
import type { Explanation } from '../domain/explain.ts';
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
      for (let min = sinceMs; ;) {
        const range = { min, max: Number.MAX_SAFE_INTEGER, limit: pageOf };
        const page = await store.indexRange(all, range);
        for (const { member } of page) yield* await of(member);
        const last = page.at(-1)?.score;
        if (page.length < pageOf || last === undefined) return;
        min = last + 1;
      }
    },

    /** What is too old leaves the list of all; the rest of it goes by itself. */
    async prune(): Promise<void> {
      const max = clock() - keptSeconds * 1000;
      for (;;) {
        const old = await store.indexRange(all, { min: 0, max, limit: pageOf });
        await Promise.all(old.map(({ member }) => store.indexRemove(all, member)));
        if (old.length < pageOf) return;
      }
    },
  };
}
