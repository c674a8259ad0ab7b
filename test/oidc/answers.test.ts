/** What every answer has in common: headers, our own pages, nothing about our insides. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { authorizationByPost } from '../../src/oidc/authorization-by-post.ts';
import { type Answer, type TestBrowser, formsOf } from '../support/browser.ts';
import { type Party, createBrowser, createParty, heading, press } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { basic, bearer, changed, signedIn } from './support.ts';

let bed: Testbed;
let party: Party;
let ana: TestBrowser;

beforeAll(async () => {
  bed = await startTestbed({
    flags: { dynamicRegistration: { enabled: true, initialAccessToken: randomKey() } },
  });
  party = await createParty(bed);
  ana = await signedIn(bed);
});
afterAll(() => bed.close());

const locked =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
const everywhere = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};
/** A form here leads on to Didit or to a relying party, and a popup login needs its opener. */
const leadingAway = {
  ...everywhere,
  'cache-control': 'no-store',
  'content-security-policy': locked,
  'cross-origin-opener-policy': undefined,
};
/** The page before the selfie says whether there is a camera. */
const beforeSelfie = {
  ...leadingAway,
  'permissions-policy': 'camera=(self), microphone=(), geolocation=()',
};
const program = {
  ...everywhere,
  'cache-control': 'no-store',
  'content-security-policy': `${locked}; form-action 'self'`,
  'cross-origin-opener-policy': 'same-origin',
};
const published = { ...program, 'cache-control': 'public, max-age=300' };

type Ask = () => Promise<{ status: number; headers: Headers }>;
const to =
  (path: string, init: RequestInit = {}): Ask =>
  () =>
    fetch(`${bed.issuer}${path}`, { redirect: 'manual', ...init });
const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: new URLSearchParams(fields),
  headers,
});
const asFirst = (): Record<string, string> => basic('first', bed.clientSecret);

const none = { prompt: 'none', max_age: '0' };
const grant = { grant_type: 'client_credentials' };
const x = { token: 'x' };
const asked = {
  method: 'OPTIONS',
  headers: { 'access-control-request-method': 'GET', origin: 'https://a.example' },
};
const json = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } };

