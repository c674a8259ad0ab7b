/** The end of a session: asked by a relying party, told to all of them. */
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

const bye = 'http://localhost:9/bye';
let bed: Testbed;
let party: Party;
let listener: Listener;

/** A relying party's door for logout tokens. */
interface Listener {
  url: string;
  tokens: string[];
  server: Server;
  /** What it answers with; undefined: nothing, ever. */
  status: number | undefined;
}

beforeEach(async () => {
  listener = await listen();
  return () => close(listener);
});
afterEach(() => bed.close());

async function start(options: { allowPrivateNetworks: boolean }): Promise<void> {
  const house = { redirect_uris: [redirectUri], first_party: true };
  bed = await startTestbed({
    flags: { outgoing: options },
    clients: ['told', 'told-too'].map((client_id) => ({
      ...house,
      client_id,
      token_endpoint_auth_method: 'none',
      backchannel_logout_uri: `${listener.url}/${client_id}`,
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
    const done = await answerLogout(browser, page);
    expect(done.location).toBe(`${bed.issuer}/session/end/success`);
    expect(await hasSession(browser)).toBe(false);
    return { sub: tokens.claims()?.sub, sids };
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
    expect(listener.tokens).toHaveLength(2);
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
    expect(listener.tokens.map((token) => jose.decodeJwt(token).aud)).toEqual(['told']);
  });

  it('ends the session here also when a relying party fails', async () => {
    await start({ allowPrivateNetworks: true });
    listener.status = 500;
    await logOutWith('told');
    expect(listener.tokens).toHaveLength(1);
  });

  it('ends the session here also when a relying party never answers', async () => {
    await start({ allowPrivateNetworks: true });
    listener.status = undefined;
    await logOutWith('told', 'told-too');
    expect(listener.tokens).toHaveLength(2);
  });

  it('[PL-07] calls no private address unless allowed, and logs out all the same', async () => {
    await start({ allowPrivateNetworks: false });
    await logOutWith('told', 'told-too');
    expect(listener.tokens).toEqual([]);
  });
});

async function listen(): Promise<Listener> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      listener.tokens.push(new URLSearchParams(body).get('logout_token') ?? '');
      if (listener.status !== undefined) response.writeHead(listener.status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, tokens: [], server, status: 200 };
}

async function close({ server }: Listener): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
