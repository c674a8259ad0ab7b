import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { startSentinel } from '../support/redis.ts';
import { describeStore } from './contract.ts';
import { openRedis } from './stores.ts';

let group: Awaited<ReturnType<typeof startSentinel>>;
beforeAll(async () => {
  group = await startSentinel();
});
afterAll(() => group.stop());

describeStore('redis behind a sentinel', () => openRedis(group.url));

test('[RL-03] after a failover the store and its subscriptions follow the new master', async () => {
  const options = { url: group.url, encryptionKeys: [], clock: Date.now };
  const { store } = await openStore(options);
  const heard: string[] = [];
  await store.subscribe('channel', (message) => void heard.push(message));
  await group.master.kill();
  await vi.waitFor(() => store.put('a:1', 'written after'), { timeout: 15_000, interval: 100 });
  expect((await store.get('a:1'))?.value).toBe('written after');
  await vi.waitFor(
    async () => {
      await store.publish('channel', 'after');
      expect(heard).toContain('after');
    },
    { timeout: 15_000, interval: 100 },
  );
  await store.close();
});
