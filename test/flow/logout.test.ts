/** The end of a session: asked by a relying party, told to all of them. */
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { keepLog } from '../didit/support.ts';
import { createOtherParty, newRequest } from '../oidc/support.ts';
import { type Answer, type TestBrowser, formsOf } from '../support/browser.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  isCallback,
  signIn,
} from '../support/login.ts';
import { type LogoutListener, listenForLogout } from '../support/logout-listener.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

const bye = 'http://localhost:9/bye';
let bed: Testbed;
let party: Party;
let listener: LogoutListener;
const log = keepLog();
const notes = () => log.lines().filter(({ message }) => message === 'backchannel logout');
const told = (times: number): Promise<void> =>
  vi.waitFor(() => expect(listener.tokens).toHaveLength(times), { timeout: 5_000 });

beforeEach(async () => {
  listener = await listenForLogout();
  return () => listener.close();
});
afterEach(() => bed.close());

/** @param others relying parties besides `told` and `told-too`, each with its own listener. */
async function start(
  options: { allowPrivateNetworks: boolean },
  others: Record<string, string> = {},
): Promise<void> {
  const house = { redirect_uris: [redirectUri], first_party: true };
  const doors = { told: listener.url, 'told-too': listener.url, ...others };
  log.clear();
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    log: log.write,
    flags: { outgoing: options },
    clients: Object.entries(doors).map(([client_id, url]) => ({
      ...house,
      client_id,
      token_endpoint_auth_method: 'none',
      backchannel_logout_uri: `${url}/${client_id}`,
      backchannel_logout_session_required: true,
    })),
  });
  party = await createParty(bed);
}

/** A session, with tokens of `first`. */
async function signedIn(browser = createBrowser()) {
  const request = await party.begin();
  const tokens = await request.finish(await signIn(browser, request));
  return { browser, tokens, idToken: tokens.id_token ?? '' };
}

async function answerLogout(browser: TestBrowser, page: Answer, yes = true): Promise<Answer> {
  const [form] = formsOf(page);
  const fields = { ...form?.fields, ...(yes ? { logout: 'yes' } : {}) };
  return browser.post(form?.action ?? '', fields);
}

async function hasSession(browser: TestBrowser): Promise<boolean> {
  const { location = '' } = await browser.get((await party.begin({ prompt: 'none' })).url);
  return isCallback(location) && location.includes('code=');
}

