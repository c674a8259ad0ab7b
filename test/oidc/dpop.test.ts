import { createHash, randomUUID } from 'node:crypto';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { type Party, createParty } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import {
  type Reply,
  basic,
  bearer,
  newRequest,
  post,
  reply,
  signedIn,
  userinfo,
} from './support.ts';

const boundSecret = 'a-secret-of-the-bound-client-0123456789';
let bed: Testbed;
let party: Party;
let ana: TestBrowser;
let key: jose.GenerateKeyPairResult;
let jwk: jose.JWK;

beforeAll(async () => {
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    clients: [
      {
        ...{ client_id: 'bound', dpop_bound_access_tokens: true, redirect_uris: [] },
        ...{ response_types: [], grant_types: ['client_credentials'] },
        client_secret: boundSecret,
      },
    ],
  });
  party = await createParty(bed);
  ana = await signedIn(bed);
  key = await jose.generateKeyPair('ES256', { extractable: true });
  jwk = await jose.exportJWK(key.publicKey);
});
afterAll(() => bed.close());

interface Proof {
  jti?: string | undefined;
  htm?: string | undefined;
  htu?: string | undefined;
  ath?: string | undefined;
  nonce?: string;
  /** Now, when it is not given; none, when it is undefined. */
  iat?: number | undefined;
  /** The token that the proof is shown with. */
  token?: string;
}

async function proofOf({ token, ...more }: Proof, using = key): Promise<string> {
  const ath = token && createHash('sha256').update(token).digest('base64url');
  return new jose.SignJWT({
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    htm: 'GET',
    htu: `${bed.issuer}/me`,
    ...(ath ? { ath } : {}),
    ...more,
  } as jose.JWTPayload)
    .setProtectedHeader({
      alg: 'ES256',
      typ: 'dpop+jwt',
      jwk: using === key ? jwk : await jose.exportJWK(using.publicKey),
    })
    .sign(using.privateKey);
}

/** An access token that is bound to `key`. */
async function boundToken(): Promise<oidc.TokenEndpointResponse> {
  const { parameters, checks } = await newRequest();
  const url = oidc.buildAuthorizationUrl(party.config, parameters);
  const { location = '' } = await ana.get(url.href);
  const handle = oidc.getDPoPHandle(party.config, {
    privateKey: key.privateKey,
    publicKey: key.publicKey,
  });
  return oidc.authorizationCodeGrant(party.config, new URL(location), checks, undefined, {
    DPoP: handle,
  });
}

function me(token: string, proof?: string, scheme = 'DPoP'): Promise<Reply> {
  const headers = { ...bearer(token, scheme), ...(proof === undefined ? {} : { dpop: proof }) };
  return fetch(`${bed.issuer}/me`, { headers }).then(reply);
}

it('[PR-15] a bound token opens userinfo with a proof of its key', async () => {
  const { access_token: token, token_type: type } = await boundToken();
  expect(type).toBe('dpop');
  const { status, json } = await me(token, await proofOf({ token }));
  expect(status).toBe(200);
  expect(json.sub).toMatch(/^[\w-]{22}$/);
});

it('[PR-15] a bound token is worth nothing as a bearer token', async () => {
  const { access_token: token } = await boundToken();
  expect((await userinfo(bed, token)).status).toBe(401);
  // A scheme that contradicts what comes with it is a broken request.
  expect((await me(token)).status).toBe(400);
  expect((await me(token, await proofOf({ token }), 'Bearer')).status).toBe(400);
});

it('[PR-15] of 10 parallel uses of one proof exactly one succeeds', async () => {
  const { access_token: token } = await boundToken();
  const proof = await proofOf({ token });
  const replies = await Promise.all(Array.from({ length: 10 }, () => me(token, proof)));
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const { status } of replies) expect([200, 400, 401]).toContain(status);
});

it('[PR-15] at the token endpoint, too', async () => {
  const proof = await proofOf({ htm: 'POST', htu: `${bed.issuer}/token` });
  const headers = { ...basic('first', bed.clientSecret), dpop: proof };
  const fields = { grant_type: 'client_credentials' };
  const replies = await Promise.all(
    Array.from({ length: 10 }, () => post(`${bed.issuer}/token`, fields, headers)),
  );
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
});

it.each<[string, Proof]>([
  ['another method', { htm: 'POST' }],
  ['another address', { htu: 'http://evil.example/me' }],
  ['another token', { ath: 'AAAA' }],
])('[PR-15] a proof for %s is refused', async (_, wrong) => {
  const { access_token: token } = await boundToken();
  const { status, json } = await me(token, await proofOf({ token, ...wrong }));
  expect({ status, error: json.error }).toEqual({ status: 401, error: 'invalid_dpop_proof' });
});

it('[PR-15] a proof of another key is refused', async () => {
  const { access_token: token } = await boundToken();
  const other = await jose.generateKeyPair('ES256', { extractable: true });
  const refused = await me(token, await proofOf({ token }, other));
  expect(refused).toMatchObject({ status: 401, json: { error: 'invalid_token' } });
});

