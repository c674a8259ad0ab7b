/** Who may change what on the person's own page: somebody who borrowed a session, and others. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Scene,
  byCodes,
  bySelfie,
  minute,
  openScene,
  proven,
  recordOf,
  said,
  selfieAgain,
  somebody,
} from '../support/account.ts';
import { type Answer, type TestBrowser, formsOf } from '../support/browser.ts';
import { accountPage, act, tokenOn } from '../support/enrol.ts';
import { createBrowser, heading, press, settle } from '../support/login.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());
// Limits count by the quarter of an hour, and all browsers of a test share an address.
beforeEach(() => scene.passQuarter());

/** Posts as the page would, whatever buttons it shows. */
function force(
  browser: TestBrowser,
  page: Answer,
  action: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const address = new URL(`/account/${action}`, page.url).href;
  return browser.post(address, { ...tokenOn(page), ...fields });
}

const changes = [
  ...['codes', 'totp', 'totp-code', 'totp-remove', 'codes-remove', 'passkey', 'passkey-answer'],
  ...['passkey-name', 'passkey-remove', 'address', 'address-new', 'address-codes', 'selfie-on'],
  ...['face', 'export'],
];
const erasures = ['erase-face', 'erase-face-now', 'erase-account', 'erase-account-now'];

/** Everything of a person that must be as it was: the record, and the ways in. */
async function stateOf(accountId: string): Promise<unknown> {
  const factors = await scene.store.get(`factors:${accountId}`);
  return { account: await recordOf(scene.store, accountId), factors: factors?.value };
}

async function expectRefused(
  { browser, page }: { browser: TestBrowser; page: Answer },
  accountId: string,
  actions: readonly string[],
): Promise<void> {
  const before = await stateOf(accountId);
  for (const action of actions) {
    const refused = await force(browser, page, action, { address: 'thief@example.net' });
    expect([action, refused.status, heading(refused)]).toEqual([
      ...[action, 403, 'Show that it is you'],
    ]);
  }
  expect(await stateOf(accountId)).toEqual(before);
}

describe('[EN-02] [EN-03] what is not enough to change anything', () => {
  it('is a selfie alone', async () => {
    const person = await somebody(scene);
    const visit = await bySelfie(scene, person.address);
    await expectRefused(visit, person.accountId, [...changes, ...erasures]);
  });

  it('is a session that two codes began, also with a further code, except for erasing', async () => {
    const person = await somebody(scene);
    const { browser, page } = await byCodes(scene, person);
    await expectRefused({ browser, page }, person.accountId, [...changes, ...erasures]);
    const asked = await act(browser, page, 'codes');
    const sheet = await act(browser, asked, 'prove-code', { code: person.paper[0] ?? '' });
    expect(said(sheet)).toBe('Thank you. You can go on now.');
    await expectRefused({ browser, page: sheet }, person.accountId, changes);
    expect(heading(await act(browser, sheet, 'erase-face'))).toBe('Erase your face?');
  });

  it('is a selfie and a code from more than five minutes ago', async () => {
    const person = await somebody(scene);
    const visit = await proven(scene, person);
    scene.pass(5 * minute + 1);
    await expectRefused(visit, person.accountId, [...changes, ...erasures]);
  });

  it('is a selfie and a wrong code, and only some wrong codes are looked at', async () => {
    const person = await somebody(scene);
    const { browser, page } = await bySelfie(scene, person.address);
    let asked = await act(browser, page, 'codes');
    for (let tries = 0; tries < 5; tries += 1) {
      asked = await act(browser, asked, 'prove-code', { code: '0000-0000-0000-0000' });
      expect([asked.status, asked.text]).toEqual([403, expect.stringContaining('aria-invalid')]);
    }
    asked = await act(browser, asked, 'prove-code', { code: person.paper[0] ?? '' });
    expect(asked.status).toBe(403);
    await expectRefused({ browser, page }, person.accountId, changes);
    scene.pass(16 * minute);
    await act(browser, asked, 'prove-code', { code: person.paper[0] ?? '' });
    expect((await act(browser, page, 'erase-face')).status).toBe(200);
  });
});

describe('a selfie and a code from just now', () => {
  it('change something, and both are shown to have been taken', async () => {
    const person = await somebody(scene);
    const { browser, page } = await bySelfie(scene, person.address);
    const asked = await act(browser, page, 'codes');
    const sheet = await act(browser, asked, 'prove-code', { code: person.app() });
    expect(said(sheet)).toBe('Thank you. You can go on now.');
    const codes = await act(browser, sheet, 'codes');
    expect(codes.text.match(/(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}/g)).toHaveLength(10);
    // Those from before are worth nothing now.
    scene.pass(6 * minute);
    const again = await act(browser, sheet, 'codes');
    const wrong = await act(browser, again, 'prove-code', { code: person.paper[0] ?? '' });
    expect(wrong.status).toBe(403);
  });

  it('count in whichever order they are shown', async () => {
    const person = await somebody(scene);
    const { browser, page } = await byCodes(scene, person);
    const asked = await act(browser, page, 'codes');
    const sheet = await act(browser, asked, 'prove-code', { code: person.paper[0] ?? '' });
    const still = await act(browser, sheet, 'codes');
    expect(still.status).toBe(403);
    const begun = await act(browser, still, 'prove-selfie');
    const back = await selfieAgain(browser, begun, person.address);
    expect([heading(back), said(back)]).toEqual(['Your account', 'Thank you. You can go on now.']);
    expect((await act(browser, back, 'codes')).status).toBe(200);
  });

  it('of two people are not those of one', async () => {
    const [one, other] = [await somebody(scene), await somebody(scene)];
    const first = await byCodes(scene, one);
    const asked = await act(first.browser, first.page, 'codes');
    await act(first.browser, asked, 'prove-code', { code: one.paper[0] ?? '' });
    const begun = await first.browser.get(`${scene.bed.issuer}/account/sign-in`);
    const known = await first.browser.follow(begun);
    const who = await settle(first.browser, await press(first.browser, known, 'start-over'));
    // The library ends the first one's session by a form of its own.
    const [change] = formsOf(await selfieAgain(first.browser, who, other.address));
    const { action = '', fields = {} } = change ?? {};
    const page = await first.browser.follow(await first.browser.post(action, fields));
    expect(page.text).toContain(other.address);
    await expectRefused({ browser: first.browser, page }, other.accountId, changes);
  });
});

