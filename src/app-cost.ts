/** The composition root's piece about money and outages: the meter, the caps, and whether Didit is asked. */
import type { AppOptions } from './app.ts';
import type { Config } from './config/schema.ts';
import { type DiditOperations, createDiditHealth } from './didit/health.ts';
import { type Caps, type Pricing, type Reached, capsOfClient } from './domain/budget.ts';
import type { Clock } from './domain/environment.ts';
import type { RaiseAlarm, Record } from './domain/event.ts';
import type { SendMail } from './domain/message.ts';
import { type OutageState, noticeOf } from './domain/outage.ts';
import { createFailingWatch, failingLookEveryMs } from './ops/failing.ts';
import { createSpendingReports } from './ops/spending.ts';
import { createSpendingWatch } from './ops/spending-watch.ts';
import { dayOf } from './store/by-day.ts';
import { type Budget, createBudgetGuard } from './store/budget.ts';
import { createMeter } from './store/meter.ts';
import { createOutageMode } from './store/outage-mode.ts';
import { createSpending } from './store/spending.ts';
import type { Store } from './store/store.ts';
import type { Metrics } from './web/metrics.ts';
import type { Log } from './web/telemetry.ts';

interface Tools {
  clock: Clock;
  record: Record;
  alarm: RaiseAlarm;
}

/** What the commands need as well. */
export function createCostRecords(
  { cost }: Pick<Config, 'cost'>,
  { store, clock, log }: { store: Store; clock: Clock; log: Pick<Log, 'warn'> },
) {
  const pricing = pricingOf(cost);
  const failed = (error: unknown): void => {
    log.warn('the meter could not be written', { error: String(error) });
  };
  const isFree = (outcome: Config['cost']['freeOutcomes'][number]): boolean =>
    pricing.freeOutcomes.includes(outcome);
  const meter = createMeter(store, { clock, failed, isFree });
  const budget = createBudgetGuard(store, { clock, pricing, caps: capsOf(cost) });
  const reports = createSpendingReports({ meter, pricing, clock });
  return { pricing, meter, budget, reports, outage: createOutageMode(store, clock) };
}

export async function createCostSide(
  { config, log }: Pick<AppOptions, 'config' | 'log'>,
  tools: Tools & { metrics: Metrics },
  store: Store,
) {
  const { clock, metrics } = tools;
  const records = createCostRecords(config, { store, clock, log });
  const { meter, budget, outage, reports, pricing } = records;
  const health = createDiditHealth(clock);
  const failed = (error: unknown): void => {
    log.warn('the watch over spending failed', { error: String(error) });
  };
  const watch = createSpendingWatch({
    ...{ ...tools, store, meter, budget, reports, failed, outage: outage.now },
    ...{ alarmAddress: config.cost.alarmAddress, metrics },
  });
  const reached = createReached(budget, watch.tell);
  const spending = createSpending({
    ...{ budget, meter, reached, clock },
    failed(error) {
      log.warn('what no session came of is given back later', { error: String(error) });
    },
  });
  meter.hear({
    created: ({ client, reason }) => metrics.sessionCreated(client, reason),
    ended({ check }, outcome) {
      if (!pricing.freeOutcomes.includes(outcome)) metrics.spent(pricing.prices[check]);
    },
  });
  const failing = createFailingWatch({ ...tools, store });

  function state(): OutageState & { operations: DiditOperations } {
    const planned = outage.now();
    const now = planned.didit === 'up' ? health.now() : planned;
    return { ...now, operations: health.operations() };
  }

  // Before anybody is let in: caps and switches count from the first request on.
  const deaf = await Promise.all([budget.listen(), outage.listen()]);
  if (await beginCaps(records, clock)) {
    log.warn('nothing was counted this month: the caps begin at what the meter says');
  }
  const timers: NodeJS.Timeout[] = [];
  const every = (ms: number, work: () => void): void =>
    void timers.push(setInterval(work, ms).unref());
  return {
    ...{ ...records, spending, watch, state },
    /** For didit/transport.ts. */
    didit: {
      isOff: (): boolean => outage.now().didit !== 'up',
      heard(...[operation, now]: Parameters<typeof health.heard>): void {
        health.heard(operation, now);
        metrics.breaker(operation, now);
        if (operation === 'create') failing.heard(now).catch(failed);
      },
    },
    /** For pages. */
    notice: () => noticeOf(state()),
    sideFor: (mail: SendMail | undefined) => ({
      start: (): void => {
        // They are of whoever answered before a reload: those of this side begin closed.
        metrics.breakersClosed();
        watch.start(mail);
        // Should the word of a change be lost, it is found by looking.
        every(peekEveryMs, () => {
          metrics.outage(state().didit);
          budget.caps();
        });
        every(failingLookEveryMs, () => void failing.look().catch(failed));
      },
      stop: async (): Promise<void> => {
        for (const timer of timers) clearInterval(timer);
        await watch.stop();
        await meter.stop();
        for (const stop of deaf) await stop();
      },
    }),
  };
}

const peekEveryMs = 2_500;

/** After a restore; at any other start the counters are there. */
async function beginCaps(
  { meter, budget, pricing }: ReturnType<typeof createCostRecords>,
  clock: Clock,
): Promise<boolean> {
  const now = new Date(clock());
  const today = dayOf(now.getTime());
  const firstOfMonth = dayOf(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
  const [month, day] = await Promise.all([
    meter.charged(firstOfMonth, today, pricing),
    meter.charged(today, today, pricing),
  ]);
  return budget.beginAt({ month, day });
}

/** At a hard cap many are turned away in a moment, and one of them is enough to tell. */
function createReached(budget: Budget, tell: (reached: Reached) => void) {
  return function reached(
    { whose, span }: { whose: 'all' | 'client'; span: 'day' | 'month' },
    clientId: string,
  ): void {
    const caps = budget.caps();
    const cap = (whose === 'all' ? caps.all : capsOfClient(caps, clientId))?.[span]?.hard;
    if (cap === undefined) return;
    const client = whose === 'all' ? {} : { client: clientId };
    tell({ what: 'hard', span, dollars: cap, cap, ...client });
  };
}

function pricingOf(cost: Config['cost']): Pricing {
  const { pricePassive, priceActive, priceDocument, freePerMonth, freeOutcomes } = cost;
  const prices = { passive: pricePassive, active: priceActive, document: priceDocument };
  return { prices, freePerMonth, freeOutcomes };
}

function capsOf(cost: Config['cost']): Caps {
  return {
    all: {
      month: { soft: cost.softPerMonth, hard: cost.hardPerMonth },
      day: { soft: cost.softPerDay, hard: cost.hardPerDay },
    },
    eachClient: { month: { soft: cost.clientSoftPerMonth, hard: cost.clientHardPerMonth } },
  };
}
