/** Whatever signs nothing, or signs by a key of the sender's choice, is believed nowhere, and leads us to nobody. */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as jose from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { type Party, createParty } from '../support/login.ts';
import { type Testbed, deploymentKeys, redirectUri, startTestbed } from '../support/testbed.ts';
import { type Genuine, forgeries, signGenuine } from './forgeries.ts';
import { answerOf, bearer, changed, newRequest, post, reply, signedIn } from './support.ts';

let bed: Testbed;
let party: Party;
let ana: TestBrowser;
let elsewhere: string;
let asked = 0;
/** Of the relying party `keyed`, for its assertions and requests alike. */
let key: jose.JWK;
let secondary: jose.JWK;
let idToken: string;
let ownKeys: jose.JWK[];

beforeAll(async () => {
  const server = createServer((_req, res) => {
    asked += 1;
    res.end('{"keys":[]}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  elsewhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  [key, secondary] = [await newKey('ES256', 'mine'), await newKey('RS256', 'theirs')] as const;
  bed = await startTestbed({
    flags: { outgoing: { allowPrivateNetworks: true } },
    clients: [keyedClient('keyed', key), keyedClient('keyed-by-rsa', secondary)],
  });
  party = await createParty(bed);
  ana = await signedIn(bed);
  const request = await party.begin();
  const tokens = await request.finish((await ana.get(request.url)).location ?? '');
  idToken = tokens.id_token ?? '';
  ownKeys = (await deploymentKeys()).jwks.keys;
  return () => server.close();
});
afterAll(() => bed.close());
afterEach(() => {
  expect(asked, 'requests for keys').toBe(0);
});

async function newKey(alg: string, kid: string): Promise<jose.JWK> {
  const { privateKey } = await jose.generateKeyPair(alg, { extractable: true });
  return { ...(await jose.exportJWK(privateKey)), kid, alg };
}

function keyedClient(client_id: string, jwk: jose.JWK): object {
  const { kty, crv, x, y, n, e, kid, alg } = jwk;
  return {
    ...{ client_id, first_party: true, redirect_uris: [redirectUri] },
    grant_types: ['authorization_code', 'client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ kty, crv, x, y, n, e, kid, alg }] },
  };
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** Each use of a JWT: one that is genuine, what is done with it, and how it shows that it was believed. */
interface Use {
  genuine(): Promise<Genuine>;
  /** @returns undefined when it was believed, else the error that was told. */
  show(jwt: string): Promise<string | undefined>;
  error: RegExp;
}

async function errorOfRedirect(url: string): Promise<string | undefined> {
  const { status, location } = await ana.get(url);
  // For a response type with a token the answer would stand behind the hash.
  return status === 400 ? 'page' : answerOf(location?.replace('#', '?')).error;
}

function hint(): Genuine {
  const header = jose.decodeProtectedHeader(idToken) as Genuine['header'];
  const own = ownKeys.find(({ kid }) => kid === header.kid);
  if (!own) throw new Error('signed by another key');
  return { header, payload: { ...jose.decodeJwt(idToken) }, key: own };
}

const assertionOf = (clientId: string, jwk: jose.JWK): Genuine => ({
  header: { alg: jwk.alg ?? '', kid: jwk.kid },
  payload: {
    ...{ iss: clientId, sub: clientId, aud: bed.issuer, jti: randomUUID() },
    exp: seconds() + 60,
  },
  key: jwk,
});

async function requestOf(clientId: string, jwk: jose.JWK): Promise<Genuine> {
  const { parameters } = await newRequest({ client_id: clientId, response_type: 'code' });
  const payload = { ...parameters, iss: clientId, aud: bed.issuer, exp: seconds() + 60 };
  return {
    header: { alg: jwk.alg ?? '', kid: jwk.kid, typ: 'oauth-authz-req+jwt' },
    payload,
    key: jwk,
  };
}

const assertionType = {
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
};

async function showAssertion(jwt: string): Promise<string | undefined> {
  const fields = { ...assertionType, client_assertion: jwt };
  const { status, json } = await post(`${bed.issuer}/token`, {
    ...{ grant_type: 'client_credentials', ...fields },
  });
  return status === 200 ? undefined : String(json.error);
}

const showRequest =
  (clientId: string) =>
  (request: string): Promise<string | undefined> => {
    const outside = { client_id: clientId, response_type: 'code', redirect_uri: redirectUri };
    const query = { ...outside, scope: 'openid', request };
    return errorOfRedirect(`${bed.issuer}/auth?${new URLSearchParams(query).toString()}`);
  };

let boundToken: string;

async function proof(): Promise<Genuine> {
  const { d: _, kid: __, alg: ___, ...jwk } = key;
  const header = { alg: 'ES256', typ: 'dpop+jwt', jwk };
  const common = { jti: randomUUID(), iat: seconds() };
  if (!boundToken) {
    const payload = { ...common, htm: 'POST', htu: `${bed.issuer}/token` };
    const response = await fetch(`${bed.issuer}/token`, {
      method: 'POST',
      headers: { dpop: signGenuine({ header, payload, key }) },
      body: new URLSearchParams(await codeOf('spa')),
    });
    boundToken = String((await reply(response)).json.access_token);
  }
  const ath = createHash('sha256').update(boundToken).digest('base64url');
  const payload = { ...common, jti: randomUUID(), htm: 'GET', htu: `${bed.issuer}/me`, ath };
  return { header, payload, key };
}

async function codeOf(client_id: string): Promise<Record<string, string>> {
  const redirect_uri = 'http://spa.localhost:9/callback';
  const asking = { client_id, response_type: 'code', redirect_uri };
  const { parameters, checks } = await newRequest(asking);
  const query = new URLSearchParams(parameters).toString();
  const { code = '' } = answerOf((await ana.get(`${bed.issuer}/auth?${query}`)).location);
  const code_verifier = checks.pkceCodeVerifier ?? '';
  return { grant_type: 'authorization_code', client_id, code, redirect_uri, code_verifier };
}

const uses: Record<string, Use> = {
  'as a hint of whom a request is about': {
    genuine: () => Promise.resolve(hint()),
    show: async (id_token_hint) =>
      errorOfRedirect(await changed(party, { id_token_hint, prompt: 'none' })),
    error: /^invalid_request$/,
  },
  'as a hint of who signs out': {
    genuine: () => Promise.resolve(hint()),
    async show(id_token_hint) {
      const query = new URLSearchParams({ id_token_hint }).toString();
      const { status } = await ana.get(`${bed.issuer}/session/end?${query}`);
      return status === 200 ? undefined : 'page';
    },
    error: /^page$/,
  },
  'as an assertion': {
    genuine: () => Promise.resolve(assertionOf('keyed', key)),
    show: showAssertion,
    // What is no JWT at all is a broken request.
    error: /^invalid_(client|request)$/,
  },
  'as an assertion by RSA': {
    genuine: () => Promise.resolve(assertionOf('keyed-by-rsa', secondary)),
    show: showAssertion,
    // What is no JWT at all is a broken request.
    error: /^invalid_(client|request)$/,
  },
  'as a request': {
    genuine: () => requestOf('keyed', key),
    show: showRequest('keyed'),
    error: /^invalid_request_object$/,
  },
  'as a request by RSA': {
    genuine: () => requestOf('keyed-by-rsa', secondary),
    show: showRequest('keyed-by-rsa'),
    error: /^invalid_request_object$/,
  },
  'as a request that is pushed': {
    genuine: () => requestOf('keyed', key),
    async show(request) {
      const assertion = signGenuine(assertionOf('keyed', key));
      const fields = { ...assertionType, client_assertion: assertion, client_id: 'keyed', request };
      const { status, json } = await post(`${bed.issuer}/request`, fields);
      return status === 201 ? undefined : String(json.error);
    },
    error: /^invalid_request(_object)?$/,
  },
  'as a proof of a key': {
    genuine: proof,
    async show(dpop) {
      const headers = { ...bearer(boundToken, 'DPoP'), dpop };
      const { status, json } = await reply(await fetch(`${bed.issuer}/me`, { headers }));
      return status === 200 ? undefined : String(json.error);
    },
    // One by another key is a right proof, and not that of this token.
    error: /^invalid_(dpop_proof|token)$/,
  },
};

describe.each(Object.entries(uses))('[PR-09] [PR-08] a JWT that is shown %s', (_, use) => {
  it('is believed when it is genuine', async () => {
    expect(await use.show(signGenuine(await use.genuine()))).toBeUndefined();
  });

  it('is not believed when it is forged, and no key is fetched for it', async () => {
    const told = new Map<string, string | undefined>();
    for (const [name, jwt] of forgeries(await use.genuine(), elsewhere)) {
      told.set(name, await use.show(jwt));
    }
    expect(told.size).toBeGreaterThan(30);
    const other = [...told].filter(([, error]) => !use.error.test(error ?? ''));
    expect(other).toEqual([]);
  });
});

describe('[PR-09] a JWT that is genuine, and another one than is asked for,', () => {
  const typed = ({ header, payload, key: own }: Genuine, typ: string, more: object = {}): string =>
    signGenuine({ header: { ...header, typ }, payload: { ...payload, ...more }, key: own });

  it.each(['logout+jwt', 'application/logout+jwt', 'LOGOUT+JWT', 'at+jwt', 'x'])(
    'is no hint: %s',
    async (typ) => {
      const token = typed(hint(), typ);
      for (const use of Object.values(uses).slice(0, 2)) {
        expect(await use.show(token)).toMatch(use.error);
      }
    },
  );

  it.each(['oauth-authz-req+jwt', 'dpop+jwt', 'logout+jwt'])('is no assertion: %s', async (typ) => {
    expect(await showAssertion(typed(assertionOf('keyed', key), typ))).toBe('invalid_client');
  });

  it('is no request when it could pass for an assertion', async () => {
    const show = showRequest('keyed');
    const genuine = await requestOf('keyed', key);
    for (const token of [
      typed(genuine, 'client-authentication+jwt'),
      typed(genuine, 'dpop+jwt'),
      typed(genuine, 'JWT', { sub: 'keyed' }),
    ]) {
      expect(await show(token)).toBe('invalid_request_object');
    }
  });

  it('may have no type, or that of its kind', async () => {
    for (const typ of ['JWT', 'jwt', 'client-authentication+jwt']) {
      expect(await showAssertion(typed(assertionOf('keyed', key), typ))).toBeUndefined();
    }
    expect(await showRequest('keyed')(typed(await requestOf('keyed', key), 'JWT'))).toBeUndefined();
  });
});

describe('[PR-08] a request object', () => {
  it('is for us alone, from the client itself, and in time', async () => {
    const genuine = await requestOf('keyed', key);
    for (const wrong of [
      { aud: 'https://elsewhere.example' },
      { iss: 'first' },
      { client_id: 'first' },
      { exp: seconds() - 60 },
      { nbf: seconds() + 120 },
      { response_type: 'token' },
      { request_uri: elsewhere },
      { request: 'x' },
    ]) {
      const payload = { ...genuine.payload, ...wrong };
      const told = await showRequest('keyed')(signGenuine({ ...genuine, payload }));
      expect({ wrong, told }).toEqual({
        wrong,
        told: expect.stringMatching(/^(invalid_request(_object)?|page)$/) as string,
      });
    }
  });

  it('says what is asked, whatever stands beside it', async () => {
    const genuine = await requestOf('keyed', key);
    const request = signGenuine(genuine);
    const beside = { ...genuine.payload, state: 'beside', nonce: 'beside', scope: 'openid groups' };
    const query = new URLSearchParams({ ...(beside as Record<string, string>), request });
    const { location } = await ana.get(`${bed.issuer}/auth?${query.toString()}`);
    expect(answerOf(location)).toMatchObject({ state: genuine.payload.state });
    expect(answerOf(location)).toHaveProperty('code');
  });

  it('is not fetched, wherever an address is named', async () => {
    const { parameters } = await newRequest({ client_id: 'spa', response_type: 'code' });
    const query = new URLSearchParams({ ...parameters, request_uri: elsewhere }).toString();
    expect(await errorOfRedirect(`${bed.issuer}/auth?${query}`)).toMatch(/page|request_uri/);
    const fields = { ...parameters, request_uri: elsewhere };
    const pushed = await post(`${bed.issuer}/request`, fields);
    expect(pushed).toMatchObject({ status: 400, json: { error: 'request_uri_not_supported' } });
  });
});
