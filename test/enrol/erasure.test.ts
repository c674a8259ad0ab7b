import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { erasedIn } from '../../src/ops/backup-file.ts';
import { dumpRedis } from '../support/dump.ts';
import type { Leaving } from '../support/leaving.ts';
import { freshRedis } from '../support/redis.ts';
import { scene, startMs } from './scene.ts';

const [second, hour, day] = [1_000, 3_600_000, 86_400_000];

describe('[BD-08] whoever is erased', () => {
  it('is gone here and at Didit, though each of its calls fails three times; others stay', async () => {
    const storeUrl = await freshRedis();
    const { leaving, accounts, didit, faces, settle, finished, events, failures, time } =
      await scene({ storeUrl });
    const [ana, ben] = [await settle('ana'), await settle('ben')];
    const found = async (canaries: string[]) => {
      const text = await dumpRedis(storeUrl);
      return canaries.filter((canary) => text.includes(canary));
    };
    expect(await found(ana.canaries)).toEqual(ana.canaries);
    expect(await found(ben.canaries)).toEqual(ben.canaries);
    expect(await found([ana.picture])).toEqual([]);

    await Promise.all([didit.fails('delete', 3), didit.fails('users', 3)]);
    faces.fail(3);
    const { id } = ana.account;
    await leaving.erasure.eraseAccount(id);

    // At once, before anything was done elsewhere.
    const atOnce = (await accounts.find(id))!;
    const times = { createdAtMs: time.nowMs, updatedAtMs: time.nowMs };
    expect(atOnce).toEqual({
      ...{ schema: 1, id, status: 'erased', emailVerified: false, groups: [] },
      ...{ ...times, voidUntil: Math.floor(time.nowMs / 1000) },
    });
    expect(await accounts.isRevoked(id, Math.floor(time.nowMs / 1000))).toBe(true);
    expect(await leaving.erasure.report(id)).toMatchObject({ steps: {}, tries: 0 });

    leaving.people.start();
    const report = await finished(id);
    const done = { doneAtMs: expect.any(Number) as number };
    expect(report).toMatchObject({ accountId: id, scope: 'account', requestedAtMs: startMs });
    expect(report.steps).toEqual({
      ...{ access: { tries: 1, ...done }, history: { tries: 1, ...done } },
      ...{ tickets: { tries: 1, ...done }, reviews: { tries: 1, ...done } },
      ...{ factors: { tries: 1, count: 1, ...done } },
      ...{ portraits: { tries: 1, count: 1, ...done }, turns: { tries: 1, count: 1, ...done } },
      names: { tries: 1, count: 2, ...done },
      didit_sessions: { tries: 2, count: 4, ...done },
      didit_faces: { tries: 4, count: 1, ...done },
      didit_users: { tries: 4, count: 1, ...done },
    });
    for (const session of ana.sessions) expect(await didit.hasSession(session)).toBe(false);
    for (const session of ben.sessions) expect(await didit.hasSession(session)).toBe(true);
    expect(await didit.hasUser(ana.enrolment.vendorData)).toBe(false);
    expect(await didit.hasUser(ben.enrolment.vendorData)).toBe(true);
    expect([...faces.kept]).toEqual([ben.enrolment.vendorData]);

    // A name that is given up lasts a second more.
    await sleep(1_500);
    expect(await found(ana.canaries)).toEqual([]);
    expect(await found(ben.canaries)).toEqual(ben.canaries);
    expect(await found([id])).toEqual([id]);
    expect(events.at(-1)).toMatchObject({ event: 'account.erased', account: id });
    expect(failures).toEqual([]);
  }, 60_000);

  it('has a report that tells nothing of them', async () => {
    const { leaving, settle, finished } = await scene();
    const { account, canaries } = await settle('ana');
    leaving.people.start();
    await leaving.erasure.eraseAccount(account.id);
    const report = JSON.stringify(await finished(account.id));
    expect(canaries.filter((canary) => report.includes(canary))).toEqual([]);
  });

  it('is erased once, however many processes work on it', async () => {
    const storeUrl = await freshRedis();
    const { leaving, open, didit, settle, finished, events } = await scene({ storeUrl });
    const { account, sessions } = await settle('ana', 8);
    const others = [await open(), await open()];
    for (const { people } of [leaving, ...others]) people.start();
    await leaving.erasure.eraseAccount(account.id);
    await finished(account.id);
    const deleted = await didit.calls('delete');
    expect(deleted.sort()).toEqual(sessions.map((id) => `/v3/session/${id}/delete/`).sort());
    const all = [events, ...others.map((one) => one.events)].flat();
    expect(all.filter(({ event }) => event === 'account.erased')).toHaveLength(1);
  }, 40_000);

  it('is erased also when the process died between noting it down and doing it', async () => {
    const { leaving, accounts, settle, finished, time } = await scene();
    const { account } = await settle('ana');
    const { change } = accounts;
    accounts.change = () => Promise.reject(new Error('the process dies'));
    await expect(leaving.erasure.eraseAccount(account.id)).rejects.toThrow('dies');
    accounts.change = change;
    expect((await accounts.find(account.id))?.status).toBe('active');
    leaving.people.start();
    await finished(account.id);
    expect(await accounts.find(account.id)).toMatchObject({ status: 'erased' });
    // A name that is given up lasts a second more.
    time.nowMs += 2 * second;
    expect(await accounts.idOf('ana@example.com')).toBeUndefined();
  });

  it('may have got another name and another face a moment before', async () => {
    const { leaving, open, accounts, portraits, faces, settle, finished, random } = await scene({
      storeUrl: await freshRedis(),
    });
    const { account, enrolment } = await settle('ana');
    // Another process still believes what it has read.
    const other = await open();
    expect(await other.accounts.find(account.id)).toMatchObject({ username: 'ana-name' });
    await accounts.rename(account.id, { username: 'anna' });
    const ids = { id: random(16), vendorData: random(16) };
    const face = { ...ids, ...(await portraits.save(account.id, ids, Buffer.from('newer'))) };
    await accounts.change(account.id, (current) => ({ ...current, enrolment: face }));
    faces.kept.add(face.vendorData);
    await other.erasure.eraseAccount(account.id);
    leaving.people.start();
    await finished(account.id);
    await sleep(1_500);
    expect(await accounts.idOf('anna')).toBeUndefined();
    expect(await leaving.store.get(`portrait:${face.id}`)).toBeUndefined();
    expect(await leaving.store.get(`portrait:${enrolment.id}`)).toBeUndefined();
    expect([...faces.kept]).toEqual([]);
  });

  it('[PR-27] comes back under the same address as somebody new', async () => {
    const { leaving, accounts, settle, finished, time } = await scene();
    const { account, enrolment } = await settle('ana');
    leaving.people.start();
    await leaving.erasure.eraseAccount(account.id);
    await finished(account.id);
    time.nowMs += 2 * second;
    const again = await settle('ana');
    expect(again.account.id).not.toBe(account.id);
    expect(again.enrolment.vendorData).not.toBe(enrolment.vendorData);
    const { id, email } = again.account;
    expect(new Set([id, email, again.enrolment.vendorData, again.enrolment.id]).size).toBe(4);
    expect(await accounts.find(account.id)).toMatchObject({ status: 'erased' });
    expect(await accounts.isRevoked(account.id, 1)).toBe(true);
    expect(await accounts.isRevoked(id, Math.floor(time.nowMs / 1000))).toBe(false);
  });
});

