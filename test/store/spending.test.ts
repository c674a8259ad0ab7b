/** The meter and the caps, on real databases and with several processes at once. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { limits as group } from '../../src/config/schema-limits.ts';
import { newAttempt } from '../../src/domain/attempt.ts';
import type { Caps, Outcome, Pricing } from '../../src/domain/budget.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import { setCaps } from '../../src/ops/caps.ts';
import { createBudgetGuard } from '../../src/store/budget.ts';
import { createLimits } from '../../src/store/limits.ts';
import { createMeter } from '../../src/store/meter.ts';
import { createOutageMode } from '../../src/store/outage-mode.ts';
import { createSpending } from '../../src/store/spending.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';

const pricing: Pricing = {
  prices: { passive: 0.1, active: 0.2, document: 0.3 },
  freePerMonth: 0,
  freeOutcomes: ['declined', 'not_finished'],
};
const noon = Date.UTC(2026, 10, 24, 12);

describe.each([
  ['sqlite', () => openSqlite(':memory:', [newKey()])],
  ['redis', async () => openRedis(await freshRedis(), [newKey()])],
])('on %s', (_name, open) => {
  async function twoProcesses(caps: Caps = {}) {
    const opened = await open();
    onTestFinished(() => opened.close());
    const now = { ms: noon };
    const clock = () => now.ms;
    function processOn(store: Store) {
      const budget = createBudgetGuard(store, { clock, pricing, caps });
      const meter = createMeter(store, {
        clock,
        failed: (error) => {
          throw error;
        },
        isFree: (outcome: Outcome) => pricing.freeOutcomes.includes(outcome),
      });
      const settings = group.parse({ perHour: 100_000 });
      const limits = createLimits(store, { clock, alarm: () => undefined, settings, budget });
      let asked = 0;
      const charge = (clientId: string, units = 1_000) => ({ clientId, units, atMs: clock() });
      const admit = (clientId = 'wiki', units?: number) =>
        limits.admit({
          ...{ device: `d${(asked += 1)}`, network: `n${asked}`, enrolmentId: `e${asked}` },
          ...{ clientId, deviceClass: 'known', charge: charge(clientId, units) },
        });
      return { budget, meter, admit, charge };
    }
    return {
      ...{ one: processOn(opened.store), other: processOn(opened.neighbour) },
      ...{ now, opened, processOn },
    };
  }

  it('of 200 selfies at once in two processes exactly as many begin as the cap pays for', async () => {
    const { one, other } = await twoProcesses({ all: { month: { hard: 3.75 } } });
    const all = await Promise.all(
      Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? one : other).admit()),
    );
    expect(all.filter(({ refusedBy }) => refusedBy === undefined)).toHaveLength(37);
    const full = { refusedBy: 'budget', full: { whose: 'all', span: 'month' } };
    expect(all.filter(({ refusedBy }) => refusedBy !== undefined)[0]).toEqual(full);
    expect(await other.admit()).toEqual(full);
  });

  it('a client has a cap of its own, a dear check counts for more, and a new day begins at nothing', async () => {
    const caps = { clients: { shop: { day: { hard: 0.4 } } } };
    const { one, other, now } = await twoProcesses(caps);
    expect(await one.admit('shop', 3_000)).toEqual({});
    expect(await other.admit('shop', 3_000)).toMatchObject({
      full: { whose: 'client', span: 'day' },
    });
    expect(await one.admit('shop')).toEqual({});
    expect(await one.admit('shop')).toMatchObject({ refusedBy: 'budget' });
    expect(await one.admit('wiki')).toEqual({});
    now.ms += 24 * 3_600_000;
    expect(await one.admit('shop', 3_000)).toEqual({});
  });

  it('what no session came of is given back', async () => {
    const { one, other } = await twoProcesses({ all: { month: { hard: 0.1 } } });
    expect(await one.admit()).toEqual({});
    expect(await other.admit()).toMatchObject({ refusedBy: 'budget' });
    await one.budget.giveBack(one.charge('wiki'));
    expect(await other.admit()).toEqual({});
  });

  it('what could not be given back at once is told, and given back at a later look, once', async () => {
    const { opened, processOn, other, now } = await twoProcesses({ all: { month: { hard: 0.2 } } });
    const away = new StoreUnavailable({ cause: 'away for a moment' });
    const { budget, meter, admit } = processOn({
      ...opened.store,
      refund: () => Promise.reject(away),
    });
    const failures: unknown[] = [];
    const spending = createSpending({
      ...{ budget, meter, clock: () => now.ms, reached: () => undefined },
      failed: (error) => void failures.push(error),
    });
    const attempt = newAttempt({
      ...{ interactionUid: 'uid-1', id: 'attempt-1', kind: 'login', reference: 'ABCD-EFGH' },
      ...{ createdAtMs: noon, expiresAtMs: noon + 900_000 },
      client: { id: 'wiki', name: 'Wiki', host: 'wiki.example' },
      request: { loginHint: undefined, uiLocales: undefined },
    });
    expect([await admit(), await admit()]).toEqual([{}, {}]);
    await spending.giveBack(spending.chargeFor(attempt));
    expect(failures).toEqual([away]);
    expect(await other.admit()).toMatchObject({ refusedBy: 'budget' });

    await meter.flush();
    now.ms += 3 * 3_600_000;
    for (const each of [other, other]) {
      for await (const open of each.meter.takeOpen()) await each.budget.correct(open);
    }
    expect([await other.admit(), await other.admit()]).toMatchObject([{}, { refusedBy: 'budget' }]);
  });

  it('caps that an operator sets count in every process within a moment, against what was spent before', async () => {
    const { one, other } = await twoProcesses();
    await Promise.all([one.budget.listen(), other.budget.listen()]);
    for (let at = 0; at < 3; at += 1) expect(await one.admit()).toEqual({});
    const version = await one.budget.set({ all: { month: { hard: 0.3 } } }, undefined);
    expect(version).toBeDefined();
    expect(await one.admit()).toMatchObject({ refusedBy: 'budget' });
    await expect.poll(() => other.budget.caps().all?.month?.hard).toBe(0.3);
    expect(await other.admit()).toMatchObject({ refusedBy: 'budget' });
    // Who read them before somebody else changed them changes nothing.
    expect(await other.budget.set({}, undefined)).toBeUndefined();
    expect(await other.budget.set({}, 'another version')).toBeUndefined();
    expect(await other.budget.set({}, version)).toBeDefined();
    expect(await other.admit()).toEqual({});
  });

  it('caps are set and written down also where the word of it cannot be said, and found by looking', async () => {
    const { opened, processOn, other, now } = await twoProcesses();
    onTestFinished(await other.budget.listen());
    const mute = processOn({
      ...opened.store,
      publish: () => Promise.reject(new StoreUnavailable({ cause: 'away for a moment' })),
    });
    const events: AuditEvent[] = [];
    const caps = { all: { month: { hard: 0.3 } } };
    const tools = { budget: mute.budget, record: (event: AuditEvent) => void events.push(event) };
    const by = { ifVersion: undefined, by: 'ana' };
    expect(await setCaps({ ...tools, clock: () => now.ms }, caps, by)).toBeDefined();
    expect(events).toMatchObject([{ event: 'budget.changed', operators: ['ana'] }]);
    expect(mute.budget.caps()).toMatchObject(caps);
    now.ms += 5_000;
    await expect.poll(() => other.budget.caps().all?.month?.hard).toBe(0.3);
  });

  const of = (client: string, startedAtMs = noon) =>
    ({ client, reason: 'login', check: 'passive', startedAtMs, units: 1_000 }) as const;

  it('two processes meter the same day, and each client and what it came to is counted', async () => {
    const { one, other } = await twoProcesses();
    for (const { meter } of [one, other, one]) meter.began(of('wiki'));
    other.meter.began({ ...of('a client'), reason: 'handoff' });
    one.meter.ended(of('wiki'), 'approved');
    other.meter.ended(of('wiki'), 'declined');
    one.meter.spared({ client: 'wiki', reason: 'step_up' });
    await Promise.all([one.meter.flush(), other.meter.flush()]);
    const day = Math.floor(noon / 86_400_000);
    const [yesterday, today] = await other.meter.read(day - 1, day);
    expect(yesterday).toEqual({ day: day - 1, rows: [] });
    const rows = today!.rows.toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
    expect(rows).toEqual([
      { client: 'a client', reason: 'handoff', check: 'passive', counts: { created: 1 } },
      {
        ...{ client: 'wiki', reason: 'login', check: 'passive' },
        counts: { created: 3, approved: 1, declined: 1 },
      },
      { client: 'wiki', reason: 'step_up', check: 'passive', counts: { spared: 1 } },
    ]);
  });

  it('what was declined or abandoned is given back to the caps, once, and what was approved is not', async () => {
    const { one, other, now } = await twoProcesses({ all: { month: { hard: 0.3 } } });
    for (let at = 0; at < 3; at += 1) {
      expect(await one.admit()).toEqual({});
      one.meter.began(of('wiki'));
    }
    one.meter.ended(of('wiki'), 'approved');
    one.meter.ended(of('wiki'), 'declined');
    await one.meter.flush();
    expect(await Array.fromAsync(one.meter.takeOpen())).toEqual([]);
    now.ms += 3 * 3_600_000;
    const taken = await Promise.all(
      [one, other].map(({ meter }) => Array.fromAsync(meter.takeOpen())),
    );
    expect(taken.flat()).toEqual([{ hour: noon / 3_600_000, client: 'wiki', units: 2_000 }]);
    for (const open of taken.flat()) await other.budget.correct(open);
    expect([await one.admit(), await one.admit(), await one.admit()]).toMatchObject([
      ...[{}, {}, { refusedBy: 'budget' }],
    ]);
    // An approval that comes after that is charged after all.
    await one.budget.correct({ hour: noon / 3_600_000, client: 'wiki', units: 1_000 });
    await one.budget.correct({ hour: noon / 3_600_000, client: 'wiki', units: -1_000 });
    expect(await one.admit()).toMatchObject({ refusedBy: 'budget' });
  });

  it('a client may be called anything: what it is charged late counts for its day', async () => {
    const client = 'month-end';
    const { one } = await twoProcesses({ eachClient: { day: { hard: 0.2 } } });
    await one.budget.correct({ hour: noon / 3_600_000, client, units: -1_000 });
    expect(await one.admit(client)).toEqual({});
    expect(await one.admit(client)).toMatchObject({ full: { whose: 'client', span: 'day' } });
  });

  it('caps begin at what the meter says where nothing was counted, and nowhere else', async () => {
    const caps = { all: { month: { hard: 0.6 } }, eachClient: { day: { hard: 0.3 } } };
    const { one, other, now } = await twoProcesses(caps);
    const today = Math.floor(noon / 86_400_000);
    const yesterday = noon - 24 * 3_600_000;
    // Of another month, of yesterday, and two of today: one was approved, one is under way, one was declined.
    for (const startedAtMs of [Date.UTC(2026, 9, 31), yesterday, noon, noon, noon]) {
      one.meter.began(of('wiki', startedAtMs));
    }
    one.meter.ended(of('wiki', yesterday), 'approved');
    one.meter.ended(of('wiki'), 'approved');
    one.meter.ended(of('wiki'), 'declined');
    await one.meter.flush();
    const charged = async () => ({
      month: await one.meter.charged(today - 23, today, pricing),
      day: await one.meter.charged(today, today, pricing),
    });
    expect(await charged()).toEqual({
      month: { all: 4_000, clients: new Map([['wiki', 4_000]]) },
      day: { all: 3_000, clients: new Map([['wiki', 3_000]]) },
    });
    const begun = [one.budget.beginAt(await charged()), other.budget.beginAt(await charged())];
    expect((await Promise.all(begun)).toSorted()).toEqual([false, true]);
    expect(await one.admit()).toMatchObject({ full: { whose: 'client', span: 'day' } });
    expect([await one.admit('shop'), await one.admit('shop')]).toEqual([{}, {}]);
    expect(await one.admit('shop')).toMatchObject({ full: { whose: 'all', span: 'month' } });
    // A start like any other changes nothing.
    now.ms += 60_000;
    expect(await other.budget.beginAt(await charged())).toBe(false);
  });

  const charges = (units: number) => ({ all: units, clients: new Map([['wiki', units]]) });

  it('a start that broke off on the way is made good by the next, wherever that was', async () => {
    const caps = { eachClient: { day: { hard: 0.3 } } };
    const { opened, processOn, one } = await twoProcesses(caps);
    /** A process whose store is away after so many answers. */
    function startOf(answers: number) {
      let left = answers;
      const away = new StoreUnavailable({ cause: 'away for a moment' });
      const { budget } = processOn({
        ...opened.store,
        spend: (...args) => (left-- > 0 ? opened.store.spend(...args) : Promise.reject(away)),
      });
      return budget.beginAt({ month: charges(4_000), day: charges(3_000) });
    }
    let hasBegun: boolean | undefined;
    for (let answers = 0; hasBegun === undefined; answers += 1) {
      hasBegun = await startOf(answers).catch(() => undefined);
    }
    expect(hasBegun).toBe(true);
    expect(await one.admit('wiki')).toMatchObject({ full: { whose: 'client', span: 'day' } });
  });

  it.each([1, 2, 3, 4])(
    'whom another process lets in after %i commands of a start is charged on top of what the meter says',
    async (before) => {
      const caps = { eachClient: { month: { hard: 0.5 } } };
      const { opened, processOn, other } = await twoProcesses(caps);
      const charged = { month: charges(3_000), day: charges(3_000) };
      let commands = 0;
      const slow = processOn({
        ...opened.store,
        async spend(...args) {
          if (commands++ === before) {
            await other.budget.beginAt(charged);
            expect(await other.admit('wiki')).toEqual({});
          }
          return opened.store.spend(...args);
        },
      });
      await slow.budget.beginAt(charged);
      expect(await other.admit('wiki')).toEqual({});
      expect(await other.admit('wiki')).toMatchObject({ full: { whose: 'client', span: 'month' } });
    },
  );

  it('the switch for Didit is heard by every process, and reading it costs no trip', async () => {
    const { opened, now } = await twoProcesses();
    let reads = 0;
    const counting = {
      ...opened.neighbour,
      get: (key: string) => {
        reads += 1;
        return opened.neighbour.get(key);
      },
    };
    const here = createOutageMode(opened.store, () => now.ms);
    const there = createOutageMode(counting, () => now.ms);
    await Promise.all([here.listen(), there.listen()]);
    const off = { sinceMs: now.ms, by: 'ana', note: 'they are down' };
    await here.change((plan) => ({ ...plan, off }));
    expect(here.now().didit).toBe('off');
    await expect.poll(() => there.now().didit).toBe('off');
    const before = reads;
    for (let asked = 0; asked < 100; asked += 1) there.now();
    expect(reads).toBe(before);
    // Should the word be lost, it is found by looking, some seconds later.
    now.ms += 5_000;
    there.now();
    expect(reads).toBe(before + 1);
  });
});