it('[PR-15] a proof from the future is refused, and one without its parts', async () => {
  const { access_token: token } = await boundToken();
  const iat = Math.floor(Date.now() / 1000) + 3600;
  const early = await me(token, await proofOf({ token, iat }));
  expect(early).toMatchObject({ status: 401, json: { error: 'use_dpop_nonce' } });
  for (const missing of ['jti', 'htm', 'htu', 'ath', 'iat'] as const) {
    const refused = await me(token, await proofOf({ token, [missing]: undefined }));
    const invalid = { status: 401, json: { error: 'invalid_dpop_proof' } };
    expect({ missing, refused }).toMatchObject({ missing, refused: invalid });
  }
});

it.each([
  ['POST to another endpoint', { htm: 'POST', htu: '/request' }],
  ['GET', { htm: 'GET', htu: '/token' }],
])('[PR-15] at the token endpoint a proof for %s is refused', async (_, { htm, htu }) => {
  const dpop = await proofOf({ htm, htu: bed.issuer + htu });
  const headers = { ...basic('first', bed.clientSecret), dpop };
  const refused = await post(`${bed.issuer}/token`, { grant_type: 'client_credentials' }, headers);
  expect(refused).toMatchObject({ status: 400, json: { error: 'invalid_dpop_proof' } });
});

it('[PR-15] a client that binds everything needs a nonce of ours in each proof', async () => {
  const ask = async (nonce?: string): Promise<Reply> => {
    const common = { htm: 'POST', htu: `${bed.issuer}/token` };
    const dpop = await proofOf({ ...common, ...(nonce === undefined ? {} : { nonce }) });
    const headers = { ...basic('bound', boundSecret), dpop };
    return post(`${bed.issuer}/token`, { grant_type: 'client_credentials' }, headers);
  };
  const refused = await ask();
  expect(refused).toMatchObject({ status: 400, json: { error: 'use_dpop_nonce' } });
  const nonce = refused.headers.get('dpop-nonce') ?? '';
  expect(await ask(nonce)).toMatchObject({ status: 200, json: { token_type: 'DPoP' } });
  const invented = await ask('A'.repeat(nonce.length));
  expect(invented).toMatchObject({ status: 400, json: { error: 'use_dpop_nonce' } });
  const unbound = await post(
    `${bed.issuer}/token`,
    { grant_type: 'client_credentials' },
    basic('bound', boundSecret),
  );
  expect(unbound).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
});

it('[PR-15] an old proof needs a nonce of ours, which the refusal brings along', async () => {
  const { access_token: token } = await boundToken();
  const iat = Math.floor(Date.now() / 1000) - 3600;
  const refused = await me(token, await proofOf({ token, iat }));
  expect(refused).toMatchObject({ status: 401, json: { error: 'use_dpop_nonce' } });
  const nonce = refused.headers.get('dpop-nonce') ?? '';
  expect((await me(token, await proofOf({ token, iat, nonce }))).status).toBe(200);
  const made = await me(token, await proofOf({ token, iat, nonce: 'A'.repeat(nonce.length) }));
  expect(made).toMatchObject({ status: 401, json: { error: 'use_dpop_nonce' } });
});

it('[PR-04] a code that was asked for with one key is not given to another', async () => {
  const thumbprint = await jose.calculateJwkThumbprint(jwk);
  const { parameters, checks } = await newRequest({ dpop_jkt: thumbprint });
  const url = oidc.buildAuthorizationUrl(party.config, parameters);
  const { location = '' } = await ana.get(url.href);
  const other = await oidc.randomDPoPKeyPair('ES256');
  const stolen = oidc.authorizationCodeGrant(party.config, new URL(location), checks, undefined, {
    DPoP: oidc.getDPoPHandle(party.config, other),
  });
  await expect(stolen).rejects.toMatchObject({ error: 'invalid_grant' });
});

it('[PR-14] a refresh token bound to a key does not rotate and is no use without it', async () => {
  // A client with a secret is bound by it; a page without one by its key.
  const { parameters, checks } = await newRequest({
    redirect_uri: 'http://spa.localhost:9/callback',
  });
  const page = (await createParty(bed, 'spa')).config;
  const { location = '' } = await ana.get(oidc.buildAuthorizationUrl(page, parameters).href);
  const DPoP = oidc.getDPoPHandle(page, { privateKey: key.privateKey, publicKey: key.publicKey });
  const { refresh_token: token = '' } = await oidc.authorizationCodeGrant(
    page,
    new URL(location),
    checks,
    undefined,
    { DPoP },
  );
  expect(token).not.toBe('');
  const again = await oidc.refreshTokenGrant(page, token, undefined, { DPoP });
  expect(again.refresh_token ?? token).toBe(token);
  const fields = { grant_type: 'refresh_token', refresh_token: token, client_id: 'spa' };
  const stolen = await post(`${bed.issuer}/token`, fields);
  expect({ status: stolen.status, error: stolen.json.error }).toEqual({
    status: 400,
    error: 'invalid_grant',
  });
});
