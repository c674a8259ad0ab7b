/** Apps that operators add while the provider runs: people sign in to them at once, by whatever the operator said. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadPolicy } from '../../src/config/policies.ts';
import { hashSecret } from '../../src/oidc/client-secrets.ts';
import { type Scene, openScene } from '../support/account.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { basic, post } from '../oidc/support.ts';
import type { Answer } from '../support/browser.ts';
import { type Party, createBrowser, createParty, press, settle, signIn } from '../support/login.ts';
import { redirectUri } from '../support/testbed.ts';

const fileSecrets = ['a'.repeat(40), 'b'.repeat(40)];
let scene: Scene;
let call: ReturnType<typeof apiOf>;
beforeAll(async () => {
  scene = await openScene({
    clients: [
      {
        client_id: 'of-file',
        client_secret_hashes: fileSecrets.map(hashSecret),
        redirect_uris: [redirectUri],
        grant_types: ['client_credentials'],
        response_types: [],
      },
    ],
  });
  call = apiOf(scene.bed, await makeKey(scene.bed));
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

const fields = {
  client_name: 'Added',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'client_credentials'],
};

interface Added {
  id: string;
  secret: string;
  etag: string;
}

async function add(more: object = {}): Promise<Added> {
  const { body, headers, status } = await call('POST', '/clients', {
    body: { ...fields, ...more },
  });
  expect(status).toBe(201);
  const { value: secret } = body['secret'] as { value: string };
  return { id: String(body['client_id']), secret, etag: headers.get('etag') ?? '' };
}

async function change(client: Added, more: object): Promise<Added> {
  const said = await call('PUT', `/clients/${client.id}`, {
    body: { ...fields, ...more },
    headers: { 'if-match': client.etag },
  });
  expect(said.status).toBe(200);
  return { ...client, etag: said.headers.get('etag') ?? '' };
}

const asParty = ({ id, secret }: Added): Promise<Party> =>
  createParty({ issuer: scene.bed.issuer, clientSecret: secret }, id);

/** What somebody may do once they have said who they are. */
async function choiceOf(party: Party): Promise<Answer> {
  const browser = createBrowser();
  const page = await settle(browser, await browser.get((await party.begin()).url));
  const identifier = scene.bed.person();
  return settle(browser, await press(browser, page, 'identify', { identifier }));
}

async function opens(id: string, secret: string): Promise<number> {
  const asked = { grant_type: 'client_credentials' };
  return (await post(`${scene.bed.issuer}/token`, asked, basic(id, secret))).status;
}

describe('an app that an operator adds', () => {
  test('has people signing in to it at once', async () => {
    const party = await asParty(await add({ first_party: true }));
    const request = await party.begin();
    const tokens = await request.finish(await signIn(createBrowser(), request, scene.bed.person()));
    expect(tokens.claims()?.acr).toMatch(/selfie/);
  });

  test('is what it was changed to with the next request, and nobody once it was removed', async () => {
    const client = await add({ first_party: true });
    const party = await asParty(client);
    const { url } = await party.begin();
    const browser = createBrowser();
    expect((await settle(browser, await browser.get(url))).text).toContain('identify');
    const moved = await change(client, { redirect_uris: ['https://moved.example/cb'] });
    expect((await settle(createBrowser(), await createBrowser().get(url))).status).toBe(400);
    const headers = { 'if-match': moved.etag };
    expect((await call('DELETE', `/clients/${client.id}`, { headers })).status).toBe(200);
    expect(await opens(client.id, client.secret)).toBe(401);
  });

  test('takes the least that the operator said of it', async () => {
    const party = await asParty(await add({ minimum_acr: 'phr', first_party: true }));
    const request = await party.begin({ prompt: 'none' });
    const browser = createBrowser();
    const { location = '' } = await settle(browser, await browser.get(request.url));
    expect(new URL(location).searchParams.get('error')).toMatch(/login_required|unmet/);
  });

  test('has the policy that the operator named, and no other', async () => {
    const ruleFor = async (more: object): Promise<string> => {
      await choiceOf(await asParty(await add({ first_party: true, ...more })));
      const decided = scene.bed.events.findLast(({ event }) => event === 'login.decided');
      return (decided?.reason ?? '').replace(/^\w+: /, '');
    };
    const rulesOf = (name: string): string[] => loadPolicy(name).before.map((rule) => rule.name);
    const [strict, standard] = [await ruleFor({ policy: 'strict' }), await ruleFor({})];
    expect(rulesOf('strict')).toContain(strict);
    expect(rulesOf('standard')).toContain(standard);
    expect(strict).not.toBe(standard);
  });

  test('may let the selfie be taken on a phone, if the operator said so', async () => {
    const pageOf = async (handoff: boolean): Promise<string> => {
      const party = await asParty(await add({ first_party: true, handoff }));
      return (await choiceOf(party)).text;
    };
    expect(await pageOf(true)).toContain('/handoff"');
    expect(await pageOf(false)).not.toContain('/handoff"');
  });
});

