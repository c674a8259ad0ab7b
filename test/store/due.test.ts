import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type DueTools, createDueList } from '../../src/store/due.ts';
import type { Store } from '../../src/store/store.ts';
import { soon } from '../support/soon.ts';
import { newKey, openSqlite } from './stores.ts';

let nowMs = Date.UTC(2026, 10, 25);

async function open(): Promise<Store> {
  const opened = await openSqlite(':memory:', [newKey()]);
  onTestFinished(() => opened.close());
  return opened.store;
}

function listOn(store: Store, tools: Partial<DueTools>) {
  const list = createDueList({
    ...{ store, clock: () => nowMs, index: 'things:due', keptSeconds: 3_600, leaseMs: 15_000 },
    work: () => Promise.resolve(),
    failed(error) {
      throw error;
    },
    ...tools,
  });
  list.start();
  onTestFinished(() => list.stop());
  return list;
}

const left = (store: Store) =>
  store.indexRange('things:due', { min: 0, max: Number.MAX_SAFE_INTEGER, limit: 100 });

describe('a thing that is due', () => {
  it('is done once, by however many who read the list at the same moment', async () => {
    const store = await open();
    const lookers = 4;
    const everybodyHasRead = Promise.withResolvers<undefined>();
    let reading = 0;
    const slow: Store = {
      ...store,
      async indexRange(...range) {
        const read = await store.indexRange(...range);
        reading += 1;
        if (reading === lookers) everybodyHasRead.resolve(undefined);
        if (reading <= lookers) await everybodyHasRead.promise;
        // The others come to it one after the other, while it is being done.
        await sleep(20 * reading);
        return read;
      },
    };
    const done: string[] = [];
    const work = async (member: string): Promise<void> => {
      done.push(member);
      await sleep(200);
    };
    const lists = Array.from({ length: lookers }, () => listOn(slow, { work }));
    await lists[0]?.add('["a"]', 0);
    for (const list of lists) list.nudge();
    await sleep(500);
    await soon(async () => expect(await left(store)).toEqual([]));
    expect(done).toEqual(['["a"]']);
  });

  it('is done again, and by its own name, when whoever began it is gone', async () => {
    const store = await open();
    const never = Promise.withResolvers<undefined>();
    const begun: string[] = [];
    const list = listOn(store, {
      async work(member) {
        begun.push(member);
        if (begun.length < 3) await never.promise;
      },
    });
    await list.add('["a"]', 0);
    for (const times of [1, 2, 3]) {
      list.nudge();
      await expect.poll(() => begun).toHaveLength(times);
      nowMs += 14_000;
      list.nudge();
      await sleep(50);
      expect(begun).toHaveLength(times);
      nowMs += 2_000;
    }
    expect(begun).toEqual(['["a"]', '["a"]', '["a"]']);
    never.resolve(undefined);
    await expect.poll(() => left(store)).toEqual([]);
  });

  it('that is asked for again while it is being done is done again', async () => {
    const store = await open();
    const first = Promise.withResolvers<undefined>();
    let times = 0;
    const list = listOn(store, {
      async work() {
        times += 1;
        if (times === 1) await first.promise;
      },
    });
    await list.add('["a"]', 0);
    list.nudge();
    await expect.poll(() => times).toBe(1);
    await list.add('["a"]', 0);
    first.resolve(undefined);
    list.nudge();
    await expect.poll(() => times).toBe(2);
    await expect.poll(() => left(store)).toEqual([]);
  });
});
