import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { normaliseIdentifier } from '../../src/store/account-names.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { soon } from '../support/soon.ts';
import { newKey, openSqlite } from './stores.ts';

const startMs = Date.UTC(2026, 10, 22);

let nowMs: number;
beforeEach(() => {
  nowMs = startMs;
});

async function open() {
  const opened = await openSqlite(':memory:', [newKey()]);
  onTestFinished(() => opened.close());
  const { store } = opened;
  const random = (bytes: number): string => randomBytes(bytes).toString('base64url');
  const another = (on = store) => createAccounts(on, { clock: () => nowMs, random });
  const away = new StoreUnavailable({ cause: 'away for a moment' });
  /** What it has to say reaches nobody. */
  const mute = another({ ...store, publish: () => Promise.reject(away) });
  return { accounts: another(), another, mute, store };
}

const ana = { email: 'ana@example.com', username: 'ana', name: 'Ana', groups: ['staff'] };

describe('an account', () => {
  it('is found by each of its names, and has an opaque id of its own', async () => {
    const { accounts } = await open();
    const enrolment = { id: 'enrolment-1', vendorData: 'opaque' };
    const added = await accounts.add(ana, enrolment);
    expect(added).toEqual({
      ...{ ...ana, schema: 1, status: 'active', emailVerified: true },
      ...{ createdAtMs: nowMs, updatedAtMs: nowMs },
      ...{ enrolment, id: expect.stringMatching(/^[\w-]{22}$/) as string },
    });
    for (const name of ['ana', 'ana@example.com']) {
      expect(await accounts.idOf(name)).toBe(added?.id);
    }
    expect(await accounts.find(added?.id ?? '')).toEqual(added);
  });

  it('without an address has none that is verified', async () => {
    const { accounts } = await open();
    expect(await accounts.add({ username: 'ana', groups: [] })).toMatchObject({
      emailVerified: false,
    });
  });

  it('whose user name is the address is one person, not two', async () => {
    const { accounts } = await open();
    const added = await accounts.add({ ...ana, username: 'Ana@Example.com' });
    expect(added).toBeDefined();
    expect(await accounts.idOf('ana@example.com')).toBe(added?.id);
  });

  it('of nobody is not found', async () => {
    const { accounts } = await open();
    expect(await accounts.idOf('nobody')).toBeUndefined();
    expect(await accounts.find('nobody')).toBeUndefined();
  });
});

describe('a name that is somebody’s already', () => {
  it('adds nothing, and leaves no other name behind', async () => {
    const { accounts } = await open();
    const { id } = (await accounts.add(ana)) ?? { id: '' };
    const twin = { email: 'twin@example.com', username: 'ANA', groups: [] };
    expect(await accounts.add(twin)).toBeUndefined();
    expect(await accounts.idOf('ana')).toBe(id);
    expect(await accounts.idOf('twin@example.com')).toBeUndefined();
    expect(await accounts.add({ ...twin, username: 'twin' })).toBeDefined();
  });

  it('goes to one of many who ask at once', async () => {
    const { accounts } = await open();
    const all = await Promise.all(Array.from({ length: 10 }, () => accounts.add(ana)));
    const [one, ...more] = all.filter((added) => added !== undefined);
    expect(more).toEqual([]);
    expect(await accounts.idOf('ana')).toBe(one?.id);
  });
});

describe('an account that is blocked', () => {
  it('is so at once, here and in every process that listens', async () => {
    const { accounts, another } = await open();
    const elsewhere = another();
    onTestFinished(await elsewhere.listen());
    const { id } = (await accounts.add(ana)) ?? { id: '' };
    for (const one of [accounts, elsewhere]) {
      expect(await one.find(id)).toMatchObject({ status: 'active' });
    }
    nowMs += 1_000;
    expect(await accounts.setStatus(id, 'blocked')).toBe(true);
    expect(await accounts.find(id)).toEqual({
      ...{ ...ana, schema: 1, id, status: 'blocked', emailVerified: true },
      ...{ createdAtMs: startMs, updatedAtMs: nowMs, voidUntil: nowMs / 1000 },
    });
    await soon(async () => {
      expect(await elsewhere.find(id)).toMatchObject({ status: 'blocked' });
    });
  });

  it('is so after ten seconds in a process to which the word did not come', async () => {
    const { accounts, another } = await open();
    const deaf = another();
    const { id } = (await accounts.add(ana)) ?? { id: '' };
    await deaf.find(id);
    await accounts.setStatus(id, 'blocked');
    nowMs += 10_000;
    expect(await deaf.find(id)).toMatchObject({ status: 'blocked' });
  });

  it('is so also where the word of it cannot be said: at once here, after ten seconds elsewhere', async () => {
    const { accounts, another, mute } = await open();
    const elsewhere = another();
    onTestFinished(await elsewhere.listen());
    const { id } = (await accounts.add(ana)) ?? { id: '' };
    for (const one of [mute, elsewhere]) await one.find(id);
    expect(await mute.setStatus(id, 'blocked')).toBe(true);
    expect(await mute.find(id)).toMatchObject({ status: 'blocked' });
    nowMs += 10_000;
    expect(await elsewhere.find(id)).toMatchObject({ status: 'blocked' });
    // Whoever took it back first goes on with what follows from that.
    expect(await mute.revokeProof(id, 1)).toBe(true);
  });

  it('has to be one that there is', async () => {
    const { accounts } = await open();
    expect(await accounts.setStatus('nobody', 'blocked')).toBe(false);
    expect(await accounts.find('nobody')).toBeUndefined();
  });
});

