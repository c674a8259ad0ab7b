/**
 * Everything that anybody may send, at every entry: what comes back says that it was wrong, gives a reference, and
 * nothing else. Nothing leads away, nothing breaks, and the log stays one line a line.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepLog, ring } from '../didit/support.ts';
import { type Testbed, redirectUri, startTestbed, webhookSecret } from '../support/testbed.ts';
import { signWebhook } from '../../src/didit/signature.ts';

const log = keepLog();
let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed({ log: log.write });
});
afterAll(() => bed.close());

const hostile: Record<string, string> = {
  empty: '',
  'a prototype': '__proto__',
  'a polluted object': '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  'another host': '//evil.example/',
  'another host, backwards': '/\\evil.example/',
  'another host without slashes': 'https:evil.example',
  'another scheme': 'javascript:alert(1)',
  'a header': 'x\r\nLocation: https://evil.example\r\n\r\n',
  'a script': '"><script>alert(1)</script>',
  'a template': '<%= process.env %>{{7*7}}${7*7}',
  'a query': "' OR '1'='1'; DROP TABLE x; --",
  'a path': '../../../../etc/passwd',
  'the end of a string': 'a\0b',
  colours: '\u001b[31mred\u001b[0m',
  'another direction': '\u202eevil\u202c',
  'no character': '\ud800',
  'a long text': 'x'.repeat(7_000),
  'a deep object': `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`,
  'a large number': '9'.repeat(400),
  'a list': '["a",["b"]]',
};

const authorization = [
  ...['client_id', 'redirect_uri', 'response_type', 'response_mode', 'scope', 'state', 'nonce'],
  ...['prompt', 'max_age', 'ui_locales', 'login_hint', 'acr_values', 'claims', 'request'],
  ...['request_uri', 'id_token_hint', 'code_challenge', 'code_challenge_method', 'resource'],
  ...['display', 'registration', 'dpop_jkt', 'unknown'],
];
const genuine = {
  ...{ client_id: 'first', redirect_uri: redirectUri, response_type: 'code', scope: 'openid' },
  ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', state: 's', nonce: 'n' },
};

/** One request, and all that must hold of whatever comes back. */
async function send(path: string, init: RequestInit = {}, mostLines = 1): Promise<number> {
  const before = log.lines().length;
  const response = await fetch(`${bed.issuer}${path}`, { redirect: 'manual', ...init });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(500);
  const location = response.headers.get('location');
  if (location !== null) {
    const to = new URL(location, bed.issuer).href;
    expect(
      [bed.issuer, redirectUri].some((own) => to.startsWith(own)),
      to,
    ).toBe(true);
  }
  expect(text).not.toMatch(
    /node_modules|file:\/\/|\.ts:\d|\.js:\d|\bat [\w.]+ \(|Node\.js|koa|oidc-provider/i,
  );
  expect(text).not.toContain('<script>alert');
  expect([...response.headers.keys()]).not.toContain('x-powered-by');
  // What the edge turns away was never looked at.
  if (response.status >= 400 && response.status !== 414)
    expect(text).toMatch(/[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}/);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();

  const lines = log.lines().slice(before);
  // The request, and what was wrong with it.
  expect(lines.filter(({ message }) => message !== 'request').length).toBeLessThanOrEqual(
    mostLines,
  );
  return response.status;
}

const forms = (fields: Record<string, string>): RequestInit => ({
  method: 'POST',
  body: new URLSearchParams(fields),
  headers: { accept: 'application/json' },
});

describe.each(Object.entries(hostile))('[PL-21] [PL-13] [PL-18] %s', (_name, value) => {
  it('in an authorization request', async () => {
    for (const name of authorization) {
      const query = new URLSearchParams({ ...genuine, [name]: value });
      await send(`/auth?${query.toString()}`, { headers: { accept: 'text/html' } });
    }
    const asName = new URLSearchParams({ ...genuine, [value || 'x']: value });
    await send(`/auth?${asName.toString()}`);
  });

  it('at the token, pushing, introspection and revocation endpoints', async () => {
    const fields = ['grant_type', 'code', 'redirect_uri', 'code_verifier', 'refresh_token'];
    for (const name of [...fields, 'client_id', 'client_secret', 'scope', 'client_assertion']) {
      const form = { grant_type: 'authorization_code', client_id: 'spa', [name]: value };
      expect(await send('/token', forms(form))).toBeGreaterThanOrEqual(400);
    }
    for (const path of ['/request', '/token/introspection', '/token/revocation']) {
      await send(path, forms({ client_id: 'first', client_secret: value, token: value }));
    }
  });

  it('in headers, paths, cookies and at logout', async () => {
    const printable = encodeURIComponent(value.toWellFormed()).slice(0, 4_000);
    await send('/me', { headers: { authorization: `Bearer ${printable || 'x'}` } });
    await send('/token', { ...forms({}), headers: { authorization: `Basic ${printable}` } });
    await send('/me', { headers: { dpop: printable, authorization: `DPoP ${printable || 'x'}` } });
    await send('/auth', {
      headers: { cookie: `_session=${printable}; _interaction=${printable}` },
    });
    await send('/jwks', { headers: { 'user-agent': printable, 'accept-language': printable } });
    await send(`/interaction/${printable || 'x'}`);
    await send(`/interaction/${printable || 'x'}/didit/${printable || 'y'}?status=${printable}`);
    await send(`/auth/${printable || 'x'}`);
    for (const name of ['id_token_hint', 'post_logout_redirect_uri', 'state', 'client_id']) {
      await send(`/session/end?${new URLSearchParams({ [name]: value }).toString()}`);
    }
  });

  it('as the body of a webhook, signed and not', async () => {
    const body = JSON.stringify({ session_id: value, status: value, webhook_type: value });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    // One line counts the ring, the other says what was answered.
    const deliver = (text: string, more: Record<string, string> = {}): Promise<number> =>
      send('/webhooks/didit', { method: 'POST', body: text, headers: { ...headers, ...more } }, 2);
    await deliver(body);
    await deliver(value);
    // What cannot be written as UTF-8 cannot be signed either.
    if (!value.isWellFormed()) return;
    expect((await ring(bed, value, value)).status).toBeLessThan(500);
    const now = Math.floor(Date.now() / 1000);
    await deliver(body, signWebhook(Buffer.from(body), webhookSecret, now));
  });
});

it('[PL-15] whatever is sent, a line of the log is one line, and has no colours and no length of its own', async () => {
  log.clear();
  for (const value of [hostile.colours, hostile['a header'], hostile['another direction']]) {
    const agent = encodeURI(value ?? '').replaceAll('%', '');
    await send(`/auth?${new URLSearchParams({ ...genuine, scope: value ?? '' }).toString()}`, {
      headers: { 'user-agent': `${agent}${'u'.repeat(9_000)}` },
    });
  }
  const text = log.text();
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/);
  for (const line of text.trimEnd().split('\n')) {
    expect(() => JSON.parse(line) as unknown).not.toThrow();
    expect(line.length).toBeLessThan(2_000);
  }
});
