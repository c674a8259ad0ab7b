import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { startRedisCluster, startRedisServer, type RedisServer } from '../support/redis.ts';
import { newKey } from './stores.ts';

/** Twice the time that one command may take, and room for a busy machine. */
const promptMs = 5000;
const recovery = { timeout: 15_000, interval: 50 };
const plain = { encryptionKeys: [], clock: Date.now };

let server: RedisServer;
let store: Store;
const told: string[] = [];
beforeEach(async () => {
  server = await startRedisServer({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const log = { warn: (message: string) => void told.push(message) };
  ({ store } = await openStore({ ...plain, url: server.url, log }));
});
afterEach(async () => {
  await store.close();
  await server.stop();
  told.length = 0;
});

describe('[RL-03] when Redis is killed', () => {
  test('every verb fails at once, and works again when Redis is back', async () => {
    await store.put('a:1', 'kept');
    await server.kill();
    const failures = await inTime(
      Promise.allSettled([
        store.get('a:1'),
        store.getMany(['a:1', 'a:2']),
        store.put('a:2', 'value'),
        store.put('a:2', 'value', { ifVersion: 'whatever' }),
        store.take('a:1'),
        store.increment('a:1', { ttlSeconds: 9 }),
        store.indexAdd('a:1', 'member', 1),
        store.publish('a', 'message'),
        store.subscribe('a', () => undefined),
        store.ping(),
      ]),
    );
    expect(failures.map(({ status }) => status)).toEqual(failures.map(() => 'rejected'));
    await server.restart();
    await vi.waitFor(() => store.ping(), recovery);
    expect((await store.get('a:1'))?.value).toBe('kept');
    expect(await store.get('a:2')).toBeUndefined();
    expect(told).toEqual(['the connection to Redis is lost', 'the connection to Redis is back']);
  });

  test('a refused take is not made up for later', async () => {
    await store.put('a:1', 'value');
    await server.kill();
    await expect(store.take('a:1')).rejects.toThrow();
    await server.restart();
    await vi.waitFor(() => store.ping(), recovery);
    expect(await store.take('a:1')).toBe('value');
  });

  test('a subscription is heard again when Redis is back', async () => {
    const heard: string[] = [];
    await store.subscribe('channel', (message) => void heard.push(message));
    await server.kill();
    await server.restart();
    await vi.waitFor(async () => {
      await store.publish('channel', 'after');
      expect(heard).toContain('after');
    }, recovery);
  });

  test('a subscription ends without it', async () => {
    const end = await store.subscribe('channel', () => undefined);
    await server.kill();
    await expect.poll(() => store.ping().then(String, () => 'away')).toBe('away');
    await expect(inTime(end())).resolves.toBeUndefined();
  });

  test('closing the store does not wait for it', async () => {
    const { store: other } = await openStore({ ...plain, url: server.url });
    await other.subscribe('channel', () => undefined);
    await server.kill();
    await inTime(other.close());
    await expect(other.get('a:1')).rejects.toThrow();
  });
});

test('[RL-03] when Redis falls silent, nobody waits for long, and it is found again', async () => {
  await store.put('a:1', 'kept');
  server.signal('SIGSTOP');
  const first = store.get('a:1');
  const later = new Promise((resolve) => setTimeout(resolve, 50)).then(() => store.get('a:1'));
  const outcomes = await inTime(Promise.allSettled([first, later]));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  server.signal('SIGCONT');
  await vi.waitFor(async () => expect((await store.get('a:1'))?.value).toBe('kept'), recovery);
});

test('[RL-03] a sealed store whose Redis lost everything keeps its names', async () => {
  const forgetful = await startRedisServer();
  const options = { url: forgetful.url, encryptionKeys: [newKey()], clock: Date.now };
  const { store: running } = await openStore(options);
  await forgetful.kill();
  await forgetful.restart();
  await vi.waitFor(() => running.ping(), recovery);
  const { store: started } = await openStore(options);
  await running.put('a:1', 'found by both');
  expect((await started.get('a:1'))?.value).toBe('found by both');
  await Promise.all([running.close(), started.close()]);
  await forgetful.stop();
});

test('[RL-03] when a whole cluster is away, every verb fails in time', async () => {
  const cluster = await startRedisCluster();
  const { store: spread } = await openStore({ ...plain, url: cluster.url });
  await spread.put('a:1', 'value');
  await cluster.stop();
  const outcomes = await inTime(
    Promise.allSettled([
      spread.get('a:1'),
      spread.put('a:2', 'value'),
      spread.increment('a:1', { ttlSeconds: 9 }),
      spread.subscribe('a', () => undefined),
      spread.scan('a')[Symbol.asyncIterator]().next(),
      spread.ping(),
    ]),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'rejected'));
  await inTime(spread.close());
});

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('too late')), promptMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