describe('[PL-20] [PR-21] an app that an operator adds', () => {
  const cases: [string, object][] = [
    ['a code in the clear', { redirect_uris: ['http://shop.example.com/cb'] }],
    [
      'a code in the clear among good ones',
      { redirect_uris: [redirectUri, 'HTTP://shop.example/'] },
    ],
    ['credentials in an address', { redirect_uris: ['https://user:pass@shop.example.com/cb'] }],
    ['a name without a password', { redirect_uris: ['https://user@shop.example.com/cb'] }],
    ['a way back in the clear', { post_logout_redirect_uris: ['http://shop.example.com/bye'] }],
    ['credentials on the way back', { post_logout_redirect_uris: ['https://u:p@shop.example/'] }],
    ['a look-alike of this machine', { redirect_uris: ['http://localhost.shop.example/cb'] }],
    ['a logout call to the metadata', { backchannel_logout_uri: 'http://169.254.169.254/latest' }],
    ['a logout call into the network', { backchannel_logout_uri: 'https://10.0.0.1/logout' }],
    ['a logout call to this machine', { backchannel_logout_uri: 'https://localhost/logout' }],
    [
      'keys in the network',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://192.168.1.1/jwks' },
    ],
    ['a line break in its name', { client_name: 'Shop\nWiki' }],
    ['a terminal’s words in its name', { client_name: '\u001b[2KShop' }],
    ['a newer terminal’s words in its name', { client_name: '\u009b2KShop' }],
    ['writing turned around in its name', { client_name: 'Shop\u202eikiW' }],
  ];

  test.each(cases)('is refused with %s, and so is a change to that', async (_, more) => {
    const body = { ...fields, ...more };
    expect((await call('POST', '/clients', { body })).status).toBe(422);
    const { id, etag } = await add();
    const headers = { 'if-match': etag };
    expect((await call('PUT', `/clients/${id}`, { body, headers })).status).toBe(422);
  });

  test.each<[string, object]>([
    ['of this machine, while it is made', { redirect_uris: ['http://127.0.0.1:8080/cb'] }],
    [
      'of this machine, by the other names',
      { redirect_uris: ['http://localhost/', 'http://[::1]/'] },
    ],
    ['native', { application_type: 'native', redirect_uris: ['com.example.app:/cb'] }],
    [
      'native, and listens on this machine',
      { application_type: 'native', redirect_uris: ['http://127.0.0.1/cb'] },
    ],
    ['told of logouts', { backchannel_logout_uri: 'https://shop.example.com/logout' }],
  ])('may be %s', async (_, more) => {
    await add(more);
  });
});

test('[PL-20] of many who change one app at once, in the version that all had read, one does', async () => {
  for (let round = 0; round < 5; round += 1) {
    const client = await add();
    const names = Array.from({ length: 8 }, (_, number) => `Name ${number}`);
    const said = await Promise.all(
      names.map((client_name) =>
        call('PUT', `/clients/${client.id}`, {
          body: { ...fields, client_name },
          headers: { 'if-match': client.etag },
        }),
      ),
    );
    const done = said.flatMap(({ status }, at) => (status === 200 ? [names[at]] : []));
    expect(said.filter(({ status }) => status === 412)).toHaveLength(7);
    const { body } = await call('GET', `/clients/${client.id}`);
    expect([(body['metadata'] as { client_name: string }).client_name]).toEqual(done);
  }
});

describe('several secrets', () => {
  test('open alike, until one is taken away or its time is over; the last one stays', async () => {
    const client = await add();
    const path = `/clients/${client.id}/secrets`;
    const end = new Date(Date.now() + 60_000).toISOString();
    const brief = await call('POST', path, {
      body: { expires_at: end },
      headers: { 'if-match': client.etag },
    });
    const second = await call('POST', path, {
      body: {},
      headers: { 'if-match': brief.headers.get('etag') ?? '' },
    });
    const secrets = [client.secret, ...[brief, second].map(({ body }) => valueIn(body))];
    const all = () => Promise.all(secrets.map((secret) => opens(client.id, secret)));
    expect(await all()).toEqual([200, 200, 200]);
    scene.pass(61);
    expect(await all()).toEqual([200, 401, 200]);
    const { body, headers } = await call('GET', `/clients/${client.id}`);
    const [first, , last] = (body['secrets'] as { id: string }[]).map(({ id }) => id);
    const etag = headers.get('etag') ?? '';
    const gone = await call('DELETE', `${path}/${first ?? ''}`, { headers: { 'if-match': etag } });
    expect(gone.status).toBe(200);
    expect(await all()).toEqual([401, 401, 200]);
    const match = { 'if-match': gone.headers.get('etag') ?? '' };
    expect((await call('DELETE', `${path}/${last ?? ''}`, { headers: match })).status).toBe(409);
    expect(await all()).toEqual([401, 401, 200]);
  });

  test('are kept as hashes, and shown in no answer but the first', async () => {
    const client = await add();
    const stored = await scene.store.get(`Client:${client.id}`);
    expect(stored?.value).not.toContain(client.secret);
    const { body } = await call('GET', `/clients/${client.id}`);
    expect(JSON.stringify(body)).not.toMatch(new RegExp(`${client.secret}|sha256:`));
  });

  test('may stand in the clients file as well', async () => {
    for (const secret of fileSecrets) expect(await opens('of-file', secret)).toBe(200);
    expect(await opens('of-file', 'c'.repeat(40))).toBe(401);
  });

  const valueIn = (body: Record<string, unknown>): string =>
    (body['secret'] as { value: string }).value;
});

describe('an app that registers itself', () => {
  test('says nothing that only an operator says, and an operator does not change it', async () => {
    const kept = JSON.stringify({
      client_id: 'own',
      redirect_uris: [redirectUri],
      client_name: 'Own',
    });
    await scene.store.put('Client:own', kept);
    const { body, headers } = await call('GET', '/clients/own');
    expect(body['source']).toBe('registered');
    const match = { 'if-match': headers.get('etag') ?? '' };
    expect((await call('PUT', '/clients/own', { body: fields, headers: match })).status).toBe(409);
    expect((await call('DELETE', '/clients/own', { headers: match })).status).toBe(409);
  });
});
