import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { type Party, createParty } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { basic, post, signedIn, tokensOf, userinfo } from './support.ts';

let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({ storeUrl: await freshRedis() });
  party = await createParty(bed);
});
afterAll(() => bed.close());

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

async function logOut(browser: TestBrowser): Promise<void> {
  const page = await browser.get(`${bed.issuer}/session/end`);
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
  const done = await browser.post(`${bed.issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
  expect(done.location).toBe(`${bed.issuer}/session/end/success`);
}
