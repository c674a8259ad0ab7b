/** Authorization requests of people who never come back, from as many networks as it takes. */
import { expect } from 'vitest';
import type { Party } from './login.ts';
import { withRedis } from './redis.ts';

const atOnce = 20;

/** The provider has to trust one proxy. Every request is let in, and leaves a record behind. */
export async function flood(party: Party, requests: number): Promise<void> {
  const { url } = await party.begin();
  let next = 0;
  async function send(): Promise<void> {
    while (next < requests) {
      const at = next++;
      const network = `10.${(at >> 8) & 255}.${at & 255}.7`;
      const headers = { accept: 'text/html', 'x-forwarded-for': network };
      const response = await fetch(url, { headers, redirect: 'manual' });
      await response.body?.cancel();
      expect(response.status).toBe(303);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, send));
}

export interface Weight {
  bytes: number;
  keys: ReadonlySet<string>;
  /** The longest that any key that is new will live. */
  longestMs: number;
}

/** What a Redis holds. @param before what is not new. */
export function weigh(redisUrl: string, before?: Weight): Promise<Weight> {
  return withRedis(redisUrl, async (redis) => {
    const [, bytes] = /used_memory:(\d+)/.exec(await redis.info('memory')) ?? [];
    const found = new Set<string>();
    let [cursor, longestMs] = ['0', 0];
    do {
      const [next, all] = await redis.scan(cursor, 'COUNT', 1000);
      cursor = next;
      // Once a day, and not by anybody's request, it is looked at whose time is over.
      const keys = all.filter((key) => !key.includes(':retention:'));
      const fresh = keys.filter((key) => before && !before.keys.has(key));
      const times = await Promise.all(fresh.map((key) => redis.pttl(key)));
      for (const ms of times) longestMs = Math.max(longestMs, ms === -1 ? Infinity : ms);
      for (const key of keys) found.add(key);
    } while (cursor !== '0');
    return { bytes: Number(bytes), keys: found, longestMs };
  });
}

/** An interaction lives for a quarter of an hour, and its record as much longer as clocks may differ. */
export const interactionMs = 915_000;
