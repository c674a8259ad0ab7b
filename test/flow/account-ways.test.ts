/** Ways in: the last one without a face stays, and a new face changes nothing for a day. */
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Scene,
  day,
  mailOf,
  minute,
  openScene,
  proven,
  recordOf,
  said,
  selfieAgain,
  somebody,
} from '../support/account.ts';
import { createBrowser } from '../support/browser.ts';
import {
  accountPage,
  act,
  agree,
  openToAll,
  secretOn,
  showDocument,
  signUp,
  tokenOn,
} from '../support/enrol.ts';
import { createParty, heading, press, settle } from '../support/login.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ flags: openToAll });
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

const waysOf = async (accountId: string): Promise<string[]> => {
  const { value = '{}' } = (await scene.store.get(`factors:${accountId}`)) ?? {};
  const { totp, recoveryCodes } = JSON.parse(value) as Record<string, unknown>;
  return [...(totp ? ['totp'] : []), ...(recoveryCodes ? ['recovery'] : [])];
};

describe('[EN-11] the last way in without a face', () => {
  it('stays, and the page says why', async () => {
    const person = await somebody(scene);
    const { browser, page } = await proven(scene, person);
    const sheet = await act(browser, page, 'totp-remove');
    expect(said(sheet)).toBe('That way to sign in is gone.');
    await mailOf(scene.bed, person.address, 'factor_removed');
    const last = await act(browser, sheet, 'codes-remove');
    expect(said(last)).toContain('last way to sign in without a selfie, so it stays');
    expect(await waysOf(person.accountId)).toEqual(['recovery']);
  });

  it('stays when the last two are taken away at once', async () => {
    const person = await somebody(scene);
    const { browser, page } = await proven(scene, person);
    const remove = (what: string) =>
      browser.post(`${scene.bed.issuer}/account/${what}`, tokenOn(page));
    const done = await Promise.all([remove('totp-remove'), remove('codes-remove')]);
    const results = done.map(({ location = '' }) => new URL(location).searchParams.get('done'));
    expect(results.sort()).toEqual(['last_way', 'way_removed']);
    expect(await waysOf(person.accountId)).toHaveLength(1);
  });

  it('of somebody without an address takes two codes, since no mail is one of them', async () => {
    const person = await somebody(scene);
    const key = `account:${person.accountId}`;
    const { email: _, ...record } = await recordOf(scene.store, person.accountId);
    const { browser, page } = await proven(scene, person);
    await scene.store.put(key, JSON.stringify(record));
    await scene.store.publish('accounts', person.accountId);
    await expect
      .poll(async () => (await accountPage(scene.bed, browser)).text)
      .not.toContain('E-mail</dt>');
    expect(said(await act(browser, page, 'totp-remove'))).toContain('so it stays');
    expect(await waysOf(person.accountId)).toEqual(['totp', 'recovery']);
  });

  it('is asked for before selfies are turned off', async () => {
    const person = await somebody(scene);
    const { browser, page } = await proven(scene, person);
    const off = await act(browser, page, 'selfie-off');
    expect(said(off)).toContain('No selfie signs you in any more.');
    expect((await recordOf(scene.store, person.accountId)).selfieOff).toBe(true);
    expect(said(await act(browser, off, 'selfie-on'))).toBe('You can sign in by a selfie again.');
    expect((await recordOf(scene.store, person.accountId)).selfieOff).toBeUndefined();
    await scene.store.delete(`factors:${person.accountId}`);
    expect(said(await act(browser, page, 'selfie-off'))).toContain('so it stays');
    expect((await recordOf(scene.store, person.accountId)).selfieOff).toBeUndefined();
  });
});

it('a code app is there once its first code was typed, and its person hears of it', async () => {
  const person = await somebody(scene, ['recovery']);
  const { browser, page } = await proven(scene, person);
  const shown = await act(browser, page, 'totp');
  const wrong = await act(browser, shown, 'totp-code', { code: '000000' });
  expect([wrong.status, await waysOf(person.accountId)]).toEqual([400, ['recovery']]);
  const secret = secretOn(wrong);
  // Whoever mistyped has the app set up already: it is the same one.
  expect(secret).toBe(secretOn(shown));
  const totp = new TOTP({ secret: Secret.fromBase32(secret.replaceAll(' ', '')) });
  const code = totp.generate({ timestamp: Date.now() });
  expect(said(await act(browser, wrong, 'totp-code', { code }))).toBe('The code app is set up.');
  await mailOf(scene.bed, person.address, 'factor_added');
});

describe('[EN-14] a face that took the place of another', () => {
  const hours = 3_600;
  it.each([
    ['a day, if nothing is set', {}, day],
    ['as long as is set', { people: { changeCooldownSeconds: '2h' } }, 2 * hours],
  ])(
    'changes nothing for %s',
    async (_name, flags, seconds) => {
      await scene.close();
      scene = await openScene({ flags: { ...openToAll, ...flags } });
      const [browser, address] = [createBrowser(), 'nora@example.com'];
      const request = await (await createParty(scene.bed)).begin();
      const { codes } = await signUp(scene.bed, browser, request, address);
      const confirm = async (page: Awaited<ReturnType<typeof act>>) =>
        act(browser, await act(browser, page, 'export'), 'prove-code', { code: codes.pop() ?? '' });
      const sheet = await confirm(await accountPage(scene.bed, browser));
      scene.pass(2);
      const started = await act(browser, sheet, 'face');
      const ready = await showDocument(
        browser,
        heading(started).includes('face') && started.text.includes('name="agreed"')
          ? await agree(browser, started)
          : started,
      );
      const replaced = await settle(browser, await press(browser, ready, 'resume'));
      expect(heading(replaced)).toBe('Your account');
      expect(replaced.text).toContain('Your face was enrolled anew.');
      const mayChange = async (): Promise<boolean> => {
        const { page } = await again();
        const asked = await confirm(page);
        return (
          (await browser.post(`${scene.bed.issuer}/account/totp`, tokenOn(asked))).status === 200
        );
      };
      const again = async () => {
        const begun = await settle(
          browser,
          await browser.get(`${scene.bed.issuer}/account/sign-in`),
        );
        return { page: await selfieAgain(browser, begun, address) };
      };
      expect(await mayChange()).toBe(false);
      scene.pass(seconds - 5 * minute);
      expect(await mayChange()).toBe(false);
      scene.pass(5 * minute + 1);
      expect(await mayChange()).toBe(true);
    },
    30_000,
  );
});