describe('[PR-18] logout by a relying party', () => {
  beforeEach(() => start({ allowPrivateNetworks: false }));

  it('asks on a page of ours, then goes back with the state', async () => {
    const { browser, idToken } = await signedIn();
    const url = oidc.buildEndSessionUrl(party.config, {
      ...{ id_token_hint: idToken, post_logout_redirect_uri: bye, state: 'as it was' },
    });
    const page = await browser.get(url.href);
    expect(heading(page)).toBe('Sign out?');
    expect(page.text).toContain('Yes, sign out');
    expect(await hasSession(browser)).toBe(true);
    const done = await answerLogout(browser, await browser.get(url.href));
    expect(done.status).toBe(303);
    const { searchParams, origin, pathname } = new URL(done.location ?? '');
    expect(origin + pathname).toBe(bye);
    expect(searchParams.get('state')).toBe('as it was');
    expect(await hasSession(browser)).toBe(false);
  });

  it('ends on a page of ours when there is nowhere to go', async () => {
    const { browser } = await signedIn();
    const page = await browser.get(`${bed.issuer}/session/end`);
    const end = await browser.follow(await answerLogout(browser, page));
    expect(heading(end)).toBe('You are signed out');
    expect(await hasSession(browser)).toBe(false);
  });

  it('leaves the session when the person says no, but ends that of the app', async () => {
    const { browser, idToken, tokens } = await signedIn();
    const url = oidc.buildEndSessionUrl(party.config, { id_token_hint: idToken });
    const end = await browser.follow(
      await answerLogout(browser, await browser.get(url.href), false),
    );
    expect(end.status).toBe(200);
    expect(await hasSession(browser)).toBe(true);
    const about = await oidc.tokenIntrospection(party.config, tokens.access_token);
    expect(about.active).toBe(false);
  });

  it.each([
    'http://localhost:9/elsewhere',
    'http://localhost:9/bye/',
    'http://localhost:9/bye?x=1',
    'http://evil.example/',
    '//evil.example/',
    'javascript:alert(1)',
  ])('[PL-13] never leads to %s, which nobody registered', async (address) => {
    const { browser, idToken } = await signedIn();
    const query = { post_logout_redirect_uri: address };
    const hinted = oidc.buildEndSessionUrl(party.config, { ...query, id_token_hint: idToken });
    const refused = await browser.get(hinted.href);
    expect(refused).toMatchObject({ status: 400, location: undefined });
    expect(heading(refused)).toBe('The app asked for something we cannot do');
    const anonymous = `${bed.issuer}/session/end?${new URLSearchParams(query).toString()}`;
    const done = await answerLogout(browser, await browser.get(anonymous));
    expect(done.location).toBe(`${bed.issuer}/session/end/success`);
  });

  it('takes no hint that is forged, unsigned or of another provider', async () => {
    const { browser, idToken } = await signedIn();
    const [header = '', payload = ''] = idToken.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const { privateKey } = await jose.generateKeyPair('RS256');
    const foreign = await new jose.SignJWT(jose.decodeJwt(idToken))
      .setProtectedHeader({ alg: 'RS256' })
      .sign(privateKey);
    for (const hint of [`${none}.${payload}.`, `${header}.${payload}.AAAA`, foreign, 'x']) {
      const query = new URLSearchParams({ id_token_hint: hint }).toString();
      expect((await browser.get(`${bed.issuer}/session/end?${query}`)).status).toBe(400);
    }
    expect(await hasSession(browser)).toBe(true);
  });

  it('takes no hint of another app than the one that is named', async () => {
    const { browser, idToken } = await signedIn();
    const query = { id_token_hint: idToken, client_id: 'told', post_logout_redirect_uri: bye };
    const url = `${bed.issuer}/session/end?${new URLSearchParams(query).toString()}`;
    expect(await browser.get(url)).toMatchObject({ status: 400, location: undefined });
    expect(await hasSession(browser)).toBe(true);
  });

  it('[PL-12] that another site begins, by whatever form, gets no further than the question', async () => {
    const { browser, idToken } = await signedIn();
    const fields = { id_token_hint: idToken, post_logout_redirect_uri: bye, logout: 'yes' };
    const query = new URLSearchParams(fields).toString();
    const foreign = { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' };
    const asked = await browser.request(`${bed.issuer}/session/end?${query}`, { headers: foreign });
    expect(asked).toMatchObject({ status: 200, location: undefined });
    expect(heading(asked)).toBe('Sign out?');
    for (const path of ['/session/end', '/session/end/confirm']) {
      const posted = await browser.request(bed.issuer + path, {
        ...{ method: 'POST', body: new URLSearchParams(fields), headers: foreign },
      });
      expect(posted.status).toBeGreaterThanOrEqual(400);
      expect(posted.location).toBeUndefined();
    }
    expect(await hasSession(browser)).toBe(true);
  });

  it('[PL-12] is not done by a post without the secret of the page', async () => {
    const { browser } = await signedIn();
    const url = `${bed.issuer}/session/end/confirm`;
    expect((await browser.post(url, { logout: 'yes' })).status).toBe(400);
    await browser.get(`${bed.issuer}/session/end`);
    expect((await browser.post(url, { logout: 'yes', xsrf: 'guess' })).status).toBe(400);
    expect(await hasSession(browser)).toBe(true);
  });

  it('the next login takes a selfie again', async () => {
    const { browser } = await signedIn();
    await answerLogout(browser, await browser.get(`${bed.issuer}/session/end`));
    const page = await browser.follow(await browser.get((await party.begin()).url));
    expect(page.text).toContain('name="identifier"');
  });
});

describe('[PR-19] back-channel logout', () => {
  async function logOutWith(...clientIds: string[]) {
    const { browser, tokens } = await signedIn();
    const sids: unknown[] = [];
    for (const id of clientIds) sids.push((await visit(browser, id)).sid);
    const page = await browser.get(`${bed.issuer}/session/end`);
    const startedMs = performance.now();
    const done = await answerLogout(browser, page);
    const tookMs = performance.now() - startedMs;
    expect(done.location).toBe(`${bed.issuer}/session/end/success`);
    expect(await hasSession(browser)).toBe(false);
    return { sub: tokens.claims()?.sub, sids, tookMs };
  }

  /** Single sign-on to a client without a secret. @returns the claims of its ID token. */
  async function visit(browser: TestBrowser, clientId: string): Promise<jose.JWTPayload> {
    const config = await createOtherParty(bed, clientId, oidc.None());
    const { parameters, checks } = await newRequest();
    const { location = '' } = await browser.get(
      oidc.buildAuthorizationUrl(config, parameters).href,
    );
    const tokens = await oidc.authorizationCodeGrant(config, new URL(location), checks);
    return jose.decodeJwt(tokens.id_token ?? '');
  }

  it('reaches every relying party of the session, with a token that is for it alone', async () => {
    await start({ allowPrivateNetworks: true });
    const { sub, sids } = await logOutWith('told', 'told-too');
    await told(2);
    const keys = jose.createRemoteJWKSet(new URL(`${bed.issuer}/jwks`));
    for (const [index, audience] of ['told', 'told-too'].entries()) {
      const token = listener.tokens.find((one) => jose.decodeJwt(one).aud === audience) ?? '';
      const { payload } = await jose.jwtVerify(token, keys, {
        ...{ issuer: bed.issuer, audience, typ: 'logout+jwt' },
      });
      expect(payload).toMatchObject({ sub, sid: sids[index] });
      expect(payload.events).toEqual({
        'http://schemas.openid.net/event/backchannel-logout': {},
      });
      expect(payload.jti).toMatch(/^[\w-]{16,}$/);
      expect(payload).not.toHaveProperty('nonce');
      expect((payload.exp ?? Infinity) - (payload.iat ?? 0)).toBeLessThanOrEqual(120);
    }
    expect(sids[0]).not.toBe(sids[1]);
  });

  it('leaves alone who was not there', async () => {
    await start({ allowPrivateNetworks: true });
    await logOutWith('told');
    await told(1);
    expect(listener.tokens.map((token) => jose.decodeJwt(token).aud)).toEqual(['told']);
  });

  it('is repeated for one that fails, with a new token each time', async () => {
    await start({ allowPrivateNetworks: true });
    listener.status = [500, 200];
    await logOutWith('told');
    await told(2);
    const [first, second] = listener.tokens.map((token) => jose.decodeJwt(token));
    expect(first?.sid).toBe(second?.sid);
    expect(first?.jti).not.toBe(second?.jti);
    await soon(() => {
      expect(notes()).toMatchObject([
        { client: 'told', attempt: 1, result: 'failed', reason: 'status 500' },
        { client: 'told', attempt: 2, result: 'delivered' },
      ]);
    });
    await sleep(1_200);
    expect(listener.tokens).toHaveLength(2);
  });

  it('waits for nobody: one that hangs and one that fails keep neither the person nor a third', async () => {
    const [hanging, failing] = [await listenForLogout(), await listenForLogout()];
    onTestFinished(async () => {
      await Promise.all([hanging.close(), failing.close()]);
    });
    hanging.status = undefined;
    failing.status = 503;
    await start({ allowPrivateNetworks: true }, { hangs: hanging.url, fails: failing.url });
    const { tookMs } = await logOutWith('hangs', 'fails', 'told');
    const leftMs = performance.now();
    await told(1);
    expect(performance.now() - leftMs).toBeLessThan(1_000);
    expect(tookMs).toBeLessThan(2_000);
    await soon(() => expect(hanging.tokens).toHaveLength(1));
    await vi.waitFor(
      () => {
        const failures = notes().filter(({ result }) => result === 'failed');
        expect(failures).toEqual(
          expect.arrayContaining([
            expect.objectContaining({ client: 'hangs', attempt: 1, reason: 'TimeoutError' }),
            expect.objectContaining({ client: 'fails', attempt: 1, reason: 'status 503' }),
            expect.objectContaining({ client: 'fails', attempt: 2, reason: 'status 503' }),
          ]),
        );
      },
      { timeout: 8_000 },
    );
  });

  it('is not forgotten when the process ends before it was done', async () => {
    await start({ allowPrivateNetworks: true });
    listener.status = 503;
    await logOutWith('told');
    await told(1);
    listener.status = 200;
    await bed.restart();
    await told(2);
  });

  it('[PL-07] calls no private address unless allowed, and logs out all the same', async () => {
    await start({ allowPrivateNetworks: false });
    await logOutWith('told', 'told-too');
    await soon(() => {
      expect(notes().map(({ reason }) => reason)).toEqual(['AddressRefused', 'AddressRefused']);
    });
    expect(listener.tokens).toEqual([]);
  });
});
