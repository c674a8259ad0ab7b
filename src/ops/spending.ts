/** What selfies cost, for operators: a report of some days, and where the month is going. */
import {
  type Counts,
  type MeterRow,
  type Pricing,
  billOf,
  billedOf,
  forecastOf,
  openOf,
  priceOf,
  savedOf,
  sum,
} from '../domain/budget.ts';
import type { Clock } from '../domain/environment.ts';
import { type DaysNamed, dayOf, daysBetween, isoDay } from '../store/by-day.ts';
import type { Meter } from '../store/meter.ts';

export interface Totals extends Required<Counts> {
  /** Begun, and nothing was heard of it yet, or never will be. */
  open: number;
  billed: number;
  /** At its price, before free ones are taken off. */
  dollars: number;
}

export interface SpendingReport {
  from: string;
  to: string;
  total: Totals;
  days: (Totals & { day: string })[];
  byClient: (Totals & { client: string })[];
  byReason: (Totals & { reason: string })[];
  /** Of all that is above: the sum of its months, as far as they lie in it. */
  billed: number;
  free: number;
  dollars: number;
  saved: { selfies: number; dollars: number };
  /** Of the calendar month that is now. */
  forecast: { billed: number; dollars: number };
}

export interface SpendingNow {
  all: Record<'day' | 'month', number>;
  clients: Record<string, Record<'day' | 'month', number>>;
  forecast: number;
}

const dayMs = 86_400_000;
const latelyDays = 7;

/** As programs read it. */
export function reportView({ byClient, byReason, ...rest }: SpendingReport) {
  return { ...rest, by_client: byClient, by_reason: byReason };
}

export type SpendingReports = ReturnType<typeof createSpendingReports>;

export function createSpendingReports(tools: {
  meter: Pick<Meter, 'read'>;
  pricing: Pricing;
  clock: Clock;
}) {
  const { meter, pricing, clock } = tools;

  async function monthNow() {
    const now = clock();
    const date = new Date(now);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    const firstDay = dayOf(Date.UTC(year, month, 1));
    const endsMs = Date.UTC(year, month + 1, 1);
    const days = await meter.read(Math.min(firstDay, dayOf(now) - latelyDays), dayOf(now));
    const rowsFrom = (day: number): MeterRow[] =>
      days.filter((one) => one.day >= day).flatMap(({ rows }) => rows);
    const rows = rowsFrom(firstDay);
    const counted = days.filter(({ rows: own }) => own.length > 0).map(({ day }) => day);
    // A service that is two days old has no week behind it.
    const sinceMs = Math.max((counted[0] ?? dayOf(now)) * dayMs, now - latelyDays * dayMs);
    const lately = {
      rows: rowsFrom(dayOf(sinceMs)),
      days: Math.max((now - dayOf(sinceMs) * dayMs) / dayMs, 0.25),
    };
    const forecast = forecastOf(rows, lately, (endsMs - now) / dayMs, pricing);
    return { rows, today: rowsFrom(dayOf(now)), forecast };
  }

  return {
    /** @throws RangeError, see daysBetween. */
    async report(named: DaysNamed): Promise<SpendingReport> {
      const [from, to] = daysBetween(named);
      const days = await meter.read(from, to);
      const rows = days.flatMap((one) => one.rows);
      const months = Map.groupBy(days, ({ day }) => isoDay(day).slice(0, 7));
      const bills = [...months.values()].map((month) =>
        billOf(
          month.flatMap((one) => one.rows),
          pricing,
        ),
      );
      const inAll = (name: 'billed' | 'free' | 'dollars'): number =>
        Number(bills.reduce((all, bill) => all + bill[name], 0).toFixed(4));
      const { forecast } = await monthNow();
      return {
        ...{ from: isoDay(from), to: isoDay(to), total: totalsOf(rows, pricing) },
        days: days
          .filter((one) => one.rows.length > 0)
          .map((one) => ({ day: isoDay(one.day), ...totalsOf(one.rows, pricing) })),
        byClient: grouped(rows, ({ client }) => client, pricing).map(([client, totals]) => ({
          ...{ client, ...totals },
        })),
        byReason: grouped(rows, ({ reason }) => reason, pricing).map(([reason, totals]) => ({
          ...{ reason, ...totals },
        })),
        ...{ billed: inAll('billed'), free: inAll('free'), dollars: inAll('dollars') },
        ...{ saved: savedOf(rows, pricing), forecast },
      };
    },

    /** What caps are held against. */
    async now(): Promise<SpendingNow> {
      const { rows, today, forecast } = await monthNow();
      const clients = [...new Set(rows.map(({ client }) => client))].map((client) => {
        const ofIt = (all: MeterRow[]): number =>
          priceOf(
            all.filter((row) => row.client === client),
            pricing,
          );
        return [client, { month: ofIt(rows), day: ofIt(today) }] as const;
      });
      return {
        all: { month: billOf(rows, pricing).dollars, day: priceOf(today, pricing) },
        clients: Object.fromEntries(clients),
        forecast: forecast.dollars,
      };
    },
  };
}

function totalsOf(rows: readonly MeterRow[], pricing: Pricing): Totals {
  const none = { created: 0, approved: 0, declined: 0, in_review: 0, not_finished: 0, spared: 0 };
  const counts = { ...none, ...sum(rows.map((row) => row.counts)) };
  const billed = billedOf(counts, pricing);
  return { ...counts, open: openOf(counts), billed, dollars: priceOf(rows, pricing) };
}

/** Dearest first; of equals the one that began more. */
function grouped(
  rows: readonly MeterRow[],
  of: (row: MeterRow) => string,
  pricing: Pricing,
): [string, Totals][] {
  const groups = [...Map.groupBy(rows, of)].map(([name, own]): [string, Totals] => [
    name,
    totalsOf(own, pricing),
  ]);
  return groups.toSorted(
    ([a, one], [b, other]) =>
      other.dollars - one.dollars || other.created - one.created || (a < b ? -1 : 1),
  );
}