describe('[BD-08] an erasure that Didit does not let come to its end', () => {
  it('is never given up, and the operator hears of it once a day', async () => {
    const { leaving, faces, settle, until, finished, alarms, time } = await scene();
    const { account } = await settle('ana');
    faces.fail(Infinity);
    leaving.people.start();
    await leaving.erasure.eraseAccount(account.id);
    const tries = async () => (await leaving.erasure.report(account.id))?.tries ?? 0;
    await until(async () => (await tries()) >= 5, 10 * second);
    expect(alarms).toEqual([]);
    await until(() => Promise.resolve(alarms.length >= 1), hour);
    expect(time.nowMs - startMs).toBeGreaterThanOrEqual(day);
    await until(() => Promise.resolve(alarms.length >= 2), hour);
    expect(time.nowMs - startMs).toBeGreaterThanOrEqual(2 * day);
    expect(alarms).toEqual(['erasure_late', 'erasure_late']);
    const unfinished = await Array.fromAsync(leaving.erasure.unfinished());
    expect(unfinished).toMatchObject([{ accountId: account.id }]);
    faces.fail(0);
    await finished(account.id, hour);
    expect(await Array.fromAsync(leaving.erasure.unfinished())).toEqual([]);
  }, 60_000);
});

describe('[BD-08] an erasure that is under way when the database is lost', () => {
  it.each([
    ['of an account is known to a restore from the first try on', 'account', 1],
    ['of a face is, too, and takes no account with it', 'face', 0],
  ] as const)('%s', async (_, what, again) => {
    const { leaving, faces, settle, until, events } = await scene();
    const { account } = await settle('ana');
    faces.fail(Infinity);
    const erase = { account: leaving.erasure.eraseAccount, face: leaving.erasure.eraseFace };
    await erase[what](account.id);
    leaving.people.start();
    await until(async () => ((await leaving.erasure.report(account.id))?.tries ?? 0) >= 3);
    const told = events.filter(({ event }) => event.startsWith('account.era'));
    expect(told).toMatchObject([
      { event: 'account.erasure_began', account: account.id, reason: what },
    ]);
    const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-erasure-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const log = join(directory, 'log');
    writeFileSync(log, events.map((event) => JSON.stringify(event)).join('\n'));
    expect(await erasedIn(log)).toEqual([account.id].slice(0, again));
  });
});

