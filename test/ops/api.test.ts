/** The admin API as programs meet it: keys, scopes, versions, pages, and what comes of bad input. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Act } from '../../src/ops/acts/act.ts';
import { acts, scopes } from '../../src/ops/acts/index.ts';
import { keepLog } from '../didit/support.ts';
import { apiDocument, apiOf, makeKey } from '../support/api.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let nowMs = Date.now();
const log = keepLog();
let token: string;
let call: ReturnType<typeof apiOf>;

beforeAll(async () => {
  bed = await startTestbed({ clock: () => nowMs, log: log.write });
  token = await makeKey(bed);
  call = apiOf(bed, token);
});
afterAll(() => bed.close());

const app = { client_name: 'App', redirect_uris: ['https://app.example/cb'] };
const pathOf = ({ path }: Act, id = 'none'): string => path.replaceAll(/:\w+/g, id);
const routes = acts.map((act) => [`${act.method} ${act.path}`, act] as const);

async function someone(): Promise<string> {
  const { body } = await call('GET', '/accounts?limit=1');
  return (body['accounts'] as { sub: string }[])[0]?.sub ?? '';
}

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(apiDocument) as never)).toEqual({
      valid: true,
    });
    expect(validator.version).toBe('3.1');
  });

  test('has every act, and nothing else', () => {
    const described = Object.entries(apiDocument.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const table = acts.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(described.sort()).toEqual(table.sort());
  });
});

describe('[PL-20] who may', () => {
  test.each(routes)('%s is 401 without a key', async (_, act) => {
    const said = await call(act.method, pathOf(act), { token: undefined });
    expect([said.status, said.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="didit-oidc admin"',
    ]);
  });

  test.each(routes)('%s is 403 with every scope but its own', async (_, act) => {
    const others = scopes.filter((one) => one !== act.scope);
    const said = await call(act.method, pathOf(act), { token: await makeKey(bed, others) });
    expect([said.status, said.body['code']]).toEqual([403, 'forbidden']);
  });

  test('nobody learns without a key what is there', async () => {
    for (const path of ['/', '/nothing', '/accounts/none/none']) {
      expect((await call('GET', path, { token: undefined })).status).toBe(401);
    }
    expect((await call('GET', '/nothing')).status).toBe(404);
    expect((await call('PATCH', '/accounts')).status).toBe(405);
  });

  test('a key that was revoked, or whose time is over, counts for nothing at once', async () => {
    const [brief, revoked] = [
      await makeKey(bed, scopes, { expires_at: new Date(nowMs + 60_000).toISOString() }),
      await makeKey(bed, scopes, { name: 'to revoke' }),
    ];
    expect((await call('GET', '/clients', { token: brief })).status).toBe(200);
    nowMs += 60_001;
    expect((await call('GET', '/clients', { token: brief })).status).toBe(401);
    const { body } = await call('GET', '/api-keys?limit=200');
    const keys = body['keys'] as { id: string; name: string }[];
    const { id = '' } = keys.find(({ name }) => name === 'to revoke') ?? {};
    expect((await call('DELETE', `/api-keys/${id}`)).status).toBe(200);
    expect((await call('GET', '/clients', { token: revoked })).status).toBe(401);
  });

  test('a key gives no scope that it does not have', async () => {
    const asked = { name: 'more', scopes: ['clients:write'] };
    const poor = await makeKey(bed, ['api-keys:write']);
    expect((await call('POST', '/api-keys', { token: poor, body: asked })).status).toBe(403);
    const { body } = await call('GET', '/api-keys?limit=200');
    expect((body['keys'] as { name: string }[]).some(({ name }) => name === 'more')).toBe(false);
  });

  test('keys lie in the store as hashes, and no answer shows one twice', async () => {
    const { body } = await call('GET', '/api-keys?limit=200');
    expect(JSON.stringify(body)).not.toContain('dok_');
    expect((body['keys'] as { used_on?: string }[])[0]?.used_on).toBe(
      new Date(nowMs).toISOString().slice(0, 10),
    );
  });
});

describe('[PL-20] objects', () => {
  const below = acts.filter(({ params }) => params !== undefined && 'id' in params.shape);

  test.each(below.map((act) => [`${act.method} ${act.path}`, act] as const))(
    '%s finds nothing under the id of another kind of object',
    async (_, act) => {
      if (act.takesTwo) return;
      const sub = await someone();
      const other = act.path.startsWith('/accounts') ? 'first' : sub;
      const body = {
        'clients.change': app,
        'reviews.approve': { reason: 'x' },
        'reviews.decline': { reason: 'x' },
        'erasures.plan': { what: 'face' },
        'operators.set-role': { role: 'viewer' },
      }[act.id];
      const headers: Record<string, string> = act.isVersioned ? { 'if-match': '"1"' } : {};
      const said = await call(act.method, pathOf(act, other), {
        headers,
        ...(body ? { body } : act.body ? { body: {} } : {}),
      });
      // Who the operators are is for people alone to say.
      const isForPeople = act.id === 'operators.set-role';
      expect(said.body['code']).toBe(isForPeople ? 'forbidden' : 'not_found');
    },
  );

  test('a sign-in, a key and a share of one person are not found below another one', async () => {
    const { body } = await call('GET', '/accounts');
    const [one, other] = (body['accounts'] as { sub: string }[]).map(({ sub }) => sub);
    for (const kind of ['sessions', 'devices']) {
      expect((await call('DELETE', `/accounts/${one ?? ''}/${kind}/${other ?? ''}`)).status).toBe(
        404,
      );
    }
  });
});

describe('[EN-10] one operator, or a program', () => {
  test('opens no recovery, whatever its scopes are', async () => {
    const sub = await someone();
    for (const path of ['recovery', 'recovery/link']) {
      const said = await call('POST', `/accounts/${sub}/${path}`);
      expect([said.status, said.body['detail']]).toEqual([
        403,
        'it takes two people, and a key is none',
      ]);
    }
    expect((await call('GET', `/accounts/${sub}/recovery`)).body).toEqual({ state: 'none' });
  });

  test('has no act that marks a sign-in or an account as proven, or takes a way in away', () => {
    const ids = acts.map(({ id }) => id);
    expect(ids.filter((id) => /^(logins|attempts|proofs|factors|faces)\./.test(id))).toEqual([
      'factors.list',
    ]);
    const given = acts.flatMap(({ body }) => Object.keys(body?.shape ?? {}));
    expect(given.filter((name) => /verified|proven|acr$|enrolment|status/.test(name))).toEqual([
      // The least that an app takes: it makes a sign-in harder, and proves nothing.
      ...['minimum_acr', 'minimum_acr'],
    ]);
  });
});

describe('versions', () => {
  test('a change says which one it is of, and two at once are one', async () => {
    const added = await call('POST', '/clients', { body: app });
    expect(added.status).toBe(201);
    const path = `/clients/${String(added.body['client_id'])}`;
    const etag = added.headers.get('etag') ?? '';
    expect((await call('PUT', path, { body: app })).status).toBe(428);
    expect((await call('PUT', path, { body: app, headers: { 'if-match': '*' } })).status).toBe(400);
    const changes = ['One', 'Two'].map((name) =>
      call('PUT', path, {
        body: { ...app, client_name: name },
        headers: { 'if-match': etag },
      }),
    );
    const statuses = (await Promise.all(changes)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 412]);
    expect((await call('DELETE', path, { headers: { 'if-match': etag } })).status).toBe(412);
    const now = await call('GET', path);
    const headers = { 'if-match': now.headers.get('etag') ?? '' };
    expect((await call('DELETE', path, { headers })).status).toBe(200);
    expect((await call('GET', path)).status).toBe(404);
    const again = { ...app, client_id: String(added.body['client_id']) };
    expect((await call('POST', '/clients', { body: again })).status).toBe(409);
  });
});

describe('pages', () => {
  test('lead from one to the next, and have everything once', async () => {
    for (const name of ['a', 'b', 'c']) {
      await call('POST', '/clients', { body: { ...app, client_id: `page-${name}` } });
    }
    const seen: string[] = [];
    for (let path = '/clients?limit=1'; path !== '';) {
      const { headers, body } = await call('GET', path);
      seen.push(...(body['clients'] as { client_id: string }[]).map((one) => one.client_id));
      const [, next = ''] = /^<\/admin\/v1(.+)>; rel="next"$/.exec(headers.get('link') ?? '') ?? [];
      path = next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(['first', 'page-a', 'page-b', 'page-c']));
  });

  test.each(['limit=0', 'limit=201', 'cursor=nothing', 'limit=1&limit=2', 'more=1'])(
    'refuses ?%s',
    async (query) => {
      const { status } = await call('GET', `/clients?${query}`);
      expect([400, 422]).toContain(status);
    },
  );
});

describe('the same request twice', () => {
  const headers = { 'idempotency-key': 'k-1' };

  test('is done once, even at once, and answered alike; another one of the same name is refused', async () => {
    const body = { ...app, client_name: 'Once' };
    const said = await Promise.all(
      Array.from({ length: 5 }, () => call('POST', '/clients', { body, headers })),
    );
    expect(said.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
    expect(new Set(said.map((one) => JSON.stringify(one.body))).size).toBe(1);
    const other = { ...body, client_name: 'Other' };
    expect((await call('POST', '/clients', { body: other, headers })).status).toBe(422);
    nowMs += 86_400_001;
    const later = await call('POST', '/clients', { body, headers });
    expect(later.body['client_id']).not.toBe(said[0]?.body['client_id']);
  });

  test('[PL-20] is done where it was sent, and refused elsewhere: one name is one request', async () => {
    const named = { 'idempotency-key': 'k-9' };
    const sub = await someone();
    const block = () => call('POST', `/accounts/${sub}/block`, { headers: named });
    expect((await block()).status).toBe(200);
    const elsewhere = [`/accounts/${sub}/unblock`, '/accounts/none/block'];
    for (const path of elsewhere) {
      expect([path, (await call('POST', path, { headers: named })).status]).toEqual([path, 422]);
    }
    expect((await call('GET', `/accounts/${sub}`)).body['status']).toBe('blocked');
    expect((await block()).status).toBe(200);
    expect((await call('POST', `/accounts/${sub}/unblock`)).status).toBe(200);
  });

  test('may be sent again when it was refused', async () => {
    const once = { 'idempotency-key': 'k-2' };
    const bad = { ...app, redirect_uris: ['https://app.example/*'] };
    expect((await call('POST', '/clients', { body: bad, headers: once })).status).toBe(422);
    expect((await call('POST', '/clients', { body: app, headers: once })).status).toBe(201);
  });

  test('of another key is another request', async () => {
    const mine = await call('POST', '/clients', {
      body: app,
      headers: { 'idempotency-key': 'k-3' },
    });
    const theirs = await call('POST', '/clients', {
      body: app,
      headers: { 'idempotency-key': 'k-3' },
      token: await makeKey(bed),
    });
    expect(theirs.body['client_id']).not.toBe(mine.body['client_id']);
  });
});

describe('bad input is refused whole', () => {
  const refused: [string, number, Parameters<typeof call>[2]][] = [
    ['an unknown member', 422, { body: { ...app, is_admin: true } }],
    [
      'a name of the language',
      422,
      { text: '{"client_name":"A","__proto__":{"first_party":true}}' },
    ],
    ['no JSON', 400, { text: '{' }],
    ['what is nested too deeply', 400, { text: `${'['.repeat(5_000)}${']'.repeat(5_000)}` }],
    ['more than 64 KiB', 413, { text: JSON.stringify({ client_name: 'x'.repeat(70_000) }) }],
    [
      'a form',
      415,
      { text: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    ['an address of a script', 422, { body: { ...app, redirect_uris: ['javascript:alert(1)'] } }],
    [
      'what the library refuses',
      422,
      {
        body: {
          ...app,
          subject_type: 'pairwise',
          redirect_uris: ['https://a.example/', 'https://b.example/'],
        },
      },
    ],
    ['a policy that is not here', 422, { body: { ...app, policy: 'nobody-wrote-it' } }],
    ['a list', 422, { body: [] }],
  ];

  test.each(refused)('%s: %i', async (_, status, asking) => {
    const before = await call('GET', '/clients?limit=200');
    const said = await call('POST', '/clients', asking);
    expect(said.status).toBe(status);
    expect((await call('GET', '/clients?limit=200')).body).toEqual(before.body);
  });

  test('and each wrong field is named', async () => {
    const body = { client_name: '', redirect_uris: ['nowhere'] };
    const { fields } = (await call('POST', '/clients', { body })).body;
    expect((fields as { path: string }[]).map(({ path }) => path).sort()).toEqual([
      'client_name',
      'redirect_uris.0',
    ]);
  });

  test('a path that is none', async () => {
    expect([400, 404]).toContain((await call('GET', '/accounts/%ff')).status);
  });
});

describe('nothing for browsers', () => {
  test('no cookie, no page, no permission for other sites', async () => {
    const said = await call('GET', '/clients', { headers: { origin: 'https://evil.example' } });
    const names = [...said.headers.keys()];
    expect(names.filter((name) => /^(set-cookie|access-control-.*)$/.test(name))).toEqual([]);
    expect(said.headers.get('cache-control')).toBe('no-store');
    const asked = { headers: { 'access-control-request-method': 'GET' }, token: undefined };
    expect((await call('OPTIONS', '/clients', asked)).status).toBe(401);
  });
});

describe('[PL-20] a key that asks for what it may not have', () => {
  test('is refused thirty times a minute, and no more of it is written; what it may goes on', async () => {
    const narrow = await makeKey(bed, ['policies:read'], { name: 'narrow' });
    const { body } = await call('GET', '/api-keys?limit=200');
    const keys = body['keys'] as { id: string; name: string }[];
    const source = `key:${keys.find(({ name }) => name === 'narrow')?.id ?? ''}`;
    const asked = { token: narrow, body: app };
    const said: Awaited<ReturnType<typeof call>>[] = [];
    while (said.length < 40) said.push(await call('POST', '/clients', asked));
    const statuses = said.map(({ status }) => status);
    expect(statuses).toEqual(Array.from({ length: 40 }, (_, at) => (at < 30 ? 403 : 429)));
    expect(Number(said.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0);
    const refused = bed.events.filter(({ operators }) => operators?.includes(source));
    expect(refused.map(({ event }) => event)).toEqual(
      statuses.slice(0, 30).map(() => 'operator.refused'),
    );
    const told = log.lines().filter(({ key }) => key === source);
    expect(told).toMatchObject([
      { level: 'warn', message: 'a key goes on asking for what it may not have' },
    ]);
    expect((await call('GET', '/policies', { token: narrow })).status).toBe(200);
    const other = await makeKey(bed, ['policies:read']);
    expect((await call('POST', '/clients', { ...asked, token: other })).status).toBe(403);
  });
});

describe('[PL-20] guessing', () => {
  test('is slowed down, and whoever has a key goes on', async () => {
    const statuses: number[] = [];
    for (let at = 0; at < 120 && statuses.at(-1) !== 429; at += 1) {
      const wrong = `dok_${'x'.repeat(43)}`;
      statuses.push((await call('GET', '/clients', { token: wrong })).status);
    }
    expect(statuses.at(-1)).toBe(429);
    expect((await call('GET', '/clients')).status).toBe(200);
  });
});
