/** What is kept about people beside their account: links, history, factors, keys. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFactorRecords, hasOtherWay, noFactors } from '../../src/store/factors.ts';
import { createHistory } from '../../src/store/history.ts';
import { keptSecret } from '../../src/store/secrets.ts';
import { createTickets } from '../../src/store/tickets.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

async function open() {
  const opened = await openSqlite(':memory:', [newKey()]);
  onTestFinished(() => opened.close());
  return opened;
}

describe('a link', () => {
  it('can be looked at as often as one likes, and is used once', async () => {
    const opened = await openRedis(await freshRedis(), [newKey()]);
    onTestFinished(() => opened.close());
    const tickets = createTickets(opened.store, { random, hash });
    const secret = await tickets.issue('invitation', { accountId: 'a' }, 60);
    expect(secret).toMatch(/^[\w-]{43}$/);
    for (let looks = 0; looks < 3; looks += 1) {
      expect(await tickets.read('invitation', secret)).toEqual({ accountId: 'a' });
    }
    const taken = await Promise.all(
      Array.from({ length: 20 }, () => tickets.take('invitation', secret)),
    );
    expect(taken.filter((one) => one !== undefined)).toEqual([{ accountId: 'a' }]);
    expect(await tickets.read('invitation', secret)).toBeUndefined();
  });

  it('is of one kind, and has its time', async () => {
    const opened = await open();
    const tickets = createTickets(opened.store, { random, hash });
    const secret = await tickets.issue('recovery', { accountId: 'a' }, 60);
    expect(await tickets.take('invitation', secret)).toBeUndefined();
    await opened.pass(61);
    expect(await tickets.take('recovery', secret)).toBeUndefined();
  });
});

describe('a history', () => {
  it('is told newest first, of one account, and can be forgotten up to a time', async () => {
    const { store } = await open();
    const history = createHistory(store, () => 10_000);
    for (const atMs of [1_000, 3_000, 2_000]) {
      await history.add('a', { event: 'exported', atMs });
    }
    await history.add('b', { event: 'selfie_off', atMs: 1_500 });
    const times = async () => (await history.list('a', 0)).map(({ atMs }) => atMs);
    expect(await times()).toEqual([3_000, 2_000, 1_000]);
    await history.prune('a', 2_000);
    expect(await times()).toEqual([3_000]);
    expect(await history.list('b', 0)).toHaveLength(1);
  });
});

describe('factors', () => {
  const passkey = {
    ...{ id: 'c', publicKey: 'k', counter: 0, transports: [], isSynced: false },
    ...{ name: 'Laptop', createdAtMs: 1 },
  };

  it('are none at first, and what many change at once is changed by all of them', async () => {
    const opened = await openRedis(await freshRedis(), [newKey()]);
    onTestFinished(() => opened.close());
    const records = createFactorRecords(opened.store);
    expect(await records.load('a')).toEqual(noFactors);
    await Promise.all(
      Array.from({ length: 10 }, (_, at) =>
        records.change('a', (factors) => ({
          factors: {
            ...factors,
            passkeys: [...factors.passkeys, { ...passkey, id: String(at) }],
          },
          result: undefined,
        })),
      ),
    );
    expect((await records.load('a')).passkeys).toHaveLength(10);
    await records.erase('a');
    expect(await records.load('a')).toEqual(noFactors);
  });

  it('are another way in once there is one that works', () => {
    const totp = { secret: 's', isConfirmed: false, lastStep: 0, createdAtMs: 1 };
    expect(hasOtherWay(noFactors)).toBe(false);
    expect(hasOtherWay({ ...noFactors, totp })).toBe(false);
    expect(hasOtherWay({ ...noFactors, totp: { ...totp, isConfirmed: true } })).toBe(true);
    expect(hasOtherWay({ ...noFactors, recoveryCodes: { hashes: [], createdAtMs: 1 } })).toBe(
      false,
    );
    expect(hasOtherWay({ ...noFactors, passkeys: [passkey] })).toBe(true);
  });
});

describe('a key that the store keeps', () => {
  it('is made once for each use', async () => {
    const { store } = await open();
    const [one, same] = await Promise.all([
      keptSecret(store, 'codes', random),
      keptSecret(store, 'codes', random),
    ]);
    expect(same).toBe(one);
    expect(await keptSecret(store, 'names', random)).not.toBe(one);
  });
});
