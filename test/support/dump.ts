/** Everything that a Redis holds, in its own words, a line each. */
import { withRedis } from './redis-servers.ts';

export function dumpRedis(url: string): Promise<string> {
  return withRedis(url, async (redis) => {
    const lines: string[] = [];
    for await (const keys of redis.scanStream() as AsyncIterable<string[]>) {
      for (const key of keys) {
        const type = await redis.type(key);
        const members = type === 'zset' ? await redis.zrange(key, '0', '-1') : [];
        const fields = type === 'hash' ? Object.entries(await redis.hgetall(key)).flat() : [];
        const text = type === 'string' ? ((await redis.get(key)) ?? '') : '';
        lines.push(key, ...members, ...fields, text);
      }
    }
    return lines.join('\n');
  });
}
