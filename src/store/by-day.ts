/**
 * What is summed up by day: one record a day. Each process gathers what it sees and writes it a moment later, so that
 * a busy hour costs no more writes than a quiet one and nobody waits for it; a process that is killed loses that
 * moment. A write that was not answered is tried again, and counts once: the record says which batches are in it.
 */
import { smallRandom } from './random.ts';
import { type Change, type Store, type Stored, update } from './store.ts';

const dayMs = 86_400_000;
const keptSeconds = 400 * 86_400;
const writeAfterMs = 2_000;
/** So many of those who wrote last are remembered; each is one process, until its next start or reload. */
const writersAtMost = 50;

/** Days since 1970 (UTC). */
export const dayOf = (atMs: number): number => Math.floor(atMs / dayMs);
export const isoDay = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10);
/** What is read at once: a year and a day of leap. */
const daysAtMost = 366;

/** Both as `2026-11-28`, and included. */
export interface DaysNamed {
  fromDay: string;
  toDay: string;
}

/** @throws RangeError unless they are up to 366 days. */
export function daysBetween({ fromDay, toDay }: DaysNamed): [first: number, last: number] {
  const [first, last] = [dayOf(Date.parse(fromDay)), dayOf(Date.parse(toDay))];
  if (!(first <= last && last - first < daysAtMost)) {
    throw new RangeError(`these are not up to ${daysAtMost} days from one to another`);
  }
  return [first, last];
}

export interface Sums<Day> {
  /** What its records are called. */
  kind: string;
  none: () => Day;
  added: (day: Day, more: Day) => Day;
  failed: (error: unknown) => void;
}

/** What one process gathered of a day and writes at once. */
interface Batch<Day> {
  number: number;
  sums: Day;
}

/** By whom a record was written, and the number of their last batch in it; who wrote last comes last. */
type Written = readonly (readonly [writer: string, number: number])[];

export type ByDay<Day> = ReturnType<typeof createByDay<Day>>;

export function createByDay<Day>(store: Store, { kind, none, added, failed }: Sums<Day>) {
  const gathered = new Map<number, Day>();
  /** Perhaps written: it is tried again as it is. */
  const unsure = new Map<number, Batch<Day>>();
  const known = new Map<number, Stored>();
  const writer = smallRandom(9).toString('base64url');
  let batches = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const keyOf = (day: number): string => `${kind}:${day}`;
  function parse(value: string | undefined): { sums: Day; written: Written } {
    if (value === undefined) return { sums: none(), written: [] };
    const { written = [], ...sums } = JSON.parse(value) as { written?: Written };
    return { sums: sums as Day, written };
  }

  function gather(day: number, more: Day): void {
    gathered.set(day, added(gathered.get(day) ?? none(), more));
  }

  function writeSoon(): void {
    timer ??= setTimeout(() => void flush(), writeAfterMs).unref();
  }

  async function write(day: number, batch: Batch<Day>): Promise<void> {
    unsure.set(day, batch);
    const change = (current: string | undefined): Change<undefined> => {
      const { sums, written } = parse(current);
      const isIn = written.some(([one, number]) => one === writer && number >= batch.number);
      if (isIn) return { result: undefined };
      const others = written.filter(([one]) => one !== writer).slice(1 - writersAtMost);
      const next = { ...added(sums, batch.sums), written: [...others, [writer, batch.number]] };
      return { value: JSON.stringify(next), ttlSeconds: keptSeconds, result: undefined };
    };
    const note = (record: Stored): void => void known.set(day, record);
    await update(store, keyOf(day), change, known.get(day), note);
    unsure.delete(day);
    // Yesterday may be written to once more, the day before is over.
    for (const old of known.keys()) if (old < day - 1) known.delete(old);
  }

  async function writeDay(day: number): Promise<void> {
    const again = unsure.get(day);
    if (again) await write(day, again);
    const sums = gathered.get(day);
    if (sums === undefined) return;
    gathered.delete(day);
    await write(day, { number: (batches += 1), sums });
  }

  async function writeAll(): Promise<void> {
    for (const day of new Set([...unsure.keys(), ...gathered.keys()])) {
      try {
        await writeDay(day);
      } catch (error) {
        known.delete(day);
        failed(error);
      }
    }
  }

  /** @returns when all that was added before is written, or could not be and is kept for the next time. */
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(writeAll).then(() => {
      if (gathered.size + unsure.size > 0) writeSoon();
    });
    return writing;
  }

  return {
    add(day: number, more: Day): void {
      gather(day, more);
      writeSoon();
    },

    flush,

    stop: async (): Promise<void> => {
      await flush();
      clearTimeout(timer);
    },

    /** Both included. */
    async read(fromDay: number, toDay: number): Promise<{ day: number; sums: Day }[]> {
      const days = Array.from({ length: toDay - fromDay + 1 }, (_, at) => fromDay + at);
      const stored = await store.getMany(days.map(keyOf));
      return days.map((day, at) => ({ day, sums: parse(stored[at]?.value).sums }));
    },

    /** Takes something out of a day: of many processes one gets it. @param split what is taken, and the rest. */
    take: <T>(day: number, split: (sums: Day) => { taken: T; rest?: Day }): Promise<T> =>
      update<T>(store, keyOf(day), (current) => {
        const { sums, written } = parse(current);
        const { taken, rest } = split(sums);
        if (rest === undefined) return { result: taken };
        const value = JSON.stringify({ ...rest, written });
        return { value, ttlSeconds: keptSeconds, result: taken };
      }),
  };
}
