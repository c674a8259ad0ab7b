/** What a person, a relying party and Didit notice of a Redis that is killed, silent, full, slow or replaced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { createParty, settle, signIn } from '../support/login.ts';
import { type RedisServer, startRedisServer, startSentinel, withRedis } from '../support/redis.ts';
import { startTestbed } from '../support/testbed.ts';
import { startWire } from '../support/wire.ts';
import { openDoors } from './doors.ts';
import { createWatcher, visit } from './people.ts';

/** Once Redis is back, nobody waits longer than this. */
const recovery = { timeout: 5_000, interval: 100 };
/** Each command is refused after a second, and a request sends some one after the other. */
const patienceMs = 8_000;
const written = ['--appendonly', 'yes', '--appendfsync', 'always'];
const everyDoor = {
  ...{ begin: 503, beginSignedIn: 503, identify: 503, look: 503 },
  ...{ redeem: 503, refresh: 503, me: 503, ring: 503, ready: 503 },
};

async function startRedis(...args: string[]): Promise<RedisServer> {
  const server = await startRedisServer({ args });
  onTestFinished(() => server.stop());
  return server;
}

async function deploy(storeUrl: string) {
  const bed = await startTestbed({ storeUrl, people: 40 });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  return { bed, party, doors: await openDoors(bed, party) };
}

type Deployed = Awaited<ReturnType<typeof deploy>>;

/** In time, and what had been begun goes on. */
async function expectRecovery({ bed, party, doors }: Deployed): Promise<void> {
  await vi.waitFor(async () => {
    expect((await fetch(`${bed.managementUrl}/readyz`)).status).toBe(200);
  }, recovery);
  const person = bed.person();
  await vi.waitFor(
    async () => expect(await visit(party, person)).toMatchObject({ email: person }),
    recovery,
  );
  expect(await doors.goOn()).toBe(doors.capturing);
  // Used before, used in the outage, or used now; never twice.
  const redeemed = await Promise.all([doors.knock(), doors.knock()]);
  expect(redeemed.filter(({ redeem }) => redeem === 200).length).toBeLessThanOrEqual(1);
}

async function knockInTime({ doors }: Deployed): Promise<Record<string, number>> {
  const startedMs = performance.now();
  const statuses = await doors.knock();
  expect(performance.now() - startedMs).toBeLessThan(patienceMs);
  return statuses;
}

describe('[RL-03] a Redis', () => {
  it('that is killed: every door answers 503, and all goes on when it is back', async () => {
    const redis = await startRedis(...written);
    const deployed = await deploy(redis.url);
    await redis.kill();
    expect(await knockInTime(deployed)).toEqual(everyDoor);
    await redis.restart();
    await expectRecovery(deployed);
  }, 60_000);

  it('that is silent for ten seconds: nobody waits for it', async () => {
    const redis = await startRedis(...written);
    const deployed = await deploy(redis.url);
    redis.signal('SIGSTOP');
    const silentSinceMs = performance.now();
    expect(await knockInTime(deployed)).toEqual(everyDoor);
    await sleep(10_000 - (performance.now() - silentSinceMs));
    redis.signal('SIGCONT');
    await expectRecovery(deployed);
  }, 60_000);

  it('that is full: what must be written is refused, what is only read is not', async () => {
    const redis = await startRedis(...written);
    const deployed = await deploy(redis.url);
    await withRedis(redis.url, (client) => client.config('SET', 'maxmemory', '1'));
    const statuses = await knockInTime(deployed);
    expect(statuses).toMatchObject({ begin: 503, identify: 503, redeem: 503, refresh: 503 });
    expect(Object.values(statuses)).not.toContain(500);
    await withRedis(redis.url, (client) => client.config('SET', 'maxmemory', '0'));
    await expectRecovery(deployed);
  }, 60_000);

  it('that takes no more connections: every door answers 503', async () => {
    const redis = await startRedis(...written);
    const deployed = await deploy(redis.url);
    await withRedis(redis.url, async (client) => {
      await client.config('SET', 'maxclients', '1');
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      expect(await knockInTime(deployed)).toEqual(everyDoor);
      await client.config('SET', 'maxclients', '10000');
    });
    await expectRecovery(deployed);
  }, 60_000);

  it('that is half a second away: logins take longer, and end well', async () => {
    const redis = await startRedis(...written);
    const wire = await startWire(redis.port);
    onTestFinished(() => wire.close());
    const deployed = await deploy(`redis://127.0.0.1:${wire.port}`);
    wire.slowDown(500);
    const person = deployed.bed.person();
    expect(await visit(deployed.party, person)).toMatchObject({ email: person });
    wire.slowDown(2_000);
    expect(await knockInTime(deployed)).toEqual(everyDoor);
    wire.slowDown(0);
    await expectRecovery(deployed);
  }, 120_000);

  it('that has a successor: the login goes on there', async () => {
    const group = await startSentinel();
    onTestFinished(() => group.stop());
    const deployed = await deploy(group.url);
    await group.master.kill();
    const statuses = await knockInTime(deployed);
    expect(Object.values(statuses)).not.toContain(500);
    // The sentinel of this test waits for half a second before it chooses the replica.
    await expectRecovery(deployed);
  }, 60_000);

  it('that lost everything: what was issued is worth nothing, nobody is let in for it', async () => {
    const redis = await startRedis();
    const { bed, party } = await deploy(redis.url);
    const [browser, person] = [createWatcher(), bed.person()];
    const request = await party.begin();
    const callback = await signIn(browser, request, person);
    await redis.kill();
    await redis.restart();
    await vi.waitFor(async () => {
      expect((await fetch(`${bed.managementUrl}/readyz`)).status).toBe(200);
    }, recovery);
    await expect(request.finish(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
    const again = await settle(browser, await browser.get((await party.begin()).url));
    expect(again.location).toBeUndefined();
    await bed.restart();
    expect(await visit(party, person, { browser })).toMatchObject({ email: person });
  }, 60_000);

  it('that forgot its last second: a code that was used stays used', async () => {
    const redis = await startRedis();
    const { bed, party } = await deploy(redis.url);
    const request = await party.begin();
    const callback = await signIn(createBrowser(), request, bed.person());
    await withRedis(redis.url, (client) => client.save());
    expect((await request.finish(callback)).access_token).toBeDefined();
    await redis.kill();
    await redis.restart();
    await vi.waitFor(async () => {
      expect((await fetch(`${bed.managementUrl}/readyz`)).status).toBe(200);
    }, recovery);
    await expect(request.finish(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
  }, 60_000);
});
