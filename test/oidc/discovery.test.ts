import { request } from 'node:http';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import { createOtherParty, newRequest, signedIn } from './support.ts';

let bed: Testbed;
let metadata: Record<string, unknown>;

beforeAll(async () => {
  const common = {
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    first_party: true,
  };
  bed = await startTestbed({
    clients: [
      { ...common, client_id: 'ES256', id_token_signed_response_alg: 'ES256' },
      { ...common, client_id: 'RS256' },
    ],
  });
  metadata = (await (await discover()).json()) as Record<string, unknown>;
});
afterAll(() => bed.close());

function discover(headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${bed.issuer}/.well-known/openid-configuration`, { headers });
}

it('[PR-24] the issuer is what the operator wrote, whatever a proxy claims', async () => {
  const lies = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    forwarded: 'host=evil.example;proto=https',
  };
  const told = (await (await discover(lies)).json()) as Record<string, unknown>;
  expect(told).toEqual(metadata);
  expect(told.issuer).toBe(bed.issuer);
  const addresses = Object.entries(told).filter(([name]) => /_endpoint$|jwks_uri$/.test(name));
  expect(addresses.length).toBeGreaterThan(6);
  for (const [, address] of addresses) expect(address).toMatch(new RegExp(`^${bed.issuer}/`));
});

it('[PR-24] a request for another host is not served', async () => {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const headers = { host: 'evil.example' };
  const url = `${bed.issuer}/.well-known/openid-configuration`;
  request(url, { headers }, (response) => {
    response.resume();
    resolve(response.statusCode);
  })
    .on('error', reject)
    .end();
  expect(await promise).toBe(421);
});

it('[PR-07] only the code flow is offered, with PKCE S256 and iss in the answer', () => {
  expect(metadata).toMatchObject({
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    claims_parameter_supported: true,
    subject_types_supported: ['public', 'pairwise'],
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  });
  expect(metadata.grant_types_supported).toEqual([
    'authorization_code',
    'refresh_token',
    'client_credentials',
  ]);
  expect(metadata.response_modes_supported).toEqual(['form_post', 'fragment', 'query']);
  expect(metadata).not.toHaveProperty('registration_endpoint');
});

it('[PR-09] no algorithm is offered that a hash cannot serve or that signs nothing', () => {
  expect(metadata.id_token_signing_alg_values_supported).toEqual(['ES256', 'RS256']);
  expect(metadata.token_endpoint_auth_methods_supported).toEqual([
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    'none',
  ]);
  const algorithms = Object.entries(metadata)
    .filter(([name]) => name.includes('_alg_values_supported'))
    .flatMap(([, values]) => values as string[]);
  expect(algorithms).toContain('ES256');
  expect(algorithms.filter((alg) => /^HS|^none$/.test(alg))).toEqual([]);
});

it('tells which classes, scopes and claims can be had', () => {
  expect(metadata.acr_values_supported).toEqual([
    'urn:didit-oidc:acr:selfie-device:test',
    'urn:didit-oidc:acr:selfie:test',
    'urn:didit-oidc:acr:device:test',
    'urn:didit-oidc:acr:fallback:test',
  ]);
  expect(metadata.scopes_supported).toEqual(
    expect.arrayContaining(['openid', 'offline_access', 'profile', 'email', 'groups']),
  );
  expect(metadata.claims_supported).toEqual(
    expect.arrayContaining(['sub', 'acr', 'amr', 'auth_time', 'iss', 'sid', 'email', 'groups']),
  );
});

it('[PR-09] the key set shows no private member; it and discovery may be cached', async () => {
  const response = await fetch(String(metadata.jwks_uri));
  const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
  expect(keys.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'RS256']);
  for (const key of keys) {
    expect(Object.keys(key)).toEqual(expect.arrayContaining(['kid', 'kty', 'use']));
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) {
      expect(key).not.toHaveProperty(secret);
    }
  }
  for (const document of [response, await discover()]) {
    expect(document.headers.get('cache-control')).toBe('public, max-age=300');
  }
});

it.each(['RS256', 'ES256'])('signs ID tokens with %s, as the client registered it', async (alg) => {
  const party = await createOtherParty(bed, alg, oidc.None(), {
    id_token_signed_response_alg: alg,
  });
  const { parameters, checks } = await newRequest();
  const browser = await signedIn(bed);
  const { location = '' } = await browser.get(oidc.buildAuthorizationUrl(party, parameters).href);
  const { id_token: idToken = '' } = await oidc.authorizationCodeGrant(
    party,
    new URL(location),
    checks,
  );
  const keys = jose.createRemoteJWKSet(new URL(String(metadata.jwks_uri)));
  const { protectedHeader, payload } = await jose.jwtVerify(idToken, keys, {
    issuer: bed.issuer,
    audience: alg,
  });
  expect(protectedHeader.alg).toBe(alg);
  expect(payload.acr).toBe('urn:didit-oidc:acr:selfie:test');
});
