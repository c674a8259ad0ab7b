import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { sealStore } from '../../src/store/sealed.ts';
import { createSqliteStore } from '../../src/store/sqlite.ts';
import { update, type Store } from '../../src/store/store.ts';
import { freshRedis, startRedisServer, withRedis } from '../support/redis.ts';
import { describeStore } from './contract.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';

describeStore('sqlite, sealed', () => openSqlite(':memory:', [newKey()]));
describeStore('redis, sealed', async () => openRedis(await freshRedis(), [newKey()]));

/** A store whose inside the test can look at and meddle with. */
async function sealedInMemory(keys = [newKey()]): Promise<{ inner: Store; store: Store }> {
  const inner = createSqliteStore({ file: ':memory:', clock: Date.now });
  return { inner, store: await sealStore(inner, keys) };
}

async function soleRecord(inner: Store, kind: string): Promise<{ key: string; value: string }> {
  for await (const found of inner.scan(kind)) return found;
  throw new Error(`nothing of kind ${kind}`);
}

test('[PL-04] a dump of Redis holds no id, token or address, in any encoding', async () => {
  const server = await startRedisServer({ args: ['--appendonly', 'yes'] });
  const options = { url: server.url, encryptionKeys: [newKey()], clock: Date.now };
  const { store } = await openStore(options);
  const secret = (what: string): string => `${what}-${randomBytes(9).toString('hex')}`;
  const [id, token, mail, member, topic, message] = ['id', 'token', 'm@x', 'mem', 'top', 'mes'].map(
    secret,
  ) as [string, string, string, string, string, string];
  await store.put(`token:${id}`, JSON.stringify({ token, mail }));
  await store.put(`short:${id}`, token, { ttlSeconds: 60 });
  await store.increment(`limit:${mail}`, { ttlSeconds: 60 });
  await store.indexAdd(`index:${id}`, member, 1, 60);
  const onTheWire: string[] = [];
  await withRedis(server.url, async (redis) => {
    await redis.psubscribe('*');
    const arrived = Promise.withResolvers<undefined>();
    redis.on('pmessage', (_pattern, channel, text) => {
      onTheWire.push(channel, text);
      arrived.resolve(undefined);
    });
    await store.publish(`channel:${topic}`, message);
    await arrived.promise;
  });
  await withRedis(server.url, (redis) => redis.save());
  const appended = 'appendonlydir/appendonly.aof.1.incr.aof';
  const dump = Buffer.concat([
    await readFile(join(server.directory, 'dump.rdb')),
    await readFile(join(server.directory, appended)),
    Buffer.from(onTheWire.join()),
  ]).toString('latin1');
  // The kind is meant to be readable: this shows that the dump is the right one.
  for (const open of ['token:', 'short:', 'limit:', 'index:', 'channel:']) {
    expect(dump).toContain(open);
  }
  for (const plain of [id, token, mail, member, topic, message]) {
    const encodings = ['utf8', 'hex', 'base64', 'base64url'] as const;
    const forms = encodings.map((encoding) => Buffer.from(plain).toString(encoding));
    const hash = createHash('sha256').update(plain).digest();
    for (const form of [...forms, hash.toString('hex'), hash.toString('base64url')]) {
      expect(dump.includes(form.replace(/=+$/, ''))).toBe(false);
    }
  }
  await store.close();
  await server.stop();
});

test('[PL-04] no name in the dump finds anything when it is used as an id', async () => {
  const { inner, store } = await sealedInMemory();
  await store.put('token:secret', 'value');
  const { key, value } = await soleRecord(inner, 'token');
  for (const text of [key, key.slice('token:'.length), value, value.split('.').at(-1)!]) {
    expect(await store.get(text)).toBeUndefined();
    expect(await store.get(`token:${text}`)).toBeUndefined();
  }
});

