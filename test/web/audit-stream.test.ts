/** The audit log for collectors: a syslog server by UDP and TCP, and an address that takes lines by POST. */
import { createSocket } from 'node:dgram';
import { type IncomingMessage, createServer as createHttpServer } from 'node:http';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { beginning, nextBlock } from '../../src/domain/audit.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import { createAuditStream } from '../../src/web/audit-stream.ts';
import { soon } from '../support/soon.ts';

const atMs = Date.UTC(2026, 10, 22);
const patience = { timeout: 5_000 };

const blockOf = (...events: AuditEvent['event'][]) =>
  nextBlock(
    { ...beginning, seq: 6 },
    events.map((event) => ({ event, atMs, client: 'first', reason: 'übel' })),
    { nowMs: atMs, keptMs: 1_000, hash: () => 'hash-of-it' },
  );

function openStream(url: string, token?: string) {
  const told: [string, object | undefined][] = [];
  const note = (message: string, fields?: object): void => void told.push([message, fields]);
  const log = { info: note, warn: note };
  const settings = { url, token, issuer: 'https://login.example.com' };
  const stream = createAuditStream(settings, { fetch, log });
  onTestFinished(() => stream.close());
  return { ...stream, told };
}

const entry = {
  ...{ time: '2026-11-22T00:00:00.000Z', event: 'login.denied', client: 'first', reason: 'übel' },
  ...{ seq: 7, at: 1, block: 'hash-of-it' },
};

/** The JSON at the end of a syslog message, after its head was looked at. */
function contentOf(message: string): unknown {
  const [, json] =
    /^<109>1 2026-11-22T00:00:00\.000Z login\.example\.com didit-oidc \d+ login\.\w+ - (\{.*\})$/.exec(
      message,
    )!;
  expect(message).toMatch(/^[\x20-\x7e]+$/);
  return JSON.parse(json!);
}

describe('the audit stream', () => {
  it('is a datagram an entry, in the format of RFC 5424', async () => {
    const received: string[] = [];
    const collector = createSocket('udp4').on('message', (data) => received.push(String(data)));
    await new Promise<void>((resolve) => void collector.bind(0, '127.0.0.1', resolve));
    onTestFinished(() => void collector.close());
    const { written } = openStream(`syslog+udp://127.0.0.1:${collector.address().port}`);
    written(blockOf('login.started', 'login.denied'));
    await vi.waitFor(() => expect(received).toHaveLength(2), patience);
    expect(contentOf(received[1]!)).toEqual(entry);
  });

  it('is counted messages over TCP, and goes on by a new connection', async () => {
    const received: string[] = [];
    const sockets: Socket[] = [];
    const collector = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (data) => received.push(String(data)));
    });
    await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      collector.close();
    });
    const { port } = collector.address() as AddressInfo;
    const { written } = openStream(`syslog+tcp://127.0.0.1:${port}`);
    written(blockOf('login.started', 'login.denied'));
    await vi.waitFor(
      () => expect(received.join('').match(/login\.denied/g)).toHaveLength(2),
      patience,
    );
    let rest = received.join('');
    const messages: string[] = [];
    while (rest !== '') {
      const [, length] = /^(\d+) /.exec(rest)!;
      const begin = length!.length + 1;
      messages.push(rest.slice(begin, begin + Number(length)));
      rest = rest.slice(begin + Number(length));
    }
    expect(contentOf(messages[1]!)).toEqual(entry);
    sockets[0]!.destroy();
    await soon(() => expect(sockets[0]!.closed).toBe(true));
    await vi.waitFor(() => {
      written(blockOf('login.denied'));
      expect(sockets).toHaveLength(2);
    }, patience);
  });

  it('is lines of JSON by POST with the token, sent again until they are taken', async () => {
    const requests: { request: IncomingMessage; body: string }[] = [];
    let status = 503;
    const collector = createHttpServer((request, response) => {
      void text(request).then((body) => {
        requests.push({ request, body });
        response.writeHead(status).end();
      });
    });
    await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void collector.close());
    const { port } = collector.address() as AddressInfo;
    const { written, told } = openStream(`http://127.0.0.1:${port}/in`, 'a-token-of-the-collector');
    written(blockOf('login.started', 'login.denied'));
    await vi.waitFor(() => expect(requests).toHaveLength(1), patience);
    status = 200;
    await vi.waitFor(() => expect(requests).toHaveLength(2), patience);
    const [first, second] = requests;
    expect(second!.body).toBe(first!.body);
    expect(second!.request.headers).toMatchObject({
      authorization: 'Bearer a-token-of-the-collector',
      'content-type': 'application/x-ndjson',
    });
    const lines = second!.body.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown).at(1)).toEqual(entry);
    await vi.waitFor(
      () =>
        expect(told.map(([message]) => message)).toEqual([
          'the audit stream is not taken',
          'the audit stream goes on',
        ]),
      patience,
    );
  });

  it('says how many were left out also where the collector takes all that it gets, and is slow', async () => {
    let answer = (): void => undefined;
    let taken = 0;
    const collector = createHttpServer((request, response) => {
      void text(request).then((body) => {
        taken += body.trimEnd().split('\n').length;
        if (told.length > 0) response.end();
        else answer = () => response.end();
      });
    });
    await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => collector.close().closeAllConnections());
    const { port } = collector.address() as AddressInfo;
    const { written, told } = openStream(`http://127.0.0.1:${port}/in`);
    for (let number = 0; number < 5_003; number += 1)
      written(blockOf('login.started', 'login.denied'));
    await vi.waitFor(() => {
      answer();
      expect(taken).toBe(10_002);
    }, patience);
    // The first two were on their way when others came.
    expect(told).toEqual([['the audit stream goes on', { dropped: 4 }]]);
  });

  it('keeps the newest where nobody takes anything for long, and holds up nobody who stops', async () => {
    const { written, close, told } = openStream('syslog+tcp://127.0.0.1:1');
    for (let number = 0; number < 6_000; number += 1)
      written(blockOf('login.started', 'login.denied'));
    const beganMs = performance.now();
    await close();
    expect(performance.now() - beganMs).toBeLessThan(5_000);
    expect(told.at(-1)).toEqual(['the audit stream ends early', { lost: 10_000 }]);
  });
});
