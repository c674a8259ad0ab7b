/** When outages begin and end, and that each is told of once: those that are seen, and those that are planned. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditEvent } from '../../src/domain/event.ts';
import { createFailingWatch, failingSince } from '../../src/ops/failing.ts';
import { setOutage } from '../../src/ops/outage.ts';
import { createSpendingWatch } from '../../src/ops/spending-watch.ts';
import { createOutageMode } from '../../src/store/outage-mode.ts';
import { openStore } from '../../src/store/open.ts';

const noon = Date.UTC(2026, 10, 24, 12);
const [minute, hour] = [60_000, 3_600_000];

async function deployed() {
  const now = { ms: noon };
  const clock = () => now.ms;
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => store.close());
  const events: AuditEvent[] = [];
  const alarms: string[] = [];
  const tools = {
    ...{ store, clock },
    record: (event: AuditEvent) => void events.push(event),
    alarm: (reason: string) => void alarms.push(reason),
  };
  const told = () => events.splice(0).map(({ event, reason }) => `${event} ${reason}`);
  return { now, clock, store, tools, alarms, told };
}

describe('that Didit fails', () => {
  async function seen() {
    const made = await deployed();
    const processes = () => createFailingWatch(made.tools);
    const shown = () => failingSince(made.store, made.clock);
    return { ...made, createOne: processes, shown };
  }

  it('is told of once, and its end too, however long it lasts and whoever tries meanwhile', async () => {
    const { now, alarms, told, createOne, shown } = await seen();
    const [one, other] = [createOne(), createOne()];
    await one.heard('open');
    await other.heard('open');
    for (let minutes = 0; minutes < 120; minutes += 1) {
      now.ms += minute;
      await one.look();
      if (minutes % 20 === 0) {
        await one.heard('half-open');
        await one.heard('open');
      }
    }
    expect(await shown()).toBe(noon);
    expect(told()).toEqual(['outage.began failing']);
    expect(alarms).toEqual(['didit_failing']);
    await one.heard('closed');
    await other.heard('closed');
    expect(told()).toEqual(['outage.ended failing']);
    expect(await shown()).toBeUndefined();
  });

  it('ends when it is tried after a night without anybody', async () => {
    const { now, told, createOne } = await seen();
    const one = createOne();
    await one.heard('open');
    now.ms += 7 * hour;
    await one.heard('half-open');
    await one.heard('closed');
    expect(told()).toEqual(['outage.began failing', 'outage.ended failing']);
  });

  it('is over when those who saw it are gone, which whoever looks tells; the next one is news', async () => {
    const { now, alarms, told, createOne, shown } = await seen();
    await createOne().heard('open');
    // All were started anew: calls succeed, and of that a breaker that is closed says nothing.
    const [one, other] = [createOne(), createOne()];
    await one.look();
    expect(told()).toEqual(['outage.began failing']);
    now.ms += 3 * minute;
    expect(await shown()).toBeUndefined();
    await one.look();
    await other.look();
    expect(told()).toEqual(['outage.ended failing']);
    now.ms += 30 * minute;
    await other.heard('open');
    expect(told()).toEqual(['outage.began failing']);
    expect(alarms).toEqual(['didit_failing', 'didit_failing']);
  });

  it('is news where it fails again before anybody has found that it was over', async () => {
    const { now, alarms, told, createOne } = await seen();
    await createOne().heard('open');
    now.ms += 30 * minute;
    await createOne().heard('open');
    const both = ['outage.ended failing', 'outage.began failing'];
    expect(told()).toEqual(['outage.began failing', ...both]);
    expect(alarms).toEqual(['didit_failing', 'didit_failing']);
  });

  it('one that has seen it work ends it for all: who has not tried since keeps nothing alive', async () => {
    const { now, told, createOne, shown } = await seen();
    const [one, other] = [createOne(), createOne()];
    for (const each of [one, other]) await each.heard('open');
    await one.heard('closed');
    now.ms += minute;
    await other.look();
    expect(await shown()).toBeUndefined();
    expect(told()).toEqual(['outage.began failing', 'outage.ended failing']);
    await other.heard('open');
    expect(told()).toEqual(['outage.began failing']);
  });
});

describe('the switch and the plan', () => {
  async function planned() {
    const made = await deployed();
    const outage = createOutageMode(made.store, made.clock);
    onTestFinished(await outage.listen());
    const createWatch = () =>
      createSpendingWatch({
        ...{ ...made.tools, outage: outage.now, alarmAddress: undefined },
        meter: {
          async *takeOpen() {
            yield* await Promise.resolve([]);
          },
          putBack: () => undefined,
        },
        budget: { caps: () => ({}), correct: () => Promise.resolve() },
        reports: {
          now: () => Promise.resolve({ all: { day: 0, month: 0 }, clients: {}, forecast: 0 }),
        },
        metrics: { budgetUsed: () => undefined, forecast: () => undefined },
        failed: (error) => expect(error).toBeUndefined(),
      });
    const watches = [createWatch(), createWatch()];
    const look = async () => {
      for (const watch of watches) await watch.look();
    };
    const set = (change: Parameters<typeof setOutage>[1]) =>
      setOutage({ ...made.tools, outage }, change, 'ben');
    return { ...made, look, set };
  }
  const on = { mode: 'on', note: 'they called' } as const;
  const stretch = { fromMs: noon + minute, untilMs: noon + 2 * hour };

  it('what is off until some time is over by itself, and that is told', async () => {
    const { now, told, look, set } = await planned();
    await set({ ...on, untilMs: noon + hour });
    await look();
    // Prolonged: it goes on.
    const { sinceMs } = await set({ ...on, untilMs: noon + 2 * hour });
    expect(sinceMs).toBe(noon);
    now.ms += hour + minute;
    await look();
    expect(told()).toEqual(['outage.began off']);
    now.ms += hour;
    await look();
    expect(told()).toEqual(['outage.ended off']);
  });

  it('what is switched on again by hand has one end', async () => {
    const { told, look, set } = await planned();
    await set({ ...on, untilMs: noon + 2 * hour });
    await look();
    await set({ mode: 'off' });
    await look();
    expect(told()).toEqual(['outage.began off', 'outage.ended off']);
  });

  it.each([true, false])(
    'maintenance that is ended early has one end; looked at: %s',
    async (was) => {
      const { now, told, look, set } = await planned();
      await set({ ...on, ...stretch });
      await look();
      now.ms += 2 * minute;
      if (was) await look();
      await set({ mode: 'off' });
      await look();
      expect(told()).toEqual(['outage.began maintenance', 'outage.ended maintenance']);
    },
  );

  it('maintenance begins and ends by itself', async () => {
    const { now, told, look, set } = await planned();
    await set({ ...on, ...stretch });
    await look();
    expect(told()).toEqual([]);
    now.ms = stretch.fromMs;
    await look();
    now.ms = stretch.untilMs;
    await look();
    expect(told()).toEqual(['outage.began maintenance', 'outage.ended maintenance']);
  });
});