describe('a value that was meddled with is an error that names the kind only', () => {
  type Meddle = (value: string) => string;
  const flip =
    (at: number): Meddle =>
    (value) => {
      const [format, kid, body = ''] = value.split('.');
      const bytes = Buffer.from(body, 'base64url');
      const place = at < 0 ? bytes.length + at : at;
      bytes[place] = bytes[place]! ^ 1;
      return [format, kid, bytes.toString('base64url')].join('.');
    };

  test.each<[string, Meddle]>([
    ['a bit of the nonce flipped', flip(0)],
    ['a bit of the text flipped', flip(14)],
    ['a bit of the tag flipped', flip(-1)],
    ['the version stripped', (value) => value.replace('1.', '')],
    ['another version', (value) => value.replace('1.', '2.')],
    ['no key id', (value) => value.replace(/^1\.[^.]+/, '1.')],
    ['an unknown key id', (value) => value.replace(/^1\.[^.]+/, '1.AAAAAAAA')],
    ['the end cut off', (value) => value.slice(0, -4)],
    ['nearly everything cut off', (value) => value.slice(0, 20)],
    ['something added', (value) => `${value}.AAAA`],
    ['plain text', () => '{"accountId":"mallory"}'],
    ['nothing', () => ''],
  ])('%s', async (_, meddle) => {
    const { inner, store } = await sealedInMemory();
    await store.put('token:secret', 'a value of some length');
    const { key, value } = await soleRecord(inner, 'token');
    await inner.put(key, meddle(value));
    const uses = [
      () => store.get('token:secret'),
      () => store.getMany(['token:none', 'token:secret']),
      () => store.scan('token')[Symbol.asyncIterator]().next(),
      () => store.take('token:secret'),
    ];
    for (const use of uses) {
      const message = await use().then(() => 'nothing refused', String);
      expect(message).toMatch(/^Error: what the store holds of kind "token" /);
      expect(message).not.toMatch(/secret|value|mallory/);
      expect(message).not.toContain(key);
    }
  });

  test('[PL-04] a value moved to another key', async () => {
    const { inner, store } = await sealedInMemory();
    await store.put('token:mine', 'mine');
    const mine = await soleRecord(inner, 'token');
    await store.delete('token:mine');
    await store.put('token:yours', 'yours');
    const yours = await soleRecord(inner, 'token');
    await inner.put(yours.key, mine.value);
    await expect(store.get('token:yours')).rejects.toThrow('was altered or moved');
  });

  test('a message put in the place of a record, and a record sent as a message', async () => {
    const { inner, store } = await sealedInMemory();
    await store.put('same:name', 'record');
    const { key, value } = await soleRecord(inner, 'same');
    const heard: string[] = [];
    await store.subscribe('same:name', (message) => void heard.push(message));
    const sent = Promise.withResolvers<string>();
    await inner.subscribe(key, sent.resolve);
    await store.publish('same:name', 'message');
    await inner.put(key, await sent.promise);
    await expect(store.get('same:name')).rejects.toThrow('was altered or moved');
    await inner.publish(key, value);
    await inner.publish(key, 'not even sealed');
    await store.publish('same:name', 'last');
    await expect.poll(() => heard).toEqual(['message', 'last']);
  });

  test('a member moved to another index', async () => {
    const { inner, store } = await sealedInMemory();
    const hidden = async (key: string): Promise<string> => {
      await store.put(key, 'a record tells the hashed name, which its index shares');
      const record = await soleRecord(inner, 'index');
      await store.delete(key);
      return record.key;
    };
    await store.indexAdd('index:a', 'member', 1);
    const [entry] = await inner.indexRange(await hidden('index:a'), { min: 0, max: 9, limit: 9 });
    await inner.indexAdd(await hidden('index:b'), entry!.member, 1);
    await expect(store.indexRange('index:b', { min: 0, max: 9, limit: 9 })).rejects.toThrow(
      'kind "index" was altered or moved',
    );
  });
});

