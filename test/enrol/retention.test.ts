import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { asArrived, invite } from '../../src/enrol/invitation.ts';
import { recordsOn } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { scene, startMs } from './scene.ts';

const [second, hour, day] = [1_000, 3_600_000, 86_400_000];
const settings = { diditSessionsKeptSeconds: 30 * 86_400, inactiveSeconds: 365 * 86_400 };
const signedIn = { client: 'c', acr: 'x', authTime: 1, browser: 'Firefox', system: 'Linux' };

type Scene = Awaited<ReturnType<typeof scene>>;

async function sweptAt({ store }: Scene): Promise<number> {
  const state = (await store.get('retention:state'))?.value ?? '{}';
  return (JSON.parse(state) as { sweptAtMs?: number }).sweptAtMs ?? 0;
}

/** Lets time jump to that day, and waits until what is due then was found. */
async function onDay(of: Scene, days: number): Promise<void> {
  of.time.nowMs = startMs + days * day;
  await of.until(async () => (await sweptAt(of)) >= startMs + days * day, 0);
  // Nor does it jump again before the next look has its time, which it gets only then.
  await of.until(async () => {
    const due = await of.store.indexRange('retention:due', { min: 0, max: Infinity, limit: 1_000 });
    const next = due.find(({ member }) => member === 'sweep')?.score ?? Infinity;
    return next >= (await sweptAt(of)) + day;
  }, 0);
}

describe('[BD-09] selfies at Didit', () => {
  it('are deleted when their time is over, also of nobody; younger ones and that of the enrolment stay', async () => {
    const here = await scene({ settings });
    const { people, traces, didit, settle, until, time } = here;
    const [ana, ben] = [await settle('ana'), await settle('ben')];
    const [own, ...selfies] = ben.sessions;
    // What somebody caused who typed a name that is nobody's.
    await traces.remove(ben.account.id, selfies[2]!);
    await traces.add(undefined, selfies[2]!);
    people.start();
    await onDay(here, 10);
    const young = ana.sessions[3]!;
    await traces.add(ana.account.id, young);

    await onDay(here, 29);
    await sleep(700);
    expect(await didit.calls('delete')).toEqual([]);
    await onDay(here, 31);
    await until(async () => (await didit.calls('delete')).length >= 5);
    const gone = [ana.sessions[1]!, ana.sessions[2]!, ...selfies];
    for (const id of gone) expect(await didit.hasSession(id)).toBe(false);
    for (const id of [ana.sessions[0]!, young, own!]) {
      expect(await didit.hasSession(id)).toBe(true);
    }
    expect(await traces.list(undefined)).toEqual([]);

    await onDay(here, 41);
    await until(async () => !(await didit.hasSession(young)));
    expect(await didit.hasSession(own!)).toBe(true);
    expect(time.nowMs).toBeLessThan(startMs + 42 * day);
  }, 60_000);

  it('are tried again when Didit does not delete them', async () => {
    const { people, didit, settle, until, time, failures } = await scene({ settings });
    const { sessions } = await settle('ana', 1);
    time.nowMs = startMs + 31 * day;
    await didit.fails('delete', 3);
    people.start();
    await until(async () => !(await didit.hasSession(sessions[1]!)), 10 * second);
    expect(time.nowMs - startMs - 31 * day).toBeGreaterThanOrEqual(10 * 60_000);
    expect(failures).toEqual([]);
  }, 60_000);

  it('go one after the other, at a pace', async () => {
    const { people, traces, didit, settle, until, time, failures } = await scene({ settings });
    const everybody = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => settle(name, 14)));
    time.nowMs = startMs + 31 * day;
    people.start();
    await until(async () => (await didit.calls('delete')).length === 70, second / 2);
    // Sixty in the first minute, and no more; the rest may all be done in the first moment of the second.
    expect(time.nowMs - startMs - 31 * day).toBeGreaterThanOrEqual(60_000);
    for (const { account } of everybody) expect(await traces.list(account.id)).toHaveLength(1);
    expect(failures).toEqual([]);
  }, 60_000);
});

describe('[BD-09] the face of somebody who has not come for a year', () => {
  it('is erased, and not that of one who has; the account lives on', async () => {
    const here = await scene({ settings });
    const { people, accounts, history, erasure, settle, finished } = here;
    const [ana, ben] = [await settle('ana', 0), await settle('ben', 0)];
    people.start();
    await onDay(here, 0);
    await onDay(here, 200);
    const now = { atMs: here.clock() };
    await history.add(ben.account.id, { event: 'signed_in', ...now, ...signedIn });
    await history.add(ana.account.id, { event: 'exported', ...now });
    await onDay(here, 364);
    expect(await accounts.find(ana.account.id)).toEqual(ana.account);
    await onDay(here, 366);
    expect((await accounts.find(ana.account.id))?.enrolment).toBeUndefined();
    expect(await accounts.find(ana.account.id)).toMatchObject({ status: 'active' });
    expect(await accounts.idOf('ana@example.com')).toBe(ana.account.id);
    await finished(ana.account.id);
    expect(await erasure.report(ana.account.id)).toMatchObject({ scope: 'face' });
    expect(await accounts.find(ben.account.id)).toEqual(ben.account);
    await onDay(here, 564);
    expect(await accounts.find(ben.account.id)).toEqual(ben.account);
    await onDay(here, 566);
    expect((await accounts.find(ben.account.id))?.enrolment).toBeUndefined();
  }, 60_000);

  it('stays for the first year in which anybody looks, for who came before was not noted', async () => {
    const here = await scene({ settings });
    const { account } = await here.settle('ana', 0);
    here.time.nowMs = startMs + 1_000 * day;
    here.people.start();
    await onDay(here, 1_000);
    await onDay(here, 1_364);
    expect((await here.accounts.find(account.id))?.enrolment).toBeDefined();
    await onDay(here, 1_366);
    expect((await here.accounts.find(account.id))?.enrolment).toBeUndefined();
  }, 60_000);
});

