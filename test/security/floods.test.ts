/** Anybody may begin an authorization, and need not come back. */
import { expect, it, onTestFinished } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { flood, interactionMs, weigh } from '../support/flood.ts';
import { createParty, signIn } from '../support/login.ts';
import { startRedisServer } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';

it('[AB-12] one network begins so many authorizations a minute, whatever it says of itself; others go on', async () => {
  const perMinute = 20;
  const bed = await startTestbed({
    flags: { trustProxy: 1, limits: { authorizationsPerMinute: perMinute } },
  });
  onTestFinished(() => bed.close());
  const { url } = await (await createParty(bed)).begin();
  const knock = async (address: string): Promise<number> => {
    const headers = { accept: 'text/html', 'x-forwarded-for': address };
    return (await fetch(url, { headers, redirect: 'manual' })).status;
  };
  const statuses: number[] = [];
  for (let at = 0; at < 300; at += 1) statuses.push(await knock(`203.0.113.${at % 250}`));
  expect(statuses.filter((status) => status === 303)).toHaveLength(perMinute);
  expect(new Set(statuses.slice(perMinute))).toEqual(new Set([429]));
  // The last hop is the proxy's word; what stands before it is the visitor's.
  expect(await knock('198.51.100.1, 203.0.113.7')).toBe(429);
  expect(await knock('198.51.100.1')).toBe(303);
});

it('[AB-12] what a flood leaves behind is small, and gone after a quarter of an hour', async () => {
  const redis = await startRedisServer();
  onTestFinished(() => redis.stop());
  const bed = await startTestbed({ storeUrl: redis.url, flags: { trustProxy: 1 } });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  const before = await weigh(redis.url);
  const requests = 2_000;
  await flood(party, requests);
  const after = await weigh(redis.url, before);
  expect(after.keys.size - before.keys.size).toBeLessThanOrEqual(requests);
  expect(((after.bytes - before.bytes) / requests) * 100_000).toBeLessThan(200 * 2 ** 20);
  expect(after.longestMs).toBeLessThanOrEqual(interactionMs);

  const request = await party.begin();
  const tokens = await request.finish(await signIn(createBrowser(), request));
  expect(tokens.claims()?.email).toBe('ana@example.com');
});
