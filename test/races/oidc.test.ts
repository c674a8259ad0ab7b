/**
 * The races that node-oidc-provider leaves to its adapter, on real Redis, sealed. A plain adapter loses every one
 * of them; the counts are those of docs/decisions/0004.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type Party,
  createBrowser,
  createParty,
  isCallback,
  press,
  settle,
  signIn,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';
import type { TestBrowser } from '../support/browser.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

const partyCount = 8;
let bed: Testbed;
let first: Party;
let parties: Party[];

beforeAll(async () => {
  const names = Array.from({ length: partyCount }, (_, number) => `party-${number}`);
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    clients: names.map((client_id) => ({
      client_id,
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      first_party: true,
    })),
  });
  first = await createParty(bed);
  parties = await Promise.all(names.map((name) => publicParty(name)));
});
afterAll(() => bed.close());

it('[PR-03] of 50 parallel redemptions of a code exactly one succeeds, 20 times over', async () => {
  const browser = await signedIn();
  for (let round = 0; round < 20; round += 1) {
    const request = await first.begin();
    const callback = await sso(browser, request.url);
    expect(await successes(50, () => request.finish(callback))).toBe(1);
  }
});

it('[PR-03] a code that is replayed later takes its tokens with it', async () => {
  const browser = await signedIn();
  const request = await first.begin();
  const callback = await sso(browser, request.url);
  const tokens = await request.finish(callback);
  const { sub } = tokens.claims() ?? { sub: '' };
  await oidc.fetchUserInfo(first.config, tokens.access_token, sub);
  await expect(request.finish(callback)).rejects.toMatchObject({ error: 'invalid_grant' });
  await expect(oidc.fetchUserInfo(first.config, tokens.access_token, sub)).rejects.toMatchObject({
    status: 401,
  });
  const about = await oidc.tokenIntrospection(first.config, tokens.access_token);
  expect(about.active).toBe(false);
});

it('of 8 parallel redemptions of a code none but one succeeds in 20 rounds', async () => {
  const browser = await signedIn();
  let doubled = 0;
  for (let round = 0; round < 20; round += 1) {
    const request = await first.begin();
    const callback = await sso(browser, request.url);
    if ((await successes(8, () => request.finish(callback))) > 1) doubled += 1;
  }
  expect(doubled).toBe(0);
});

it('of 8 parallel uses of a rotating refresh token none but one succeeds in 20 rounds', async () => {
  const browser = await signedIn();
  let doubled = 0;
  for (let round = 0; round < 20; round += 1) {
    const request = await first.begin();
    const { refresh_token: token = '' } = await request.finish(await sso(browser, request.url));
    expect(token).not.toBe('');
    if ((await successes(8, () => oidc.refreshTokenGrant(first.config, token))) > 1) doubled += 1;
  }
  expect(doubled).toBe(0);
});

it('8 relying parties that open at once on one session all get a usable code, 20 times over', async () => {
  let unusable = 0;
  for (let round = 0; round < 20; round += 1) {
    const browser = await signedIn();
    const requests = await Promise.all(parties.map((party) => party.begin()));
    const callbacks = await Promise.all(requests.map(({ url }) => sso(browser, url)));
    const results = await Promise.allSettled(
      requests.map((request, index) => request.finish(callbacks[index] ?? '')),
    );
    unusable += results.filter(({ status }) => status === 'rejected').length;
  }
  expect(unusable).toBe(0);
});

it('no tab is asked again, and nobody is logged out, while another tab finishes a step-up', async () => {
  let browser = await signedIn();
  let askedAgain = 0;
  let loggedOut = 0;
  for (let round = 0; round < 100; round += 1) {
    // One browser may ask for twenty selfies an hour.
    if (round % 15 === 14) browser = await signedIn();
    const stepUp = await untilResumed(browser);
    const tabs = await Promise.all([1, 3, 5].map(async () => (await first.begin()).url));
    const answers = await Promise.all([
      browser.get(stepUp),
      ...tabs.map(async (url, tab) => {
        await sleep(1 + 2 * tab);
        return browser.get(url);
      }),
    ]);
    askedAgain += answers.filter(({ location }) => !isCallback(location ?? '')).length;
    const later = await browser.get((await first.begin()).url);
    if (!isCallback(later.location ?? '')) loggedOut += 1;
  }
  expect({ askedAgain, loggedOut }).toEqual({ askedAgain: 0, loggedOut: 0 });
}, 180_000);

it('no session is usable after a logout that another tab raced, 60 times over', async () => {
  let usable = 0;
  for (let round = 0; round < 60; round += 1) {
    const browser = await signedIn();
    const form = await browser.get(`${bed.issuer}/session/end`);
    const xsrf = /name="xsrf" value="([^"]*)"/.exec(form.text)?.[1] ?? '';
    const tab = (await first.begin()).url;
    await Promise.all([
      browser.post(`${bed.issuer}/session/end/confirm`, { xsrf, logout: 'yes' }),
      browser.get(tab),
    ]);
    const silent = await browser.get((await first.begin({ prompt: 'none' })).url);
    if (!(silent.location ?? '').includes('error=login_required')) usable += 1;
  }
  expect(usable).toBe(0);
}, 180_000);

async function signedIn(): Promise<TestBrowser> {
  const browser = createBrowser();
  await signIn(browser, await first.begin());
  return browser;
}

async function sso(browser: TestBrowser, url: string): Promise<string> {
  const { location = '' } = await browser.get(url);
  expect(location).toContain('code=');
  return location;
}

/** A step-up as far as the library's own address that will finish it. */
async function untilResumed(browser: TestBrowser): Promise<string> {
  const { url } = await first.begin({ prompt: 'login' });
  const context = await settle(browser, await browser.get(url));
  const didit = await settle(browser, await press(browser, context, 'selfie'));
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  const ready = await whileWaiting(browser, back);
  return (await press(browser, ready, 'resume')).location ?? '';
}

async function successes(times: number, act: () => Promise<unknown>): Promise<number> {
  const results = await Promise.allSettled(Array.from({ length: times }, act));
  return results.filter(({ status }) => status === 'fulfilled').length;
}

async function publicParty(clientId: string): Promise<Party> {
  const config = await oidc.discovery(new URL(bed.issuer), clientId, undefined, oidc.None(), {
    execute: [oidc.allowInsecureRequests],
  });
  return {
    config,
    async begin() {
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
      const state = oidc.randomState();
      const url = oidc.buildAuthorizationUrl(config, {
        ...{ redirect_uri: redirectUri, scope: 'openid', state },
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
      });
      return {
        url: url.href,
        finish: (callback) =>
          oidc.authorizationCodeGrant(config, new URL(callback), {
            ...{ pkceCodeVerifier, expectedState: state },
          }),
      };
    },
  };
}
