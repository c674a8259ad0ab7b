/**
 * What selfies cost, what that will come to, and how much may be spent. Pure: amounts in, amounts out.
 *
 * Two ways of looking at a sum: at its price (every check counts, as for a cap of a day or of one app), and at the
 * bill (the month's free ones are taken off, as for the month of all).
 */
import type { AttemptKind } from './attempt.ts';
import type { Verdict } from './decision.ts';

/** What is paid for: a face, a face with movement, a document with a face. */
export type Check = 'passive' | 'active' | 'document';
export type CostReason = AttemptKind | 'handoff';
/** What a session at Didit came to. */
export type Outcome = 'approved' | 'declined' | 'in_review' | 'not_finished';

/** `spared`: a selfie that was not taken since the policy was content without. */
export type Counts = Readonly<Partial<Record<Outcome | 'created' | 'spared', number>>>;

export interface MeterRow {
  client: string;
  reason: CostReason;
  check: Check;
  counts: Counts;
}

export interface Pricing {
  prices: Readonly<Record<Check, number>>;
  freePerMonth: number;
  /** For which nothing is charged. */
  freeOutcomes: readonly Outcome[];
}

export type BudgetSpan = 'day' | 'month';

/** In dollars. `soft` is told to the operators; past `hard` no selfie is begun. */
export interface Cap {
  soft?: number | undefined;
  hard?: number | undefined;
}
export type CapsOfOne = Readonly<Partial<Record<BudgetSpan, Cap>>>;

export interface Caps {
  all?: CapsOfOne;
  /** For each client that has none of its own. */
  eachClient?: CapsOfOne;
  clients?: Readonly<Record<string, CapsOfOne>>;
}

const outcomes = ['approved', 'declined', 'in_review', 'not_finished'] as const;
const checks = ['passive', 'active', 'document'] as const;

/** Whole numbers are what stores count exactly: ten-thousandths of a dollar. */
const unitsInDollar = 10_000;
export const unitsOf = (dollars: number): number => Math.round(dollars * unitsInDollar);

const rounded = (dollars: number): number => unitsOf(dollars) / unitsInDollar;

export function sum(all: readonly Counts[]): Counts {
  const total: Partial<Record<keyof Counts, number>> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts) as [keyof Counts, number][]) {
      total[name] = (total[name] ?? 0) + count;
    }
  }
  return total;
}

export function billedOf(counts: Counts, { freeOutcomes }: Pick<Pricing, 'freeOutcomes'>): number {
  const charged = outcomes.filter((outcome) => !freeOutcomes.includes(outcome));
  return charged.reduce((all, outcome) => all + (counts[outcome] ?? 0), 0);
}

/** Begun and never heard of again. */
export function openOf(counts: Counts): number {
  const ended = outcomes.reduce((all, outcome) => all + (counts[outcome] ?? 0), 0);
  return Math.max((counts.created ?? 0) - ended, 0);
}

/** What all of it costs at its price, whatever is free in a month. */
export function priceOf(rows: readonly MeterRow[], pricing: Pricing): number {
  const all = rows.map(
    ({ check, counts }) => billedOf(counts, pricing) * unitsOf(pricing.prices[check]),
  );
  return all.reduce((total, units) => total + units, 0) / unitsInDollar;
}

export interface Bill {
  billed: number;
  free: number;
  dollars: number;
}

/** Of one calendar month. Nobody knows which ones Didit gives away; taken to be the cheapest, the bill is not too low. */
export function billOf(rows: readonly MeterRow[], pricing: Pricing): Bill {
  const billedBy = checks.map((check): [Check, number] => {
    const ofIt = rows.filter((row) => row.check === check);
    return [check, ofIt.reduce((all, { counts }) => all + billedOf(counts, pricing), 0)];
  });
  return billFor(billedBy, pricing);
}

function billFor(billedBy: readonly [Check, number][], { prices, freePerMonth }: Pricing): Bill {
  const billed = billedBy.reduce((all, [, count]) => all + count, 0);
  let left = freePerMonth;
  let units = 0;
  for (const [check, count] of billedBy.toSorted(([a], [b]) => prices[a] - prices[b])) {
    const free = Math.min(count, left);
    left -= free;
    units += (count - free) * unitsOf(prices[check]);
  }
  return { billed, free: freePerMonth - left, dollars: rounded(units / unitsInDollar) };
}

/** At the price of a login's selfie, which is what the free ones would have been used up for as well. */
export function savedOf(rows: readonly MeterRow[], { prices }: Pricing) {
  const selfies = rows.reduce((all, { counts }) => all + (counts.spared ?? 0), 0);
  return { selfies, dollars: rounded(selfies * prices.passive) };
}

