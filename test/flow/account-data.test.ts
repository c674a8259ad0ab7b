/** Somebody who wants to leave, with all of it or with the face, or to take along what is held. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Scene,
  byCodes,
  bySelfie,
  day,
  mailOf,
  openScene,
  proven,
  recordOf,
  said,
  somebody,
} from '../support/account.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import { accountPage, act, kycWorkflowId, openToAll, signUp, tokenOn } from '../support/enrol.ts';
import {
  createBrowser,
  createParty,
  heading,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { workflowId } from '../support/testbed.ts';
import { equip } from '../support/ways.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ flags: openToAll });
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

/** Somebody who came by themselves: with document, consent and recovery codes, and then an app. */
async function newcomer(address: string) {
  const browser = createBrowser();
  const { location, codes } = await signUp(
    scene.bed,
    browser,
    await (await createParty(scene.bed)).begin(),
    address,
  );
  expect(location).toContain('code=');
  const equipped = await equip(scene.store, address, { has: ['totp'] });
  return { browser, address, ...equipped, paper: codes };
}

async function confirmed(
  browser: TestBrowser,
  page: Answer,
  action: string,
  code: string,
): Promise<Answer> {
  const asked = await act(browser, page, action);
  return act(browser, asked, 'prove-code', { code });
}

const opensBySelfie = async (address: string): Promise<boolean> => {
  const browser = createBrowser();
  const request = await (await createParty(scene.bed)).begin();
  const didit = await toSelfie(browser, request, address);
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  return heading(await whileWaiting(browser, back)) === 'It is you';
};

const isAtDidit = async (id: string): Promise<boolean> => {
  const headers = { 'x-api-key': 'test-api-key-0123456789' };
  return (await fetch(`${scene.bed.simulatorUrl}/v3/session/${id}/decision/`, { headers })).ok;
};

describe('[BD-08] whoever takes the consent back', () => {
  it('does so by a code and never by a selfie, in fewer steps than giving it took', async () => {
    const person = await newcomer('nora@example.com');
    const posts = vi.fn<(action: string) => void>();
    const { browser, page } = await bySelfie(scene, person.address);
    // A selfie that was taken just now is not asked for, and not enough.
    const asked = await act(browser, page, 'erase-face');
    posts('erase-face');
    expect([asked.status, asked.text.includes('prove-selfie')]).toEqual([403, false]);
    const sheet = await act(browser, asked, 'prove-code', { code: person.app() });
    posts('prove-code');
    const sure = await act(browser, sheet, 'erase-face');
    posts('erase-face');
    expect(heading(sure)).toBe('Erase your face?');
    const planned = await act(browser, sure, 'erase-face-now');
    posts('erase-face-now');
    expect(said(planned)).toContain('on the day above');
    // Sign up, address, code, consent, recovery codes, selfie, document, resume.
    expect(posts.mock.calls.length).toBeLessThan(8);
    const { message } = await mailOf(scene.bed, person.address, 'erasure_planned');
    expect(message).toMatchObject({ what: 'face', link: `${scene.bed.issuer}/account` });
    expect(scene.bed.events).toContainEqual(
      expect.objectContaining({
        ...{ event: 'account.consent_withdrawn', account: person.accountId },
      }),
    );
    expect(await opensBySelfie(person.address)).toBe(false);
  });

  it('may think again, until the day', async () => {
    const person = await newcomer('kept@example.com');
    const { browser, page } = await byCodes(scene, person);
    const sheet = await confirmed(browser, page, 'erase-face', person.paper[0] ?? '');
    const sure = await act(browser, sheet, 'erase-face');
    const planned = await act(browser, sure, 'erase-face-now');
    expect(planned.text).toContain('Your face will be erased on');
    const kept = await act(browser, planned, 'keep');
    expect(said(kept)).toBe('Nothing will be erased.');
    expect(kept.text).not.toContain('Your face will be erased on');
    scene.pass(4 * day);
    await sleep(1_500);
    expect((await recordOf(scene.store, person.accountId)).enrolment).toBeDefined();
  });

  it('has no face here and at Didit on that day, and an account by codes', async () => {
    const person = await newcomer('erased@example.com');
    const before = await recordOf(scene.store, person.accountId);
    const diditSession = before.enrolment?.diditSessionId ?? '';
    expect([await isAtDidit(diditSession), before.consent !== undefined]).toEqual([true, true]);
    expect(await scene.store.get(`portrait:${before.enrolment?.id ?? ''}`)).toBeDefined();
    const { browser, page } = await byCodes(scene, person);
    const sheet = await confirmed(browser, page, 'erase-face', person.paper[0] ?? '');
    await act(browser, await act(browser, sheet, 'erase-face'), 'erase-face-now');
    scene.pass(3 * day + 10);
    await mailOf(scene.bed, person.address, 'face_erased');
    const after = await recordOf(scene.store, person.accountId);
    expect([after.enrolment, after.consent, after.status]).toEqual([
      ...[undefined, undefined, 'active'],
    ]);
    expect(await scene.store.get(`portrait:${before.enrolment?.id ?? ''}`)).toBeUndefined();
    expect(await isAtDidit(diditSession)).toBe(false);
    const again = await byCodes(scene, person);
    expect(again.page.text).toContain('No face is enrolled.');
  }, 30_000);
});

