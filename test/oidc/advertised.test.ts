/**
 * Discovery is honest (RFC 8414): all that it says works, and of its kind nothing else does. The tests are made from
 * the metadata itself, so what is added there without a row here fails.
 */
import { randomUUID } from 'node:crypto';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { satisfies } from '../../src/domain/assurance.ts';
import { type TestBrowser, createBrowser, formsOf } from '../support/browser.ts';
import { createDevice, signInWith } from '../support/device.ts';
import { createParty, heading, isCallback, press, settle } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { redirectUri, startTestbed } from '../support/testbed.ts';
import { equip, signInByCodes } from '../support/ways.ts';
import {
  type HandMade,
  answerOf,
  basic,
  newRequest,
  overHttp,
  post,
  signedIn,
  userinfo,
} from './support.ts';

const initialAccessToken = randomKey();
const bed = await startTestbed({
  storeUrl: await freshRedis(),
  people: 3,
  flags: { dynamicRegistration: { enabled: true, initialAccessToken } },
});
afterAll(() => bed.close());
const ana = await signedIn(bed);
const discovery = `${bed.issuer}/.well-known/openid-configuration`;
const metadata = (await (await fetch(discovery)).json()) as Record<string, unknown>;

interface Row {
  /** Others of the kind, that software out there knows. */
  others: readonly string[];
  /** @returns what shows that it worked: the same for each. */
  works(value: string): Promise<unknown>;
  /** @returns what shows that it did not. */
  fails?(value: string): Promise<unknown>;
}

const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
  ...['Ed25519', 'EdDSA', 'HS256', 'HS384', 'HS512', 'none'],
];

interface Registered {
  client_id: string;
  client_secret?: string;
}

