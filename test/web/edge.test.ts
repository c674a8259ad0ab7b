import { describe, expect, test } from 'vitest';
import { type TrustProxy, createEdge } from '../../src/web/edge.ts';
import { type Served, serve } from './http.ts';

const host = 'login.example.com';

/** Answers with what everything behind the edge gets to see. */
function serveEdge(
  trustProxy: TrustProxy,
  options: { issuer?: string; listenOn?: string } = {},
): Promise<Served> {
  const admit = createEdge(options.issuer ?? `https://${host}`, trustProxy);
  return serve((req, res) => {
    if (admit(req, res)) res.end(JSON.stringify(req.headers));
  }, options.listenOn);
}

async function seenBy(served: Served, headers: Record<string, string | string[]>) {
  const { status, body } = await served.ask({ headers: { host, ...headers } });
  expect(status).toBe(200);
  return JSON.parse(body) as Record<string, string>;
}

/** Whom a server with this trust, asked from 127.0.0.1, takes for the client. */
async function clientOf(trustProxy: TrustProxy, forwardedFor: string | string[]): Promise<string> {
  const headers = await seenBy(await serveEdge(trustProxy), { 'x-forwarded-for': forwardedFor });
  return headers['x-forwarded-for'] ?? '';
}

const proxy = '203.0.113.7';
const client = '198.51.100.9';
const spoof = '192.0.2.66';

