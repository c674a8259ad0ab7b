/** Somebody lost what they sign in with; and somebody else says so. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Scene,
  byCodes,
  bySelfie,
  day,
  mailOf,
  minute,
  openScene,
  recordOf,
  said,
  selfieAgain,
  somebody,
} from '../support/account.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import { accountPage, act, tokenOn } from '../support/enrol.ts';
import { createBrowser, heading, settle } from '../support/login.ts';
import { mailedCode } from '../support/ways.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

interface Visit {
  browser: TestBrowser;
  page: Answer;
}

function force({ browser, page }: Visit, action: string, fields: Record<string, string> = {}) {
  const address = new URL(`/account/${action}`, page.url).href;
  return browser.post(address, { ...tokenOn(page), ...fields });
}

const changes = ['codes', 'totp', 'passkey', 'address', 'face', 'export', 'selfie-on'];

async function expectNothingChanges(visit: Visit): Promise<void> {
  for (const action of changes) {
    expect([action, (await force(visit, action)).status]).toEqual([action, 403]);
  }
}

async function expectNotFinished(visit: Visit): Promise<void> {
  const refused = await force(visit, 'recover-finish');
  expect([refused.status, refused.location]).toEqual([403, undefined]);
}

/** Somebody whose phone and paper are gone: a selfie and the mailbox are left. */
async function begun(address: string): Promise<Visit & { link: string }> {
  const { browser, page } = await bySelfie(scene, address);
  const mailsBefore = scene.bed.mails.length;
  const asked = await act(browser, page, 'recover');
  const code = await mailedCode(scene.bed, address, mailsBefore);
  const sheet = await act(browser, asked, 'recover-code', { code });
  expect(said(sheet)).toBe('The wait has begun. We wrote to you.');
  return { browser, page: sheet, link: await linkTo(address, mailsBefore) };
}

async function linkTo(address: string, before: number): Promise<string> {
  const { message } = await mailOf(scene.bed, address, 'recovery_began', before);
  return message.kind === 'recovery_began' ? message.link : '';
}

const recoveryOf = async (accountId: string) => (await recordOf(scene.store, accountId)).recovery;

const isSignedIn = async ({ browser }: Visit): Promise<boolean> =>
  heading(await accountPage(scene.bed, browser)) === 'Your account';

describe('[EN-08] a recovery begins', () => {
  it('by no mailbox alone: whoever has no session is sent to sign in', async () => {
    const person = await somebody(scene);
    const { page } = await bySelfie(scene, person.address);
    const mailsBefore = scene.bed.mails.length;
    const refused = await force({ browser: createBrowser(), page }, 'recover');
    expect([refused.status, refused.location]).toEqual([303, expect.stringContaining('/auth?')]);
    expect(await recoveryOf(person.accountId)).toBeUndefined();
    expect(scene.bed.mails.slice(mailsBefore)).toEqual([]);
  });

  it('by no selfie alone: a code that was mailed is asked for, and five wrong ones end it', async () => {
    const person = await somebody(scene);
    const { browser, page } = await bySelfie(scene, person.address);
    let asked = await act(browser, page, 'recover');
    expect(heading(asked)).toBe('Type the code that we sent');
    expect(asked.text).toContain(person.address);
    const code = await mailedCode(scene.bed, person.address);
    for (let tries = 0; tries < 5; tries += 1) {
      asked = await act(browser, asked, 'recover-code', { code: '00000000' });
      expect(asked.status).toBe(400);
    }
    expect((await act(browser, asked, 'recover-code', { code })).status).toBe(400);
    expect(await recoveryOf(person.accountId)).toBeUndefined();
  });

  it('not by the code that was mailed to another session', async () => {
    const person = await somebody(scene);
    const [thief, owner] = [
      await bySelfie(scene, person.address),
      await bySelfie(scene, person.address),
    ];
    const asked = await act(thief.browser, thief.page, 'recover');
    const before = scene.bed.mails.length;
    await act(owner.browser, owner.page, 'recover');
    const code = await mailedCode(scene.bed, person.address, before);
    expect((await act(thief.browser, asked, 'recover-code', { code })).status).toBe(400);
  });

  it('at once for whoever signed in by two codes, and the person is written to', async () => {
    const person = await somebody(scene);
    const { browser, page } = await byCodes(scene, person);
    const sheet = await act(browser, page, 'recover');
    expect(said(sheet)).toBe('The wait has begun. We wrote to you.');
    const { message } = await mailOf(scene.bed, person.address, 'recovery_began');
    const { recovery } = await recordOf(scene.store, person.accountId);
    const { atMs, readyAtMs } = message as { atMs: number; readyAtMs: number };
    expect(readyAtMs).toBe(atMs + day * 1000);
    // A second one changes nothing about the first.
    expect(said(await act(browser, await accountPage(scene.bed, browser), 'back'))).toBe(
      'Nothing was changed.',
    );
    const again = await browser.follow(await force({ browser, page: sheet }, 'recover'));
    expect(said(again)).toBe('It has begun already.');
    expect(await recoveryOf(person.accountId)).toEqual(recovery);
  });
});