describe('[BD-08] whose face is erased', () => {
  it('lives on with their other ways in, and is told', async () => {
    const { leaving, accounts, didit, faces, history, settle, finished, time } = await scene();
    const { account, enrolment, sessions } = await settle('ana');
    await accounts.change(account.id, (current) => ({ ...current, selfieOff: true }));
    leaving.people.start();
    time.nowMs += second;
    await leaving.erasure.eraseFace(account.id);
    const { enrolment: _, consent: __, ...rest } = account;
    expect(await accounts.find(account.id)).toEqual({ ...rest, updatedAtMs: time.nowMs });
    expect(await accounts.isRevoked(account.id, Math.floor(time.nowMs / 1000))).toBe(false);
    const report = await finished(account.id);
    expect(Object.keys(report.steps)).toEqual([
      ...['access', 'portraits', 'turns', 'didit_sessions', 'didit_faces', 'didit_users'],
    ]);
    for (const session of sessions) expect(await didit.hasSession(session)).toBe(false);
    expect(await didit.hasUser(enrolment.vendorData)).toBe(false);
    expect([...faces.kept]).toEqual([]);
    expect(await leaving.store.get(`portrait:${enrolment.id}`)).toBeUndefined();
    expect((await leaving.factorRecords.load(account.id)).passkeys).toHaveLength(1);
    expect((await history.list(account.id))[0]).toEqual({
      ...{ event: 'face_erased', atMs: startMs + second, consent: '2026-01' },
    });
    expect(await accounts.idOf('ana@example.com')).toBe(account.id);
  });

  it('keeps the one that was enrolled meanwhile, and the selfies with it', async () => {
    const { leaving, accounts, traces, didit, faces, settle, finished, time } = await scene();
    const { account } = await settle('ana');
    faces.fail(3);
    await leaving.erasure.eraseFace(account.id);
    time.nowMs += second;
    const newer = (await settle('ben')).enrolment;
    await traces.add(account.id, newer.diditSessionId);
    await accounts.change(account.id, (current) => ({ ...current, enrolment: newer }));
    leaving.people.start();
    await finished(account.id);
    expect((await accounts.find(account.id))?.enrolment).toEqual(newer);
    expect(await didit.hasSession(newer.diditSessionId)).toBe(true);
    expect(await leaving.store.get(`portrait:${newer.id}`)).toBeDefined();
    expect([...faces.kept]).toEqual([newer.vendorData]);
  });

  it('because there is a newer one keeps that one and the consent', async () => {
    const { leaving, accounts, faces, history, settle, finished } = await scene();
    const [{ account, enrolment }, { enrolment: newer }] = [await settle('ana'), await settle('b')];
    await accounts.change(account.id, (current) => ({ ...current, enrolment: newer }));
    leaving.people.start();
    await leaving.erasure.eraseReplaced(account.id, enrolment);
    await finished(account.id);
    const now = await accounts.find(account.id);
    expect(now).toMatchObject({ enrolment: newer, consent: { version: '2026-01' } });
    expect(await leaving.store.get(`portrait:${enrolment.id}`)).toBeUndefined();
    expect([...faces.kept]).toEqual([newer.vendorData]);
    expect((await history.list(account.id)).map(({ event }) => event)).not.toContain('face_erased');
  });

  it('and who then wants all of it erased is erased, both faces with them', async () => {
    const { leaving, accounts, faces, settle, finished, time } = await scene();
    const [{ account, enrolment }, { enrolment: newer }] = [await settle('ana'), await settle('b')];
    await leaving.erasure.eraseFace(account.id);
    await accounts.change(account.id, (current) => ({ ...current, enrolment: newer }));
    await leaving.erasure.eraseAccount(account.id);
    leaving.people.start();
    expect(await finished(account.id)).toMatchObject({ scope: 'account' });
    expect(await accounts.find(account.id)).toMatchObject({ status: 'erased' });
    expect(faces.kept.has(enrolment.vendorData)).toBe(false);
    expect([...faces.kept]).toEqual([]);
    time.nowMs += 2 * second;
    expect(await accounts.idOf('ana-name')).toBeUndefined();
  });
});

