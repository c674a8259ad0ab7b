/** The portrait's link is Didit's word, and is held against what we know: tried with links and servers that mean harm. */
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createMedia } from '../../src/didit/media.ts';
import { AddressRefused, type Resolve, createOutgoing } from '../../src/web/outgoing.ts';

afterEach(() => vi.restoreAllMocks());

const bucket = 'https://bucket-of-didit.s3.example';
const secret = 'X-Amz-Signature=0123456789abcdef';
const megabyte = 1024 * 1024;
const warn = vi.fn<(message: string) => void>();

async function errorOf(portrait: Promise<Buffer>): Promise<Error> {
  const error: unknown = await portrait.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

/** A storage on this machine, and whoever asked it for something. */
async function startStorage(answer: RequestListener) {
  const asked: { path: string; headers: Record<string, unknown> }[] = [];
  const server = createServer((req, res) => {
    asked.push({ path: req.url ?? '', headers: req.headers });
    answer(req, res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const fetchPortrait = createMedia({
    ...{ origins: [origin], allowPlainHttp: true },
    fetch,
    warn,
  });
  return { origin, asked, fetchPortrait, link: `${origin}/face.jpg?${secret}` };
}

describe('[EN-05] a link that leads elsewhere is not followed:', () => {
  const called: string[] = [];
  const fetchPortrait = createMedia({
    ...{ origins: [bucket, 'https://verification.didit.me'], allowPlainHttp: false },
    warn,
    fetch: (input) => {
      called.push(String(input instanceof Request ? input.url : input));
      return Promise.resolve(new Response('picture'));
    },
  });

  test.each([
    ['another host', 'https://evil.example/face.jpg'],
    ['the cloud’s own address', 'http://169.254.169.254/latest/meta-data/'],
    ['this machine', 'http://127.0.0.1:6379/'],
    ['this machine behind TLS', 'https://localhost/face.jpg'],
    ['the same bucket in the clear', `${bucket.replace('https', 'http')}/face.jpg`],
    ['the same host at another port', `${bucket}:8443/face.jpg`],
    ['a host that begins like it', `${bucket}.evil.example/face.jpg`],
    ['a host that ends like it', 'https://evil-bucket-of-didit.s3.example/face.jpg'],
    ['another bucket of the same storage', 'https://another.s3.example/face.jpg'],
    ['its name as a user', `https://bucket-of-didit.s3.example@evil.example/`],
    ['a user at the bucket', 'https://user:word@bucket-of-didit.s3.example/'],
    ['a file', 'file:///etc/passwd'],
    ['the link itself', 'data:image/jpeg;base64,/9j/4AAQ'],
    ['a program', 'javascript:alert(1)'],
    ['nowhere', ''],
    ['no address', 'face.jpg'],
  ])('%s', async (_, link) => {
    await expect(fetchPortrait(link)).rejects.toMatchObject({ failure: 'refused' });
    expect(called).toEqual([]);
  });

  test('what is refused says where it led, and nothing more of the link', async () => {
    const link = `https://elsewhere.example/ocr/face-of-ana.jpg?${secret}`;
    const error = await errorOf(fetchPortrait(link));
    expect(error.message).toBe(
      'the portrait lies at https://elsewhere.example: see didit.mediaOrigins',
    );
    // The operator, who alone can change it, reads it in the log.
    expect(warn).toHaveBeenLastCalledWith(error.message);
  });

  test('and one to a place that is named is', async () => {
    expect((await fetchPortrait(`${bucket}/face.jpg?${secret}`)).toString()).toBe('picture');
    expect(called).toEqual([`${bucket}/face.jpg?${secret}`]);
  });
});

test.each([
  ['to this machine', ['127.0.0.1']],
  ['into the network', ['10.0.0.7']],
  ['to both sides', ['203.0.114.1', '192.168.0.1']],
])('[EN-05] the right name that leads %s is not called', async (_, addresses) => {
  const resolve: Resolve = (_name, done) => {
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );
  };
  const outgoing = createOutgoing({ anywhere: false, exceptions: new Map(), resolve });
  onTestFinished(async () => {
    await outgoing.close();
  });
  const rules = { origins: [bucket], allowPlainHttp: false, fetch: outgoing.fetch, warn };
  await expect(createMedia(rules)(`${bucket}/face.jpg`)).rejects.toMatchObject({
    ...{ failure: 'unavailable', cause: expect.any(AddressRefused) as AddressRefused },
  });
});

describe('[EN-05] a storage', () => {
  test('gets no key and no cookie, and gives the bytes as they are', async () => {
    const { link, asked, fetchPortrait } = await startStorage((_req, res) => {
      res.setHeader('set-cookie', 'a=b').end(Buffer.from([0xff, 0xd8, 0xff, 0x00]));
    });
    expect(await fetchPortrait(link)).toEqual(Buffer.from([0xff, 0xd8, 0xff, 0x00]));
    await fetchPortrait(link);
    const names = asked.flatMap(({ headers }) => Object.keys(headers));
    expect(names).not.toContain('x-api-key');
    expect(names).not.toContain('cookie');
    expect(asked[0]?.headers).toMatchObject({ 'accept-encoding': 'identity' });
  });

  test.each([301, 302, 303, 307, 308])('that sends us on with %d is not obeyed', async (status) => {
    const { link, asked, fetchPortrait } = await startStorage((req, res) => {
      if (req.url === '/elsewhere') res.end('picture');
      else res.writeHead(status, { location: '/elsewhere' }).end();
    });
    await expect(fetchPortrait(link)).rejects.toMatchObject({ failure: 'unavailable' });
    expect(asked).toHaveLength(1);
  });

  test.each([
    [403, 'a link that has ended'],
    [404, 'a session that was deleted'],
    [500, 'a storage in trouble'],
    [204, 'nothing'],
    [206, 'a part'],
  ])('that answers %d has no portrait: %s', async (status) => {
    const { link, fetchPortrait } = await startStorage((_req, res) => {
      res.writeHead(status).end(status === 204 ? undefined : 'picture');
    });
    const error = await errorOf(fetchPortrait(link));
    expect(error).toMatchObject({ failure: 'unavailable' });
    expect(error.message).toBe(`the portrait is answered with ${status}`);
  });

  test('may send a megabyte', async () => {
    const { link, fetchPortrait } = await startStorage((_req, res) =>
      res.end(Buffer.alloc(megabyte)),
    );
    expect(await fetchPortrait(link)).toHaveLength(megabyte);
  });

  test.each<[string, RequestListener]>([
    ['that announces more', (_req, res) => res.end(Buffer.alloc(megabyte + 1))],
    [
      'that goes on without end',
      (_req, res) => {
        const chunk = Buffer.alloc(64 * 1024);
        const more = (): void => {
          while (!res.destroyed && res.write(chunk));
          if (!res.destroyed) res.once('drain', more);
        };
        more();
      },
    ],
    [
      'that packs more than it may send',
      (_req, res) => {
        res.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50 * megabyte)));
      },
    ],
  ])('%s is hung up on', async (_, answer) => {
    const { link, fetchPortrait } = await startStorage(answer);
    await expect(fetchPortrait(link)).rejects.toMatchObject({
      ...{ failure: 'unavailable', message: 'the answer is too large' },
    });
  });

  test.each<[string, RequestListener]>([
    ['that says nothing', () => undefined],
    ['that stops in the middle', (_req, res) => void res.write('half a picture')],
    ['that breaks off', (_req, res) => void res.socket?.destroy()],
  ])('%s is not waited for', async (_, answer) => {
    const timeout = AbortSignal.timeout.bind(AbortSignal);
    const asked: number[] = [];
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      asked.push(ms);
      return timeout(50);
    });
    const { link, fetchPortrait } = await startStorage(answer);
    const error = await errorOf(fetchPortrait(link));
    expect(error).toMatchObject({ failure: 'unavailable' });
    expect(error.message).not.toContain(secret);
    expect(asked).toEqual([8_000]);
  });
});
