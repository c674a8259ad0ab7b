/**
 * The driver for production. One command a verb, one key a command: Redis Cluster and Sentinel work
 * as they are, and commands of one turn of the event loop travel together (auto-pipelining).
 *
 * A record lies there as `version|value`, so that reading it is one GET and comparing it needs no
 * second key. Records, counters and indices have name spaces of their own, as they have tables of
 * their own in SQLite.
 */
import type { Redis } from 'ioredis';
import { createChannels } from './channels.ts';
import { mastersOf, type RedisClient } from './redis-client.ts';
import { defineScripts } from './redis-scripts.ts';
import type { Driver, PutOptions, Stored, Version, Window } from './store.ts';
import { wholeSeconds } from './ttl.ts';
import { newVersion, versionLength } from './version.ts';

const prefix = 'didit-oidc:';
export const recordPrefix = `${prefix}record:`;
export const counterPrefix = `${prefix}counter:`;
export const indexPrefix = `${prefix}index:`;
const recordName = (key: string): string => recordPrefix + key;
const counterName = (key: string): string => counterPrefix + key;
const windowsName = (key: string): string => `${prefix}windows:${key}`;
const indexName = (index: string): string => indexPrefix + index;
const channelName = (channel: string): string => `${prefix}channel:${channel}`;

const scanKeys = 100;

export function createRedisStore(client: RedisClient): Driver {
  const scripts = defineScripts(client);
  const subscriptions = createSubscriptions(client);

  async function get(key: string): Promise<Stored | undefined> {
    const record = await client.get(recordName(key));
    return record === null ? undefined : unpack(record);
  }

  async function put(
    key: string,
    value: string,
    { ttlSeconds, ifAbsent = false, ifVersion }: PutOptions = {},
  ): Promise<Version | undefined> {
    wholeSeconds(ttlSeconds);
    const name = recordName(key);
    const version = newVersion();
    const record = `${version}|${value}`;
    const written =
      ifVersion !== undefined
        ? (await scripts.replace(name, ifVersion, record, ttlSeconds ?? 0)) === 1
        : (await set(client, name, record, ttlSeconds, ifAbsent)) === 'OK';
    return written ? version : undefined;
  }

  async function take(key: string): Promise<string | undefined> {
    const record = await client.getdel(recordName(key));
    return record === null ? undefined : unpack(record).value;
  }

  async function* scan(kind: string): AsyncGenerator<Stored & { key: string }> {
    for (const master of mastersOf(client)) yield* scanServer(master, get, `${escapeGlob(kind)}:*`);
  }

  async function* scanAll(): AsyncGenerator<Stored & { key: string }> {
    for (const master of mastersOf(client)) yield* scanServer(master, get, '*');
  }

  return {
    get,
    getMany: (keys) => Promise.all(keys.map(get)),
    put,
    take,
    delete: async (key) => (await client.del(recordName(key))) === 1,
    async increment(key, { by = 1, ttlSeconds }) {
      return scripts.countUp(counterName(key), by, wholeSeconds(ttlSeconds));
    },
    async spend(key, windows, ttlSeconds) {
      const ttl = wholeSeconds(ttlSeconds);
      const full = await scripts.spend(windowsName(key), ttl, ...windows.flatMap(inScript));
      return windows[full];
    },
    async refund(key, windows) {
      await scripts.refund(windowsName(key), ...windows.flatMap(inScript));
    },
    async indexAdd(index, member, score, ttlSeconds) {
      const ttl = wholeSeconds(ttlSeconds) ?? 0;
      await scripts.indexAdd(indexName(index), score, member, ttl);
    },
    indexRemove: async (index, member) => (await client.zrem(indexName(index), member)) === 1,
    async indexRange(index, { min, max, limit }) {
      const range = [indexName(index), scoreText(min), scoreText(max)] as const;
      const flat = await client.zrangebyscore(...range, 'WITHSCORES', 'LIMIT', 0, limit);
      return pairs(flat).map(([member, score]) => ({ member, score: Number(score) }));
    },
    scan,
    scanAll,
    rewrite: async (key, value, version) =>
      (await scripts.rewrite(recordName(key), version, `${version}|${value}`)) === 1,
    async publish(channel, message) {
      await client.publish(channelName(channel), message);
    },
    subscribe: (channel, listener) => subscriptions.subscribe(channelName(channel), listener),
    async ping() {
      await Promise.all(mastersOf(client).map((master) => master.ping()));
    },
    async close() {
      await subscriptions.close();
      await leave(client);
    },
  };
}

