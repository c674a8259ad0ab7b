/**
 * Things to do at a time, on a list that all processes share. Taking one off the list is the claim, so no two do the
 * same. What must not be lost when a process dies in between goes back on the list for the time that it may take: under
 * another name, since whoever read the list a moment before would else take it for what they had read.
 */
import type { Clock } from '../domain/environment.ts';
import type { Store } from './store.ts';

export interface DueList {
  /** No member begins with "~". */
  add: (member: string, inMs: number) => Promise<void>;
  /** Looks at once, not only when it is time to look. */
  nudge: () => void;
  start: () => void;
  /** Waits for what is under way; nothing new is begun. */
  stop: () => Promise<void>;
}

/** Where a list is kept, for those who only add to it. */
export interface DuePlace {
  store: Store;
  clock: Clock;
  index: string;
  /** The list is forgotten when nothing was added for so long. */
  keptSeconds: number;
}

export interface DueTools extends DuePlace {
  /** Longer than the work takes: another process does it again after that. Absent: it is not done again. */
  leaseMs?: number;
  /** What it resolves to is in how many milliseconds the same is to be done again. */
  work: (member: string) => Promise<number | undefined> | Promise<void>;
  failed: (error: unknown) => void;
}

const everyMs = 500;
const mostAtOnce = 20;
/** One for each time that it was begun. */
const leaseMark = '~';
const leaseMarks = /^~+/;

export function addDue(place: DuePlace, member: string, inMs: number): Promise<void> {
  const { store, clock, index, keptSeconds } = place;
  return store.indexAdd(index, member, clock() + inMs, keptSeconds);
}

export function createDueList(tools: DueTools): DueList {
  const { store, clock, index, leaseMs, work, failed } = tools;
  const underWay = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  const add = (member: string, inMs: number): Promise<void> => addDue(tools, member, inMs);

  async function doOne(entry: string): Promise<void> {
    if (!(await store.indexRemove(index, entry))) return;
    const member = entry.replace(leaseMarks, '');
    const leased = `${leaseMark}${entry}`;
    if (leaseMs !== undefined) await add(leased, leaseMs);
    const againInMs = await work(member);
    if (typeof againInMs === 'number') await add(member, againInMs);
    if (leaseMs !== undefined) await store.indexRemove(index, leased);
  }

  async function look(): Promise<void> {
    const limit = mostAtOnce - underWay.size;
    if (limit <= 0) return;
    const due = await store.indexRange(index, { min: 0, max: clock(), limit });
    for (const { member } of due) {
      const one: Promise<void> = doOne(member)
        .catch(failed)
        .finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }

  function tick(): void {
    clearTimeout(timer);
    looking = look()
      .catch(failed)
      .finally(() => {
        if (timer !== undefined) timer = setTimeout(tick, everyMs).unref();
      });
  }

  return {
    add,
    nudge() {
      if (timer !== undefined) tick();
    },
    start() {
      timer = setTimeout(tick, everyMs).unref();
    },
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await looking;
      await Promise.all(underWay);
    },
  };
}
