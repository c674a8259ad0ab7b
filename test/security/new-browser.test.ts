/** Whoever signs in where the account was never used is written to, and the link in that mail undoes all of it. */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Familiar } from '../../src/domain/familiar.ts';
import { answerOf } from '../oidc/support.ts';
import { type Scene, mailOf, openScene, recordOf } from '../support/account.ts';
import { type Answer, createBrowser } from '../support/browser.ts';
import { createDevice, signInWith, toContext } from '../support/device.ts';
import { accountPage, tokenOn } from '../support/enrol.ts';
import { type Party, createParty, heading, settle } from '../support/login.ts';
import { type LogoutListener, listenForLogout } from '../support/logout-listener.ts';
import { soon } from '../support/soon.ts';
import { redirectUri } from '../support/testbed.ts';
import { equip, signInByCodes } from '../support/ways.ts';

let scene: Scene;
let party: Party;
let listener: LogoutListener;
beforeAll(async () => {
  listener = await listenForLogout();
  scene = await openScene({
    flags: { outgoing: { allowPrivateNetworks: true } },
    clients: [
      {
        ...{ client_id: 'told', first_party: true, redirect_uris: [redirectUri] },
        ...{ client_secret: 'a-secret-of-the-told-0123456789abcdef' },
        ...{ backchannel_logout_uri: listener.url, backchannel_logout_session_required: true },
      },
    ],
  });
  party = await createParty(scene.bed);
});
afterAll(async () => {
  await scene.close();
  await listener.close();
});
// Limits count by the quarter of an hour, and all browsers of a test share an address.
beforeEach(() => scene.passQuarter());

const aboutNewDevices = (person: string) =>
  scene.bed.mails.filter(({ to, message }) => to.address === person && message.kind !== 'code');

/** Somebody signed in, in a browser of their own, who may come back for more. */
async function newcomer() {
  const person = scene.bed.person();
  const { accountId, app } = await equip(scene.store, person);
  const [browser, device] = [createBrowser(), createDevice()];
  const again = async (parameters: Record<string, string> = {}) => {
    const request = await party.begin(parameters);
    return request.finish(await signInWith(browser, request, person, device));
  };
  return { person, accountId, app, browser, device, again };
}

async function linkTo(person: string): Promise<string> {
  const { message } = await mailOf(scene.bed, person, 'new_device');
  return message.kind === 'new_device' ? message.link : '';
}

