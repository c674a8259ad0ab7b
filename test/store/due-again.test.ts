/** Work that asks to be done again, and work that is left undone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type DueTools, createDueList } from '../../src/store/due.ts';
import { soon } from '../support/soon.ts';
import { openSqlite } from './stores.ts';

async function listed(options: Partial<DueTools> & Pick<DueTools, 'work'>) {
  const opened = await openSqlite(':memory:');
  const { store } = opened;
  const time = { nowMs: 1_000_000 };
  const tools = {
    ...{ store, clock: () => time.nowMs, index: 'test:due', keptSeconds: 60 },
    failed: () => undefined,
    ...options,
  };
  const due = createDueList(tools);
  const entries = () => store.indexRange('test:due', { min: 0, max: Infinity, limit: 10 });
  due.start();
  onTestFinished(async () => {
    await due.stop();
    await opened.close();
  });
  return { due, time, entries };
}

describe('a thing to do', () => {
  it.each([undefined, 30_000])(
    'is done again when its work says so (lease %s)',
    async (leaseMs) => {
      let times = 0;
      const { due, time, entries } = await listed({
        ...(leaseMs === undefined ? {} : { leaseMs }),
        work: () => Promise.resolve((times += 1) < 3 ? 5_000 : undefined),
      });
      await due.add('it', 0);
      await vi.waitFor(() => expect(times).toBe(1), 3_000);
      await soon(async () => {
        expect(await entries()).toEqual([{ member: 'it', score: time.nowMs + 5_000 }]);
      });
      due.nudge();
      await sleep(50);
      expect(times).toBe(1);
      for (const expected of [2, 3]) {
        time.nowMs += 5_000;
        due.nudge();
        await vi.waitFor(() => expect(times).toBe(expected), 3_000);
      }
      await soon(async () => expect(await entries()).toEqual([]));
    },
  );

  it('that failed is done again when its lease is over', async () => {
    const failures: unknown[] = [];
    let times = 0;
    const { due, time, entries } = await listed({
      leaseMs: 30_000,
      failed: (error) => failures.push(error),
      work: () =>
        (times += 1) === 1
          ? Promise.reject<undefined>(new Error('no'))
          : Promise.resolve(undefined),
    });
    await due.add('it', 0);
    await vi.waitFor(() => expect(failures).toHaveLength(1), 3_000);
    expect(await entries()).toEqual([{ member: '~it', score: time.nowMs + 30_000 }]);
    time.nowMs += 30_000;
    due.nudge();
    await vi.waitFor(() => expect(times).toBe(2), 3_000);
    await soon(async () => expect(await entries()).toEqual([]));
  });
});
