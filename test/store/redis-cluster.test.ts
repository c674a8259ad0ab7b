import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { startRedisCluster } from '../support/redis.ts';
import { describeStore } from './contract.ts';
import { newKey, openRedis } from './stores.ts';

let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

describeStore('redis in a cluster of three masters', async () => {
  await cluster.flush();
  return openRedis(cluster.url);
});
describeStore('redis in a cluster, sealed', async () => {
  await cluster.flush();
  return openRedis(cluster.url, [newKey()]);
});

test('the look at the start sees every master', async () => {
  await cluster.flush();
  const options = { url: cluster.url, encryptionKeys: [], clock: Date.now };
  const { store, redis, warnings } = await openStore(options);
  expect(warnings).toHaveLength(1);
  if (!redis?.isCluster || !('nodes' in redis)) throw new Error('the store is not on a cluster');
  const last = redis.nodes('master').at(-1)!;
  await last.config('SET', 'maxmemory-policy', 'volatile-ttl');
  await expect(openStore(options)).rejects.toThrow('volatile-ttl');
  await last.config('SET', 'maxmemory-policy', 'noeviction');
  await store.close();
});
