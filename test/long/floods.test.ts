/** A hundred thousand people who begin a sign-in and never come back. Takes twenty minutes: their records must end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { type Weight, flood, interactionMs, weigh } from '../support/flood.ts';
import { createParty } from '../support/login.ts';
import { startRedisServer } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';

const requests = 100_000;
const mebibyte = 2 ** 20;

it('[AB-12] 100,000 authorizations take less than 200 MiB of Redis, and give it back', async () => {
  const redis = await startRedisServer();
  onTestFinished(() => redis.stop());
  const bed = await startTestbed({ storeUrl: redis.url, flags: { trustProxy: 1 } });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  const before = await weigh(redis.url);
  await flood(party, requests);
  const after = await weigh(redis.url, before);
  const grownBy = (now: Weight): number => (now.bytes - before.bytes) / mebibyte;
  console.log(`${requests} authorizations: ${grownBy(after).toFixed(1)} MiB of Redis`);
  expect(grownBy(after)).toBeLessThan(200);
  expect(after.longestMs).toBeLessThanOrEqual(interactionMs);

  await sleep(after.longestMs + 5_000);
  // Redis removes what has ended when it is looked at, or when it finds the time.
  await expect
    .poll(async () => (await weigh(redis.url, before)).keys.size, { timeout: 120_000 })
    .toBeLessThanOrEqual(before.keys.size);
  const later = await weigh(redis.url, before);
  console.log(`a quarter of an hour later: ${grownBy(later).toFixed(1)} MiB`);
  expect(grownBy(later)).toBeLessThan(grownBy(after) / 4);
}, 3_600_000);