describe('[PL-09] [PR-25] headers of', () => {
  it.each<[string, number, object, Ask]>([
    ['a code on its way', 303, leadingAway, async () => ana.get((await party.begin()).url)],
    [
      'an interaction',
      303,
      leadingAway,
      async () => createBrowser().get((await party.begin()).url),
    ],
    ['an error redirect', 303, leadingAway, async () => ana.get(await changed(party, none))],
    ['an error page', 400, leadingAway, to('/auth?client_id=nobody')],
    ['a page of the login', 200, beforeSelfie, () => identifyPage()],
    ['a step of the login', 303, leadingAway, () => identified()],
    ['an interaction that is not yours', 400, beforeSelfie, to('/interaction/AAAA')],
    ['a return from Didit by a stranger', 403, leadingAway, to('/interaction/AAAA/didit/BBBB')],
    ['the state of a login', 404, leadingAway, to('/interaction/AAAA/state')],
    ['the logout question', 200, leadingAway, () => ana.get(`${bed.issuer}/session/end`)],
    ['a logout', 400, leadingAway, to('/session/end/confirm', form({ xsrf: 'x' }))],
    ['the end of a logout', 200, leadingAway, to('/session/end/success')],
    ['tokens', 200, program, () => to('/token', form(grant, asFirst()))()],
    [
      'a refused token request',
      400,
      program,
      to('/token', form({ grant_type: 'client_credentials' })),
    ],
    ['userinfo', 401, program, to('/me', { headers: bearer('x') })],
    ['introspection', 200, program, () => to('/token/introspection', form(x, asFirst()))()],
    ['revocation', 200, program, () => to('/token/revocation', form(x, asFirst()))()],
    ['a pushed request', 400, program, () => to('/request', form(x, asFirst()))()],
    ['keys', 200, published, to('/jwks')],
    ['discovery', 200, published, to('/.well-known/openid-configuration')],
    ['discovery by its other name', 200, published, to('/.well-known/oauth-authorization-server')],
    ['a question of another origin', 204, program, to('/jwks', asked)],
    ['the same about tokens', 404, program, to('/token', { method: 'OPTIONS' })],
    ['a registration', 401, program, to('/reg', json)],
    ['what was registered', 401, program, to('/reg/x', { headers: bearer('x') })],
    ['a webhook', 401, program, to('/webhooks/didit', json)],
    ['a webhook that is fetched', 405, program, to('/webhooks/didit')],
    ['a webhook of another type', 415, program, to('/webhooks/didit', form(x))],
    ['a request by form', 303, leadingAway, to('/auth', form({ client_id: 'nobody' }))],
    ['one that is too long', 413, leadingAway, to('/auth', form({ x: 'x'.repeat(20_000) }))],
    ['a way back to the app', 400, leadingAway, to('/auth/AAAA')],
    ['a form of another site', 403, leadingAway, to('/interaction/AAAA/selfie', form({}))],
    ['a page that waits', 404, leadingAway, to('/interaction/AAAA/events')],
    ['what is no asset', 404, program, to('/assets/x')],
    ['nothing', 404, program, to('/nothing')],
    ['nothing that is posted', 404, program, to('/nothing', form({}))],
  ])('%s', async (_, status, expected, ask) => {
    const answer = await ask();
    const names = Object.keys(expected);
    const headers = Object.fromEntries(
      names.map((name) => [name, answer.headers.get(name) ?? undefined]),
    );
    expect({ status: answer.status, ...headers }).toEqual({ status, ...expected });
    expect(answer.headers.get('x-powered-by') ?? answer.headers.get('server')).toBeNull();
  });

  it('styles and scripts may be kept for ever', async () => {
    const href = /href="(\/assets\/[^"]+)"/.exec((await identifyPage()).text)?.[1] ?? '';
    const { headers } = await fetch(`${bed.issuer}${href}`);
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

async function identifyPage(browser = createBrowser()): Promise<Answer> {
  return browser.follow(await browser.get((await party.begin()).url));
}

async function identified(): Promise<Answer> {
  const browser = createBrowser();
  const page = await identifyPage(browser);
  return press(browser, page, 'identify', { identifier: 'ana@example.com' });
}

describe('an error', () => {
  const insides = /node_modules|\.ts\b|\.js:|at \w+ \(|oidc-provider|\bkoa\b|\/work\/|Error:/i;

  it.each([
    ['of an unknown client', '/auth?client_id=nobody&response_type=code&scope=openid'],
    ['of a client with a null', '/auth?client_id=%00'],
    ['of a request that came twice', '/auth?client_id=first&client_id=second'],
    ['of an interaction that is over', '/auth/AAAA'],
    ['of a logout for nobody', '/session/end?client_id=nobody'],
    ['of a logout by a forged hint', '/session/end?id_token_hint=x.y.z'],
    ['of a page that is not there', '/nothing'],
    ['of a path that does not decode', '/interaction/%E0%A4%A'],
    ['of one that climbs', '/assets/../../package.json'],
  ])('%s is a page of ours with a reference, and JSON for a program', async (_, path) => {
    const page = await createBrowser().get(`${bed.issuer}${path}`);
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.status).toBeLessThan(500);
    expect(heading(page)).not.toBe('');
    expect(page.text).toMatch(/<code>[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}<\/code>/);
    const headers = { accept: 'application/json' };
    const json = await fetch(`${bed.issuer}${path}`, { headers });
    expect(json.status).toBe(page.status);
    const text = await json.text();
    expect(JSON.parse(text)).toHaveProperty('error');
    for (const body of [page.text, text]) expect(body).not.toMatch(insides);
  });

  it('[PL-14] never repeats what was sent without escaping it', async () => {
    const payload = '"><script>alert(1)</script>';
    for (const parameter of ['client_id', 'scope', 'login_hint', 'ui_locales', 'redirect_uri']) {
      const { text } = await createBrowser().get(await changed(party, { [parameter]: payload }));
      expect(text).not.toContain(payload);
    }
    const hinted = await createBrowser().get(await changed(party, { login_hint: payload }));
    expect(hinted.status).toBe(303);
  });

  it('[PR-17] of a request too deep, too long or not Unicode is no failure of ours', async () => {
    const deep = `${'{"a":'.repeat(64)}1${'}'.repeat(64)}`;
    const corpus = [
      { claims: deep },
      { claims: '[]' },
      { claims: '{"id_token":[]}' },
      { claims: '{"id_token":{"acr":"x","sub":"y"}}' },
      { claims: '{"id_token":{"__proto__":{"polluted":1}}}' },
      { state: 'a'.repeat(8192) },
      { max_age: '-1' },
      { scope: '\u0000' },
      { prompt: 'none login' },
      { id_token_hint: 'x' },
    ];
    for (const changes of corpus) {
      const { status } = await ana.get(await changed(party, changes));
      expect({ changes, ok: status < 500 }).toEqual({ changes, ok: true });
    }
    expect((await ana.get(`${await changed(party, {})}&nonce=%ED%A0%80`)).status).toBeLessThan(500);
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('response_mode=form_post', () => {
  it('posts the answer by the one script that our policy lets through', async () => {
    const page = await ana.get(await changed(party, { response_mode: 'form_post' }));
    expect(page.status).toBe(200);
    const [answer] = formsOf(page);
    expect(answer?.action).toBe('http://localhost:9/callback');
    expect(Object.keys(answer?.fields ?? {}).toSorted()).toEqual(['code', 'iss', 'state']);
    const script = /<script>([\s\S]*?)<\/script>/.exec(page.text)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', Buffer.from(script));
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain(`'sha256-${Buffer.from(digest).toString('base64')}'`);
    expect(policy).not.toMatch(/unsafe-inline|form-action/);
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  it('works for errors as well', async () => {
    const page = await createBrowser().get(
      await changed(party, { response_mode: 'form_post', prompt: 'none' }),
    );
    expect(formsOf(page)[0]?.fields.error).toBe('login_required');
  });

  it.each(['fragment', 'web_message', 'query.jwt', 'jwt'])(
    '%s carries no code by itself',
    async (mode) => {
      const { location = '' } = await ana.get(await changed(party, { response_mode: mode }));
      expect(new URL(location || 'http://none/').searchParams.get('code')).toBeNull();
    },
  );
});

it('a request by POST (OpenID Connect Core 3.1.2.1) becomes the same by GET', async () => {
  const app = new Koa().use(authorizationByPost);
  const server = app.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { search, searchParams } = new URL((await party.begin()).url);
    const init = form(Object.fromEntries(searchParams));
    const answer = await fetch(`http://127.0.0.1:${port}/auth`, { ...init, redirect: 'manual' });
    expect(answer.status).toBe(303);
    const location = new URL(answer.headers.get('location') ?? '', bed.issuer);
    expect(location.pathname).toBe('/auth');
    expect([...location.searchParams]).toEqual([...new URLSearchParams(search)]);
    expect((await ana.get(location.href)).location).toContain('code=');
    const elsewhere = await fetch(`http://127.0.0.1:${port}/token`, init);
    expect(elsewhere.status).toBe(404);
  } finally {
    server.close();
  }
});
