/** The watch over spending, with a real store and a clock that is moved by hand. */
import { expect, it, onTestFinished } from 'vitest';
import type { Caps, Outcome, Pricing } from '../../src/domain/budget.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import type { Message, SendMail } from '../../src/domain/message.ts';
import { createSpendingReports } from '../../src/ops/spending.ts';
import { createSpendingWatch } from '../../src/ops/spending-watch.ts';
import { dayOf } from '../../src/store/by-day.ts';
import { createBudgetGuard } from '../../src/store/budget.ts';
import { createMeter } from '../../src/store/meter.ts';
import { openStore } from '../../src/store/open.ts';
import { createMetrics } from '../../src/web/metrics.ts';
import { StoreUnavailable, type Window } from '../../src/store/store.ts';

const pricing: Pricing = {
  prices: { passive: 0.1, active: 0.2, document: 0.3 },
  ...{ freePerMonth: 0, freeOutcomes: ['declined', 'not_finished'] },
};
const noon = Date.UTC(2026, 10, 24, 12);
const [minute, hour] = [60_000, 3_600_000];

async function watched(caps: Caps, alarmAddress?: string) {
  const now = { ms: noon };
  const clock = () => now.ms;
  const { store: inner } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => inner.close());
  /** So many times each of these fails first. */
  const fails = { refund: 0, mail: 0, today: 0 };
  const away = new StoreUnavailable({ cause: 'away for a moment' });
  const store: typeof inner = {
    ...inner,
    get: (key) =>
      key === `meter:${dayOf(now.ms)}` && fails.today-- > 0 ? Promise.reject(away) : inner.get(key),
    refund: (...args) => (fails.refund-- > 0 ? Promise.reject(away) : inner.refund(...args)),
  };
  const failures: unknown[] = [];
  const failed = (error: unknown): void => void failures.push(error);
  const isFree = (outcome: Outcome) => pricing.freeOutcomes.includes(outcome);
  const meter = createMeter(store, { clock, failed, isFree });
  const budget = createBudgetGuard(store, { clock, pricing, caps });
  const events: AuditEvent[] = [];
  const mails: Message[] = [];
  const metrics = createMetrics();
  /** By label. */
  async function used(): Promise<Record<string, number>> {
    const { body } = await metrics.text();
    const lines = body.matchAll(/^didit_budget_used_ratio\{client="(.*)"\} (.*)$/gm);
    return Object.fromEntries([...lines].map(([, client = '', ratio]) => [client, Number(ratio)]));
  }
  const createOne = () =>
    createSpendingWatch({
      ...{ store, meter, budget, clock, failed, alarmAddress },
      reports: createSpendingReports({ meter, pricing, clock }),
      outage: () => ({ didit: 'up' }),
      alarm: () => undefined,
      record: (event) => void events.push(event),
      metrics,
    });
  const send: SendMail = (_to, message) =>
    fails.mail-- > 0 ? Promise.reject(away) : Promise.resolve(void mails.push(message));
  async function begin(client: string, outcome?: Outcome): Promise<void> {
    const charge = { clientId: client, units: 1_000, atMs: now.ms };
    await inner.spend('limit:everybody:all', budget.windowsOf(charge), 3_000_000);
    const of = { client, reason: 'login', check: 'passive', units: 1_000 } as const;
    meter.began({ ...of, startedAtMs: now.ms });
    if (outcome) meter.ended({ ...of, startedAtMs: now.ms }, outcome);
    await meter.flush();
  }
  const isFull = async (client: string): Promise<boolean> => {
    const windows: Window[] = budget.windowsOf({ clientId: client, units: 0, atMs: now.ms });
    return (await inner.spend('limit:everybody:all', windows, 3_000_000)) !== undefined;
  };
  return {
    ...{ now, fails, failures, events, mails, used, createOne, send, begin, isFull },
    flush: meter.flush,
  };
}

it('what was abandoned is given back at a look, also where one of it fails at first', async () => {
  const { now, fails, failures, createOne, begin, isFull, flush } = await watched({
    eachClient: { month: { hard: 0.1 } },
  });
  await begin('wiki');
  await begin('shop');
  await begin('paid', 'approved');
  const watch = createOne();
  await watch.look();
  expect(await Promise.all(['wiki', 'shop', 'paid'].map(isFull))).toEqual([true, true, true]);
  now.ms += 3 * hour;
  fails.refund = 1;
  await watch.look();
  expect(failures).toHaveLength(1);
  expect((await Promise.all(['wiki', 'shop'].map(isFull))).toSorted()).toEqual([false, true]);
  await flush();
  await watch.look();
  expect(await Promise.all(['wiki', 'shop', 'paid'].map(isFull))).toEqual([false, false, true]);
});