it('[BD-08] an account is erased on its day, by a code, and its person is written to a last time', async () => {
  const person = await newcomer('leaving@example.com');
  const { browser, page } = await byCodes(scene, person);
  const sheet = await confirmed(browser, page, 'erase-account', person.paper[0] ?? '');
  const sure = await act(browser, sheet, 'erase-account');
  expect(heading(sure)).toBe('Erase your account?');
  const planned = await act(browser, sure, 'erase-account-now');
  expect(planned.text).toContain('Your account will be erased on');
  const { message } = await mailOf(scene.bed, person.address, 'erasure_planned');
  expect(message).toMatchObject({ what: 'account' });
  expect(await opensBySelfie(person.address)).toBe(true);
  scene.pass(3 * day + 10);
  await mailOf(scene.bed, person.address, 'erased');
  const { status, email, enrolment } = await recordOf(scene.store, person.accountId);
  expect([status, email, enrolment]).toEqual(['erased', undefined, undefined]);
  expect(heading(await accountPage(scene.bed, browser))).not.toBe('Your account');
}, 30_000);

describe('[BD-12] what somebody takes along', () => {
  it('is all that is theirs, and nothing of others, and no secret', async () => {
    const [person, other] = [await newcomer('taker@example.com'), await somebody(scene)];
    await bySelfie(scene, other.address);
    const { browser, page } = await proven(scene, person);
    const taken = await act(browser, page, 'export');
    expect(taken.headers.get('content-type')).toContain('application/json');
    expect(taken.headers.get('content-disposition')).toContain('attachment');
    expect(taken.headers.get('cache-control')).toContain('no-store');
    const held = JSON.parse(taken.text) as Record<string, Record<string, unknown>>;
    expect(Object.keys(held).sort()).toEqual([
      ...['account', 'devices', 'exported_at', 'face', 'factors', 'familiar_places', 'history'],
      ...['last_shown', 'looked_at_by_people', 'not_yet_shown', 'selfies_at_didit'],
    ]);
    expect(Object.keys(held['account'] ?? {}).sort()).toEqual([
      ...['consent', 'created_at', 'email', 'email_verified', 'enrolled', 'enrolled_at'],
      ...['family_name', 'given_name', 'groups', 'locale', 'status', 'sub'],
      ...['updated_at', 'vendor_data'],
    ]);
    expect(held['account']).toMatchObject({ sub: person.accountId, email: person.address });
    expect(Object.keys(held['face'] ?? {}).sort()).toEqual([
      ...['didit_session_of_enrolment', 'kept_at_didit', 'portrait_base64'],
    ]);
    expect(Object.keys(held['factors'] ?? {}).sort()).toEqual([
      ...['passkeys', 'recovery_codes', 'totp'],
    ]);
    const theirs = await recordOf(scene.store, other.accountId);
    const own = await recordOf(scene.store, person.accountId);
    const factors = (await scene.store.get(`factors:${person.accountId}`))?.value ?? '{}';
    const { recoveryCodes } = JSON.parse(factors) as { recoveryCodes: { hashes: string[] } };
    const secrets = [
      ...[person.secret, ...person.paper, ...recoveryCodes.hashes],
      ...[own.enrolment?.portraitKey, own.enrolment?.portraitHash],
      ...[own.enrolment?.identity?.person, own.enrolment?.identity?.document],
    ];
    const foreign = [other.accountId, other.address, theirs.enrolment?.vendorData];
    for (const text of [...secrets, ...foreign].filter((one) => one !== undefined)) {
      expect(text.length).toBeGreaterThan(4);
      expect(taken.text).not.toContain(text);
    }
    const sheet = await accountPage(scene.bed, browser);
    expect(sheet.text).toContain('You took your data along.');
    expect((await browser.get(`${scene.bed.issuer}/account/export`)).status).toBe(404);
  });
});

it('[BD-08] where Didit keeps the face, the page does the same', async () => {
  const workflows = { passive: workflowId, kyc: kycWorkflowId };
  await scene.close();
  scene = await openScene({
    flags: { registration: 'open', didit: { workflows, faceReference: 'stored' } },
  });
  const person = await newcomer('stored@example.com');
  const before = await recordOf(scene.store, person.accountId);
  expect(before.enrolment?.portraitKey).toBeUndefined();
  const { browser, page } = await proven(scene, person);
  const held = JSON.parse((await act(browser, page, 'export')).text) as { face: object };
  expect(held.face).toMatchObject({ kept_at_didit: true });
  const off = await act(browser, page, 'selfie-off');
  expect(off.text).toContain('no selfie signs you in.');
  expect(said(await act(browser, off, 'selfie-on'))).toBe('You can sign in by a selfie again.');
  const sure = await act(browser, page, 'erase-face');
  const planned = await browser.post(`${scene.bed.issuer}/account/erase-face-now`, tokenOn(sure));
  expect(planned.status).toBe(303);
  scene.pass(3 * day + 10);
  await mailOf(scene.bed, person.address, 'face_erased');
  expect(await isAtDidit(before.enrolment?.diditSessionId ?? '')).toBe(false);
  expect((await recordOf(scene.store, person.accountId)).enrolment).toBeUndefined();
}, 40_000);
