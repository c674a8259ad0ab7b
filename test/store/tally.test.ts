/** How sign-ins ended, by day, counted by several processes on real databases. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditEvent } from '../../src/domain/event.ts';
import { dayOf, isoDay } from '../../src/store/by-day.ts';
import type { Store } from '../../src/store/store.ts';
import { createTally } from '../../src/store/tally.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';

const noon = Date.UTC(2026, 10, 24, 12);
const dayMs = 86_400_000;
const today = dayOf(noon);

function tallyOn(store: Store, failures: unknown[] = []) {
  const tally = createTally(store, { failed: (error) => void failures.push(error) });
  return {
    ...{ tally, failures },
    happens: (event: AuditEvent['event'], atMs = noon) => tally.record({ event, atMs }),
  };
}

describe.each([
  ['sqlite', () => openSqlite(':memory:', [newKey()])],
  ['redis', async () => openRedis(await freshRedis(), [newKey()])],
])('on %s', (_name, open) => {
  it('what two processes counted at once is all there, and each day stands by itself', async () => {
    const opened = await open();
    onTestFinished(() => opened.close());
    const [one, other] = [tallyOn(opened.store), tallyOn(opened.neighbour)];
    for (let round = 0; round < 50; round += 1) {
      one.happens('login.completed');
      other.happens('login.completed');
      other.happens('login.denied');
      one.happens('login.started');
    }
    one.happens('login.foreign', noon - dayMs);
    await Promise.all([one.tally.flush(), other.tally.flush()]);
    one.happens('login.expired');
    await one.tally.flush();
    expect(await other.tally.read({ fromDay: isoDay(today - 2), toDay: isoDay(today) })).toEqual([
      { day: today - 2, ended: { completed: 0, denied: 0, foreign: 0, expired: 0 } },
      { day: today - 1, ended: { completed: 0, denied: 0, foreign: 1, expired: 0 } },
      { day: today, ended: { completed: 100, denied: 50, foreign: 0, expired: 1 } },
    ]);
    expect([...one.failures, ...other.failures]).toEqual([]);
  });

  it('what cannot be written is kept, told, and written the next time', async () => {
    const opened = await open();
    onTestFinished(() => opened.close());
    const down = { is: true };
    const store: Store = {
      ...opened.store,
      put: (...args) => (down.is ? Promise.reject(new Error('down')) : opened.store.put(...args)),
    };
    const { tally, happens, failures } = tallyOn(store);
    happens('login.completed');
    await tally.flush();
    expect(failures.map(String)).toEqual(['Error: down']);
    down.is = false;
    happens('login.completed');
    await tally.flush();
    const [{ ended } = {}] = await tally.read({ fromDay: isoDay(today), toDay: isoDay(today) });
    expect(ended).toEqual({ completed: 2, denied: 0, foreign: 0, expired: 0 });
    await tally.stop();
  });
});