describe('one person, one spelling', () => {
  it.each([
    ['  ANA@Example.COM ', 'ana@example.com'],
    ['ａｎａ', 'ana'],
    ['Zoe\u0308', 'zo\u00eb'],
    ['\ufb01na', 'fina'],
    ['\u2003ana\u00a0', 'ana'],
    ['\u212aelvin', 'kelvin'],
  ])('%j is %j', async (typed, stored) => {
    expect(normaliseIdentifier(typed)).toBe(stored);
    expect(normaliseIdentifier(stored)).toBe(stored);
    const { accounts } = await open();
    const added = await accounts.add({ username: stored, groups: [] });
    expect(await accounts.idOf(typed)).toBe(added?.id);
  });
});

it('a reading that a change has overtaken is not believed', async () => {
  const { accounts } = await open();
  const added = await accounts.add(ana);
  const id = added?.id ?? '';
  const reading = accounts.find(id);
  await accounts.setStatus(id, 'blocked');
  await reading;
  expect((await accounts.find(id))?.status).toBe('blocked');
});

describe('a name', () => {
  const other = { email: 'ben@example.com', username: 'ben', groups: [] };

  it('can be changed, and the old one is free then', async () => {
    const { accounts } = await open();
    const { id } = (await accounts.add(ana))!;
    expect(await accounts.rename(id, { email: 'Ana@Example.org' })).toBe(true);
    expect(await accounts.idOf('ana@example.org')).toBe(id);
    expect(await accounts.idOf('ana@example.com')).toBeUndefined();
    expect(await accounts.idOf('ana')).toBe(id);
    expect((await accounts.find(id))?.email).toBe('Ana@Example.org');
  });

  it('of somebody else is not given, and nothing is changed', async () => {
    const { accounts } = await open();
    const { id } = (await accounts.add(ana))!;
    await accounts.add(other);
    expect(await accounts.rename(id, { email: 'new@example.com', username: 'BEN' })).toBe(false);
    expect(await accounts.idOf('new@example.com')).toBeUndefined();
    expect(await accounts.find(id)).toMatchObject(ana);
  });

  it('may be spelt anew', async () => {
    const { accounts } = await open();
    const { id } = (await accounts.add(ana))!;
    expect(await accounts.rename(id, { username: 'ANA' })).toBe(true);
    expect(await accounts.idOf('ana')).toBe(id);
  });
});

describe('what was proven', () => {
  it('is taken back one by one, or up to now', async () => {
    const { accounts } = await open();
    const { id } = (await accounts.add(ana))!;
    const now = nowMs / 1000;
    await accounts.revokeProof(id, now - 10);
    expect(await accounts.isRevoked(id, now - 10)).toBe(true);
    expect(await accounts.isRevoked(id, now - 9)).toBe(false);
    await accounts.signOutEverywhere(id);
    expect(await accounts.isRevoked(id, now - 9)).toBe(true);
    expect(await accounts.isRevoked(id, now + 1)).toBe(false);
  });
});

it.each(['constructor', '__proto__'])(
  '[PR-26] what the app "%s" has got is taken back like that of any other',
  async (app) => {
    const { accounts } = await open();
    const { id } = (await accounts.add(ana)) ?? { id: '' };
    const now = Math.floor(nowMs / 1000);
    await accounts.revokeApp(id, 'other');
    expect(await accounts.isRevoked(id, now - 9, app)).toBe(false);
    await accounts.signOutEverywhere(id);
    expect(await accounts.isRevoked(id, now - 9, app)).toBe(true);
    await accounts.revokeApp(id, app);
    expect(await accounts.isRevoked(id, now, app)).toBe(true);
  },
);

it('[PR-26] a block and what it makes void are one write: no crash in between lets anything live on', async () => {
  const { accounts, store } = await open();
  const { id } = (await accounts.add(ana)) ?? { id: '' };
  const put = vi.spyOn(store, 'put');
  await accounts.setStatus(id, 'blocked');
  expect(put.mock.calls.filter(([key]) => key === `account:${id}`)).toHaveLength(1);
  expect(await accounts.isRevoked(id, nowMs / 1000)).toBe(true);
});

it('[XD-03] a proof that was taken back stays so, however often another one is taken back after it', async () => {
  const { accounts } = await open();
  const { id } = (await accounts.add(ana)) ?? { id: '' };
  const notice = { kind: 'ended', client: 'Wiki', browser: undefined, system: undefined } as const;
  await accounts.warn(id, { ...notice, attempt: 'first', atMs: nowMs }, 1_000);
  for (let times = 0; times < 150; times += 1) {
    await accounts.warn(id, { ...notice, attempt: 'second', atMs: nowMs }, 2_000);
  }
  expect(await Promise.all([1_000, 2_000, 3_000].map((at) => accounts.isRevoked(id, at)))).toEqual([
    ...[true, true, false],
  ]);
  expect((await accounts.find(id))?.notices?.map(({ attempt }) => attempt)).toEqual([
    ...['first', 'second'],
  ]);
});