const userinfo = async (token: string): Promise<number> =>
  (await fetch(`${scene.bed.issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).status;
const refreshes = (token = ''): Promise<boolean> =>
  oidc.refreshTokenGrant(party.config, token).then(
    () => true,
    () => false,
  );
const keysOf = async (accountId: string): Promise<number> => {
  const { value = '{}' } = (await scene.store.get(`familiar:${accountId}`)) ?? {};
  return ((JSON.parse(value) as Partial<Familiar>).keys ?? []).length;
};

describe('[XD-18] a sign-in in a new browser', () => {
  it('is told by mail, once for each browser, with where and when and that it keeps a key', async () => {
    const one = await newcomer();
    await one.again();
    const first = await mailOf(scene.bed, one.person, 'new_device');
    expect(first.message).toMatchObject({
      ...{ kind: 'new_device', keepsKey: true, client: 'First' },
      ...{ browser: 'Chrome', system: 'Linux' },
      link: expect.stringMatching(/\/account\/not-me\/[\w-]{40,}$/) as string,
    });
    // Here again: by the session, by a selfie, and by the key where no cookie is left.
    await one.again();
    await one.again({ prompt: 'login' });
    const elsewhere = await party.begin();
    await elsewhere.finish(await signInWith(createBrowser(), elsewhere, one.person, one.device));
    scene.pass(1);
    const other = await party.begin();
    await other.finish(await signInWith(createBrowser(), other, one.person, createDevice()));
    await soon(() => expect(aboutNewDevices(one.person)).toHaveLength(2));
    expect(new Set(aboutNewDevices(one.person).map(({ message }) => message)).size).toBe(2);
  });

  it('that keeps no key, since its browser runs no script, is told as well', async () => {
    const { person } = await newcomer();
    const request = await party.begin();
    const page = { fields: () => Promise.resolve({}) };
    await request.finish(
      await signInWith(createBrowser(), request, person, { ...createDevice(), ...page }),
    );
    const { message } = await mailOf(scene.bed, person, 'new_device');
    expect(message).toMatchObject({ keepsKey: false });
  });

  it('by two codes is told each time, in whatever browser', async () => {
    const { person, app, browser, again } = await newcomer();
    await again();
    await mailOf(scene.bed, person, 'new_device');
    const request = await party.begin({
      prompt: 'login',
      acr_values: 'urn:didit-oidc:acr:fallback',
    });
    const elsewhere = createBrowser();
    await request.finish(
      await signInByCodes(scene.bed, elsewhere, request, { address: person, app: app() }),
    );
    const { message } = await mailOf(scene.bed, person, 'other_way');
    expect(message).toMatchObject({ factors: ['mail', 'totp'] });
    expect(browser).toBeDefined();
  });
});

describe('[XD-18] the link in that mail', () => {
  async function press(link: string, page: Answer): Promise<Answer> {
    const browser = createBrowser();
    return settle(browser, await browser.post(link, tokenOn(page)));
  }

  it('does nothing by being opened, and its button undoes all that the sign-in opened', async () => {
    const { person, accountId, browser, device, again } = await newcomer();
    const tokens = await again();
    const told = await (await createTold()).visit(browser);
    const link = await linkTo(person);
    const before = await recordOf(scene.store, accountId);
    listener.tokens.splice(0);

    // Scanners of mails look at every link, and so does whoever wonders.
    const reader = createBrowser();
    let page = await reader.get(link);
    for (const method of ['GET', 'HEAD', 'GET']) page = await reader.request(link, { method });
    expect(heading(page)).toBe('Was that not you?');
    expect(await recordOf(scene.store, accountId)).toEqual(before);
    expect([await userinfo(tokens.access_token), await keysOf(accountId)]).toEqual([200, 1]);
    // Nor by a form of somebody else's, nor without its token.
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' };
    const body = new URLSearchParams(tokenOn(page));
    const crossed = await reader.request(link, { method: 'POST', body, headers: foreign });
    const bare = await reader.post(link, { form_token: 'guess' });
    expect([crossed.status, bare.status]).toEqual([403, 403]);
    expect([await userinfo(tokens.access_token), await keysOf(accountId)]).toEqual([200, 1]);

    const done = await press(link, page);
    expect(done.status).toBe(200);
    expect([await userinfo(tokens.access_token), await keysOf(accountId)]).toEqual([401, 0]);
    expect(await refreshes(tokens.refresh_token)).toBe(false);
    const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
    expect(answerOf(silent.location).error).toBe('login_required');
    expect(heading(await accountPage(scene.bed, browser))).not.toBe('Your account');
    await vi.waitFor(() => expect(listener.tokens).toHaveLength(1), 10_000);
    expect(told).toContain('code=');
    expect(scene.bed.events).toContainEqual(
      expect.objectContaining({ event: 'account.disavowed', account: accountId }),
    );

    // The next sign-in takes more than that key, and more than a face.
    scene.pass(2);
    const next = await toContext(createBrowser(), await party.begin(), person, device);
    expect(heading(next)).toBe('One selfie to sign in');
    expect((await recordOf(scene.store, accountId)).selfieOff).toBe(true);
  });

  it('is over once it was used, for looking and for pressing', async () => {
    const { person, accountId, again } = await newcomer();
    await again();
    const link = await linkTo(person);
    const page = await createBrowser().get(link);
    expect((await press(link, page)).status).toBe(200);
    const after = await recordOf(scene.store, accountId);
    scene.pass(2);
    const late = await createBrowser().get(link);
    expect([late.status, (await press(link, page)).status]).toEqual([404, 404]);
    expect(await recordOf(scene.store, accountId)).toEqual(after);
  });

  it('pressed by many hands at once is pressed once', async () => {
    const { person, accountId, again } = await newcomer();
    await again();
    const link = await linkTo(person);
    const page = await createBrowser().get(link);
    const all = await Promise.all(Array.from({ length: 20 }, () => press(link, page)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    const disavowed = scene.bed.events.filter(
      ({ event, account }) => event === 'account.disavowed' && account === accountId,
    );
    expect(disavowed).toHaveLength(1);
  });

  it('that somebody made up leads nowhere', async () => {
    for (const secret of ['x'.repeat(43), '%00', 'a']) {
      const { status } = await createBrowser().get(`${scene.bed.issuer}/account/not-me/${secret}`);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });
});

/** An app that wants to hear of the end of a sign-in. */
async function createTold() {
  const request = await party.begin();
  const url = request.url.replace('client_id=first', 'client_id=told');
  return {
    async visit(browser: ReturnType<typeof createBrowser>): Promise<string> {
      return (await settle(browser, await browser.get(url))).location ?? '';
    },
  };
}
