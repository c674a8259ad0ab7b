/**
 * The budget guard. What a check costs is charged to windows of the counter that the limits count all selfies in
 * (`limit:everybody:all`), in the same atomic step: however many processes ask at once, none goes over a cap, and the
 * guard costs no trip of its own.
 */
import {
  type BudgetSpan,
  type Caps,
  type Check,
  type Pricing,
  budgetSpans,
  ceilingsFor,
  mergeCaps,
  unitsOf,
} from '../domain/budget.ts';
import type { Clock } from '../domain/environment.ts';
import { bucketOf } from '../domain/limits.ts';
import { createBelieved } from './believed.ts';
import { keptSeconds } from './limit-counters.ts';
import type { Charged, Open } from './meter.ts';
import type { Store, Version, Window } from './store.ts';

/** All selfies are counted under it, see limits.ts. */
export const everybodyKey = 'limit:everybody:all';

export interface Charge {
  clientId: string;
  units: number;
  atMs: number;
}

/** A window that was full, as it is named there. */
export interface FullCap {
  whose: 'all' | 'client';
  span: BudgetSpan;
}

type CapWindow = Window & { span: BudgetSpan };

export type Budget = ReturnType<typeof createBudgetGuard>;

export function createBudgetGuard(
  store: Store,
  { clock, pricing, caps: settings }: { clock: Clock; pricing: Pricing; caps: Caps },
) {
  const set = createBelieved<Caps>(store, 'budget-caps', clock);

  function windowsOf({ clientId, units, atMs }: Charge): CapWindow[] {
    const caps = mergeCaps(settings, set.peek() ?? {});
    return ceilingsFor(caps, clientId, pricing).map(({ whose, span, atMost }) => ({
      name: nameOf(span, whose === 'all' ? undefined : clientId),
      bucket: bucketOf(span, atMs),
      ...{ span, atMost, by: units },
    }));
  }

  /** @returns false when something was counted in it already; with 0 units it is only looked at. */
  async function begin(span: BudgetSpan, units: number, clientId?: string): Promise<boolean> {
    const window = { name: nameOf(span, clientId), bucket: bucketOf(span, clock()) };
    const by = Math.max(units, 0);
    const windows = [{ ...window, atMost: Math.max(by, 1), by }];
    return !(await store.spend(everybodyKey, windows, keptSeconds.month));
  }

  return {
    unitsFor: (check: Check): number => unitsOf(pricing.prices[check]),

    /** Windows to be counted in together with others of `everybodyKey`. */
    windowsOf,

    fullCap({ name }: Window): FullCap | undefined {
      const [, whose, span] = /^budget (all|client) (month|day)/.exec(name) ?? [];
      return whose ? ({ whose, span } as FullCap) : undefined;
    },

    /** No session came of it. */
    giveBack: (charge: Charge): Promise<void> => store.refund(everybodyKey, windowsOf(charge)),

    /** What was never heard of again is given back; what was heard of too late is charged after all. */
    async correct({ client, hour, units }: Open): Promise<void> {
      const atMs = hour * 3_600_000;
      const charge = { clientId: client, units: Math.abs(units), atMs };
      if (units > 0) return store.refund(everybodyKey, windowsOf(charge));
      const whatever = { atMost: Number.MAX_SAFE_INTEGER };
      // A window of a day that is over is not written over that of today.
      const isNow = ({ span, bucket }: CapWindow): boolean => bucket === bucketOf(span, clock());
      const windows = windowsOf(charge).filter(isNow);
      await store.spend(
        everybodyKey,
        windows.map((window) => ({ ...window, ...whatever })),
        keptSeconds.month,
      );
    },

    /**
     * Counters are in no backup, and the meter is: where the month begins at nothing and the meter knows better, all
     * windows begin at what it says.
     * @returns whether it was this call that made them begin.
     */
    async beginAt(charged: Readonly<Record<BudgetSpan, Charged>>): Promise<boolean> {
      const { month, day } = charged;
      if (month.all <= 0 || !(await begin('month', 0))) return false;
      for (const span of budgetSpans) {
        for (const [client, units] of charged[span].clients) await begin(span, units, client);
      }
      await begin('day', day.all);
      // Last: it says that the others are there. Whoever starts after this broke off goes on with it, and nobody lets
      // people in before all of it is counted.
      return begin('month', month.all);
    },

    /** As they count here and now. */
    caps: (): Caps => mergeCaps(settings, set.peek() ?? {}),

    async get(): Promise<{ caps: Caps; set: Caps; version: Version | undefined }> {
      const { value = {}, version } = await set.read();
      return { caps: mergeCaps(settings, value), set: value, version };
    },

    /** @returns undefined when they were changed since that version; nothing was set then. */
    set: (caps: Caps, ifVersion: Version | undefined): Promise<Version | undefined> =>
      set.write(caps, ifVersion),

    listen: (): Promise<() => Promise<void>> => set.listen(),
  };
}

function nameOf(span: BudgetSpan, clientId: string | undefined): string {
  return clientId === undefined ? `budget all ${span}` : `budget client ${span} ${clientId}`;
}
