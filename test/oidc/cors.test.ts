import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBrowser, createParty } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { basic, bearer, changed, newRequest, post, signedIn } from './support.ts';

const page = { origin: 'http://spa.localhost:9', redirectUri: 'http://spa.localhost:9/callback' };
let bed: Testbed;
let token: string;
let houseToken: string;

beforeAll(async () => {
  bed = await startTestbed();
  const ana = await signedIn(bed);
  const spa = await createParty(bed, 'spa', page.redirectUri);
  const request = await spa.begin();
  token = (await request.finish((await ana.get(request.url)).location ?? '')).access_token;
  const house = await (await createParty(bed)).begin();
  houseToken = (await house.finish((await ana.get(house.url)).location ?? '')).access_token;
});
afterAll(() => bed.close());

const allowed = 'access-control-allow-origin';

function exchange(clientId: string, origin: string, more: Record<string, string> = {}) {
  const fields = { grant_type: 'authorization_code', code: 'x', client_id: clientId };
  const redirect = { redirect_uri: page.redirectUri, code_verifier: 'a'.repeat(43) };
  return post(`${bed.issuer}/token`, { ...fields, ...redirect }, { origin, ...more });
}

function userinfo(bearerToken: string, origin: string): Promise<Response> {
  return fetch(`${bed.issuer}/me`, { headers: { ...bearer(bearerToken), origin } });
}

describe('[PR-22] a page without a secret', () => {
  it('may read the answers of token and userinfo from its own origin', async () => {
    expect((await exchange('spa', page.origin)).headers.get(allowed)).toBe(page.origin);
    const about = await userinfo(token, page.origin);
    expect(about.status).toBe(200);
    expect(about.headers.get(allowed)).toBe(page.origin);
    expect(about.headers.get('vary')).toContain('Origin');
  });

  it.each([
    'http://spa.localhost:10',
    'https://spa.localhost:9',
    'http://localhost:9',
    'http://evil.example',
    'null',
  ])('may not from %s', async (origin) => {
    for (const answer of [await exchange('spa', origin), await userinfo(token, origin)]) {
      expect(answer.status).toBe(400);
      expect(answer.headers.get(allowed)).toBeNull();
    }
  });
});

it('[PR-22] a client with a secret has no business in a page, on whichever origin', async () => {
  for (const origin of ['http://localhost:9', page.origin]) {
    const headers = { origin, ...basic('first', bed.clientSecret) };
    const fields = { grant_type: 'client_credentials' };
    const answer = await post(`${bed.issuer}/token`, fields, headers);
    expect(answer.status).toBe(400);
    expect(answer.headers.get(allowed)).toBeNull();
    expect((await userinfo(houseToken, origin)).headers.get(allowed)).toBeNull();
  }
});

it('[PR-22] a pre-flight lets nobody send cookies', async () => {
  for (const path of ['/token', '/me', '/token/revocation', '/request']) {
    const preflight = await fetch(`${bed.issuer}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin: page.origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,dpop',
      },
    });
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
    expect(preflight.headers.get(allowed)).not.toBe('*');
  }
});

it('[PR-22] keys and discovery are for everybody, and never with cookies', async () => {
  for (const path of ['/jwks', '/.well-known/openid-configuration']) {
    const { headers } = await fetch(`${bed.issuer}${path}`, { headers: { origin: page.origin } });
    expect(['*', page.origin]).toContain(headers.get(allowed));
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  }
});

it('[PR-22] what a browser itself walks through is not read by other origins', async () => {
  const browser = createBrowser();
  const party = await createParty(bed);
  const started = await browser.get((await party.begin()).url);
  const { origin, pathname } = new URL(started.location ?? '');
  const interaction = origin + pathname;
  const addresses = [
    await changed(party, {}),
    started.location ?? '',
    interaction,
    `${interaction}/state`,
    `${interaction}/events`,
    `${interaction}/didit/AAAA`,
    `${interaction}/resume`,
    `${bed.issuer}/webhooks/didit`,
    `${bed.issuer}/session/end`,
    `${bed.issuer}/session/end/confirm`,
    `${bed.issuer}/nothing`,
  ];
  const cors = { origin: page.origin, 'access-control-request-method': 'POST' };
  for (const address of addresses) {
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const abort = new AbortController();
      const answer = await fetch(address, {
        ...{ method, redirect: 'manual', signal: abort.signal },
        headers: { ...cors, cookie: await browser.jar.getCookieString(address) },
      });
      const names = [...answer.headers.keys()].filter((name) => name.startsWith('access-control-'));
      expect({ address, method, names }).toEqual({ address, method, names: [] });
      // The event stream would go on for ever.
      abort.abort();
    }
  }
});

it('[PR-22] a code is not handed to a script: the redirect itself cannot be read', async () => {
  const { parameters } = await newRequest({ redirect_uri: page.redirectUri, client_id: 'spa' });
  const query = new URLSearchParams({ ...parameters, response_type: 'code', prompt: 'none' });
  const answer = await fetch(`${bed.issuer}/auth?${query.toString()}`, {
    redirect: 'manual',
    headers: { origin: page.origin },
  });
  expect(answer.status).toBe(303);
  expect(answer.headers.get(allowed)).toBeNull();
});

it('an app with a scheme of its own opens nothing to pages without an origin', async () => {
  const native = {
    client_id: 'native',
    application_type: 'native',
    redirect_uris: ['com.example.app:/callback'],
    token_endpoint_auth_method: 'none',
  };
  const other = await startTestbed({ clients: [native] });
  try {
    const fields = { grant_type: 'authorization_code', code: 'x', client_id: 'native' };
    const answer = await post(`${other.issuer}/token`, fields, { origin: 'null' });
    expect(answer.headers.get(allowed)).toBeNull();
  } finally {
    await other.close();
  }
});