it('what was abandoned yesterday is given back also where what is of today cannot be read', async () => {
  const { now, fails, createOne, begin, isFull } = await watched({
    eachClient: { month: { hard: 0.1 } },
  });
  const midnight = Date.UTC(2026, 10, 25);
  now.ms = midnight - 30 * minute;
  await begin('wiki');
  now.ms = midnight;
  await begin('shop');
  now.ms = midnight + 3 * hour;
  fails.today = 1;
  const watch = createOne();
  await expect(watch.look()).rejects.toThrow(StoreUnavailable);
  expect(await Promise.all(['wiki', 'shop'].map(isFull))).toEqual([false, true]);
  await watch.look();
  expect(await Promise.all(['wiki', 'shop'].map(isFull))).toEqual([false, false]);
});

it('a cap is told of once by all processes, and anew for another window, cap or client', async () => {
  const soft = { soft: 0.1 };
  const { now, events, createOne, begin } = await watched({ eachClient: { day: soft } });
  const told = () => events.splice(0).map(({ reason, client }) => `${reason} ${client}`);
  await begin('wiki', 'approved');
  for (const watch of [createOne(), createOne()]) await watch.look();
  expect(told()).toEqual(['soft_day wiki']);
  await begin('shop', 'approved');
  await createOne().look();
  expect(told()).toEqual(['soft_day shop']);
  createOne().tell({ what: 'soft', span: 'day', client: 'wiki', dollars: 0.2, cap: 0.2 });
  await expect.poll(() => events.length).toBe(1);
  expect(told()).toEqual(['soft_day wiki']);
  now.ms += 24 * hour;
  await begin('wiki', 'approved');
  await createOne().look();
  expect(told()).toEqual(['soft_day wiki']);
});

it('a mail that could not be handed over is written at the next look, and nothing else is told twice', async () => {
  const { fails, failures, events, mails, createOne, send, begin } = await watched(
    { eachClient: { month: { soft: 0.1 } } },
    'operators@example.com',
  );
  await begin('wiki', 'approved');
  const watch = createOne();
  watch.start(send);
  onTestFinished(() => watch.stop());
  fails.mail = 1;
  for (let looks = 0; looks < 3; looks += 1) await watch.look();
  expect(mails.map(({ kind }) => kind)).toEqual(['budget_soft']);
  expect(events.map(({ event }) => event)).toEqual(['budget.reached']);
  expect(failures).toHaveLength(1);
});

it('whoever dies over a mail leaves it to another process', async () => {
  const { now, mails, createOne, send, begin } = await watched(
    { eachClient: { month: { soft: 0.1 } } },
    'operators@example.com',
  );
  await begin('wiki', 'approved');
  const [dying, other] = [createOne(), createOne()];
  const sending = Promise.withResolvers<undefined>();
  dying.start(() => {
    sending.resolve(undefined);
    return new Promise(() => undefined);
  });
  void dying.look();
  await sending.promise;
  other.start(send);
  onTestFinished(() => other.stop());
  await other.look();
  expect(mails).toEqual([]);
  now.ms += 60_000;
  await other.look();
  expect(mails.map(({ kind }) => kind)).toEqual(['budget_soft']);
});

it('what is used of a budget is measured anew each month', async () => {
  const { now, used, createOne, begin } = await watched({ eachClient: { month: { hard: 0.2 } } });
  await begin('wiki', 'approved');
  const watch = createOne();
  await watch.look();
  expect(await used()).toEqual({ wiki: 0.5 });
  now.ms = Date.UTC(2026, 11, 5);
  await watch.look();
  expect((await used())['wiki'] ?? 0).toBe(0);
});

it('what an app that is called `all` has used is not taken for what all have used', async () => {
  const caps = { all: { month: { hard: 0.4 } }, eachClient: { month: { hard: 1 } } };
  const { used, createOne, begin } = await watched(caps);
  await begin('wiki', 'approved');
  await begin('all', 'approved');
  await createOne().look();
  expect(await used()).toEqual({ all: 0.5, wiki: 0.1, 'client all': 0.1 });
});
