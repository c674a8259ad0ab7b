/** Didit's webhooks do not come at all: what a person notices of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createParty } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';
import { visit } from './people.ts';

/** The load that is stated in docs/operations.md: a login a second. */
const logins = 30;
const everyMs = 1_000;

it('[RL-01] without a single webhook everybody signs in, within the budget of readings', async () => {
  const bed = await startTestbed({ storeUrl: await freshRedis(), people: logins });
  onTestFinished(() => bed.close());
  await bed.control('faults', { webhooks: 'drop' });
  const party = await createParty(bed);
  const all = await Promise.all(
    Array.from({ length: logins }, async (_, at) => {
      await sleep(at * everyMs);
      const person = bed.person();
      const ended = await visit(party, person);
      expect(ended).toMatchObject({ email: person });
      return ended.ms;
    }),
  );
  const median = all.toSorted((a, b) => a - b)[logins / 2];
  expect(median).toBeLessThan(5_000);
  const { calls, webhooks } = await bed.log();
  // All of it happened within a minute.
  expect(calls.filter(({ operation }) => operation === 'decision').length).toBeLessThanOrEqual(60);
  expect(webhooks.filter(({ responseStatus }) => responseStatus !== null)).toEqual([]);
}, 90_000);
