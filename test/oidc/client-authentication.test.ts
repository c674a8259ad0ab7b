import { createHash, randomUUID } from 'node:crypto';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { openStore } from '../../src/store/open.ts';
import type { TestBrowser } from '../support/browser.ts';
import { press, settle } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { freePort } from '../support/ports.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import { type Reply, basic, createOtherParty, newRequest, post, signedIn } from './support.ts';

const storeKey = randomKey();
const registrationToken = randomKey();
let storeUrl: string;
let bed: Testbed;
let ana: TestBrowser;
let key: jose.GenerateKeyPairResult;

beforeAll(async () => {
  key = await jose.generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await jose.exportJWK(key.publicKey)), kid: 'mine', alg: 'ES256' };
  storeUrl = await freshRedis();
  bed = await startTestbed({
    flags: {
      store: { url: storeUrl, encryptionKeys: [storeKey] },
      dynamicRegistration: { enabled: true, initialAccessToken: registrationToken },
    },
    clients: [
      {
        client_id: 'keyed',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [jwk] },
        first_party: true,
      },
    ],
  });
  ana = await signedIn(bed);
});
afterAll(() => bed.close());

const credentials = { grant_type: 'client_credentials' };
const token = (fields: Record<string, string>, headers = {}): Promise<Reply> =>
  post(`${bed.issuer}/token`, { ...credentials, ...fields }, headers);

describe('[PR-16] a client secret', () => {
  it('is taken from the header and from the body', async () => {
    expect((await token({}, basic('first', bed.clientSecret))).status).toBe(200);
    const inBody = { client_id: 'first', client_secret: bed.clientSecret };
    expect((await token(inBody)).status).toBe(200);
  });

  it('that is wrong, missing or of a client that does not exist is refused alike', async () => {
    const replies = [
      await token({}, basic('first', 'wrong')),
      await token({}, basic('first', `${bed.clientSecret}x`)),
      await token({}, basic('first', bed.clientSecret.slice(0, -1))),
      await token({}, basic('nobody', bed.clientSecret)),
      await token({ client_id: 'first', client_secret: 'wrong' }),
      await token({ client_id: 'first' }),
    ];
    for (const { status, json } of replies) {
      expect({ status, error: json.error }).toEqual({ status: 401, error: 'invalid_client' });
    }
  });

  it('cannot be replaced by what we keep of it', async () => {
    const digest = createHash('sha256').update(bed.clientSecret).digest('base64url');
    for (const kept of [`sha256:${digest}`, digest]) {
      const encoded = encodeURIComponent(kept);
      expect((await token({}, basic('first', encoded))).status).toBe(401);
      expect((await token({ client_id: 'first', client_secret: kept })).status).toBe(401);
    }
  });

  it('signs nothing: HS256 and client_secret_jwt are refused', async () => {
    const assertion = await new jose.SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('first')
      .setSubject('first')
      .setAudience(bed.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(Buffer.from(bed.clientSecret));
    expect((await token({ ...assertionType, client_assertion: assertion })).status).toBe(401);
  });
});

/** `null` leaves a claim out. */
type Changes = Record<string, string | number | null>;

const assertionType = {
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
};

function assertion(changes: Changes = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const common = { iss: 'keyed', sub: 'keyed', aud: bed.issuer };
  const whole: Changes = { ...common, jti: randomUUID(), iat: now, exp: now + 60, ...changes };
  const given = Object.entries(whole).filter(([, value]) => value !== null);
  return new jose.SignJWT(Object.fromEntries(given))
    .setProtectedHeader({ alg: 'ES256', kid: 'mine' })
    .sign(key.privateKey);
}

describe('[PR-16] private_key_jwt', () => {
  const assert = async (changes?: Changes): Promise<Reply> =>
    token({ ...assertionType, client_assertion: await assertion(changes) });

  it('signs a relying party in', async () => {
    const party = await createOtherParty(bed, 'keyed', oidc.PrivateKeyJwt(key.privateKey));
    const { parameters, checks } = await newRequest();
    const url = oidc.buildAuthorizationUrl(party, parameters);
    const { location = '' } = await ana.get(url.href);
    const tokens = await oidc.authorizationCodeGrant(party, new URL(location), checks);
    expect(tokens.claims()?.aud).toBe('keyed');
  });

  it('of 10 parallel uses of one assertion exactly one succeeds', async () => {
    const fields = { ...assertionType, client_assertion: await assertion() };
    const replies = await Promise.all(Array.from({ length: 10 }, () => token(fields)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status } of replies) expect([200, 400, 401]).toContain(status);
  });

  it.each<[string, Changes]>([
    ['is for somebody else', { aud: 'https://elsewhere.example' }],
    ['is over', { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['speaks for another client', { sub: 'first' }],
    ['comes from another client', { iss: 'first' }],
    ['has no id', { jti: null }],
    ['has no end', { exp: null }],
  ])('an assertion that %s is refused', async (_, changes) => {
    expect((await assert(changes)).status).toBe(401);
    expect((await assert()).status).toBe(200);
  });

  it('a client that has a key is not let in by anything less', async () => {
    expect((await token({ client_id: 'keyed' })).status).toBe(401);
    expect((await token({}, basic('keyed', bed.clientSecret))).status).toBe(401);
  });
});

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
    expect(made.client_secret.length).toBeGreaterThanOrEqual(32);
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
    const bold = { application_type: 'native', first_party: true, pkce: 'optional' };
    const response = await register(bold, registrationToken);
    const made = (await response.json()) as { client_id: string; client_secret: string };
    expect(made).not.toHaveProperty('first_party');
    const { parameters } = await newRequest({ client_id: made.client_id, response_type: 'code' });
    const begin = (fields: Record<string, string>): ReturnType<TestBrowser['get']> =>
      ana.get(`${bed.issuer}/auth?${new URLSearchParams(fields).toString()}`);
    expect((await begin(parameters)).location).toContain('/interaction/');
    const { code_challenge, code_challenge_method, ...without } = parameters;
    expect([code_challenge_method, code_challenge?.length]).toEqual(['S256', 43]);
    expect((await begin(without)).location).toContain('error=invalid_request');
  });

  it.each([
    ['a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['a fragment', { redirect_uris: ['https://rp.example/#x'] }],
    ['http on the web', { redirect_uris: ['http://rp.example/callback'] }],
    ['data', { redirect_uris: ['data:text/html,x'] }],
    ['an HS algorithm', { id_token_signed_response_alg: 'HS256' }],
    ['client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }],
    ['the implicit flow', { response_types: ['id_token'], grant_types: ['implicit'] }],
  ])('refuses %s', async (_, metadata) => {
    const response = await register(
      { redirect_uris: ['https://rp.example/callback'], ...metadata },
      registrationToken,
    );
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: string };
    expect(error).toMatch(/^invalid_(client_metadata|redirect_uri)$/);
  });

  it('[PL-07] fetches no keys from a private address', async () => {
    const port = await freePort();
    const metadata = {
      redirect_uris: ['https://rp.example/callback'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `https://127.0.0.1:${port}/jwks`,
      grant_types: ['authorization_code', 'client_credentials'],
    };
    const response = await register(metadata, registrationToken);
    const { client_id: id = '' } = (await response.json()) as { client_id?: string };
    const reply = await token({
      ...assertionType,
      client_assertion: await assertion({ iss: id, sub: id }),
    });
    expect(reply.status).toBe(401);
  });
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