describe('the host', () => {
  test('[CB-04] is the issuer’s, to the letter, or the request goes no further', async () => {
    const served = await serveEdge(false, { issuer: 'http://login.example.com:8080' });
    const own = await served.ask({ headers: { host: 'login.example.com:8080' } });
    expect(own.status).toBe(200);
    for (const other of [
      'evil.example',
      'login.example.com',
      'login.example.com:8081',
      'login.example.com:8080.evil.example',
      'login.example.com.:8080',
      'LOGIN.EXAMPLE.COM:8080',
      'user@login.example.com:8080',
      'login.example.com:8080@evil.example',
      'login.example.com:8080, evil.example',
      'login.example.com:8080/',
      '127.0.0.1',
      '',
    ]) {
      const { status, body, headers } = await served.ask({ headers: { host: other } });
      expect([status, headers['cache-control']], other).toEqual([421, 'no-store']);
      expect(body).toBe('This address is not served here.\n');
    }
  });

  test('[CB-04] of the issuer’s scheme needs no port', async () => {
    const served = await serveEdge(false, { issuer: 'https://login.example.com:443/' });
    expect((await served.ask({ headers: { host } })).status).toBe(200);
  });

  test('[CB-04] that is missing is refused', async () => {
    const served = await serveEdge(false);
    expect(await served.askRaw('GET / HTTP/1.0\r\n\r\n')).toBe('HTTP/1.1 421 Misdirected Request');
    const missing = await served.askRaw('GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(missing).toBe('HTTP/1.1 400 Bad Request');
  });

  test('[CB-04] in the request line is refused: addresses would be built from it', async () => {
    const served = await serveEdge(false);
    for (const target of [
      'http://evil.example/auth',
      'HTTPS://evil.example/auth',
      `https://${host}/auth`,
      '*',
    ]) {
      const method = target === '*' ? 'OPTIONS' : 'GET';
      const head = `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(await served.askRaw(head), target).toBe('HTTP/1.1 421 Misdirected Request');
    }
  });

  test('[PL-17] and the scheme are never what a forwarded header says', async () => {
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '8080',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-server': 'evil.example',
      forwarded: 'for=192.0.2.66;host=evil.example;proto=http',
    };
    for (const trustProxy of [false, 1, ['127.0.0.0/8']] as const) {
      const headers = await seenBy(await serveEdge(trustProxy), forged);
      expect(headers).toMatchObject({
        host,
        'x-forwarded-host': host,
        'x-forwarded-proto': 'https',
        'x-forwarded-for': '127.0.0.1',
      });
      const others = ['x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-server', 'forwarded'];
      for (const name of others) expect(headers).not.toHaveProperty(name);
    }
  });
});

test('[PL-16] an address of more than 8 KiB is not looked at', async () => {
  const served = await serveEdge(false);
  const path = `/auth?state=${'x'.repeat(8_192)}`;
  const ask = (target: string) => served.ask({ path: target, headers: { host } });
  expect((await ask(path)).status).toBe(414);
  expect((await ask(path.slice(0, 8_192))).status).toBe(200);
});

test('[PL-09] who is turned away is told so as text that nothing can be made of', async () => {
  const served = await serveEdge(false);
  for (const asked of [
    { headers: { host: 'evil.example' } },
    { path: `/${'x'.repeat(9_000)}`, headers: { host } },
  ]) {
    const { status, headers } = await served.ask(asked);
    expect([421, 414]).toContain(status);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
  }
});

describe('the client’s address, with no proxy', () => {
  test('[PL-17] is the connection’s, whatever was forwarded', async () => {
    expect(await clientOf(false, spoof)).toBe('127.0.0.1');
    expect(await clientOf(false, [spoof, client])).toBe('127.0.0.1');
    expect(await clientOf(false, '')).toBe('127.0.0.1');
  });
});

describe('the client’s address, behind a number of proxies', () => {
  test.each<[number, string, string]>([
    [1, client, client],
    [1, `${spoof}, ${client}`, client],
    [2, `${client}, ${proxy}`, client],
    [2, `${spoof}, ${client}, ${proxy}`, client],
    [3, `${spoof}, ${client}, ${proxy}, ${proxy}`, client],
  ])('[AB-08] %d: of "%s" it is %s', async (hops, forwardedFor, expected) => {
    expect(await clientOf(hops, forwardedFor)).toBe(expected);
  });

  test('[AB-08] does not change with twenty forged hops', async () => {
    const forged = Array.from({ length: 20 }, (_, index) => `192.0.2.${String(index + 1)}`);
    expect(await clientOf(1, [...forged, client].join(', '))).toBe(client);
    expect(await clientOf(1, [...forged, client])).toBe(client);
    expect(await clientOf(2, [...forged, client, proxy].join(','))).toBe(client);
  });

  test('[AB-08] is the outermost that is known where too few proxies speak', async () => {
    expect(await clientOf(3, client)).toBe(client);
    expect(await clientOf(3, '')).toBe('127.0.0.1');
  });

  test.each(['unknown', '_hidden', '198.51.100.9:4711', '[2001:db8::9]', '198.51.100', '', '%00'])(
    '[AB-08] does not become a forged one where the proxy writes "%s"',
    async (entry) => {
      expect(await clientOf(1, `${spoof}, ${entry}`)).toBe('127.0.0.1');
      expect(await clientOf(2, `${spoof}, ${entry}, ${proxy}`)).toBe(proxy);
    },
  );

  test('[AB-08] is not upset by what a client wrote before', async () => {
    const noise = ', ,unknown,"x",127.0.0.1;,\u00ff';
    expect(await clientOf(1, `${noise}, ${client}`)).toBe(client);
  });
});

describe('the client’s address, behind proxies of known addresses', () => {
  const trusted = ['127.0.0.1', '203.0.113.0/24', '2001:db8:1::/48'];

  test.each([
    [client, client],
    [`${spoof}, ${client}`, client],
    [`${spoof}, ${client}, ${proxy}`, client],
    [`${client}, 2001:db8:1:2::3, ${proxy}`, client],
    // IPv4 written as IPv6 is the same proxy, in a list or in a connection.
    [`${client}, ::ffff:203.0.113.7`, client],
    [`2001:db8:2::9, ${proxy}`, '2001:db8:2::9'],
  ])('[PL-17] of "%s" it is %s', async (forwardedFor, expected) => {
    expect(await clientOf(trusted, forwardedFor)).toBe(expected);
  });

  test('[PL-17] is the outermost proxy’s where there is nobody else', async () => {
    expect(await clientOf(trusted, `203.0.113.200, ${proxy}`)).toBe('203.0.113.200');
  });

  test('[PL-17] is the connection’s when that is no proxy of ours', async () => {
    expect(await clientOf(['203.0.113.0/24', '::1'], `${spoof}, ${client}`)).toBe('127.0.0.1');
  });

  test('[AB-08] does not become a forged one where a proxy writes no address', async () => {
    expect(await clientOf(trusted, `${spoof}, unknown, ${proxy}`)).toBe(proxy);
  });

  test('[PL-17] knows its proxies on a socket of both families, too', async () => {
    const served = await serveEdge(['127.0.0.0/8'], { listenOn: '::ffff:127.0.0.1' });
    const headers = await seenBy(served, { 'x-forwarded-for': client });
    expect(headers['x-forwarded-for']).toBe(client);
  });
});