describe('requests that no page of this person made', () => {
  it('[EN-02] change nothing: foreign token, none, another site, a GET', async () => {
    const [person, thief] = [await somebody(scene), await somebody(scene)];
    const { browser, page } = await proven(scene, person);
    const foreign = await bySelfie(scene, thief.address);
    const before = await stateOf(person.accountId);
    const address = (action: string): string => new URL(`/account/${action}`, page.url).href;
    for (const action of [...changes, ...erasures, 'end-all', 'disavow', 'selfie-off', 'recover']) {
      const withForeign = await browser.post(address(action), tokenOn(foreign.page));
      const without = await browser.post(address(action), { form_token: '' });
      const crossSite = await browser.request(address(action), {
        method: 'POST',
        body: new URLSearchParams(tokenOn(page)),
        headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      });
      const got = await browser.get(address(action));
      const statuses = [withForeign, without, crossSite, got].map(({ status }) => status);
      expect([action, ...statuses]).toEqual([action, 403, 403, 403, 404]);
    }
    expect(await stateOf(person.accountId)).toEqual(before);
    expect(heading(await accountPage(scene.bed, browser))).toBe('Your account');
    // The same post with the page's own token is heard.
    expect((await act(browser, page, 'codes')).status).toBe(200);
  });

  it('without a session lead to signing in', async () => {
    const { page } = await bySelfie(scene, (await somebody(scene)).address);
    const answer = await force(createBrowser(), page, 'end-all');
    expect([answer.status, answer.location]).toEqual([303, expect.stringContaining('/auth?')]);
  });

  it('[EN-13] say more than the form has, and the rest is not heard', async () => {
    const person = await somebody(scene);
    const { browser, page } = await proven(scene, person);
    const before = await recordOf(scene.store, person.accountId);
    const extra = {
      ...{ status: 'blocked', email_verified: 'false', emailVerified: 'false', sub: 'other' },
      ...{ role: 'admin', groups: 'admins', acr: 'phr', vendor_data: 'x', enrolled: 'true' },
      ...{ id: 'other', accountId: 'other', email: 'thief@example.net', username: 'root' },
    };
    for (const action of ['codes', 'totp', 'back', 'passkey-name', 'keep', 'selfie-on']) {
      expect((await force(browser, page, action, extra)).status).toBeLessThan(400);
    }
    expect(await recordOf(scene.store, person.accountId)).toEqual(before);
  });

  it('name things of somebody else, which stay as they are', async () => {
    const [person, other] = [await somebody(scene), await somebody(scene)];
    await scene.store.put(
      `factors:${other.accountId}`,
      JSON.stringify({
        ...{ schema: 1 },
        passkeys: [
          {
            ...{ id: 'other-key', publicKey: '', counter: 0, transports: [], isSynced: false },
            ...{ name: 'Theirs', createdAtMs: 1 },
          },
        ],
      }),
    );
    const theirs = await bySelfie(scene, other.address);
    const before = await stateOf(other.accountId);
    const { browser, page } = await proven(scene, person);
    const key = { passkey: 'other-key', name: 'Mine' };
    for (const action of ['passkey-name', 'passkey-remove']) {
      const sheet = await browser.follow(await force(browser, page, action, key));
      expect([action, said(sheet)]).toEqual([action, 'Nothing was changed.']);
    }
    const [, signIn = ''] = /name="sign_in" value="(\d+)"/.exec(theirs.page.text) ?? [];
    expect(signIn).not.toBe('');
    await force(browser, page, 'end-one', { sign_in: signIn });
    await force(browser, page, 'revoke-app', { app: 'nobody' });
    expect(await stateOf(other.accountId)).toEqual(before);
    expect(heading(await accountPage(scene.bed, theirs.browser))).toBe('Your account');
  });
});

it('what the page says is one of its own texts', async () => {
  const { browser } = await bySelfie(scene, (await somebody(scene)).address);
  const says = async (done: string): Promise<string> =>
    said(await browser.get(`${scene.bed.issuer}/account?done=${encodeURIComponent(done)}`));
  expect(await says('proven')).toBe('Thank you. You can go on now.');
  for (const done of ['Call 0900', '<script>alert(1)</script>', '__proto__', 'toString', '']) {
    expect(await says(done)).toBe('');
  }
  expect(await says('../title')).toBe('');
});
