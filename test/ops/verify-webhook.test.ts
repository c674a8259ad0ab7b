/** `didit verify-webhook`, on deliveries as people capture them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signWebhook } from '../../src/didit/signature.ts';
import { readCaptured, signaturesOf } from '../../src/ops/doctor/captured.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const [newest, older] = ['the-newest-webhook-secret-01234', 'an-older-webhook-secret-0123456'];
const now = Date.now();
const timestamp = Math.floor(now / 1000) - 4;
const event = {
  ...{ webhook_type: 'status.updated', session_id: 'session-1', status: 'Approved', timestamp },
  ...{ environment: 'sandbox', vendor_data: 'somebody', name: 'Zoë' },
};
const body = JSON.stringify(event, undefined, 1);
const signed = (secret: string): Record<string, string> =>
  signWebhook(Buffer.from(body), secret, timestamp);

const http = (headers: Record<string, string>, text = body, newline = '\n'): string =>
  [
    'POST /webhooks/didit HTTP/1.1',
    'Host: login.example.com',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    text,
  ].join(newline);

const states = (text: string, secrets = [newest, older]): unknown[] =>
  signaturesOf(readCaptured(text), secrets, now).map(({ state, secret, over }) =>
    state === 'fits' ? [secret, over] : state,
  );

const [overRaw, overCanonical] = ['the raw body', 'the canonical body'];
const overSimple = 'the time, the session, its status and the kind';

describe('which signatures fit', () => {
  it.each([
    ['JSON', JSON.stringify({ headers: signed(newest), body })],
    ['HTTP', http(signed(newest))],
    ['HTTP with CRLF', http(signed(newest), body, '\r\n')],
    ['HTTP with the newline of an editor', `${http(signed(newest))}\n`],
    [
      'HTTP with a length and more behind it',
      `${http({ ...signed(newest), 'Content-Length': String(Buffer.byteLength(body)) })}rest`,
    ],
    ['curl -v', http(signed(newest)).replace(/^(?=\S+ \/|[\w-]+: |$)/gm, '> ')],
  ])('in %s', (_, text) => {
    expect(states(text)).toEqual([
      [1, overRaw],
      [1, overCanonical],
      [1, overSimple],
    ]);
  });

  it('an older secret is told from the newest', () => {
    expect(states(http(signed(older)))).toEqual([
      ...[
        [2, overRaw],
        [2, overCanonical],
      ],
      [2, overSimple],
    ]);
  });

  it('each by itself, and those that were not sent', () => {
    const { 'X-Signature': raw, ...others } = signed(newest);
    expect(states(http(others))).toEqual(['not sent', [1, overCanonical], [1, overSimple]]);
    const one = { 'X-Signature': raw!, 'X-Timestamp': String(timestamp) };
    expect(states(http(one))).toEqual([[1, overRaw], 'not sent', 'not sent']);
  });

  it('a body that was written anew keeps the canonical one, and one that was altered none', () => {
    const again = JSON.stringify(event);
    expect(states(http(signed(newest), again))).toEqual([
      ...['fits no secret', [1, overCanonical]],
      [1, overSimple],
    ]);
    const altered = body.replace('Zoë', 'Zoe');
    expect(states(http(signed(newest), altered))).toEqual([
      ...['fits no secret', 'fits no secret'],
      [1, overSimple],
    ]);
  });

  it('what is no delivery is said to be none', () => {
    expect(() => readCaptured('hello')).toThrow('an empty line and the body');
    expect(() => readCaptured('hello\n\n{}')).toThrow('no headers');
    expect(() => readCaptured('{"headers": {}}')).toThrow('needs "headers" and "body"');
  });
});

describe('the command', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'didit-oidc-captured-'));
    writeFileSync(join(directory, 'secrets'), `${newest}\n${older}\n`);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  function verify(text: string, ...more: string[]) {
    const file = join(directory, 'captured');
    writeFileSync(file, text);
    const args = ['didit', 'verify-webhook', file, '--secret-file', join(directory, 'secrets')];
    return new Promise<{ status: number | null; said: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [mainFile, ...args, ...more],
        { env: {} },
        (_, stdout, stderr) => resolve({ status: child.exitCode, said: stdout + stderr }),
      );
    });
  }

  it('says what the door would do', async () => {
    const good = await verify(http(signed(newest)));
    expect(good.status).toBe(0);
    expect(good.said).toContain('X-Signature         fits the newest secret, over the raw body');
    expect(good.said).toContain('X-Signature-Simple  fits the newest secret, over the time');
    expect(good.said).toContain('(never looked at)');
    expect(good.said).toContain('sent now, it would be acted upon');

    const bad = await verify(http(signed(newest), body.replace('Approved', 'Declined')));
    expect(bad).toMatchObject({ status: 1 });
    expect(bad.said).toContain('sent now, it would be refused\n');
    for (const secret of [newest, older]) expect(good.said + bad.said).not.toContain(secret);
  });

  it('an old one was right once', async () => {
    const then = { ...event, timestamp: timestamp - 4_000 };
    const text = JSON.stringify(then);
    const headers = signWebhook(Buffer.from(text), older, then.timestamp);
    const { status, said } = await verify(http(headers, text), '--json');
    expect(status).toBe(1);
    expect(JSON.parse(said)).toMatchObject({
      signatures: [{ state: 'fits', secret: 2 }, { state: 'fits', secret: 2 }, { secret: 2 }],
      would: 'refused by now',
    });
  });
});
