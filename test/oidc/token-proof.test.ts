/** Access tokens say how their person signed in and when, and keep to it. */
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acr, acrName } from '../../src/domain/assurance.ts';
import { type Scene, minute, openScene, selfieAgain, somebody } from '../support/account.ts';
import { type Party, createBrowser, createParty, settle, signIn } from '../support/login.ts';
import { signInByCodes } from '../support/ways.ts';
import { basic, post, tokensOf } from './support.ts';

const wiki = 'https://wiki.example/api';
const vault = 'https://vault.example/api';
const vaultSecret = 'a-secret-of-the-vault-0123456789abcdef';
const [selfie, fallback] = [acrName(acr.selfie, 'sandbox'), acrName(acr.fallback, 'sandbox')];
let scene: Scene;
let party: Party;

beforeAll(async () => {
  scene = await openScene({
    clients: [
      { client_id: 'vault', client_secret: vaultSecret, response_types: [], grant_types: [] },
    ],
    resources: [
      { identifier: wiki, scope: 'read' },
      {
        ...{ identifier: vault, scope: 'read', access_token_format: 'opaque' },
        introspected_by: ['vault'],
      },
    ],
  });
  party = await createParty(scene.bed);
});
afterAll(() => scene.close());

const askFor = (resource: string) => party.begin({ resource, scope: 'openid read' });

/** What the resource that a token is for learns from it. */
async function readBy(resource: string, token: string): Promise<Record<string, unknown>> {
  if (resource === wiki) return jose.decodeJwt(token);
  expect(token).not.toContain('.');
  const url = `${scene.bed.issuer}/token/introspection`;
  return (await post(url, { token }, basic('vault', vaultSecret))).json;
}

const proofIn = ({ acr: name, auth_time }: Record<string, unknown>) => ({ acr: name, auth_time });

describe.each([
  ['a JWT', wiki],
  ['an opaque token, as introspection tells of it', vault],
])('[AS-04] %s', (_, resource) => {
  it.each(['selfie', 'codes'])('carries acr and auth_time of a sign-in by %s', async (way) => {
    const person = await somebody(scene);
    const [browser, request] = [createBrowser(), await askFor(resource)];
    const by = { address: person.address, app: person.app() };
    const callback =
      way === 'selfie'
        ? await signIn(browser, request, person.address)
        : await signInByCodes(scene.bed, browser, request, by);
    const tokens = await request.finish(callback);
    const proof = proofIn(tokens.claims() ?? {});
    expect(proof.acr).toBe(way === 'selfie' ? selfie : fallback);
    expect(proof.auth_time).toEqual(expect.any(Number));
    expect(proofIn(await readBy(resource, tokens.access_token))).toEqual(proof);

    // Neither single sign-on nor a refresh is a sign-in, however much later.
    scene.pass(20 * minute);
    const later = await tokensOf(browser, await askFor(resource));
    expect(proofIn(await readBy(resource, later.access_token))).toEqual(proof);
    const renewed = await oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
    const read = await readBy(resource, renewed.access_token);
    expect(proofIn(read)).toEqual(proof);
    expect(read.iat).toBeGreaterThanOrEqual((proof.auth_time as number) + 20 * minute);
  });

  it('keeps to what it was issued for, when the person signs in better meanwhile', async () => {
    const person = await somebody(scene);
    const [browser, request] = [createBrowser(), await askFor(resource)];
    const by = { address: person.address, app: person.app() };
    const tokens = await request.finish(await signInByCodes(scene.bed, browser, request, by));
    scene.pass(minute);
    const better = await party.begin({ resource, scope: 'openid read', acr_values: selfie });
    const page = await settle(browser, await browser.get(better.url));
    const done = await selfieAgain(browser, page, person.address);
    const after = await better.finish(done.location ?? '');
    expect(await readBy(resource, after.access_token)).toMatchObject({ acr: selfie });

    const renewed = await oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
    const proof = proofIn(tokens.claims() ?? {});
    for (const { access_token: token } of [tokens, renewed]) {
      expect(proofIn(await readBy(resource, token))).toEqual({ ...proof, acr: fallback });
    }
  });

  it('that a program got for itself carries neither', async () => {
    const { access_token: token } = await oidc.clientCredentialsGrant(party.config, {
      ...{ resource, scope: 'read' },
    });
    const read = await readBy(resource, token);
    expect(read).toMatchObject({ client_id: 'first', scope: 'read' });
    expect(read).not.toHaveProperty('acr');
    expect(read).not.toHaveProperty('auth_time');
    expect(read).not.toHaveProperty('amr');
  });
});
