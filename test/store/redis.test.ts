import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openStore, type OpenedStore } from '../../src/store/open.ts';
import { countCommands, freshRedis, startRedisServer, withRedis } from '../support/redis.ts';
import { describeStore } from './contract.ts';
import { newKey, openRedis } from './stores.ts';

const plain = { encryptionKeys: [], clock: Date.now };

describeStore('redis', async () => openRedis(await freshRedis()));

describe.each([
  ['plain', []],
  ['sealed', [newKey()]],
])('a %s store sends one command', (_, encryptionKeys) => {
  let opened: OpenedStore;
  let version: string | undefined;
  let sent: () => string[];
  beforeAll(async () => {
    opened = await openStore({ url: await freshRedis(), encryptionKeys, clock: Date.now });
    version = await opened.store.put('a:1', 'value');
    sent = countCommands(opened.redis!);
  });
  afterAll(() => opened.store.close());

  test.each<[string, (store: OpenedStore['store']) => Promise<unknown>]>([
    ['get', (store) => store.get('a:1')],
    ['put', (store) => store.put('a:2', 'value', { ttlSeconds: 9 })],
    ['put if absent', (store) => store.put('a:3', 'value', { ttlSeconds: 9, ifAbsent: true })],
    ['put if version', (store) => store.put('a:1', 'new', { ttlSeconds: 9, ifVersion: version })],
    ['take', (store) => store.take('a:2')],
    ['delete', (store) => store.delete('a:3')],
    ['increment', (store) => store.increment('a:1', { ttlSeconds: 9 })],
    ['add to an index', (store) => store.indexAdd('a:1', 'member', 1, 9)],
    ['remove from an index', (store) => store.indexRemove('a:1', 'member')],
    ['read an index', (store) => store.indexRange('a:1', { min: 0, max: 1, limit: 1 })],
    ['publish', (store) => store.publish('a:1', 'message')],
  ])('to %s', async (_verb, use) => {
    await use(opened.store);
    const before = sent().length;
    await use(opened.store);
    expect(sent().slice(before)).toHaveLength(1);
  });

  test('a key to get many', async () => {
    const before = sent().length;
    await opened.store.getMany(['a:1', 'a:2', 'a:3']);
    expect(sent().slice(before)).toEqual(['get', 'get', 'get']);
  });
});

test('[PL-05] everything in Redis lies under a prefix of our own', async () => {
  const url = await freshRedis();
  const { store } = await openStore({ ...plain, url });
  await store.put('a:1', 'value');
  await store.increment('a:1', { ttlSeconds: 9 });
  await store.indexAdd('a:1', 'member', 1);
  await store.close();
  const names = await withRedis(url, (redis) => redis.keys('*'));
  expect(names.toSorted()).toEqual([
    'didit-oidc:counter:a:1',
    'didit-oidc:index:a:1',
    'didit-oidc:record:a:1',
  ]);
});

test('a record that somebody else put there is an error, not a value', async () => {
  const url = await freshRedis();
  const { store } = await openStore({ ...plain, url });
  await withRedis(url, (redis) => redis.set('didit-oidc:record:a:1', 'hello world'));
  await expect(store.get('a:1')).rejects.toThrow('not of our making');
  await store.close();
});

describe('the look at the server at the start', () => {
  test('[PL-05] a Redis that may evict records is refused', async () => {
    const server = await startRedisServer({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    await expect(openStore({ ...plain, url: server.url })).rejects.toThrow(/allkeys-lru.*noevict/);
    await server.stop();
  });

  test('[PL-05] a Redis without an append-only file is warned of, one with it is not', async () => {
    for (const [appendOnly, warnings] of [
      ['no', [expect.stringContaining('appendonly yes')]],
      ['yes', []],
    ] as const) {
      const server = await startRedisServer({ args: ['--appendonly', appendOnly] });
      const opened = await openStore({ ...plain, url: server.url });
      expect(opened.warnings).toEqual(warnings);
      await opened.store.close();
      await server.stop();
    }
  });

  test('[PL-05] a user without FLUSHALL, CONFIG, KEYS, DEBUG and INFO is enough', async () => {
    const server = await startRedisServer();
    const rules = 'on >secret ~didit-oidc:* &didit-oidc:* +@all -@dangerous'.split(' ');
    await withRedis(server.url, (redis) => redis.acl('SETUSER', 'provider', ...rules));
    const url = server.url.replace('//', '//provider:secret@');
    // ioredis itself also remarks, on the console, that it may not read INFO.
    const remark = vi.spyOn(console, 'warn').mockReturnValue();
    const { store, warnings } = await openStore({ ...plain, url });
    expect(warnings).toEqual([expect.stringContaining('INFO')]);
    await store.put('a:1', 'value', { ifVersion: await store.put('a:1', 'old') });
    await store.increment('a:1', { ttlSeconds: 9 });
    await store.indexAdd('a:1', 'member', 1);
    await (
      await store.subscribe('a', () => undefined)
    )();
    for await (const found of store.scan('a')) expect(found.value).toBe('value');
    await store.close();
    remark.mockRestore();
    await server.stop();
  });
});
