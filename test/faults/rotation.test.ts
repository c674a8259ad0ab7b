/** Every key is changed while people sign in at two processes, and nobody notices. */
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RotationBed, pace, startRotationBed } from '../support/rotation.ts';
import { webhookSecret } from '../support/testbed.ts';

/** On a busy machine every command and every login takes its time. */
vi.setConfig({ testTimeout: 180_000 });

let bed: RotationBed;

beforeAll(async () => {
  bed = await startRotationBed(600);
});
afterAll(() => bed.close());

/** Until the new key is used by both, and a moment of it. */
const untilUsed = (seconds: number): Promise<void> => sleep((seconds + 2) * 1000);

async function entries(use: string): Promise<{ id: string; state: string; alg?: string }[]> {
  const { keys } = (await bed.keys('list')) as {
    keys: { use: string; id: string; state: string; alg?: string }[];
  };
  return keys.filter((key) => key.use === use);
}

describe('during a load of logins', () => {
  it('[PL-03] a signing key is published, signs, and the old one retires', async () => {
    const before = (await entries('signing')).filter(({ alg }) => alg === 'RS256');
    const { failed, logins, kids } = await bed.during(async () => {
      await bed.keys('rotate', 'signing');
      await untilUsed(pace.publishedForSeconds);
    });
    expect({ failed }).toEqual({ failed: [] });
    expect(logins).toBeGreaterThan(10);
    expect(kids).toHaveLength(2);
    expect(kids[0]).toBe(before[0]?.id);
    const after = (await entries('signing')).filter(({ alg }) => alg === 'RS256');
    expect(after.map(({ state }) => state)).toEqual(['signing', 'retiring']);
    expect(after.map(({ id }) => id)).toEqual([kids[1], kids[0]]);
  });

  it('[PL-03] a cookie key, and the secret that the nonces of DPoP proofs come from', async () => {
    const [oldCookies] = await entries('cookies');
    const [oldNonces] = await entries('dpop');
    const { failed, logins } = await bed.during(async () => {
      await bed.keys('rotate', 'cookies');
      await bed.keys('rotate', 'dpop');
      await untilUsed(pace.spreadForSeconds);
    });
    expect({ failed }).toEqual({ failed: [] });
    expect(logins).toBeGreaterThan(10);
    const after = await entries('cookies');
    expect(after.map(({ state }) => state)).toEqual(['current', 'old']);
    expect(after[1]?.id).toBe(oldCookies?.id);
    const [nonces] = await entries('dpop');
    expect(nonces?.id).not.toBe(oldNonces?.id);
  });

  it('[PL-03] a key of the store, with everything sealed anew and the old key gone', async () => {
    const [old] = await entries('store');
    let resealed: Record<string, unknown> = {};
    const { failed, logins } = await bed.during(async () => {
      await bed.keys('rotate', 'store');
      await untilUsed(pace.spreadForSeconds);
      resealed = await bed.keys('reseal');
      await bed.keys('retire', 'store', old!.id);
      await untilUsed(pace.lookEverySeconds);
    });
    expect({ failed }).toEqual({ failed: [] });
    expect(logins).toBeGreaterThan(10);
    expect(resealed).toMatchObject({ unreadable: 0 });
    expect(resealed.resealed).toBeGreaterThan(100);
    expect((await entries('store')).map(({ state }) => state)).toEqual(['current']);
  });

  it("[PL-03] Didit's API key, which is tried first, and the secret of the webhooks, ours before theirs", async () => {
    const wrong = fileWith('a-key-that-didit-does-not-know');
    await expect(bed.keys('rotate', 'didit', '--value-file', await wrong)).rejects.toThrow(
      'Didit does not accept the key; nothing was changed',
    );
    const key = await fileWith(bed.deployment.secondApiKey);
    const secret = 'another-webhook-secret-0123456789abcdef';
    const { failed } = await bed.during(async () => {
      await bed.keys('rotate', 'didit', '--value-file', key);
      await bed.keys('rotate', 'webhook', '--value-file', await fileWith(secret));
      await untilUsed(pace.lookEverySeconds);
      bed.deployment.simulator.sendWebhooksTo(`${bed.deployment.issuer}/webhooks/didit`, secret);
      await untilUsed(pace.lookEverySeconds);
    });
    expect({ failed }).toEqual({ failed: [] });
    expect((await entries('webhook')).map(({ state }) => state)).toEqual(['current', 'old']);
    expect(secret).not.toBe(webhookSecret);
  });
});

let files = 0;

async function fileWith(secret: string): Promise<string> {
  const file = `${bed.deployment.configFile}.${String((files += 1))}`;
  await writeFile(file, `${secret}\n`);
  return file;
}