async function register(more: object): Promise<Registered | 'refused'> {
  const common = { application_type: 'native', redirect_uris: [redirectUri] };
  const response = await fetch(`${bed.issuer}/reg`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${initialAccessToken}`,
    },
    body: JSON.stringify({ ...common, token_endpoint_auth_method: 'none', ...more }),
  });
  const body = (await response.json()) as Registered & { error?: string };
  if (response.status === 201) return body;
  expect(body.error).toBe('invalid_client_metadata');
  return 'refused';
}

async function registered(more: object): Promise<Registered> {
  const made = await register(more);
  if (made === 'refused') throw new Error('the registration was refused');
  return made;
}

/** Keys for an algorithm, as the client signs with them and as it registers them. */
async function keysFor(alg: string): Promise<{ key: jose.CryptoKey | Uint8Array; jwks: object }> {
  if (alg.startsWith('HS') || alg === 'none') {
    return { key: Buffer.from('x'.repeat(64)), jwks: { keys: [] } };
  }
  const { privateKey, publicKey } = await jose.generateKeyPair(alg);
  return { key: privateKey, jwks: { keys: [{ ...(await jose.exportJWK(publicKey)), alg }] } };
}

async function signed(
  payload: object,
  header: jose.JWTHeaderParameters,
  key: jose.CryptoKey | Uint8Array,
): Promise<string> {
  if (header.alg === 'none') return new jose.UnsecuredJWT({ ...payload }).encode();
  return new jose.SignJWT({ ...payload }).setProtectedHeader(header).sign(key);
}

async function signedInByCodes(): Promise<TestBrowser> {
  const [browser, address, store] = [createBrowser(), bed.person(), await bed.openStore()];
  const { app } = await equip(store, address);
  await store.close();
  const request = await (await createParty(bed)).begin();
  await request.finish(await signInByCodes(bed, browser, request, { address, app: app() }));
  return browser;
}

/** A second selfie, in a browser that has its key from the first. */
async function signedInWithKey(): Promise<TestBrowser> {
  const [browser, device, person] = [createBrowser(), createDevice(), bed.person()];
  const party = await createParty(bed);
  for (const parameters of [{}, { prompt: 'login' }]) {
    const request = await party.begin(parameters);
    await request.finish(await signInWith(browser, request, person, device));
  }
  return browser;
}

async function signedInFor(value: string): Promise<TestBrowser> {
  if (value.includes(':fallback')) return signedInByCodes();
  return value.includes(':selfie-device') ? signedInWithKey() : ana;
}

const seconds = (): number => Math.floor(Date.now() / 1000);

/** By single sign-on, and with a yes to the question. @returns the last answer, whose location is the app's. */
async function authorize(parameters: Record<string, string>, browser: TestBrowser = ana) {
  const query = new URLSearchParams(parameters).toString();
  const answer = await settle(browser, await browser.get(`${bed.issuer}/auth?${query}`));
  if (!heading(answer).startsWith('Share this with')) return answer;
  return settle(browser, await press(browser, answer, 'allow'));
}

async function tokensOf(
  { client_id, client_secret }: Registered,
  authentication: oidc.ClientAuth = oidc.None(),
  more: Record<string, string> = {},
  browser: TestBrowser = ana,
): ReturnType<typeof oidc.authorizationCodeGrant> {
  const issuer = new URL(bed.issuer);
  const config = await oidc.discovery(
    issuer,
    client_id,
    { client_secret: client_secret ?? '', ...algOf(client_id) },
    authentication,
    overHttp,
  );
  const { parameters, checks } = await asking(client_id, more);
  const { location = '' } = await authorize(parameters, browser);
  return oidc.authorizationCodeGrant(config, new URL(location), checks);
}

/** What a relying party that registered another algorithm tells its library. */
const algs = new Map<string, string>();
const algOf = (clientId: string): Partial<oidc.ClientMetadata> => {
  const id_token_signed_response_alg = algs.get(clientId);
  return id_token_signed_response_alg ? { id_token_signed_response_alg } : {};
};

const asking = (client_id: string, more: Record<string, string> = {}): Promise<HandMade> =>
  newRequest({ client_id, response_type: 'code', ...more });

const assertionType = {
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
};

async function assertionBy(clientId: string, alg: string, key: jose.CryptoKey | Uint8Array) {
  const who = { iss: clientId, sub: clientId, aud: bed.issuer };
  return signed({ ...who, jti: randomUUID(), exp: seconds() + 60 }, { alg }, key);
}

const authMethods: Record<string, () => Promise<unknown>> = {
  client_secret_basic: () => authenticated('client_secret_basic', oidc.ClientSecretBasic),
  client_secret_post: () => authenticated('client_secret_post', oidc.ClientSecretPost),
  none: () => authenticated('none', oidc.None),
  async private_key_jwt() {
    const { key, jwks } = await keysFor('ES256');
    const client = await registered({ token_endpoint_auth_method: 'private_key_jwt', jwks });
    const tokens = await tokensOf(client, oidc.PrivateKeyJwt(key as jose.CryptoKey));
    return tokens.token_type;
  },
};

async function authenticated(
  token_endpoint_auth_method: string,
  how: (secret?: string) => oidc.ClientAuth,
): Promise<string> {
  const client = await registered({ token_endpoint_auth_method });
  return (await tokensOf(client, how(client.client_secret))).token_type;
}

const first = await createParty(bed);
const asFirst = basic('first', bed.clientSecret);
const grants: Record<string, () => Promise<{ token_type: string }>> = {
  authorization_code: async () => tokensOf(await registered({})),
  client_credentials: () => oidc.clientCredentialsGrant(first.config),
  async refresh_token() {
    const request = await first.begin();
    const tokens = await request.finish((await ana.get(request.url)).location ?? '');
    return oidc.refreshTokenGrant(first.config, tokens.refresh_token ?? '');
  },
};

/** Where the answer to a request of `first` is found, by the way that it came. */
async function answerBy(parameters: Record<string, string>): Promise<URLSearchParams> {
  const asked = { ...(await asking('first')).parameters, ...parameters };
  const { location = '', ...page } = await authorize(asked);
  if (location !== '') {
    expect(isCallback(location)).toBe(true);
    return new URLSearchParams(location.slice(redirectUri.length + 1));
  }
  return new URLSearchParams(formsOf({ ...page, location: undefined })[0]?.fields);
}

const errorBy = async (parameters: Record<string, string>): Promise<string | null> =>
  (await answerBy(parameters)).get('error');

const rows: Record<string, Row> = {
  id_token_signing_alg_values_supported: {
    others: algorithms,
    async works(alg) {
      const client = await registered({ id_token_signed_response_alg: alg });
      algs.set(client.client_id, alg);
      const { id_token: token = '' } = await tokensOf(client);
      const keys = jose.createRemoteJWKSet(new URL(String(metadata.jwks_uri)));
      const { protectedHeader } = await jose.jwtVerify(token, keys, { issuer: bed.issuer });
      expect(protectedHeader.alg).toBe(alg);
    },
    fails: async (alg) => {
      const client_secret = { token_endpoint_auth_method: 'client_secret_basic' };
      const refused = await register({ ...client_secret, id_token_signed_response_alg: alg });
      expect(refused).toBe('refused');
    },
  },

  request_object_signing_alg_values_supported: {
    others: algorithms,
    works: async (alg) => expect(await signedRequest(alg, true)).toBeNull(),
    async fails(alg) {
      const { jwks } = await keysFor('ES256');
      expect(await register({ request_object_signing_alg: alg, jwks })).toBe('refused');
      expect(await signedRequest(alg, false)).toBe('invalid_request_object');
    },
  },

  token_endpoint_auth_methods_supported: {
    others: [
      ...['client_secret_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
      ...['attest_jwt_client_auth', 'attest_jwt_client_auth_dpop'],
    ],
    works: async (method) => expect(await authMethods[method]?.()).toBe('bearer'),
    fails: async (method) =>
      expect(await register({ token_endpoint_auth_method: method })).toBe('refused'),
  },

  token_endpoint_auth_signing_alg_values_supported: {
    others: algorithms,
    works: async (alg) => expect(await asserted(alg, true)).toBe(200),
    async fails(alg) {
      const { jwks } = await keysFor('ES256');
      const keyed = { token_endpoint_auth_method: 'private_key_jwt', jwks };
      expect(await register({ ...keyed, token_endpoint_auth_signing_alg: alg })).toBe('refused');
      expect(await asserted(alg, false)).toBe(401);
    },
  },

  dpop_signing_alg_values_supported: {
    others: algorithms,
    works: async (alg) => expect((await proven(alg)).token_type).toBe('DPoP'),
    fails: async (alg) => expect((await proven(alg)).error).toBe('invalid_dpop_proof'),
  },

  grant_types_supported: {
    others: [
      ...['implicit', 'password', 'urn:ietf:params:oauth:grant-type:device_code'],
      ...['urn:openid:params:grant-type:ciba', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      ...['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      'urn:ietf:params:oauth:grant-type:saml2-bearer',
    ],
    works: async (grant) => expect((await grants[grant]?.())?.token_type).toBe('bearer'),
    async fails(grant_type) {
      const { json } = await post(`${bed.issuer}/token`, { grant_type }, asFirst);
      expect(json.error).toBe('unsupported_grant_type');
      expect(await register({ grant_types: ['authorization_code', grant_type] })).toBe('refused');
    },
  },

  response_types_supported: {
    others: ['token', 'id_token', 'id_token token', 'code id_token', 'code token', 'none'],
    works: async (type) => expect((await answerBy({ response_type: type })).has('code')).toBe(true),
    async fails(response_type) {
      expect(await errorBy({ response_type })).toBe('unsupported_response_type');
      expect(await register({ response_types: [response_type] })).toBe('refused');
    },
  },

  response_modes_supported: {
    others: ['web_message', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'],
    works: async (mode) => expect((await answerBy({ response_mode: mode })).has('code')).toBe(true),
    fails: async (mode) =>
      expect(await errorBy({ response_mode: mode })).toBe('unsupported_response_mode'),
  },

  code_challenge_methods_supported: {
    others: ['plain', 'S512'],
    async works(code_challenge_method) {
      expect((await answerBy({ code_challenge_method })).has('code')).toBe(true);
    },
    fails: async (code_challenge_method) =>
      expect(await errorBy({ code_challenge_method })).toBe('invalid_request'),
  },

  subject_types_supported: {
    others: ['ephemeral'],
    async works(subject_type) {
      const { sub } = (await tokensOf(await registered({ subject_type }))).claims() ?? {};
      const own = (await tokensOf(await registered({}))).claims()?.sub;
      expect(sub === own).toBe(subject_type === 'public');
    },
    fails: async (subject_type) => expect(await register({ subject_type })).toBe('refused'),
  },

  scopes_supported: {
    others: ['phone', 'address', 'admin'],
    works: async (scope) => expect(await scopesFor(scope)).toContain(scope),
    fails: async (scope) => expect(await scopesFor(scope)).not.toContain(scope),
  },

  claims_supported: {
    others: ['birthdate', 'phone_number', 'address', 'nickname', 'picture'],
    works: async (claim) => expect(await claimsWith(claim)).toContain(claim),
    fails: async (claim) => expect(await claimsWith(claim)).not.toContain(claim),
  },

  claim_types_supported: {
    others: [],
    works: async () => expect(await claimsWith('email')).not.toContain('_claim_names'),
  },

  prompt_values_supported: {
    others: ['create', 'select_account'],
    // Somebody is signed in: nothing is to be asked, or a page asks; another word is an error.
    works: async (prompt) => expect(await errorBy({ prompt })).not.toBe('invalid_request'),
    fails: async (prompt) => expect(await errorBy({ prompt })).toBe('invalid_request'),
  },

  acr_values_supported: {
    others: ['phr', 'phrh', 'urn:didit-oidc:acr:passkey', 'urn:didit-oidc:acr:selfie'],
    async works(value) {
      const claims = JSON.stringify({ id_token: { acr: { essential: true, value } } });
      const browser = await signedInFor(value);
      const tokens = await tokensOf(await registered({}), oidc.None(), { claims }, browser);
      // The class itself, or one that does for it and says so.
      expect(satisfies(tokens.claims()?.acr as string, value)).toBe(true);
    },
    async fails(value) {
      const claims = JSON.stringify({ id_token: { acr: { essential: true, value } } });
      expect(await errorBy({ claims })).toBe('unmet_authentication_requirements');
    },
  },
};

async function signedRequest(alg: string, isRegistered: boolean): Promise<string | null> {
  const { key, jwks } = await keysFor(alg);
  const own = isRegistered ? { request_object_signing_alg: alg } : {};
  const client = await registered({ jwks, ...own });
  const { parameters } = await asking(client.client_id);
  const whole = { ...parameters, iss: client.client_id, aud: bed.issuer, exp: seconds() + 60 };
  const request = await signed(whole, { alg }, key);
  const { redirect_uri = '', client_id = '', response_type = '' } = parameters;
  const { location } = await authorize({ redirect_uri, client_id, response_type, request });
  return answerOf(location).error ?? null;
}

async function asserted(alg: string, isRegistered: boolean): Promise<number> {
  const { key, jwks } = await keysFor(alg);
  const client = await registered({
    ...{ token_endpoint_auth_method: 'private_key_jwt', jwks },
    grant_types: ['authorization_code', 'client_credentials'],
    ...(isRegistered ? { token_endpoint_auth_signing_alg: alg } : {}),
  });
  const assertion = await assertionBy(client.client_id, alg, key);
  const fields = { ...assertionType, client_assertion: assertion };
  const asked = { grant_type: 'client_credentials', ...fields };
  return (await post(`${bed.issuer}/token`, asked)).status;
}

async function proven(alg: string): Promise<Record<string, unknown>> {
  const { key, jwks } = await keysFor(alg);
  const [jwk] = (jwks as { keys: (jose.JWK & { alg?: string })[] }).keys;
  const { alg: _, ...bare } = jwk ?? { kty: 'oct', k: 'eHh4' };
  const payload = { jti: randomUUID(), htm: 'POST', htu: `${bed.issuer}/token`, iat: seconds() };
  const dpop = await signed(payload, { alg, typ: 'dpop+jwt', jwk: bare }, key);
  const fields = { grant_type: 'client_credentials' };
  return (await post(`${bed.issuer}/token`, fields, { ...asFirst, dpop })).json;
}

async function scopesFor(scope: string): Promise<string[]> {
  const client = await registered({ grant_types: ['authorization_code', 'refresh_token'] });
  const asked = { scope: `openid ${scope}`, prompt: 'consent' };
  return ((await tokensOf(client, oidc.None(), asked)).scope ?? '').split(' ');
}

async function claimsWith(claim: string): Promise<string[]> {
  const client = await registered({
    backchannel_logout_uri: 'https://rp.example/logout',
    backchannel_logout_session_required: true,
  });
  const wanted = { id_token: { [claim]: { essential: true } }, userinfo: { [claim]: null } };
  const tokens = await tokensOf(client, oidc.None(), { claims: JSON.stringify(wanted) });
  const told = (await userinfo(bed, tokens.access_token)).json;
  return Object.keys({ ...told, ...tokens.claims() });
}

describe.each(Object.entries(rows))('[PR-24] of what is said in %s', (name, row) => {
  const advertised = metadata[name] as string[];

  it.each(advertised)('%s works', async (value) => {
    await row.works(value);
  });

  const absent = row.others.filter((other) => !advertised.includes(other));
  it.each(absent)('%s, which is not among them, does not', async (value) => {
    await row.fails?.(value);
  });
});

describe('[PR-24] of the rest of the metadata', () => {
  const endpoints = Object.keys(metadata).filter((name) => /_endpoint$|^jwks_uri$/.test(name));

  it.each(endpoints)('%s is there', async (name) => {
    const address = String(metadata[name]);
    expect(address.startsWith(`${bed.issuer}/`)).toBe(true);
    const headers = { accept: 'application/json' };
    const [get, posted] = await Promise.all([
      fetch(address, { headers, redirect: 'manual' }),
      fetch(address, { headers, redirect: 'manual', method: 'POST' }),
    ]);
    expect([get.status, posted.status].some((status) => status !== 404)).toBe(true);
    for (const { status } of [get, posted]) expect(status).toBeLessThan(500);
  });

  it('no other endpoint that software knows of is there', async () => {
    const others = [
      '/device',
      '/device/auth',
      '/backchannel',
      '/challenge',
      '/session/check',
      '/credential',
    ];
    for (const path of others) {
      for (const method of ['GET', 'POST']) {
        const response = await fetch(bed.issuer + path, {
          method,
          headers: { accept: 'application/json' },
        });
        expect({ path, status: response.status }).toEqual({ path, status: 404 });
      }
    }
  });

  it('what is said to be so is so, and what is said not to be is not', async () => {
    const said = Object.entries(metadata).filter(([, value]) => typeof value === 'boolean');
    expect(Object.fromEntries(said)).toEqual({
      authorization_response_iss_parameter_supported: true,
      // See logout.test.ts, and `sid` above.
      backchannel_logout_session_supported: true,
      backchannel_logout_supported: true,
      claims_parameter_supported: true,
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
    });
    expect((await answerBy({})).get('iss')).toBe(bed.issuer);
    const { parameters } = await asking('first', { request_uri: 'https://rp.example/request' });
    const { location } = await authorize(parameters);
    expect(answerOf(location).error).toBe('request_uri_not_supported');
  });

  it('there is nothing that is not looked at here', () => {
    const known = [...Object.keys(rows), ...endpoints, 'issuer'];
    const others = Object.entries(metadata).filter(([, value]) => typeof value !== 'boolean');
    expect(others.map(([name]) => name).filter((name) => !known.includes(name))).toEqual([]);
  });

  it('the document is the same by RFC 8414 and by OpenID Connect Discovery', async () => {
    const response = await fetch(`${bed.issuer}/.well-known/oauth-authorization-server`);
    expect(await response.json()).toEqual(metadata);
  });
});
