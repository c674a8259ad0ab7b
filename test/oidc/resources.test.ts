import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { type Party, createParty } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { answerOf, basic, changed, post, signedIn, tokensOf, userinfo } from './support.ts';

const wiki = 'https://wiki.example/api';
const vault = 'https://vault.example/api';
const vaultSecret = 'a-secret-of-the-vault-0123456789abcdef';
let bed: Testbed;
let party: Party;
let ana: TestBrowser;

beforeAll(async () => {
  bed = await startTestbed({
    clients: [
      { client_id: 'vault', client_secret: vaultSecret, response_types: [], grant_types: [] },
    ],
    resources: [
      { identifier: wiki, scope: 'wiki:read wiki:write', access_token_ttl_seconds: 120 },
      {
        identifier: vault,
        scope: 'vault:open',
        access_token_format: 'opaque',
        introspected_by: ['vault'],
      },
    ],
  });
  party = await createParty(bed);
  ana = await signedIn(bed);
});
afterAll(() => bed.close());

async function tokensFor(parameters: Record<string, string> = {}, of = party) {
  return tokensOf(ana, await of.begin(parameters));
}

async function introspect(clientId: string, secret: string, token: string) {
  const url = `${bed.issuer}/token/introspection`;
  return (await post(url, { token }, basic(clientId, secret))).json;
}

describe('resource indicators', () => {
  it('[PR-09] a token for a resource is a JWT, typed as one, for that resource alone', async () => {
    const { access_token: token, scope } = await tokensFor({
      resource: wiki,
      scope: 'openid wiki:read vault:open',
    });
    expect(scope?.split(' ')).toContain('wiki:read');
    const keys = jose.createRemoteJWKSet(new URL(`${bed.issuer}/jwks`));
    const { protectedHeader, payload } = await jose.jwtVerify(token, keys, {
      issuer: bed.issuer,
      audience: wiki,
      typ: 'at+jwt',
    });
    expect(protectedHeader.alg).toBe('ES256');
    expect(payload).toMatchObject({ client_id: 'first', scope: 'wiki:read', aud: wiki });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(120);
  });

  it('[PL-04] a token for a resource does not open userinfo', async () => {
    const { access_token: token } = await tokensFor({ resource: wiki, scope: 'openid wiki:read' });
    expect((await userinfo(bed, token)).status).toBe(401);
  });

  it('a resource that nobody registered is no target, wherever it is asked for', async () => {
    const unknown = 'https://unknown.example/api';
    const { location } = await ana.get(await changed(party, { resource: unknown }));
    expect(answerOf(location).error).toBe('invalid_target');
    const fields = { grant_type: 'client_credentials', resource: unknown };
    const { status, json } = await post(
      `${bed.issuer}/token`,
      fields,
      basic('first', bed.clientSecret),
    );
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'invalid_target' });
  });

  it('a program gets a token of its own for a resource, with the scope it asks for', async () => {
    const { access_token: token } = await oidc.clientCredentialsGrant(party.config, {
      resource: wiki,
      scope: 'wiki:write',
    });
    expect(jose.decodeJwt(token)).toMatchObject({ sub: 'first', aud: wiki, scope: 'wiki:write' });
  });

  it('[PR-20] a refresh cannot widen the scope, nor reach another resource', async () => {
    const { refresh_token: token = '' } = await tokensFor({
      resource: wiki,
      scope: 'openid wiki:read',
    });
    const fields = { grant_type: 'refresh_token', refresh_token: token };
    const headers = basic('first', bed.clientSecret);
    const wider = { ...fields, scope: 'openid wiki:read wiki:write' };
    expect((await post(`${bed.issuer}/token`, wider, headers)).json.error).toBe('invalid_scope');
    const elsewhere = { ...fields, resource: vault };
    expect((await post(`${bed.issuer}/token`, elsewhere, headers)).json.error).toBe(
      'invalid_target',
    );
  });
});

