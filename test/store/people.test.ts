/** What is kept about people beside their account: links, history, factors, keys. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFactorRecords, hasOtherWay, noFactors } from '../../src/store/factors.ts';
import { createHistory } from '../../src/store/history.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import { createDeparted } from '../../src/store/departed.ts';
import { createDiditTraces } from '../../src/store/didit-traces.ts';
import { keptSecret } from '../../src/store/secrets.ts';
import { createTickets } from '../../src/store/tickets.ts';
import { freshRedis } from '../support/redis.ts';
import { newKey, openRedis, openSqlite } from './stores.ts';
import { wordsOf } from '../support/words.ts';

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
    const secret = await tickets.issue('recovery_cancel', { beganAtMs: 1, accountId: 'a' }, 60);
    expect(await tickets.take('invitation', secret)).toBeUndefined();
    await opened.pass(61);
    expect(await tickets.take('recovery_cancel', secret)).toBeUndefined();
  });
});

describe('the links of one person', () => {
  it('lead nowhere once they were erased, all kinds of them, and those of others do', async () => {
    const { store } = await open();
    const tickets = createTickets(store, { random, hash });
    const kinds = ['invitation', 'recovery_cancel', 'erasure_cancel'] as const;
    const issue = (accountId: string) =>
      Promise.all(kinds.map((kind) => tickets.issue(kind, { accountId }, 60)));
    const [erased, others] = await Promise.all([issue('a'), issue('b')]);
    await Promise.all(Array.from({ length: 150 }, () => issue('a')));
    await tickets.erase('a');
    for (const [at, kind] of kinds.entries()) {
      expect(await tickets.take(kind, erased[at]!)).toBeUndefined();
      expect(await tickets.take(kind, others[at]!)).toEqual({ accountId: 'b' });
    }
    expect(await Array.fromAsync(store.scan('ticket'))).toEqual([]);
  });
});

describe('a history', () => {
  it('that is long tells the newest, page by page, also of many at the same time', async () => {
    const { store } = await open();
    const history = createHistory(store, () => 10_000);
    // Five hundred and ninety, of which a hundred and fifty at one time, across a page's end.
    const times = Array.from({ length: 590 }, (_, at) => (at < 60 ? at : Math.max(60, at - 149)));
    await Promise.all(
      times.map((atMs, authTime) => history.add('a', { event: 'signed_out', atMs, authTime })),
    );
    expect(await Array.fromAsync(history.since('a', 0))).toHaveLength(590);
    const newest = [...times].sort((a, b) => b - a).slice(0, 500);
    expect((await history.list('a', 0)).map(({ atMs }) => atMs)).toEqual(newest);
  });

  it('knows whether somebody has signed in since', async () => {
    const { store } = await open();
    const history = createHistory(store, () => 10_000);
    const seen = { browser: undefined, system: undefined };
    const signIn = { event: 'signed_in', client: 'c', acr: 'x', authTime: 1, ...seen } as const;
    await history.add('a', { ...signIn, atMs: 2_000 });
    await history.add('a', { event: 'exported', atMs: 3_000 });
    expect(await history.hasSignedIn('a', 2_000)).toBe(true);
    expect(await history.hasSignedIn('a', 2_001)).toBe(false);
    expect(await history.hasSignedIn('b', 0)).toBe(false);
  });

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
    const totp = { secret: 's', lastStep: 0, createdAtMs: 1 };
    const [none, one] = [[], ['h']].map((hashes) => ({ hashes, createdAtMs: 1 }));
    expect(hasOtherWay(noFactors)).toBe(false);
    expect(hasOtherWay({ ...noFactors, totpToConfirm: totp })).toBe(false);
    expect(hasOtherWay({ ...noFactors, totp })).toBe(true);
    expect(hasOtherWay({ ...noFactors, recoveryCodes: none! })).toBe(false);
    expect(hasOtherWay({ ...noFactors, recoveryCodes: one! })).toBe(true);
    expect(hasOtherWay({ ...noFactors, passkeys: [passkey] })).toBe(true);
  });

  it('are two where nobody can be written to', () => {
    const totp = { secret: 's', lastStep: 0, createdAtMs: 1 };
    const recoveryCodes = { hashes: ['h'], createdAtMs: 1 };
    const alone = { byMail: false };
    expect(hasOtherWay({ ...noFactors, totp }, alone)).toBe(false);
    expect(hasOtherWay({ ...noFactors, recoveryCodes }, alone)).toBe(false);
    expect(hasOtherWay({ ...noFactors, totp, recoveryCodes }, alone)).toBe(true);
    expect(hasOtherWay({ ...noFactors, passkeys: [passkey] }, alone)).toBe(true);
  });
});

describe('what lies at Didit because of somebody', () => {
  it('is told oldest first, up to a time, until it is gone; of nobody as well', async () => {
    const { store } = await open();
    const time = { nowMs: 1_000 };
    const traces = createDiditTraces(store, () => time.nowMs);
    await traces.add('a', 'first');
    await traces.add(undefined, 'of nobody');
    time.nowMs = 2_000;
    await traces.add('a', 'second');
    const ids = async (...of: Parameters<typeof traces.list>) =>
      (await traces.list(...of)).map(({ diditSessionId }) => diditSessionId);
    expect(await ids('a')).toEqual(['first', 'second']);
    expect(await ids('a', 1_000)).toEqual(['first']);
    expect(await ids('a', 9_000, 1)).toEqual(['first']);
    await traces.remove('a', 'first');
    expect(await ids('a')).toEqual(['second']);
    expect(await ids(undefined)).toEqual(['of nobody']);
  });
});

describe('who was erased', () => {
  it('is known again by every spelling of a name, which stands nowhere', async () => {
    const { store } = await open();
    const departed = createDeparted(store, random);
    await departed.remember('Ana@Example.com');
    expect(await departed.has(' ana@example.COM')).toBe(true);
    expect(await departed.has('ben@example.com')).toBe(false);
    const kept = await Array.fromAsync(store.scan('departed'));
    expect(kept).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toMatch(/ana@|example/i);
    expect(wordsOf(kept)).not.toMatch(/ana/i);
  });

  it('is changed by nobody any more, and keeps no name from others', async () => {
    const opened = await open();
    const accounts = createAccounts(opened.store, { clock: () => 1_000, random });
    const { id } = (await accounts.add({ email: 'ana@example.com', groups: [] }))!;
    expect(await accounts.change(id, (account) => ({ ...account, status: 'erased' }))).toBe(true);
    const before = await opened.store.get(`account:${id}`);
    expect(await accounts.setStatus(id, 'active')).toBe(false);
    expect(await accounts.rename(id, { username: 'ana' })).toBe(false);
    await accounts.signOutEverywhere(id);
    expect(await opened.store.get(`account:${id}`)).toEqual(before);
    expect(await accounts.idOf('ana')).toBeUndefined();
  });

  it('gives up the names that are still theirs, not those that somebody else has by now', async () => {
    const opened = await open();
    const accounts = createAccounts(opened.store, { clock: () => 1_000, random });
    const names = { email: 'ana@example.com', username: 'ana' };
    const { id } = (await accounts.add({ ...names, groups: [] }))!;
    await accounts.rename(id, { username: 'anna' });
    const other = (await accounts.add({ username: 'ana', groups: [] }))!;
    await accounts.giveUpNames(id, names);
    await opened.pass(2);
    expect(await accounts.idOf('ana@example.com')).toBeUndefined();
    expect(await accounts.idOf('ana')).toBe(other.id);
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