/**
 * The month's bill if it goes on as in the last days.
 * @param lately rows of the `latelyDays` days before now, which may reach into the month before.
 * @param daysLeft of the month, with the fraction of today.
 */
export function forecastOf(
  month: readonly MeterRow[],
  lately: { rows: readonly MeterRow[]; days: number },
  daysLeft: number,
  pricing: Pricing,
): Pick<Bill, 'billed' | 'dollars'> {
  const expected = checks.map((check): [Check, number] => {
    const countOf = (rows: readonly MeterRow[]): number =>
      rows
        .filter((row) => row.check === check)
        .reduce((all, { counts }) => all + billedOf(counts, pricing), 0);
    const aDay = lately.days > 0 ? countOf(lately.rows) / lately.days : 0;
    return [check, Math.round(countOf(month) + aDay * daysLeft)];
  });
  const { billed, dollars } = billFor(expected, pricing);
  return { billed, dollars };
}

/** What operators set stands before what the settings say, for all, for each client, and for one. */
export function mergeCaps(settings: Caps, set: Caps): Caps {
  const all = set.all ?? settings.all;
  const eachClient = set.eachClient ?? settings.eachClient;
  return {
    ...(all ? { all } : {}),
    ...(eachClient ? { eachClient } : {}),
    clients: { ...settings.clients, ...set.clients },
  };
}

export function capsOfClient({ clients = {}, eachClient = {} }: Caps, client: string): CapsOfOne {
  return Object.hasOwn(clients, client) ? (clients[client] ?? {}) : eachClient;
}

export const budgetSpans = ['month', 'day'] as const;

/** How much may be spent at its price until a hard cap is reached, in units; undefined where there is none. */
function ceilingOf(cap: Cap | undefined, given: number): number {
  return cap?.hard === undefined ? Number.MAX_SAFE_INTEGER : unitsOf(cap.hard) + given;
}

/** The caps that one more check of a client has to stay within, each with its ceiling in units. */
export function ceilingsFor(
  caps: Caps,
  client: string,
  { prices, freePerMonth }: Pricing,
): readonly { whose: 'all' | 'client'; span: BudgetSpan; atMost: number }[] {
  // Those that are free are worth at least this much, whichever they are: the bill stays below the cap for certain.
  const given = freePerMonth * Math.min(...checks.map((check) => unitsOf(prices[check])));
  const own = capsOfClient(caps, client);
  return budgetSpans.flatMap((span) => [
    { whose: 'all', span, atMost: ceilingOf(caps.all?.[span], span === 'month' ? given : 0) },
    { whose: 'client', span, atMost: ceilingOf(own[span], 0) },
  ]);
}

/** A cap that is reached, or will be. */
export interface Reached {
  what: 'soft' | 'hard' | 'forecast';
  span: BudgetSpan;
  /** Absent: of all together. */
  client?: string;
  dollars: number;
  cap: number;
}

/** Soft caps that the sums are past, and the month's lowest cap where the forecast is past it. */
export function reachedBy(
  caps: Caps,
  spent: {
    all: Readonly<Record<BudgetSpan, number>>;
    clients: Readonly<Record<string, Readonly<Record<BudgetSpan, number>>>>;
    forecast: number;
  },
): readonly Reached[] {
  const softOf = (
    of: CapsOfOne,
    sums: Readonly<Record<BudgetSpan, number>>,
    client?: string,
  ): Reached[] =>
    budgetSpans.flatMap((span) => {
      const [cap, dollars] = [of[span]?.soft, sums[span]];
      if (cap === undefined || dollars < cap) return [];
      return [{ what: 'soft', span, dollars, cap, ...(client === undefined ? {} : { client }) }];
    });
  const clients = Object.entries(spent.clients).flatMap(([client, sums]) =>
    softOf(capsOfClient(caps, client), sums, client),
  );
  const { soft, hard } = caps.all?.month ?? {};
  const cap = hard ?? soft;
  const { forecast } = spent;
  const isBeyond = cap !== undefined && forecast > cap;
  return [
    ...softOf(caps.all ?? {}, spent.all),
    ...clients,
    ...(isBeyond ? [{ what: 'forecast', span: 'month', dollars: forecast, cap } as const] : []),
  ];
}

/** What Didit made of it counts, whatever we make of that; undefined while nothing came of it. */
export function outcomeOf(
  status: string | undefined,
  outcome: Verdict['outcome'] = 'pending',
): Outcome | undefined {
  if (status === 'Approved') return 'approved';
  if (status === 'Declined') return 'declined';
  if (status === 'In Review') return 'in_review';
  return outcome === 'pending' ? undefined : outcome;
}