describe('keys', () => {
  test('a new key writes, the old one still reads, and names stay as they are', async () => {
    const [older, newer] = [newKey(), newKey()];
    const inner = createSqliteStore({ file: ':memory:', clock: Date.now });
    const before = await sealStore(inner, [older]);
    await before.put('account:1', 'old');
    await before.indexAdd('index:1', 'member', 1);
    await before.increment('limit:1', { ttlSeconds: 60 });

    const during = await sealStore(inner, [newer, older]);
    expect((await during.get('account:1'))?.value).toBe('old');
    expect(await during.increment('limit:1', { ttlSeconds: 60 })).toBe(2);
    await during.put('account:2', 'new');
    await expect(before.get('account:2')).rejects.toThrow('which is not configured');
    for await (const { key, ...known } of during.scan('account')) {
      await update(during, key, (value) => ({ value: value!, result: undefined }), known);
    }

    const after = await sealStore(inner, [newer]);
    const found = await after.getMany(['account:1', 'account:2']);
    expect(found.map((stored) => stored?.value)).toEqual(['old', 'new']);
    expect(await after.indexRemove('index:1', 'member')).toBe(true);
  });

  test('a new key may be made known everywhere before it is used', async () => {
    const [older, newer] = [newKey(), newKey()];
    const inner = createSqliteStore({ file: ':memory:', clock: Date.now });
    const first = await sealStore(inner, [older, newer]);
    const second = await sealStore(inner, [newer, older]);
    await second.put('account:1', 'by the new key');
    await first.ping();
    expect((await first.get('account:1'))?.value).toBe('by the new key');
  });

  test('a key that is still needed cannot be dropped unnoticed', async () => {
    const [older, newer] = [newKey(), newKey()];
    const { inner, store } = await sealedInMemory([older]);
    await expect(sealStore(inner, [newer])).rejects.toThrow('which is not configured');
    await store.put('account:1', 'old');
    await sealStore(inner, [newer, older]);
    const after = await sealStore(inner, [newer]);
    await expect(after.get('account:1')).rejects.toThrow('kind "account" is sealed with the key');
  });

  test('several processes that start at once on an empty store agree on its names', async () => {
    const inner = createSqliteStore({ file: ':memory:', clock: Date.now });
    const keys = [newKey()];
    const stores = await Promise.all(Array.from({ length: 20 }, () => sealStore(inner, keys)));
    await stores[0]!.put('a:1', 'value');
    const found = await Promise.all(stores.map((store) => store.get('a:1')));
    expect(found.every((stored) => stored?.value === 'value')).toBe(true);
  });

  test('a process whose store was replaced is not ready', async () => {
    const keys = [newKey()];
    const { inner, store } = await sealedInMemory(keys);
    await store.ping();
    await inner.delete('sealed:secret');
    await sealStore(inner, keys);
    await expect(store.ping()).rejects.toThrow('replaced');
  });

  test.each([
    ['too short', Buffer.alloc(31, 7).toString('base64')],
    ['too long', Buffer.alloc(33, 7).toString('base64')],
    ['not base64', `${'secret!'.repeat(6)}a`],
    ['empty', ''],
  ])('a key that is %s is refused without repeating it', async (_, key) => {
    const inner = createSqliteStore({ file: ':memory:', clock: Date.now });
    const message = await sealStore(inner, [newKey(), key]).then(() => 'accepted', String);
    expect(message).toContain('STORE_ENCRYPTION_KEYS: the key no. 2 is not 32 bytes in base64');
    expect(message).not.toMatch(/secret|BwcHBw/);
  });

  test('base64url is as good as base64', async () => {
    const key = Buffer.alloc(32, 0xfb);
    const inner = createSqliteStore({ file: ':memory:', clock: Date.now });
    await (await sealStore(inner, [key.toString('base64')])).put('a:1', 'value');
    const again = await sealStore(inner, [key.toString('base64url')]);
    expect((await again.get('a:1'))?.value).toBe('value');
  });
});

test('no nonce is used twice', async () => {
  const { inner, store } = await sealedInMemory();
  const seen = new Set<string>();
  for (let at = 0; at < 5000; at += 1) {
    await store.put('a:1', 'the same value every time');
    const { value } = await soleRecord(inner, 'a');
    seen.add(Buffer.from(value.split('.')[2]!, 'base64url').subarray(0, 12).toString('hex'));
  }
  expect(seen.size).toBe(5000);
});

test('[PL-04] a scan ends at what does not open, or passes it over for whoever wants to hear of it', async () => {
  const { inner, store } = await sealedInMemory();
  for (const id of ['a', 'b', 'c']) await store.put(`token:${id}`, id);
  await inner.put((await soleRecord(inner, 'token')).key, 'no seal');
  await expect(Array.fromAsync(store.scan('token'))).rejects.toThrow('of kind "token"');
  const told: unknown[] = [];
  const found = await Array.fromAsync(store.scan('token', (error) => told.push(error)));
  expect(found).toHaveLength(2);
  expect(told.map(String)).toEqual([expect.stringContaining('of kind "token"')]);
});
