/** [PL-07] What we call for others, and what we do not: tried with real sockets that would have been reached. */
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { AddressRefused, type Resolve, createOutgoing, isPublic } from '../../src/web/outgoing.ts';

const nowhere = { anywhere: false, exceptions: new Map<string, readonly string[]>() };
let connections = 0;
let port: number;
let answer: RequestListener;

beforeEach(async () => {
  connections = 0;
  answer = (_req, res) => res.end('{"keys":[]}');
  const server = createServer((req, res) => answer(req, res));
  server.on('connection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
  return async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
});
afterEach(() => {
  delete process.env['HTTPS_PROXY'];
});

/** A name server that says one thing after the other. */
const answering = (...addresses: string[][]): Resolve & { asked: number } => {
  const resolve: Resolve & { asked: number } = Object.assign(
    (...[, done]: Parameters<Resolve>) => {
      const list = addresses[Math.min(resolve.asked, addresses.length - 1)] ?? [];
      resolve.asked += 1;
      done(
        null,
        list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    },
    { asked: 0 },
  );
  return resolve;
};

function outgoing(rules: Partial<Parameters<typeof createOutgoing>[0]>) {
  const made = createOutgoing({ ...nowhere, ...rules });
  onTestFinished(async () => {
    await made.close();
  });
  return made;
}

describe('[PL-07] an address that a relying party gave', () => {
  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '[fd00::1]',
    '[fe80::1]',
    '[ff02::1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    'localhost',
  ])('that is %s is not called', async (host) => {
    const { fetch } = outgoing({});
    await expect(fetch(`https://${host}:${port}/jwks`)).rejects.toBeInstanceOf(AddressRefused);
    expect(connections).toBe(0);
  });

  test.each([
    ['in a private network', ['10.0.0.1']],
    ['public and private at once', ['8.8.8.8', '127.0.0.1']],
    ['a private one of the other family', ['2606:4700::1111', '::1']],
    ['nowhere', []],
  ])('whose name is %s is not called', async (_name, addresses) => {
    const { fetch } = outgoing({ resolve: answering(addresses) });
    await expect(fetch(`https://rp.example:${port}/`)).rejects.toBeInstanceOf(AddressRefused);
    expect(connections).toBe(0);
  });

  test('whose name leads elsewhere a moment later is looked up once, and used as it was looked at', async () => {
    const resolve = answering(['192.0.2.1'], ['127.0.0.1']);
    const excepted = new Map([[`https://rp.example:${port}/`, ['192.0.2.0/24']]]);
    const { fetch } = outgoing({ resolve, exceptions: excepted });
    // Nobody is there; what matters is that nobody was asked a second time, and no other was called.
    const signal = AbortSignal.timeout(300);
    await expect(fetch(`https://rp.example:${port}/`, { signal })).rejects.toThrow();
    expect([resolve.asked, connections]).toEqual([1, 0]);
    await expect(fetch(`https://rp.example:${port}/`)).rejects.toBeInstanceOf(AddressRefused);
    expect(connections).toBe(0);
  });

  test.each(['http://rp.example/', 'ftp://rp.example/', 'file:///etc/passwd', 'data:,x'])(
    '%s is not called',
    async (address) => {
      const { fetch } = outgoing({ resolve: answering(['8.8.8.8']) });
      await expect(fetch(address)).rejects.toThrow('it is not https');
    },
  );

  test('with credentials in it is not called', async () => {
    const { fetch } = outgoing({ anywhere: true });
    await expect(fetch(`http://a:b@127.0.0.1:${port}/`)).rejects.toThrow('it has credentials');
    expect(connections).toBe(0);
  });
});

describe('[PL-07] what is called', () => {
  const called = () => outgoing({ anywhere: true }).fetch;

  test('is answered', async () => {
    const response = await called()(`http://127.0.0.1:${port}/`);
    expect(await response.json()).toEqual({ keys: [] });
  });

  test.each([301, 302, 303, 307, 308])('is not followed to where a %d leads', async (status) => {
    const seen: string[] = [];
    answer = (req, res) => {
      seen.push(req.url ?? '');
      res.writeHead(status, { location: 'http://169.254.169.254/latest/meta-data' }).end();
    };
    await expect(called()(`http://127.0.0.1:${port}/jwks`)).rejects.toThrow();
    expect(seen).toEqual(['/jwks']);
  });

  test.each([
    ['that says how large it is', { 'content-length': String(10 * 2 ** 20) }],
    ['that does not', {}],
  ])('may not answer with ten megabytes %s', async (_name, headers) => {
    answer = (_req, res) => {
      res.writeHead(200, headers);
      const chunk = Buffer.alloc(64 * 1024, 'x');
      for (let sent = 0; sent < 160; sent += 1) res.write(chunk);
      res.end();
    };
    const reading = called()(`http://127.0.0.1:${port}/`).then((response) => response.text());
    await expect(reading).rejects.toThrow();
  });

  test('has two and a half seconds for everything', async () => {
    answer = (_req, res) => {
      res.writeHead(200);
      const drip = setInterval(() => res.write('x'), 200);
      res.on('close', () => clearInterval(drip));
    };
    const startedMs = performance.now();
    const reading = called()(`http://127.0.0.1:${port}/`).then((response) => response.text());
    await expect(reading).rejects.toThrow();
    expect(performance.now() - startedMs).toBeLessThan(4_000);
  });

  test('is called directly, whatever proxy the environment names', async () => {
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1';
    expect((await called()(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });
});

describe('[PL-07] an address that the operator excepted', () => {
  const address = (host: string): string => `http://${host}:${port}/logout`;

  test('is called by its network or its name, for itself alone', async () => {
    const exceptions = new Map([
      [address('127.0.0.1'), ['127.0.0.0/8']],
      [address('wiki.internal'), ['wiki.internal']],
    ]);
    const { fetch } = outgoing({ exceptions, resolve: answering(['127.0.0.1']) });
    expect((await fetch(address('127.0.0.1'))).status).toBe(200);
    expect((await fetch(address('wiki.internal'))).status).toBe(200);
    const before = connections;
    for (const other of [
      address('127.0.0.1').replace('/logout', '/else'),
      address('wiki.internal').replace('http:', 'https:'),
      address('other.internal'),
    ]) {
      await expect(fetch(other)).rejects.toBeInstanceOf(AddressRefused);
    }
    expect(connections).toBe(before);
  });

  test('may lead to what was listed and nowhere else', async () => {
    const exceptions = new Map([[address('wiki.internal'), ['10.0.0.0/8']]]);
    const { fetch } = outgoing({ exceptions, resolve: answering(['127.0.0.1']) });
    await expect(fetch(address('wiki.internal'))).rejects.toBeInstanceOf(AddressRefused);
    expect(connections).toBe(0);
  });
});

test('[PL-07] a guard that is open is found out at the start', async () => {
  await expect(outgoing({}).test()).resolves.toBeUndefined();
  await expect(outgoing({ anywhere: true }).test()).resolves.toBeUndefined();
  const open = new Map([['https://127.0.0.1/', ['127.0.0.0/8']]]);
  await expect(outgoing({ exceptions: open }).test()).rejects.toThrow('are not refused');
});

test.each(['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
  expect(isPublic(address)).toBe(true);
});