async function* scanServer(
  server: Redis,
  get: (key: string) => Promise<Stored | undefined>,
  pattern: string,
): AsyncGenerator<Stored & { key: string }> {
  let cursor = '0';
  do {
    const [next, names] = await server.scan(
      cursor,
      'MATCH',
      recordPrefix + pattern,
      'COUNT',
      scanKeys,
    );
    cursor = next;
    const keys = names.map((name) => name.slice(recordPrefix.length));
    const records = await Promise.all(keys.map(get));
    for (const [at, key] of keys.entries()) {
      const record = records[at];
      if (record) yield { key, ...record };
    }
  } while (cursor !== '0');
}

/**
 * A connection that subscribes can do nothing else (in RESP2), so there is a second one, opened by
 * whoever subscribes first. ioredis renews its subscriptions when it reconnects; a cluster client
 * has such a second connection already, and moves it when the node goes away.
 */
function createSubscriptions(client: RedisClient) {
  const channels = createChannels();
  let opening: Promise<RedisClient> | undefined;

  async function open(): Promise<RedisClient> {
    const subscriber = client.isCluster ? client : (client as Redis).duplicate();
    subscriber.on('message', channels.deliver);
    if (subscriber === client) return client;
    // The main connection goes to the same place and reports; one report is enough.
    subscriber.on('error', () => undefined);
    try {
      await (subscriber as Redis).connect();
    } catch (error) {
      subscriber.disconnect();
      throw error;
    }
    return subscriber;
  }

  async function subscribe(
    channel: string,
    listener: (message: string) => void,
  ): Promise<() => Promise<void>> {
    opening ??= open();
    const subscriber = await opening.catch((error: unknown) => {
      opening = undefined; // The next one tries again.
      throw error;
    });
    const leaveChannel = channels.listen(channel, listener);
    const end = async (): Promise<void> => {
      // Nobody listens any more: a Redis that cannot be told so need not hold up who stops.
      if (leaveChannel()) await subscriber.unsubscribe(channel).catch(() => undefined);
    };
    try {
      await subscriber.subscribe(channel);
    } catch (error) {
      leaveChannel();
      throw error;
    }
    return end;
  }

  async function close(): Promise<void> {
    const subscriber = await opening?.catch(() => undefined);
    if (subscriber && subscriber !== client) await leave(subscriber);
  }

  return { subscribe, close };
}

/** Says goodbye where somebody listens, and hangs up where nobody does. */
async function leave(client: RedisClient): Promise<void> {
  try {
    await client.quit();
  } catch {
    client.disconnect();
  }
}

function set(
  client: RedisClient,
  name: string,
  record: string,
  ttlSeconds: number | undefined,
  ifAbsent: boolean,
): Promise<'OK' | null> {
  if (ttlSeconds === undefined) {
    return ifAbsent ? client.set(name, record, 'NX') : client.set(name, record);
  }
  return ifAbsent
    ? client.set(name, record, 'EX', ttlSeconds, 'NX')
    : client.set(name, record, 'EX', ttlSeconds);
}

export function unpack(record: string): Stored {
  if (record[versionLength] !== '|') throw new TypeError('a record in Redis is not of our making');
  return { version: record.slice(0, versionLength), value: record.slice(versionLength + 1) };
}

function pairs(flat: string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, at) => [
    flat[2 * at] ?? '',
    flat[2 * at + 1] ?? '',
  ]);
}

function inScript({ name, bucket, atMost, by = 1 }: Window): (string | number)[] {
  return [name, bucket, atMost, by];
}

function scoreText(score: number): string {
  if (Number.isFinite(score)) return String(score);
  return score > 0 ? '+inf' : '-inf';
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}
