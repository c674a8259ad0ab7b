/**
 * Everything that anybody may send, at every entry: what comes back says that it was wrong, gives a reference, and
 * nothing else. Nothing leads away, nothing breaks, and the log stays one line a line.
 */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keepLog, ring } from '../didit/support.ts';
import { signedIn } from '../oidc/support.ts';
import { chromeOnLinux } from '../support/browser.ts';
import { createBrowser, createParty, settle, signIn } from '../support/login.ts';
import { type Testbed, redirectUri, startTestbed, webhookSecret } from '../support/testbed.ts';
import { withoutIds } from '../support/words.ts';
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
  expectLeadsHome(response.headers.get('location'));
  expect(withoutIds(text)).not.toMatch(
    /node_modules|file:\/\/|\.ts:\d|\.js:\d|\bat [\w.]+ \(|Node\.js|\bkoa\b|oidc-provider/i,
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

/** To ourselves, or to the address that is registered, and not to one that only begins like them. */
function expectLeadsHome(location: string | null): void {
  if (location === null) return;
  const to = new URL(location, bed.issuer);
  const isRegistered = to.origin + to.pathname === redirectUri;
  expect(isRegistered || to.origin === bed.issuer, to.href).toBe(true);
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

/** What names of parameters lead away elsewhere, and those that our own addresses have. */
const destinations = [
  ...['next', 'url', 'redirect', 'return_to', 'continue', 'begin', 'status', 'state', 'lang'],
  ...['redirect_uri', 'post_logout_redirect_uri', 'client_id', 'iss', 'login_hint'],
];
const elsewhere = [
  ...[
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    'https:evil.example',
    '////evil.example/',
  ],
  ...['https://evil.example', 'http://localhost:9/callback@evil.example', 'https:/evil.example'],
  ...['javascript:alert(1)', 'data:text/html,x', ' https://evil.example', '\thttps://evil.example'],
  ...[
    'x\r\nLocation: https://evil.example',
    'x\r\nSet-Cookie: _session=evil',
    '\u2215\u2215evil.example',
  ],
];

describe('[PL-13] somebody who is signed in, or about to be, is led nowhere else', () => {
  it.each(elsewhere)('by %j in any parameter of any address', async (value) => {
    const party = await createParty(bed);
    const [inside, outside] = [await signedIn(bed), createBrowser()];
    const page = await settle(outside, await outside.get((await party.begin()).url));
    const here = new URL(page.url).pathname;
    const nonce = 'n'.repeat(43);
    for (const name of destinations) {
      for (const text of [value, encodeURIComponent(value)]) {
        const query = new URLSearchParams({ [name]: text }).toString();
        const request = new URLSearchParams(genuine);
        if (name in genuine) request.delete(name);
        for (const [browser, path] of [
          [inside, `/auth?${request.toString()}&${query}`],
          [inside, `/session/end?${query}`],
          [inside, `/session/end/success?${query}`],
          [outside, `${here}?${query}`],
          [outside, `${here}/didit/${nonce}?${query}`],
          [outside, `${here.replace('/interaction/', '/auth/')}x?${query}`],
        ] as const) {
          const { status, headers, text: body } = await browser.get(bed.issuer + path);
          expect(status, path).toBeLessThan(500);
          expectLeadsHome(headers.get('location'));
          expect(headers.getSetCookie().join(), path).not.toContain('evil');
          expect(
            linksOf(body).filter((link) => link.includes('evil')),
            path,
          ).toEqual([]);
        }
      }
    }
    // Both are still where they were, so all that was tried on them.
    expect((await inside.get((await party.begin()).url)).location).toMatch(/callback\?code=/);
    expect((await outside.get(bed.issuer + here)).status).toBe(200);
  });

  const linksOf = (html: string): string[] =>
    [...html.matchAll(/(?:href|src|action|formaction|url|content)="?([^"> ]+)/g)].map(
      ([, link = '']) => link,
    );
});

describe('[PL-15] whatever is sent, a line of the log is one line, of bounded length, and what it looks like', () => {
  const invisible = {
    colours: '\u001b[31mred',
    'the colours of another age': '\u009b31mred',
    'a new line': 'a\r\nb',
    'other new lines': 'a\u0085b\u2028c\u2029d',
    'the end of a string': 'a\0b',
    'what is deleted': 'a\u007f',
    'another direction': '\u202eevil\u202c \u2066evil\u2069 \u200eleft\u200f \u061c',
    'what has no width': '\u200b\ufeff\u2060',
    'another line': '"},{"level":"error"}',
    'seven kilobytes': 'x'.repeat(7_000),
    'half a character': '\ud800',
  };

  it.each(Object.entries(invisible))('with %s in it', async (_name, value) => {
    log.clear();
    // The name of a field that is there twice is what the log tells of a form.
    const twice = new URLSearchParams([
      [value, '1'],
      [value, '2'],
    ]);
    await send('/auth', { method: 'POST', body: twice, headers: { accept: 'application/json' } });
    for (const name of authorization) {
      const query = new URLSearchParams({ ...genuine, [name]: value.slice(0, 2_000) });
      await send(`/auth?${query.toString()}`);
    }
    for (const name of ['grant_type', 'client_id', 'client_secret', 'code', 'scope', 'resource']) {
      await send('/token', forms({ client_id: 'spa', grant_type: 'refresh_token', [name]: value }));
    }
    const escaped = encodeURIComponent(value.toWellFormed());
    const refreshing = forms({ client_id: 'spa', grant_type: 'refresh_token' });
    const headers = { accept: 'application/json', origin: `https://${escaped}` };
    await send('/token', { ...refreshing, headers });
    await send(`/${escaped}`);
    expectPlain(log.text());
    expect(log.lines().length).toBeGreaterThan(20);
  });

  it('and a browser that calls itself by a hundred kilobytes is not even heard', async () => {
    log.clear();
    const { host, port, hostname } = new URL(bed.issuer);
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    // Who is not listened to any more may be hung up on before the answer arrives.
    socket.on('error', () => undefined);
    socket.write(
      `GET /auth HTTP/1.1\r\nhost: ${host}\r\nuser-agent: ${'u'.repeat(100_000)}\r\n\r\n`,
    );
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answer).toMatch(/^(HTTP\/1\.1 431 |$)/);
    expect(log.lines()).toEqual([]);
    expect((await fetch(`${bed.issuer}/jwks`)).status).toBe(200);
  });

  it('nor is there anything in it of what a browser calls itself, in a whole login', async () => {
    log.clear();
    const userAgent = `${chromeOnLinux} ${'u'.repeat(13_000)}`;
    const browser = createBrowser({ userAgent });
    const request = await (await createParty(bed)).begin();
    await request.finish(await signIn(browser, request));
    expect(log.text()).toContain('login.completed');
    expect(log.text()).not.toContain('u'.repeat(20));
    expectPlain(log.text());
  });

  function expectPlain(text: string): void {
    expect(text).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/,
    );
    for (const line of text.trimEnd().split('\n')) {
      expect(() => JSON.parse(line) as unknown).not.toThrow();
      expect(line.length).toBeLessThan(2_000);
    }
  }
});