describe('[PR-23] introspection', () => {
  it('tells a client about its own token', async () => {
    const { access_token: token } = await tokensFor();
    const about = await introspect('first', bed.clientSecret, token);
    expect(about).toMatchObject({ active: true, client_id: 'first', token_type: 'Bearer' });
  });

  it('tells a resource about tokens that are for it, and nobody else', async () => {
    const { access_token: token } = await tokensFor({
      resource: vault,
      scope: 'openid vault:open',
    });
    expect(token).not.toContain('.');
    const about = await introspect('vault', vaultSecret, token);
    expect(about).toMatchObject({ active: true, aud: vault, scope: 'vault:open' });
    expect(await introspect('second', bed.clientSecret, token)).toEqual({ active: false });
  });

  it('tells a resource nothing about tokens that are not for it', async () => {
    const { access_token: token, refresh_token: refresh = '' } = await tokensFor();
    expect(await introspect('vault', vaultSecret, token)).toEqual({ active: false });
    expect(await introspect('vault', vaultSecret, refresh)).toEqual({ active: false });
  });

  it('tells another client nothing, whatever it takes the token for', async () => {
    const { access_token: token, refresh_token: refresh = '' } = await tokensFor();
    for (const one of [token, refresh]) {
      for (const hint of ['access_token', 'refresh_token', 'client_credentials']) {
        const fields = { token: one, token_type_hint: hint };
        const headers = basic('second', bed.clientSecret);
        const url = `${bed.issuer}/token/introspection`;
        expect((await post(url, fields, headers)).json).toEqual({ active: false });
      }
    }
    expect(await introspect('first', bed.clientSecret, token)).toMatchObject({ active: true });
  });

  it('tells a page without a secret nothing about the tokens of others', async () => {
    const { access_token: token } = await tokensFor();
    const fields = { token, client_id: 'spa' };
    const { json } = await post(`${bed.issuer}/token/introspection`, fields);
    expect(json).toEqual({ active: false });
  });

  it('tells strangers nothing at all', async () => {
    const { access_token: token } = await tokensFor();
    const { status } = await post(`${bed.issuer}/token/introspection`, { token });
    expect(status).toBe(400);
    const wrong = await post(`${bed.issuer}/token/introspection`, { token }, basic('first', 'x'));
    expect(wrong.status).toBe(401);
  });
});

describe('[PR-23] revocation', () => {
  const active = async (token: string): Promise<unknown> =>
    (await introspect('first', bed.clientSecret, token)).active;

  it('of an access token leaves the refresh token', async () => {
    const { access_token: token, refresh_token: refresh = '' } = await tokensFor();
    await oidc.tokenRevocation(party.config, token);
    expect(await active(token)).toBe(false);
    expect((await userinfo(bed, token)).status).toBe(401);
    const renewed = await oidc.refreshTokenGrant(party.config, refresh);
    expect((await userinfo(bed, renewed.access_token)).status).toBe(200);
  });

  it('of a refresh token ends what hangs on it', async () => {
    const { access_token: token, refresh_token: refresh = '' } = await tokensFor();
    const renewed = await oidc.refreshTokenGrant(party.config, refresh);
    await oidc.tokenRevocation(party.config, renewed.refresh_token ?? '');
    for (const one of [token, renewed.access_token]) {
      expect((await userinfo(bed, one)).status).toBe(401);
      expect(await active(one)).toBe(false);
    }
    const refused = oidc.refreshTokenGrant(party.config, renewed.refresh_token ?? '');
    await expect(refused).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('of a refresh token leaves other relying parties alone', async () => {
    const second = await createParty(bed, 'second');
    const theirs = await tokensFor({}, second);
    const { refresh_token: refresh = '' } = await tokensFor();
    await oidc.tokenRevocation(party.config, refresh);
    expect((await userinfo(bed, theirs.access_token)).status).toBe(200);
  });

  it('by another client has no effect and says no more than that it was asked', async () => {
    const { access_token: token, refresh_token: refresh = '' } = await tokensFor();
    for (const one of [token, refresh]) {
      const headers = basic('second', bed.clientSecret);
      const reply = await post(`${bed.issuer}/token/revocation`, { token: one }, headers);
      expect(reply.status).toBe(200);
      const page = { token: one, client_id: 'spa' };
      expect((await post(`${bed.issuer}/token/revocation`, page)).status).toBe(200);
      const nobody = await post(`${bed.issuer}/token/revocation`, { token: one });
      expect(nobody.status).toBe(400);
    }
    expect((await userinfo(bed, token)).status).toBe(200);
    await oidc.refreshTokenGrant(party.config, refresh);
  });
});
