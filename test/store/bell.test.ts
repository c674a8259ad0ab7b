import { describe, expect, it, onTestFinished } from 'vitest';
import { createBell } from '../../src/store/bell.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { newKey } from './stores.ts';

async function open(url = 'sqlite::memory:', encryptionKeys: string[] = []) {
  const { store } = await openStore({ url, encryptionKeys, clock: Date.now });
  const bell = createBell(store);
  onTestFinished(async () => {
    await bell.close();
    await store.close();
  });
  return { store, bell };
}

function ear() {
  const heard: string[] = [];
  return { heard, as: (name: string) => () => void heard.push(name) };
}

it('a ring in one process is heard in another, by those who wait for it only', async () => {
  const [url, keys] = [await freshRedis(), [newKey()]];
  const here = await open(url, keys);
  const there = await open(url, keys);
  const { heard, as } = ear();
  await here.bell.listen('uid-1', as('here'));
  await there.bell.listen('uid-1', as('there'));
  await there.bell.listen('uid-1', as('there too'));
  await there.bell.listen('uid-2', as('somebody else'));
  await here.bell.ring('uid-1');
  await soon(() => expect(heard).toHaveLength(3));
  await there.bell.ring('uid-2');
  await soon(() => expect(heard).toContain('somebody else'));
  expect(heard.toSorted()).toEqual(['here', 'somebody else', 'there', 'there too']);
});

describe('who stops listening', () => {
  it('hears no more, and the others go on', async () => {
    const { bell } = await open();
    const { heard, as } = ear();
    const stop = await bell.listen('uid-1', as('first'));
    await bell.listen('uid-1', as('second'));
    stop();
    await bell.ring('uid-1');
    await soon(() => expect(heard).toEqual(['second']));
  });

  it('does not take away, by stopping twice, those who came in between', async () => {
    const { bell } = await open();
    const { heard, as } = ear();
    const stop = await bell.listen('uid-1', as('first'));
    stop();
    await bell.listen('uid-1', as('second'));
    stop();
    await bell.ring('uid-1');
    await soon(() => expect(heard).toEqual(['second']));
  });
});

it('however many wait, there is one subscription', async () => {
  const { store } = await open();
  let subscriptions = 0;
  const counted: Store = {
    ...store,
    subscribe(channel, listener) {
      subscriptions += 1;
      return store.subscribe(channel, listener);
    },
  };
  const bell = createBell(counted);
  const { as } = ear();
  await Promise.all(['a', 'b', 'c'].map((uid) => bell.listen(uid, as(uid))));
  expect(subscriptions).toBe(1);
  await bell.close();
});

it('a subscription that failed is tried again by the next page', async () => {
  const { store } = await open();
  let isAway = true;
  const flaky: Store = {
    ...store,
    subscribe: (channel, listener) =>
      isAway ? Promise.reject(new Error('away')) : store.subscribe(channel, listener),
  };
  const bell = createBell(flaky);
  const { heard, as } = ear();
  await expect(bell.listen('uid-1', as('first'))).rejects.toThrow('away');
  isAway = false;
  await bell.listen('uid-1', as('second'));
  await bell.ring('uid-1');
  await soon(() => expect(heard).toEqual(['second']));
  await bell.close();
});

it('after closing nothing is heard', async () => {
  const { store, bell } = await open();
  const { heard, as } = ear();
  await bell.listen('uid-1', as('first'));
  await bell.close();
  const other = createBell(store);
  await other.listen('uid-1', as('other'));
  await other.ring('uid-1');
  await soon(() => expect(heard).toEqual(['other']));
  await other.close();
});
