/** Where somebody is signed in, and ending it: one, all, an app, or "this wasn't me". */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Scene,
  byCodes,
  bySelfie,
  openScene,
  recordOf,
  said,
  somebody,
} from '../support/account.ts';
import type { Answer } from '../support/browser.ts';
import { accountPage, act, tokenOn } from '../support/enrol.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';

let scene: Scene;
let first: Party;
let stranger: Party;
beforeAll(async () => {
  scene = await openScene();
  [first, stranger] = [await createParty(scene.bed), await createParty(scene.bed, 'stranger')];
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

const offline = { scope: 'openid offline_access', prompt: 'consent' };
const endings = (page: Answer): string[] =>
  [...page.text.matchAll(/end-one" name="sign_in" value="(\d+)"/g)].map(([, at = '']) => at);

/** Signed in to an app of the house, a second apart from anybody before. */
async function signedIn(address: string) {
  scene.pass(2);
  const [browser, request] = [createBrowser(), await first.begin(offline)];
  const tokens = await request.finish(await signIn(browser, request, address));
  return { browser, tokens };
}

const lives = async ({ access_token: token }: { access_token: string }): Promise<boolean> => {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${scene.bed.issuer}/me`, { headers })).ok;
};
const refreshes = ({ config }: Party, { refresh_token: token = '' }: { refresh_token?: string }) =>
  oidc.refreshTokenGrant(config, token).then(
    () => true,
    () => false,
  );

describe('[OP-01] one sign-in', () => {
  it('is listed with all the others, and ended without them', async () => {
    const { address } = await somebody(scene);
    const [one, other] = [await signedIn(address), await signedIn(address)];
    const page = await accountPage(scene.bed, one.browser);
    const [mine, theirs] = [one, other].map(({ tokens }) => String(decodeAuthTime(tokens)));
    expect(endings(page).sort()).toEqual([mine, theirs].sort());
    expect(page.text.match(/this browser/g)).toHaveLength(1);
    const sheet = await act(one.browser, page, 'end-one', { sign_in: theirs ?? '' });
    expect(said(sheet)).toBe('That sign-in has ended.');
    expect([await lives(one.tokens), await lives(other.tokens)]).toEqual([true, false]);
    expect([await refreshes(first, one.tokens), await refreshes(first, other.tokens)]).toEqual([
      true,
      false,
    ]);
    expect(heading(await accountPage(scene.bed, other.browser))).not.toBe('Your account');
    expect(endings(sheet)).toEqual([mine]);
  });

  it('that is none of theirs ends nothing and is not remembered', async () => {
    const { address, accountId } = await somebody(scene);
    const { browser, page } = await bySelfie(scene, address);
    for (const sign_in of ['1', '9999999999', '-1', '1e3', 'x', '']) {
      expect(said(await act(browser, page, 'end-one', { sign_in }))).toBe('Nothing was changed.');
    }
    expect((await recordOf(scene.store, accountId)).revokedProofs).toBeUndefined();
  });
});

function decodeAuthTime(tokens: oidc.TokenEndpointResponseHelpers): number {
  return tokens.claims()?.auth_time ?? 0;
}

it('[OP-01] all sign-ins end together, those of others do not', async () => {
  const [{ address }, neighbour] = [await somebody(scene), await somebody(scene)];
  const [one, other] = [await signedIn(address), await signedIn(address)];
  const foreign = await signedIn(neighbour.address);
  const page = await accountPage(scene.bed, one.browser);
  const gone = await act(one.browser, page, 'end-all');
  expect(gone.url).toBe(`${scene.bed.issuer}/account/signed-out`);
  for (const { browser, tokens } of [one, other]) {
    expect([await lives(tokens), await refreshes(first, tokens)]).toEqual([false, false]);
    expect(heading(await accountPage(scene.bed, browser))).not.toBe('Your account');
  }
  expect(await lives(foreign.tokens)).toBe(true);
  // The page that is still open somewhere does nothing any more.
  const late = await one.browser.post(`${scene.bed.issuer}/account/disavow`, tokenOn(page));
  expect([late.status, late.location]).toEqual([303, expect.stringContaining('/auth?')]);
});

describe('an app', () => {
  it('loses what it got, alone, and asks again before it gets anything', async () => {
    const { address } = await somebody(scene);
    const { browser, tokens } = await signedIn(address);
    const allow = async (): Promise<oidc.TokenEndpointResponse> => {
      const request = await stranger.begin(offline);
      const asked = await settle(browser, await browser.get(request.url));
      expect(heading(asked)).toContain('Stranger');
      const { location = '' } = await settle(browser, await press(browser, asked, 'allow'));
      return request.finish(location);
    };
    const theirs = await allow();
    expect(await lives(theirs)).toBe(true);
    scene.pass(2);
    const page = await accountPage(scene.bed, browser);
    const sheet = await act(browser, page, 'revoke-app', { app: 'stranger' });
    expect(said(sheet)).toBe('That app has no access any more. It may ask again.');
    expect([await lives(theirs), await refreshes(stranger, theirs)]).toEqual([false, false]);
    expect([await lives(tokens), await refreshes(first, tokens)]).toEqual([true, true]);
    const silent = await stranger.begin({ prompt: 'none' });
    expect((await browser.get(silent.url)).location).toContain('error=consent_required');
    scene.pass(2);
    const again = await allow();
    expect([await lives(again), await refreshes(stranger, again)]).toEqual([true, true]);
    expect([await lives(theirs), await refreshes(stranger, theirs)]).toEqual([false, false]);
  });

  it('of the house loses its tokens too, and may come again', async () => {
    const { address } = await somebody(scene);
    const { browser, tokens } = await signedIn(address);
    scene.pass(2);
    const page = await accountPage(scene.bed, browser);
    await act(browser, page, 'revoke-app', { app: 'first' });
    expect([await lives(tokens), await refreshes(first, tokens)]).toEqual([false, false]);
    scene.pass(2);
    const request = await first.begin();
    const { location = '' } = await settle(browser, await browser.get(request.url));
    expect(await lives(await request.finish(location))).toBe(true);
  });

  it('that has nothing is not revoked', async () => {
    const { browser, page } = await bySelfie(scene, (await somebody(scene)).address);
    for (const app of ['first', 'nobody', '']) {
      const address = `${scene.bed.issuer}/account/revoke-app`;
      const sheet = await browser.follow(await browser.post(address, { ...tokenOn(page), app }));
      expect(said(sheet)).toBe('Nothing was changed.');
    }
  });
});

describe('"this wasn’t me"', () => {
  it('ends all, tells the operator, and lets no selfie in until the person says so', async () => {
    const person = await somebody(scene);
    const [thief, owner] = [await signedIn(person.address), await signedIn(person.address)];
    const sign_in = String(decodeAuthTime(thief.tokens));
    const page = await accountPage(scene.bed, owner.browser);
    await act(owner.browser, page, 'disavow', { sign_in });
    for (const { browser, tokens } of [thief, owner]) {
      expect([await lives(tokens), await refreshes(first, tokens)]).toEqual([false, false]);
      expect(heading(await accountPage(scene.bed, browser))).not.toBe('Your account');
    }
    const about = scene.bed.events.filter(({ account }) => account === person.accountId);
    expect(about.map(({ event, reason }) => [event, reason])).toEqual(
      expect.arrayContaining([
        ['account.disavowed', 'disavowed'],
        ['review.opened', 'disavowed'],
      ]),
    );
    scene.pass(2);
    expect(await opensBySelfie(person.address)).toBe(false);
    const { browser, page: sheet } = await byCodes(scene, person);
    expect(sheet.text).toContain('A face is enrolled, and no selfie signs you in.');
    expect((await act(browser, sheet, 'selfie-on')).status).toBe(403);
  });

  it('leaves the selfie to whoever has nothing else', async () => {
    const { address, accountId } = await somebody(scene, []);
    const { browser } = await signedIn(address);
    await act(browser, await accountPage(scene.bed, browser), 'disavow', { sign_in: '1' });
    expect((await recordOf(scene.store, accountId)).selfieOff).toBeUndefined();
    scene.pass(2);
    expect(await opensBySelfie(address)).toBe(true);
  });
});

/** Whatever Didit says of it. */
async function opensBySelfie(address: string): Promise<boolean> {
  const browser = createBrowser();
  const didit = await toSelfie(browser, await first.begin(), address);
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  return heading(await whileWaiting(browser, back)) === 'It is you';
}
