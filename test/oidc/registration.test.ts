/** [PR-21] Clients that register themselves (RFC 7591): off, then by the operator's token, and by a policy. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { openStore } from '../../src/store/open.ts';
import type { TestBrowser } from '../support/browser.ts';
import { press, settle } from '../support/login.ts';
import { freePort } from '../support/ports.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import { createOtherParty, newRequest, post, signedIn } from './support.ts';

const storeKey = randomKey();
const registrationToken = randomKey();
let storeUrl: string;
let bed: Testbed;
let ana: TestBrowser;
let key: jose.GenerateKeyPairResult;
let privatePort: number;

beforeAll(async () => {
  key = await jose.generateKeyPair('ES256');
  privatePort = await freePort();
  storeUrl = await freshRedis();
  bed = await startTestbed({
    flags: {
      store: { url: storeUrl, encryptionKeys: [storeKey] },
      dynamicRegistration: { enabled: true, initialAccessToken: registrationToken },
    },
    clients: [
      {
        ...{ client_id: 'private', redirect_uris: ['https://rp.example/callback'] },
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: `https://127.0.0.1:${privatePort}/jwks`,
        grant_types: ['authorization_code', 'client_credentials'],
      },
    ],
  });
  ana = await signedIn(bed);
});
afterAll(() => bed.close());

describe('[PR-21] registration by the client itself', () => {
  const register = (metadata: object, bearer?: string): Promise<Response> =>
    fetch(`${bed.issuer}/reg`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      },
      body: JSON.stringify({ redirect_uris: [redirectUri], ...metadata }),
    });

  it('is off unless the operator turns it on', async () => {
    const plain = await startTestbed();
    try {
      const headers = { accept: 'application/json' };
      expect((await post(`${plain.issuer}/reg`, {}, headers)).status).toBe(404);
    } finally {
      await plain.close();
    }
  });

  it("needs the operator's token", async () => {
    for (const bearer of [undefined, 'wrong', `${registrationToken}x`]) {
      expect((await register({}, bearer)).status).toBe(401);
    }
  });

  it('makes a client that works, whose secret is kept as a hash alone', async () => {
    const metadata = { application_type: 'native', client_name: 'Registered' };
    const response = await register(metadata, registrationToken);
    expect(response.status).toBe(201);
    const made = (await response.json()) as { client_id: string; client_secret: string };
    // Of base64url, so many letters are 32 bytes.
    expect(made.client_secret).toMatch(/^[\w-]{43,}$/);
    const party = await createOtherParty(
      bed,
      made.client_id,
      oidc.ClientSecretBasic(made.client_secret),
    );
    const { parameters, checks } = await newRequest();
    const url = oidc.buildAuthorizationUrl(party, parameters);
    // It is not of the house, so the person is asked.
    const consent = await settle(ana, await ana.get(url.href));
    const { location = '' } = await settle(ana, await press(ana, consent, 'allow'));
    const tokens = await oidc.authorizationCodeGrant(party, new URL(location), checks);
    expect(tokens.claims()?.aud).toBe(made.client_id);

    const kept = (await everythingKept()).join('\n');
    expect(kept).toContain(made.client_id);
    expect(kept).not.toContain(made.client_secret);
  });

  it('does not let a client call itself one of the house or do without PKCE', async () => {
    const ours = { policy: 'standard', minimum_acr: 'urn:didit-oidc:acr:device', handoff: true };
    const bold = { application_type: 'native', first_party: true, pkce: 'optional', ...ours };
    const response = await register(bold, registrationToken);
    const made = (await response.json()) as { client_id: string; client_secret: string };
    for (const word of ['first_party', ...Object.keys(ours)]) expect(made).not.toHaveProperty(word);
    const { parameters } = await newRequest({ client_id: made.client_id, response_type: 'code' });
    const begin = (fields: Record<string, string>): ReturnType<TestBrowser['get']> =>
      ana.get(`${bed.issuer}/auth?${new URLSearchParams(fields).toString()}`);
    expect((await begin(parameters)).location).toContain('/interaction/');
    const { code_challenge, code_challenge_method, ...without } = parameters;
    expect([code_challenge_method, code_challenge?.length]).toEqual(['S256', 43]);
    expect((await begin(without)).location).toContain('error=invalid_request');
  });

  const jwks = { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b' }] };
  const keyed = { token_endpoint_auth_method: 'private_key_jwt' };
  const addresses = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri'];
  const inPrivate = [
    'https://127.0.0.1/x',
    'https://localhost/x',
    'https://a.localhost/x',
    'https://10.0.0.1/x',
    'https://192.168.1.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://[::ffff:10.0.0.1]/x',
    'https://[fd00::1]/x',
    'https://2130706433/x',
    'https://0x7f.1/x',
    'http://rp.example/x',
    'https://user:password@rp.example/x',
    'javascript:alert(1)',
    'file:///etc/passwd',
  ];

  it.each<[string, object]>([
    ['a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['a script, in capitals', { redirect_uris: ['JavaScript:alert(1)'] }],
    ['a script of a native app', { application_type: 'native', redirect_uris: ['javascript:x'] }],
    ['a fragment', { redirect_uris: ['https://rp.example/#x'] }],
    ['an empty fragment', { redirect_uris: ['https://rp.example/#'] }],
    ['http on the web', { redirect_uris: ['http://rp.example/callback'] }],
    ['http on the web, on this machine', { redirect_uris: ['http://localhost/callback'] }],
    [
      'http for a native app',
      { application_type: 'native', redirect_uris: ['http://rp.example/'] },
    ],
    ['data', { redirect_uris: ['data:text/html,x'] }],
    ['data of a native app', { application_type: 'native', redirect_uris: ['data:text/html,x'] }],
    ['a blob', { application_type: 'native', redirect_uris: ['blob:https://rp.example/x'] }],
    ['a wildcard for a host', { redirect_uris: ['https://*.example/callback'] }],
    ['a wildcard for a path', { redirect_uris: ['https://rp.example/*'] }],
    ['a wildcard of a native app', { application_type: 'native', redirect_uris: ['com.rp:/*'] }],
    ['one bad address among good ones', { redirect_uris: ['https://rp.example/', 'data:,x'] }],
    ['no address', { redirect_uris: [] }],
    ['an address that is none', { redirect_uris: ['/callback'] }],
    ['an address that is no text', { redirect_uris: [{ href: 'https://rp.example/' }] }],
    ['credentials in an address', { redirect_uris: ['https://user:pass@rp.example/'] }],
    ['http after the logout', { post_logout_redirect_uris: ['http://rp.example/bye'] }],
    ['credentials after the logout', { post_logout_redirect_uris: ['https://u:p@rp.example/'] }],
    ['a name that steers a terminal', { client_name: '\u001b[1A\u001b[2KWiki' }],
    ['a name of two lines', { client_name: 'Wiki\u2028Bank' }],
    ['a name that turns writing around', { client_name: 'Wiki\u202eknaB' }],
    ['a script after the logout', { post_logout_redirect_uris: ['javascript:alert(1)'] }],
    ['an HS algorithm', { id_token_signed_response_alg: 'HS256' }],
    ['an ID token that nobody signed', { id_token_signed_response_alg: 'none' }],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }],
    ['the implicit flow', { response_types: ['id_token'], grant_types: ['implicit'] }],
    ['the password grant', { grant_types: ['password', 'authorization_code'] }],
    ['a secret key', { ...keyed, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }],
    ['a private key', { ...keyed, jwks: { keys: [{ ...jwks.keys[0], d: 'c' }] } }],
    ['a script for a logo', { logo_uri: 'javascript:alert(1)' }],
    ['a script for terms', { tos_uri: 'javascript:alert(1)' }],
    ['a script for a policy', { policy_uri: 'data:text/html,x' }],
  ])('refuses %s', async (_, metadata) => {
    const common = { redirect_uris: ['https://rp.example/callback'] };
    expect(await refusal({ ...common, ...metadata })).toMatch(
      /^invalid_(client_metadata|redirect_uri)$/,
    );
  });

  describe.each(addresses)('refuses as %s', (name) => {
    it.each(inPrivate)('%s', async (address) => {
      const metadata = {
        redirect_uris: ['https://rp.example/callback'],
        ...(name === 'jwks_uri' ? keyed : {}),
        ...(name === 'sector_identifier_uri' ? { subject_type: 'pairwise' } : {}),
        [name]: address,
      };
      expect(await refusal(metadata)).toBe('invalid_client_metadata');
    });
  });

  it('registers where the addresses are public ones', async () => {
    const metadata = {
      ...{ redirect_uris: ['https://rp.example/callback'], ...keyed },
      jwks_uri: 'https://rp.example/jwks',
      backchannel_logout_uri: 'https://rp.example/logout',
    };
    expect((await register(metadata, registrationToken)).status).toBe(201);
  });

  async function refusal(metadata: object): Promise<unknown> {
    const response = await register(metadata, registrationToken);
    expect(response.status).toBe(400);
    return ((await response.json()) as { error: unknown }).error;
  }
});

it('[PL-07] no keys are fetched from a private address, though a file says so', async () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const assertion = await new jose.SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer('private')
    .setSubject('private')
    .setAudience(bed.issuer)
    .setExpirationTime(nowSeconds + 60)
    .sign(key.privateKey);
  const { promise, reject } = Promise.withResolvers<never>();
  const server = createServer(() => {
    reject(new Error('it was called'));
  }).listen(privatePort, '127.0.0.1');
  try {
    const reply = post(`${bed.issuer}/token`, {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
    expect((await Promise.race([reply, promise])).status).toBe(401);
  } finally {
    server.close();
  }
});

async function everythingKept(): Promise<string[]> {
  const { store } = await openStore({
    url: storeUrl,
    encryptionKeys: [storeKey],
    clock: Date.now,
  });
  try {
    const values: string[] = [];
    for (const kind of ['Client', 'RegistrationAccessToken', 'Session', 'Grant', 'Interaction']) {
      for await (const { value } of store.scan(kind)) values.push(value);
    }
    return values;
  } finally {
    await store.close();
  }
}
