/**
 * Redis for tests: a clean database of the run's own Redis, or servers of a test's own that it may
 * kill.
 *
 * The Redis of the run belongs to the tests: its databases 1 and up are emptied.
 */
import type { Redis } from 'ioredis';
import { inject } from 'vitest';
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
  const sent: string[] = [];
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    sent.push(command.name);
    return send(command, stream);
  };
  return () => sent;
}
