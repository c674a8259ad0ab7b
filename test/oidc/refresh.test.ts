/** On Redis, with a second connection: what an operator does to an account from another process. */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { type Accounts, createAccounts } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import type { TestBrowser } from '../support/browser.ts';
import {
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  type Party,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { answerOf, basic, changed, post, signedIn, tokensOf, userinfo } from './support.ts';

let bed: Testbed;
let store: Store;
let accounts: Accounts;
let party: Party;

beforeAll(async () => {
  const [url, encryptionKeys] = [await freshRedis(), [randomKey()]];
  bed = await startTestbed({ flags: { store: { url, encryptionKeys } } });
  ({ store } = await openStore({ url, encryptionKeys, clock: Date.now }));
  accounts = createAccounts(store, { clock: Date.now, random: randomKey });
  party = await createParty(bed);
});
afterAll(async () => {
  await store.close();
  await bed.close();
});

async function introspected(token: string): Promise<boolean> {
  return (await oidc.tokenIntrospection(party.config, token)).active;
}

describe('refresh tokens', () => {
  it('[PR-14] rotate, without offline_access and without consent', async () => {
    const tokens = await tokensOf(await signedIn(bed), await party.begin());
    const before = tokens.claims();
    const renewed = await oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
    expect(renewed.refresh_token).toMatch(/^[\w.-]{40,}$/);
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
    const after = renewed.claims();
    for (const claim of ['sub', 'acr', 'amr', 'auth_time']) {
      expect(before).toHaveProperty(claim);
      expect(after?.[claim]).toEqual(before?.[claim]);
    }
  });

  it('[PR-14] [PR-03] a rotated one that comes again ends the whole family', async () => {
    const tokens = await tokensOf(await signedIn(bed), await party.begin());
    const old = tokens.refresh_token ?? '';
    const renewed = await oidc.refreshTokenGrant(party.config, old);
    const again = oidc.refreshTokenGrant(party.config, old);
    await expect(again).rejects.toMatchObject({ error: 'invalid_grant' });
    const successor = oidc.refreshTokenGrant(party.config, renewed.refresh_token ?? '');
    await expect(successor).rejects.toMatchObject({ error: 'invalid_grant' });
    for (const token of [tokens.access_token, renewed.access_token]) {
      expect((await userinfo(bed, token)).status).toBe(401);
      expect(await introspected(token)).toBe(false);
    }
  });

  it('[PR-14] [PR-04] belong to the client that got them', async () => {
    const { refresh_token: token = '' } = await tokensOf(await signedIn(bed), await party.begin());
    const fields = { grant_type: 'refresh_token', refresh_token: token };
    const stolen = await post(`${bed.issuer}/token`, fields, basic('second', bed.clientSecret));
    expect({ status: stolen.status, error: stolen.json.error }).toEqual({
      status: 400,
      error: 'invalid_grant',
    });
    await oidc.refreshTokenGrant(party.config, token);
  });

  it('[PR-14] die at logout, and so do access tokens', async () => {
    const browser = await signedIn(bed);
    const tokens = await tokensOf(browser, await party.begin());
    await logOut(browser);
    const refused = oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
    await expect(refused).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await userinfo(bed, tokens.access_token)).status).toBe(401);
    expect(await introspected(tokens.access_token)).toBe(false);
  });

  it('[PR-04] a code is worth nothing after the logout, either', async () => {
    const browser = await signedIn(bed);
    const request = await party.begin();
    const { location = '' } = await browser.get(request.url);
    await logOut(browser);
    await expect(request.finish(location)).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

describe.each([
  ['blocked', (sub: string) => accounts.setStatus(sub, 'blocked')],
  ['removed', (sub: string) => store.delete(`account:${sub}`)],
])('[PR-26] an account that is %s', (_, end) => {
  let browser: TestBrowser;
  let tokens: Awaited<ReturnType<typeof tokensOf>>;
  let sub: string;

  beforeEach(async () => {
    browser = await signedIn(bed, 'ben@example.com');
    tokens = await tokensOf(browser, await party.begin());
    sub = tokens.claims()?.sub ?? '';
    const { value = '' } = (await store.get(`account:${sub}`)) ?? {};
    return async () => {
      await store.put(`account:${sub}`, value);
      await told('code');
    };
  });

  /** The provider hears of it from another process, soon. */
  async function told(answer: 'code' | 'error'): Promise<void> {
    await store.publish('accounts', sub);
    const silent = await changed(party, { prompt: 'none' });
    const answered = async () => Object.keys(answerOf((await browser.get(silent)).location));
    await expect.poll(answered).toContain(answer);
  }

  it('keeps no token', async () => {
    await end(sub);
    await told('error');
    const refused = oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
    await expect(refused).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await userinfo(bed, tokens.access_token)).status).toBe(401);
    expect(await introspected(tokens.access_token)).toBe(false);
  });

  it('has no session any more', async () => {
    await end(sub);
    await told('error');
    const silent = await browser.get(await changed(party, { prompt: 'none' }));
    expect(answerOf(silent.location).error).toBe('login_required');
    const asked = await browser.get((await party.begin()).url);
    expect(asked.location).toContain('/interaction/');
  });

  it('cannot redeem a code that was on its way', async () => {
    const request = await party.begin();
    const { location = '' } = await browser.get(request.url);
    await end(sub);
    await told('error');
    await expect(request.finish(location)).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('[AB-01] gets a selfie that lets nobody in, and no reason', async () => {
    await end(sub);
    await told('error');
    const stranger = createBrowser();
    const identify = await settle(stranger, await stranger.get((await party.begin()).url));
    const as = { identifier: 'ben@example.com' };
    const context = await settle(stranger, await press(stranger, identify, 'identify', as));
    expect(heading(context)).toBe('One selfie to sign in');
    const selfie = await settle(stranger, await press(stranger, context, 'selfie'));
    const back = await settle(stranger, await takeSelfie(stranger, selfie, 'approve'));
    const page = await whileWaiting(stranger, back);
    expect(heading(page)).toBe('We could not sign you in');
    expect(page.text).not.toMatch(/block|remov|delet/i);
  });
});

async function logOut(browser: TestBrowser): Promise<void> {
  const page = await browser.get(`${bed.issuer}/session/end`);
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
  const done = await browser.post(`${bed.issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
  expect(done.location).toBe(`${bed.issuer}/session/end/success`);
}
