/**
 * Redis for tests: a clean database of the run's own Redis, or servers of a test's own that it may
 * kill.
 *
 * The Redis of the run belongs to the tests: its databases 1 and up are emptied.
 */
import type { Redis } from 'ioredis';
import { expect, inject } from 'vitest';
import { withRedis } from './redis-servers.ts';

export { startRedisCluster, startRedisServer, startSentinel, withRedis } from './redis-servers.ts';
export type { RedisServer } from './redis-servers.ts';

/** An empty database, to oneself until the next call in this worker. Workers have one each. */
export async function freshRedis(): Promise<string> {
  const url = new URL(inject('redisUrl'));
  url.pathname = `/${process.env['VITEST_POOL_ID'] ?? '1'}`;
  await withRedis(url.href, (redis) => redis.flushdb());
  return url.href;
}

/** Counts what a client sends from now on, pipelined or not. */
export function countCommands(client: { sendCommand: Redis['sendCommand'] }): () => string[] {
  const sent = noteCommands(client);
  return () => sent.map((command) => command.split(' ')[0] ?? '');
}

/** Notes each command with the kind of record that it is about, which stays readable when sealed. */
export function noteCommands(client: { sendCommand: Redis['sendCommand'] }): readonly string[] {
  const sent: string[] = [];
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    const [, , kind] = command.args.map(String).join(' ').split(':');
    sent.push(`${command.name} ${kind ?? ''}`);
    return send(command, stream);
  };
  return sent;
}

/** What money and days are counted in, a while after what was counted. */
export const isMeter = (command: string): boolean => /^\w+ (meter|tally)$/.test(command);

/** All keys with all that is in them, read by type, since a binary dump may be compressed; and seconds left of each. */
export function dumpOf(url: string): Promise<{ text: string; lifetimes: Map<string, number> }> {
  return withRedis(url, async (redis) => {
    const lifetimes = new Map<string, number>();
    const lines: string[] = [];
    const read = async (key: string): Promise<void> => {
      const [ttl, type] = await Promise.all([redis.ttl(key), redis.type(key)]);
      lifetimes.set(key, ttl);
      const readers: Record<string, () => Promise<unknown>> = {
        string: () => redis.get(key),
        hash: () => redis.hgetall(key),
        zset: () => redis.zrange(key, '0', '-1'),
        set: () => redis.smembers(key),
        list: () => redis.lrange(key, 0, -1),
      };
      const content = await readers[type]?.();
      // A key may go between two questions; a type that nobody expected may not.
      if (type !== 'none') expect(content, `a key of type ${type}`).toBeDefined();
      lines.push(key, JSON.stringify(content));
    };
    for await (const keys of redis.scanStream({ count: 500 }) as AsyncIterable<string[]>) {
      await Promise.all(keys.map(read));
    }
    return { text: lines.join('\n').replaceAll('\\"', '"'), lifetimes };
  });
}
