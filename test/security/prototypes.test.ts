/** JSON that would change what every object has, at each door that takes JSON: nothing of it gets anywhere. */
import { createHmac, randomUUID } from 'node:crypto';
import * as jose from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { basic } from '../oidc/support.ts';
import { type Testbed, redirectUri, startTestbed, webhookSecret } from '../support/testbed.ts';

const registrationToken = randomKey();
let bed: Testbed;
let privateKey: jose.CryptoKey;

beforeAll(async () => {
  const pair = await jose.generateKeyPair('ES256');
  ({ privateKey } = pair);
  const jwk = { ...(await jose.exportJWK(pair.publicKey)), kid: 'mine', alg: 'ES256' };
  bed = await startTestbed({
    flags: { dynamicRegistration: { enabled: true, initialAccessToken: registrationToken } },
    clients: [
      {
        ...{ client_id: 'keyed', redirect_uris: [redirectUri], jwks: { keys: [jwk] } },
        grant_types: ['authorization_code', 'client_credentials'],
        token_endpoint_auth_method: 'private_key_jwt',
        first_party: true,
      },
    ],
  });
});
afterAll(() => bed.close());
afterEach(() => {
  for (const prototype of [Object.prototype, Array.prototype, Function.prototype]) {
    expect('polluted' in prototype).toBe(false);
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});

/** Members of an object, as text: written as a literal they would be taken for its prototype. */
const members: Record<string, string> = {
  'a prototype': '"__proto__":{"polluted":1}',
  'a prototype that is escaped': '"\\u005f_proto__":{"polluted":1}',
  'no prototype': '"__proto__":null',
  'a constructor': '"constructor":{"prototype":{"polluted":1}}',
  'a prototype further down':
    '"id_token":{"__proto__":{"polluted":1}},"userinfo":{"a":{"__proto__":{"polluted":1}}}',
  'a path': '"__proto__.polluted":1,"__proto__[polluted]":1,"constructor.prototype.polluted":1',
  'a list with a prototype': '"x":[{"__proto__":{"polluted":1}}]',
  'methods of its own':
    '"hasOwnProperty":1,"toString":1,"valueOf":1,"then":1,"toJSON":1,"__defineGetter__":1',
};

const genuine = {
  ...{ redirect_uri: redirectUri, response_type: 'code', scope: 'openid' },
  ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
};
const now = (): number => Math.floor(Date.now() / 1000);
const withMembers = (object: object, more: string): string =>
  `{${[JSON.stringify(object).slice(1, -1), more].filter(Boolean).join(',')}}`;

async function send(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(bed.issuer + path, { redirect: 'manual', ...init });
  expect(response.status, path).toBeLessThan(500);
  return response;
}
const form = (fields: Record<string, string>, headers: Record<string, string> = {}) => ({
  ...{ method: 'POST', body: new URLSearchParams(fields), headers },
});

/** Signed as it stands, in its own spelling. */
function sign(payload: string, header: object = {}): Promise<string> {
  return new jose.CompactSign(Buffer.from(payload))
    .setProtectedHeader({ alg: 'ES256', kid: 'mine', ...header })
    .sign(privateKey);
}

describe.each(Object.entries(members))(
  '[PL-18] JSON with %s changes no other object',
  (_name, more) => {
    it('as the metadata of a client, nor does it make the client one of the house', async () => {
      const house = more.replaceAll('"polluted":1', '"polluted":1,"first_party":true');
      const metadata = { application_type: 'native', redirect_uris: [redirectUri] };
      const { publicKey } = await jose.generateKeyPair('ES256');
      const key = withMembers(await jose.exportJWK(publicKey), house);
      for (const body of [
        withMembers(metadata, house),
        withMembers(metadata, `"jwks":{"keys":[${key}]}`),
        withMembers(metadata, `"jwks":{"keys":[],${house}}`),
      ]) {
        const headers = {
          'content-type': 'application/json',
          authorization: `Bearer ${registrationToken}`,
        };
        const answer = await send('/reg', { method: 'POST', body, headers });
        const said = (await answer.json()) as Record<string, string>;
        expect(said).not.toHaveProperty('first_party');
        expect(said).not.toHaveProperty('polluted');
      }
    });

    it('as the claims parameter, in an address and pushed', async () => {
      for (const claims of [`{${more}}`, withMembers({ userinfo: { email: null } }, more)]) {
        const query = new URLSearchParams({ client_id: 'first', ...genuine, claims });
        await send(`/auth?${query.toString()}`);
        const asFirst = basic('first', bed.clientSecret);
        const pushed = await send(
          '/request',
          form({ ...genuine, client_id: 'first', claims }, asFirst),
        );
        if (pushed.status !== 201) continue;
        const { request_uri: uri } = (await pushed.json()) as { request_uri: string };
        const begin = new URLSearchParams({ client_id: 'first', request_uri: uri });
        const begun = await send(`/auth?${begin.toString()}`);
        expect(begun.headers.get('location')).toMatch(/^\/interaction\//);
      }
    });

    it('as a request object, a client assertion, a proof and a hint that are signed', async () => {
      const common = { iss: 'keyed', sub: 'keyed', aud: bed.issuer, exp: now() + 60, iat: now() };
      const claims = withMembers({ ...common, client_id: 'keyed', jti: randomUUID() }, more);
      const request = await sign(claims);
      const query = new URLSearchParams({ client_id: 'keyed', ...genuine, request });
      await send(`/auth?${query.toString()}`);
      const assertion = {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: request,
      };
      const granted = await send(
        '/token',
        form({ grant_type: 'client_credentials', ...assertion }),
      );
      // A claim that nobody knows is no reason to refuse; one without a prototype is a claim, too.
      expect(granted.status).toBe(200);
      const dpop = await sign(withMembers({ htm: 'POST', htu: `${bed.issuer}/token` }, more), {
        typ: 'dpop+jwt',
      });
      await send('/token', form({ grant_type: 'client_credentials' }, { dpop }));
      await send(`/session/end?${new URLSearchParams({ id_token_hint: request }).toString()}`);
      await send(`/auth?${new URLSearchParams({ ...genuine, id_token_hint: request }).toString()}`);
    });

    it('as a webhook, signed over the bytes', async () => {
      const event = { webhook_type: 'status.updated', session_id: 'x', status: 'Approved' };
      const body = withMembers({ ...event, timestamp: now() }, more);
      const headers = { 'content-type': 'application/json', 'x-timestamp': String(now()) };
      const signature = createHmac('sha256', webhookSecret).update(body).digest('hex');
      await send('/webhooks/didit', {
        ...{ method: 'POST', body },
        headers: { ...headers, 'x-signature': signature },
      });
    });
  },
);
