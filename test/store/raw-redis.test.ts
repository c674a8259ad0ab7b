/** What a backup reads of a Redis in use: whatever is there all along is in it, and once. */
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { redisEntries } from '../../src/store/raw-redis.ts';
import { indexPrefix } from '../../src/store/redis.ts';
import { freshRedis, withRedis } from '../support/redis.ts';

const name = `${indexPrefix}list:one`;
const members = Array.from({ length: 1200 }, (_, at) => `member ${at}`);

async function withIndex(work: (redis: Redis) => Promise<void>): Promise<void> {
  await withRedis(await freshRedis(), async (redis) => {
    await redis.zadd(name, ...members.flatMap((member, at) => [at, member]));
    await work(redis);
  });
}

/** @param meanwhile is done once the first piece has been read. */
async function membersRead(redis: Redis, meanwhile = () => Promise.resolve()): Promise<string[]> {
  const read: string[] = [];
  let isFirst = true;
  for await (const entry of redisEntries(redis, Date.now)) {
    if ('members' in entry) read.push(...entry.members.map(([member]) => member));
    if (isFirst) await meanwhile();
    isFirst = false;
  }
  return read;
}

test('who leaves a long index while it is read takes nobody else out of the backup', async () => {
  await withIndex(async (redis) => {
    const gone = members.slice(0, 50);
    const read = await membersRead(redis, async () => {
      await redis.zrem(name, ...gone);
    });
    expect(members.slice(50).filter((member) => !read.includes(member))).toEqual([]);
  });
});

test('a member that Redis names twice is in the backup, and counted, once', async () => {
  await withIndex(async (redis) => {
    const scan = redis.zscan.bind(redis);
    async function zscan(...args: Parameters<typeof scan>): ReturnType<typeof scan> {
      const [next, flat] = await scan(...args);
      return [next, [...flat, ...flat.slice(0, 2)]];
    }
    Object.assign(redis, { zscan });
    expect((await membersRead(redis)).toSorted()).toEqual(members.toSorted());
  });
});