describe('[BD-08] an erasure for later', () => {
  const at = startMs + 3 * day;
  const statusOf = async ({ accounts }: Pick<Leaving, 'accounts'>, id: string) =>
    (await accounts.find(id))?.status;

  test('comes when its time has come, and not before', async () => {
    const { leaving, accounts, settle, finished, until, time } = await scene();
    const { account } = await settle('ana');
    leaving.people.start();
    await leaving.erasure.plan(account.id, 'account', at);
    expect(await leaving.erasure.planned(account.id)).toEqual({ what: 'account', readyAtMs: at });
    await until(() => Promise.resolve(time.nowMs >= at - hour), hour);
    await sleep(1_200);
    expect(await statusOf({ accounts }, account.id)).toBe('active');
    expect(await leaving.erasure.report(account.id)).toBeUndefined();
    await finished(account.id, hour);
    expect(await statusOf({ accounts }, account.id)).toBe('erased');
    expect(await leaving.erasure.planned(account.id)).toBeUndefined();
    expect(await leaving.erasure.cancel(account.id)).toBe(false);
  });

  test('does not come when it was called off', async () => {
    const { leaving, accounts, settle, time } = await scene();
    const { account } = await settle('ana');
    leaving.people.start();
    await leaving.erasure.plan(account.id, 'account', at);
    expect(await leaving.erasure.cancel(account.id)).toBe(true);
    expect(await leaving.erasure.cancel(account.id)).toBe(false);
    time.nowMs = at + day;
    await sleep(1_500);
    expect(await statusOf({ accounts }, account.id)).toBe('active');
    expect(await leaving.erasure.report(account.id)).toBeUndefined();
  });

  test('may be of the face first, and of the account some days after', async () => {
    const { leaving, accounts, settle, finished, until, time } = await scene();
    const { account } = await settle('ana');
    leaving.people.start();
    await leaving.erasure.plan(account.id, 'account', at + day);
    await leaving.erasure.plan(account.id, 'face', at);
    const face = async () => (await leaving.erasure.report(account.id))?.scope === 'face';
    await until(face, hour);
    expect(time.nowMs).toBeLessThan(at + day);
    expect(await accounts.find(account.id)).toMatchObject({ status: 'active' });
    expect((await accounts.find(account.id))?.enrolment).toBeUndefined();
    await finished(account.id);
    const isErased = async () => (await statusOf({ accounts }, account.id)) === 'erased';
    await until(isErased, hour);
    expect(time.nowMs).toBeGreaterThanOrEqual(at + day);
  });
});
