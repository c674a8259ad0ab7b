/**
 * Two hundred errors and more, forced at every address and in every way that a Redis can fail: whoever gets one
 * learns a reference, and nothing of how we are made or of what it was that failed.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepLog, overhear } from '../didit/support.ts';
import { basic, bearer } from '../oidc/support.ts';
import { type Answer, type TestBrowser, formTokenFor } from '../support/browser.ts';
import {
  type Party,
  type PartyRequest,
  createBrowser,
  createParty,
  signIn,
  toSelfie,
} from '../support/login.ts';
import { type RedisServer, startRedisServer, withRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

const log = keepLog();
const overheard = overhear();
let redis: RedisServer;
let bed: Testbed;
let party: Party;
let signedIn: TestBrowser;
let asking: { browser: TestBrowser; here: string; callback: string };
let unused: { request: PartyRequest; callback: string };
let tokens: Awaited<ReturnType<PartyRequest['finish']>>;

beforeAll(async () => {
  redis = await startRedisServer();
  await asOperator('ACL', 'SETUSER', 'provider', 'on', '>secret-of-redis', '~*', '&*', '+@all');
  const storeUrl = `redis://provider:secret-of-redis@127.0.0.1:${redis.port}`;
  bed = await startTestbed({ storeUrl, fetch: overheard.fetch, log: log.write });
  party = await createParty(bed);
  signedIn = createBrowser();
  const first = await party.begin();
  tokens = await first.finish(await signIn(signedIn, first));
  const request = await party.begin();
  unused = { request, callback: (await signedIn.get(request.url)).location ?? '' };
  const browser = createBrowser();
  await toSelfie(browser, await party.begin(), 'ben@example.com');
  const { callback } = overheard.latest().body;
  asking = { browser, callback, here: callback.replace(/\/didit\/[\w-]+$/, '') };
});
afterAll(async () => {
  await bed.close();
  await redis.stop();
});

const asOperator = (...command: [string, ...string[]]): Promise<unknown> =>
  withRedis(redis.url, (client) => client.call(...command));

/** Every record becomes something that no code of ours wrote. */
async function spoil(): Promise<void> {
  await withRedis(redis.url, async (client) => {
    for (const key of await client.keys('*')) await client.set(key, 'spoiled', 'KEEPTTL');
  });
}

/** In this order; each makes it worse. */
const failures: [string, () => Promise<unknown>][] = [
  ['that nothing is wrong with', () => Promise.resolve()],
  ['that has no room', () => asOperator('CONFIG', 'SET', 'maxmemory', '1')],
  ['that became a replica', () => asOperator('REPLICAOF', '127.0.0.1', '1')],
  ['that forbids everything', () => asOperator('ACL', 'SETUSER', 'provider', '-@all', '+ping')],
  [
    'whose records were spoiled',
    async () => {
      await asOperator('REPLICAOF', 'NO', 'ONE');
      await asOperator('CONFIG', 'SET', 'maxmemory', '0');
      await asOperator('ACL', 'SETUSER', 'provider', '+@all');
      await spoil();
    },
  ],
  ['that is gone', () => redis.kill()],
];

type Ask = (accept: string) => Promise<Answer>;

const from =
  (browser: () => TestBrowser, path: () => string, init: RequestInit = {}): Ask =>
  (accept) =>
    browser().request(path(), { ...init, headers: { ...(init.headers as object), accept } });
const anybody = createBrowser();
const program = (path: string, fields: Record<string, string>, headers = {}): Ask =>
  from(
    () => anybody,
    () => `${bed.issuer}${path}`,
    { method: 'POST', body: new URLSearchParams(fields), headers },
  );
const step = (name: string, fields: Record<string, string> = {}): Ask => {
  return (accept) =>
    asking.browser.request(`${asking.here}/${name}`, {
      method: 'POST',
      body: new URLSearchParams({ ...formTokenFor(asking.here), ...fields }),
      headers: { accept, 'sec-fetch-site': 'same-origin' },
    });
};