it('[BD-09] histories lose what is older than four hundred days, and those of the erased all', async () => {
  const here = await scene({ settings });
  const { people, accounts, history, settle } = here;
  const [ana, ben] = [await settle('ana', 0), await settle('ben', 0)];
  here.time.nowMs = startMs + 100 * day;
  for (const { account } of [ana, ben]) {
    await history.add(account.id, { event: 'exported', atMs: here.clock() });
  }
  const entries = async (id: string) => (await history.list(id, 0)).map(({ event }) => event);
  await accounts.change(ben.account.id, (account) => ({ ...account, status: 'erased' }));
  people.start();
  await onDay(here, 100);
  expect(await entries(ben.account.id)).toEqual([]);
  expect(await entries(ana.account.id)).toEqual(['exported', 'signed_in']);
  await onDay(here, 399);
  // The face of the two was erased meanwhile, which is told.
  expect(await entries(ana.account.id)).toContain('signed_in');
  await onDay(here, 401);
  expect(await entries(ana.account.id)).not.toContain('signed_in');
  expect(await entries(ana.account.id)).toContain('exported');
}, 60_000);

it('[BD-09] what is familiar of the erased goes, should a sign-in have passed their erasure', async () => {
  const here = await scene({ settings });
  const { people, accounts, familiar, settle } = here;
  const [ana, ben] = [await settle('ana', 0), await settle('ben', 0)];
  for (const { account } of [ana, ben]) {
    await familiar.change(account.id, (before) => ({ ...before, signedOutAtMs: startMs }));
  }
  await accounts.change(ben.account.id, (account) => ({ ...account, status: 'erased' }));
  people.start();
  await onDay(here, 1);
  expect((await familiar.load(ben.account.id)).signedOutAtMs).toBeUndefined();
  expect((await familiar.load(ana.account.id)).signedOutAtMs).toBe(startMs);
}, 60_000);

it('[BD-09] several processes sweep once a day together, and one that died leaves it to them', async () => {
  const here = await scene({ storeUrl: await freshRedis(), settings });
  const { leaving, open, settle, until, time } = here;
  for (const name of ['ana', 'ben', 'chiyo']) await settle(name, 0);
  const others = [await open(), await open()];
  let sweeps = 0;
  const { list } = leaving.accounts;
  for (const { accounts } of others) {
    accounts.list = () => {
      sweeps += 1;
      return list();
    };
  }
  // The first to begin never comes back from its first look.
  const died = Promise.withResolvers<never>();
  let hasBegun = false;
  leaving.accounts.list = async function* dying() {
    hasBegun = true;
    yield* [];
    await died.promise;
  };
  leaving.people.start();
  await until(() => Promise.resolve(hasBegun), 0);
  // It does nothing else any more either.
  void leaving.people.stop();
  onTestFinished(() => died.reject(new Error('it was gone')));
  const beganMs = time.nowMs;
  for (const { people } of others) people.start();
  await until(async () => (await sweptAt(here)) > 0, second);
  expect(time.nowMs - beganMs).toBeLessThan(2 * hour);
  // The other may have begun at the same moment, and the place of the dead is looked after once more.
  time.nowMs += 2 * hour;
  await sleep(1_200);
  const first = sweeps;
  expect(first).toBeGreaterThanOrEqual(1);
  for (let days = 2; days <= 5; days += 1) await onDay(here, days);
  await sleep(1_200);
  expect(sweeps - first).toBe(4);
}, 60_000);

describe('[EN-01] whom nobody came for who was invited', () => {
  it('is forgotten when the invitation is over; who came, and who was not invited, stays', async () => {
    const here = await scene({ settings });
    const { people, accounts, tickets, store, clock, time } = here;
    const tools = {
      ...{ accounts, tickets, clock, issuer: 'https://login.example' },
      ...{ mail: () => Promise.resolve(), limits: recordsOn(store, clock).limits },
    };
    const ana = (await invite({ email: 'ana@example.com', groups: [] }, tools)).account;
    const ben = (await invite({ email: 'ben@example.com', groups: [] }, tools)).account;
    await accounts.change(ben.id, asArrived);
    await accounts.add({ email: 'cleo@example.com', status: 'invited', groups: [] });
    people.start();
    await onDay(here, 5);
    // Once more, so that it lasts until the twelfth day.
    const dora = (await invite({ email: 'dora@example.com', groups: [] }, tools)).account;
    await onDay(here, 6.9);
    expect(await accounts.idOf('ana@example.com')).toBe(ana.id);
    await onDay(here, 8);
    await here.until(async () => (await accounts.idOf('ana@example.com')) === undefined);
    expect((await accounts.find(ana.id))?.status).toBe('erased');
    // Else a restore would bring them back.
    const told = here.events.filter(({ event }) => event === 'account.erasure_began');
    expect(told).toMatchObject([{ account: ana.id, reason: 'account' }]);
    expect((await accounts.find(dora.id))?.status).toBe('invited');
    expect((await accounts.find(ben.id))?.status).toBe('active');
    expect(await accounts.idOf('cleo@example.com')).toBeDefined();
    // Somebody who comes later inherits nothing.
    const next = (await invite({ email: 'ana@example.com', groups: [] }, tools)).account;
    expect(next.id).not.toBe(ana.id);
    expect(await store.get(`account:${next.id}`)).toBeDefined();
    expect(time.nowMs - startMs).toBeLessThan(12 * day);
  }, 60_000);
});
