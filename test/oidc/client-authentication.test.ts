import { createHash, randomUUID } from 'node:crypto';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import { type Reply, basic, createOtherParty, newRequest, post, signedIn } from './support.ts';

let bed: Testbed;
let ana: TestBrowser;
let key: jose.GenerateKeyPairResult;

beforeAll(async () => {
  key = await jose.generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await jose.exportJWK(key.publicKey)), kid: 'mine', alg: 'ES256' };
  const keyed = {
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'client_credentials'],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [jwk] },
    first_party: true,
  };
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    clients: [
      { client_id: 'keyed', ...keyed },
      { client_id: 'excepted', assertion_audience: 'token_endpoint', ...keyed },
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

/** `null` leaves a claim out; ISSUER stands for ours, which a table cannot know. */
type Changes = Record<string, string | number | string[] | null>;

const assertionType = {
  client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
};

function assertion(changes: Changes = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const common = { iss: 'keyed', sub: 'keyed', aud: bed.issuer };
  const whole: Changes = { ...common, jti: randomUUID(), iat: now, exp: now + 60, ...changes };
  const given = Object.entries(whole).filter(([, value]) => value !== null);
  const text = JSON.stringify(Object.fromEntries(given)).replaceAll('ISSUER', bed.issuer);
  return new jose.SignJWT(JSON.parse(text) as jose.JWTPayload)
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
    ['is for nobody', { aud: null }],
    ['is for us with a slash more', { aud: 'ISSUER/' }],
    ['is for one of our endpoints', { aud: 'ISSUER/token' }],
    ['is for a list, of us alone', { aud: ['ISSUER'] }],
    ['is for a list, of an endpoint', { aud: ['ISSUER/token'] }],
    ['is for us and somebody else', { aud: ['ISSUER', 'https://elsewhere.example'] }],
    ['was not to be used yet', { nbf: Math.floor(Date.now() / 1000) + 600 }],
    ['is over', { exp: Math.floor(Date.now() / 1000) - 60 }],
    ['speaks for another client', { sub: 'first' }],
    ['comes from another client', { iss: 'first' }],
    ['has no id', { jti: null }],
    ['has no end', { exp: null }],
  ])('an assertion that %s is refused', async (_, changes) => {
    expect((await assert(changes)).status).toBe(401);
    expect((await assert()).status).toBe(200);
  });

  it('one for the token endpoint is taken from software that the operator excepted, as one string', async () => {
    const of = { iss: 'excepted', sub: 'excepted' };
    const endpoint = `${bed.issuer}/token`;
    for (const aud of [bed.issuer, endpoint]) {
      expect((await assert({ ...of, aud })).status).toBe(200);
    }
    for (const aud of [
      [endpoint],
      [bed.issuer, endpoint],
      `${bed.issuer}/request`,
      bed.issuer + '/',
    ]) {
      expect((await assert({ ...of, aud })).status).toBe(401);
    }
  });

  it('at the other endpoints it is for the issuer, too', async () => {
    for (const path of ['/request', '/token/introspection', '/token/revocation']) {
      const status = async (aud: string): Promise<unknown> =>
        (
          await post(bed.issuer + path, {
            ...{ token: 'x', client_id: 'keyed', ...assertionType },
            client_assertion: await assertion({ aud }),
          })
        ).json.error ?? 'taken';
      expect(await status(bed.issuer + path)).toBe('invalid_client');
      expect(await status(bed.issuer)).not.toBe('invalid_client');
    }
  });

  it('a client that has a key is not let in by anything less', async () => {
    expect((await token({ client_id: 'keyed' })).status).toBe(401);
    expect((await token({}, basic('keyed', bed.clientSecret))).status).toBe(401);
  });
});