/** What would go well, were it not for the store. */
const genuine = (): Ask[] => {
  const asFirst = basic('first', bed.clientSecret);
  const code = new URL(unused.callback).searchParams.get('code') ?? '';
  const token = { token: tokens.access_token };
  const begin = { ...{ response_type: 'code', scope: 'openid', redirect_uri: redirectUri } };
  const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };
  const query = new URLSearchParams({ client_id: 'first', ...begin, ...pkce }).toString();
  return [
    from(createBrowser, () => `${bed.issuer}/auth?${query}`),
    from(
      () => signedIn,
      () => `${bed.issuer}/auth?${query}`,
    ),
    from(
      () => signedIn,
      () => `${bed.issuer}/session/end`,
    ),
    from(
      () => asking.browser,
      () => asking.here,
    ),
    from(
      () => asking.browser,
      () => asking.callback,
    ),
    ...['selfie', 'resume', 'try-again', 'start-over', 'other-way'].map((name) => step(name)),
    step('identify', { identifier: 'ana@example.com' }),
    from(
      () => anybody,
      () => `${bed.issuer}/me`,
      { headers: bearer(tokens.access_token) },
    ),
    program('/token', { grant_type: 'client_credentials' }, asFirst),
    program(
      '/token',
      { grant_type: 'authorization_code', code, redirect_uri: redirectUri },
      asFirst,
    ),
    program(
      '/token',
      { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' },
      asFirst,
    ),
    program('/token/introspection', token, asFirst),
    program('/token/revocation', token, asFirst),
    program('/request', { client_id: 'first', ...begin, ...pkce }, asFirst),
  ];
};

/** What is wrong anyway. */
const wrong = (): Ask[] => [
  ...[
    '/nothing',
    '/auth?client_id=nobody',
    '/interaction/x',
    '/auth/x',
    '/reg',
    '/assets/x',
    '/interaction/x/events',
  ].map((path) =>
    from(
      () => anybody,
      () => `${bed.issuer}${path}`,
    ),
  ),
  ...['/interaction/%E0%A4%A', '/session/end?id_token_hint=x', '/interaction/x/didit/y'].map(
    (path) =>
      from(
        () => anybody,
        () => `${bed.issuer}${path}`,
      ),
  ),
  program('/token', { grant_type: 'nothing' }),
  program('/token', { client_id: 'first', client_secret: 'wrong' }),
  program('/session/end/confirm', { xsrf: 'x' }),
  program('/webhooks/didit', {}),
  program('/interaction/x/selfie', {}),
];

const versions = ['oidc-provider', 'koa', 'ioredis'].map((name) => {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
});
const revealing = new RegExp(
  [
    /node_modules|file:\/\/|\/src\/|\.[tj]s:\d|\bat \S+ \(|\bat async |Error:/,
    /redis|sqlite|NOPERM|\bOOM\b|READONLY|MASTERDOWN|MISCONF|WRONGTYPE|ECONN|EPIPE|Connection is/i,
    /oidc-provider|\bkoa\b|x-powered-by|Node\.js|secret-of-redis|altered or moved/i,
  ]
    .map(({ source }) => source)
    .concat(
      [process.version.slice(1), process.cwd(), ...versions].map((text) =>
        text.replaceAll('.', '\\.'),
      ),
    )
    .join('|'),
  'i',
);

/** What goes wrong is answered with the same headers as what goes well. */
const guarded = {
  'content-security-policy': expect.stringContaining("frame-ancestors 'none'") as string,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
};
const references = new Set<string>();
const statuses = new Map<number, number>();

it.each(failures)(
  '[PL-21] [PL-09] errors of a provider with a Redis %s tell a reference alone',
  async (name, fail) => {
    await fail();
    for (const ask of [...genuine(), ...wrong()]) {
      for (const accept of ['text/html', 'application/json']) {
        const { status, headers, text, url } = await ask(accept);
        if (status < 400) continue;
        const place = `${status} ${new URL(url).pathname.replaceAll(/[\w-]{20,}/g, 'x')} ${accept}, ${name}`;
        const everything = JSON.stringify([...headers]) + text;
        expect(everything.match(revealing)?.[0], place).toBeUndefined();
        expect(Object.fromEntries(headers), place).toMatchObject(guarded);
        const [reference] = /[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}/.exec(text) ?? [];
        expect(reference, `${place}: ${text}`).toBeDefined();
        expect(log.text(), place).toContain(reference);
        references.add(reference ?? '');
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
  },
  120_000,
);

it('[PL-21] they were more than two hundred, each with a reference of its own', () => {
  expect(references.size).toBeGreaterThan(200);
  expect(statuses.get(503)).toBeGreaterThan(100);
});
