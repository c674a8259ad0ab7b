/**
 * The meter: Didit sessions by day, client, reason and check, and what they came to.
 *
 * Beside it the record keeps for each hour what the caps were charged for sessions of which nothing was heard yet
 * (`open`). Long after such an hour what is left of it was abandoned, and is given back (`takeOpen`).
 */
import {
  type Check,
  type CostReason,
  type Counts,
  type MeterRow,
  type Outcome,
  type Pricing,
  billedOf,
  sum,
  unitsOf,
} from '../domain/budget.ts';
import type { Clock } from '../domain/environment.ts';
import { type ByDay, createByDay, dayOf } from './by-day.ts';
import type { Store } from './store.ts';

export interface Metered {
  client: string;
  reason: CostReason;
  check: Check;
  /** When it began: everything about it stands under that day. */
  startedAtMs: number;
  /** What the caps were charged. */
  units: number;
}

export interface MeterHears {
  created?: (about: Pick<Metered, 'client' | 'reason'>) => void;
  ended?: (about: Metered, outcome: Outcome) => void;
}

interface Day {
  schema: 1;
  rows: Record<string, Counts>;
  /** By hour, then by client. */
  open: Record<string, Record<string, number>>;
}

/** Where the caps were charged, and how much of it has to be given back; below 0: more has to be charged. */
export interface Open {
  hour: number;
  client: string;
  units: number;
}

const hourMs = 3_600_000;
export const hourOf = (atMs: number): number => Math.floor(atMs / hourMs);
/** No attempt lives longer than an hour, and a verdict may come a moment after it. */
const openForMs = 65 * 60_000;
/** Clients may register themselves; what comes after so many rows of a day is counted for nobody. */
const rowsAtMost = 5_000;
const nobody = '-';

/** Units, of all together and by client. */
export interface Charged {
  all: number;
  clients: ReadonlyMap<string, number>;
}

export type Meter = ReturnType<typeof createMeter>;

export function createMeter(
  store: Store,
  tools: { clock: Clock; failed: (error: unknown) => void; isFree: (outcome: Outcome) => boolean },
) {
  const { clock, failed, isFree } = tools;
  const byDay = createByDay<Day>(store, { kind: 'meter', none: emptyDay, added, failed });
  const hearers: MeterHears[] = [];

  function count(atMs: number, more: Pick<Day, 'rows' | 'open'>): void {
    byDay.add(dayOf(atMs), { schema: 1, ...more });
  }

  return {
    hear: (hearer: MeterHears): void => void hearers.push(hearer),

    began(about: Metered): void {
      const { startedAtMs, client, units } = about;
      const open = { [hourOf(startedAtMs)]: { [client]: units } };
      count(startedAtMs, { rows: { [rowKey(about)]: { created: 1 } }, open });
      for (const { created } of hearers) created?.(about);
    },

    ended(about: Metered, outcome: Outcome): void {
      const { startedAtMs, client, units } = about;
      const taken = { [hourOf(startedAtMs)]: { [client]: -units } };
      const open: Day['open'] = isFree(outcome) ? {} : taken;
      count(startedAtMs, { rows: { [rowKey(about)]: { [outcome]: 1 } }, open });
      for (const { ended } of hearers) ended?.(about, outcome);
    },

    spared(about: Pick<Metered, 'client' | 'reason'>): void {
      const key = rowKey({ ...about, check: 'passive' });
      count(clock(), { rows: { [key]: { spared: 1 } }, open: {} });
    },

    flush: byDay.flush,
    stop: byDay.stop,

    /** Days since 1970 (UTC), both included. */
    async read(fromDay: number, toDay: number): Promise<{ day: number; rows: MeterRow[] }[]> {
      const days = await byDay.read(fromDay, toDay);
      return days.map(({ day, sums }) => ({ day, rows: rowsOf(sums.rows) }));
    },

    /** What the caps were charged and were not given back, of these days; both included. */
    async charged(fromDay: number, toDay: number, pricing: Pricing): Promise<Charged> {
      const days = await byDay.read(fromDay, toDay);
      const clients = new Map<string, number>();
      const charge = (client: string, units: number): void =>
        void clients.set(client, (clients.get(client) ?? 0) + units);
      for (const { sums } of days) {
        for (const { client, check, counts } of rowsOf(sums.rows)) {
          charge(client, billedOf(counts, pricing) * unitsOf(pricing.prices[check]));
        }
        for (const open of Object.values(sums.open)) {
          for (const [client, units] of Object.entries(open)) charge(client, units);
        }
      }
      return { all: [...clients.values()].reduce((all, units) => all + units, 0), clients };
    },

    /** What could not be given back is there for whoever takes next, once it is written. */
    putBack({ hour, client, units }: Open): void {
      count(hour * hourMs, { rows: {}, open: { [hour]: { [client]: units } } });
    },

    /**
     * Takes the hours that are over for good: of many processes one gets each. Today's are taken once the caller is
     * done with yesterday's, so that nothing of these is lost over it. What was taken is nowhere else: whoever dies with
     * it, or does not hear that it has it, leaves it charged to the month's end, which is better than given back twice.
     */
    async *takeOpen(): AsyncGenerator<Open, void, undefined> {
      const now = clock();
      yield* await takeOver(byDay, dayOf(now) - 1, now);
      yield* await takeOver(byDay, dayOf(now), now);
    },
  };
}