describe('[EN-08] while it waits', () => {
  it('nothing can be changed by it, nor can it be finished, also by a new sign-in', async () => {
    const person = await somebody(scene, ['recovery']);
    const visit = await begun(person.address);
    await expectNothingChanges(visit);
    await expectNotFinished(visit);
    scene.pass(day - minute);
    const fresh = await bySelfie(scene, person.address);
    await expectNotFinished(fresh);
    await expectNothingChanges(fresh);
  });

  it('any sign-in calls it off, and everybody is signed out', async () => {
    const person = await somebody(scene);
    const thief = await begun(person.address);
    scene.pass(2);
    const owner = await bySelfie(scene, person.address);
    await act(owner.browser, owner.page, 'recover-cancel');
    expect(await recoveryOf(person.accountId)).toBeUndefined();
    expect([await isSignedIn(thief), await isSignedIn(owner)]).toEqual([false, false]);
    await mailOf(scene.bed, person.address, 'recovery_cancelled');
  });

  it('the link in the mail calls it off by its button, once, without a session', async () => {
    const person = await somebody(scene);
    const thief = await begun(person.address);
    const reader = createBrowser();
    for (let times = 0; times < 3; times += 1) {
      expect(heading(await reader.get(thief.link))).toBe('Call off the recovery?');
    }
    const page = await reader.get(thief.link);
    const foreign = await reader.post(thief.link, tokenOn(thief.page));
    const none = await reader.post(thief.link, { form_token: '' });
    const crossSite = await reader.request(thief.link, {
      method: 'POST',
      body: new URLSearchParams(tokenOn(page)),
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect([foreign.status, none.status, crossSite.status]).toEqual([403, 403, 403]);
    expect(await recoveryOf(person.accountId)).toBeDefined();
    const stopped = await reader.post(thief.link, tokenOn(page));
    expect([stopped.status, heading(stopped)]).toEqual([200, 'It is called off']);
    expect(await recoveryOf(person.accountId)).toBeUndefined();
    expect(await isSignedIn(thief)).toBe(false);
    expect((await reader.post(thief.link, tokenOn(page))).status).toBe(404);
    expect((await reader.get(thief.link)).status).toBe(404);
  });

  it('is not ended by the link of an earlier one', async () => {
    const person = await somebody(scene);
    const first = await begun(person.address);
    const reader = createBrowser();
    const early = await reader.get(first.link);
    await act(first.browser, first.page, 'recover-cancel');
    scene.pass(16 * minute);
    const second = await begun(person.address);
    expect(second.link).not.toBe(first.link);
    expect((await reader.post(first.link, tokenOn(early))).status).toBe(404);
    expect(await recoveryOf(person.accountId)).toBeDefined();
    expect(await isSignedIn(second)).toBe(true);
  });

  it('is called off by "this wasn’t me"', async () => {
    const person = await somebody(scene);
    const thief = await begun(person.address);
    scene.pass(2);
    const owner = await bySelfie(scene, person.address);
    await act(owner.browser, owner.page, 'disavow', { sign_in: '1' });
    expect(await recoveryOf(person.accountId)).toBeUndefined();
    expect(await isSignedIn(thief)).toBe(false);
  });
});

describe('[EN-08] after the wait', () => {
  it('a fresh sign-in finishes it, and for a quarter of an hour sets up new ways', async () => {
    const person = await somebody(scene, ['recovery']);
    const { browser } = await begun(person.address);
    scene.pass(day);
    const { page: ready } = await bySelfie(scene, person.address, browser);
    expect(ready.text).toContain('The wait is over.');
    await expectNothingChanges({ browser, page: ready });
    scene.pass(5 * minute + 1);
    const asked = await act(browser, ready, 'recover-finish');
    const back = await selfieAgain(browser, asked, person.address);
    await expectNothingChanges({ browser, page: back });
    const sheet = await act(browser, back, 'recover-finish');
    expect(said(sheet)).toContain('fifteen minutes');
    await mailOf(scene.bed, person.address, 'recovery_done');
    scene.pass(15 * minute - 5);
    expect((await force({ browser, page: sheet }, 'totp')).status).toBe(200);
    scene.pass(10);
    await expectNothingChanges({ browser, page: sheet });
    await expectNotFinished({ browser, page: sheet });
  });

  it('it is finished once, and never a week later; then another can begin', async () => {
    const person = await somebody(scene);
    const { link } = await begun(person.address);
    scene.pass(8 * day - 60);
    expect((await bySelfie(scene, person.address)).page.text).toContain('The wait is over.');
    scene.pass(61);
    const fresh = await bySelfie(scene, person.address);
    expect(fresh.page.text).not.toContain('The wait is over.');
    await expectNotFinished(fresh);
    await expectNothingChanges(fresh);
    await begun(person.address);
    expect((await createBrowser().get(link)).status).toBe(404);
  });

  it('two at once finish it once', async () => {
    const person = await somebody(scene);
    await begun(person.address);
    scene.pass(day);
    const [one, other] = [
      await bySelfie(scene, person.address),
      await bySelfie(scene, person.address),
    ];
    const done = await Promise.all([one, other].map((visit) => force(visit, 'recover-finish')));
    expect(done.map(({ status }) => status).sort()).toEqual([303, 403]);
    const may = await Promise.all([one, other].map((visit) => force(visit, 'codes')));
    expect(may.map(({ status }) => status).sort()).toEqual([200, 403]);
  });
});

it('[EN-08] codes for it are sent three times a quarter of an hour, and nothing says so', async () => {
  const person = await somebody(scene);
  const { browser, page } = await bySelfie(scene, person.address);
  const before = scene.bed.mails.length;
  for (let times = 0; times < 5; times += 1) {
    const asked = await settle(browser, await force({ browser, page }, 'recover'));
    expect(heading(asked)).toBe('Type the code that we sent');
  }
  const codes = scene.bed.mails.slice(before).filter(({ message }) => message.kind === 'code');
  expect(codes).toHaveLength(3);
});