async function takeOver(byDay: ByDay<Day>, day: number, nowMs: number): Promise<Open[]> {
  const isOver = (hour: string): boolean => (Number(hour) + 1) * hourMs + openForMs <= nowMs;
  const hours = await byDay.take<Day['open']>(day, (sums) => {
    const open = Object.entries(sums.open);
    const over = open.filter(([hour]) => isOver(hour));
    if (over.length === 0) return { taken: {} };
    const left = Object.fromEntries(open.filter(([hour]) => !isOver(hour)));
    return { taken: Object.fromEntries(over), rest: { ...sums, open: left } };
  });
  return Object.entries(hours).flatMap(([hour, clients]) =>
    Object.entries(clients)
      .filter(([, units]) => units !== 0)
      .map(([client, units]) => ({ hour: Number(hour), client, units })),
  );
}

const emptyDay = (): Day => ({ schema: 1, rows: {}, open: {} });

/** The client comes last: the others have no space in them. */
function rowKey({ client, reason, check }: Pick<Metered, 'client' | 'reason' | 'check'>): string {
  return `${reason} ${check} ${client}`;
}

function rowsOf(rows: Day['rows']): MeterRow[] {
  return Object.entries(rows).map(([key, counts]) => {
    const [reason = '', check = '', ...client] = key.split(' ');
    return {
      ...{ client: client.join(' '), counts },
      ...{ reason: reason as CostReason, check: check as Check },
    };
  });
}

function added(day: Day, more: Day): Day {
  const rows = new Map(Object.entries(day.rows));
  for (const [key, counts] of Object.entries(more.rows)) {
    const isRoom = rows.has(key) || rows.size < rowsAtMost;
    const own = isRoom ? key : key.replace(/^(\S+ \S+) .*$/s, `$1 ${nobody}`);
    rows.set(own, sum([rows.get(own) ?? {}, counts]));
  }
  const open = new Map(Object.entries(day.open));
  for (const [hour, clients] of Object.entries(more.open)) {
    const sums = new Map(Object.entries(open.get(hour) ?? {}));
    for (const [client, units] of Object.entries(clients)) {
      sums.set(client, (sums.get(client) ?? 0) + units);
    }
    open.set(hour, Object.fromEntries(sums));
  }
  return { schema: 1, rows: Object.fromEntries(rows), open: Object.fromEntries(open) };
}
