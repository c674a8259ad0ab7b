/** Mails to a real server: that they come, what they come with, and what happens when they cannot. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AuditEvent } from '../../src/domain/event.ts';
import type { Message, WrittenMail } from '../../src/domain/message.ts';
import { openStore } from '../../src/store/open.ts';
import { smallRandom } from '../../src/store/random.ts';
import type { Store } from '../../src/store/store.ts';
import { createMailWords } from '../../src/web/mail-words.ts';
import { type MailerTools, createMailer } from '../../src/web/mail.ts';
import { createLog, recordTo } from '../../src/web/telemetry.ts';
import { loadText } from '../../src/web/text.ts';
import { keepLog } from '../didit/support.ts';
import { mailAtMs, messagesOf } from '../support/messages.ts';
import { freePort } from '../support/ports.ts';
import { freshRedis, withRedis } from '../support/redis.ts';
import { type MailServerOptions, startMailServer } from '../support/smtp.ts';
import { soon } from '../support/soon.ts';

const issuer = 'https://login.example.com';
const viewsDirectory = join(import.meta.dirname, '../../views');
const text = loadText(join(viewsDirectory, 'locales'));
const operator = { name: 'Acme', supportAddress: 'help@acme.example' };
const write = createMailWords({ viewsDirectory, text, issuer, operator, sandbox: false });
const ana = { address: 'ana@example.com', locale: 'en', account: 'account-of-ana' };
const code: Message = { kind: 'code', purpose: 'sign_in', code: '482913', minutes: 10 };
const notice: Message = { kind: 'face_enrolled', atMs: mailAtMs };
const dayMs = 86_400_000;

/** Serves until the test is over. */
async function serve(options: MailServerOptions = {}) {
  const server = await startMailServer(options);
  onTestFinished(() => server.close());
  return server;
}

interface Desk {
  mailer: NonNullable<ReturnType<typeof createMailer>>;
  events: AuditEvent[];
  log: ReturnType<typeof keepLog>;
  store: Store;
  pass: (ms: number) => void;
}

/** A mailer with a store of its own, unless it shares one. */
async function open(smtpUrl: string, options: Partial<MailerTools> = {}): Promise<Desk> {
  let nowMs = mailAtMs;
  const clock = options.clock ?? (() => nowMs);
  const own = { url: 'sqlite::memory:', encryptionKeys: [], clock };
  const store = options.store ?? (await openStore(own)).store;
  const log = keepLog();
  const events: AuditEvent[] = [];
  const logged = recordTo(createLog('trace', { write: log.write }));
  const mailer = createMailer({
    ...{ issuer, smtpUrl, from: 'Acme sign-in <login@acme.example>', isLoopback: true },
    ...{ capture: undefined, write, store, clock },
    random: (bytes) => smallRandom(bytes).toString('base64url'),
    record(event) {
      events.push(event);
      logged(event);
    },
    log: createLog('trace', { write: log.write }),
    ...options,
  })!;
  onTestFinished(async () => {
    await mailer.stop();
    if (!options.store) await store.close();
  });
  return { mailer, events, log, store, pass: (ms) => void (nowMs += ms) };
}

function countingRandom(): () => string {
  let count = 0;
  return () => `id-${++count}`;
}

const outcomes = (events: AuditEvent[]) => events.map(({ event, reason }) => [event, reason]);

const waiting = async (store: Store): Promise<number> =>
  (await Array.fromAsync(store.scan('mail'))).length;

describe('delivery', () => {
  test('a code is with the mail server when the page goes on, and stays nowhere else', async () => {
    const server = await serve();
    const { mailer, events, store } = await open(`smtp://127.0.0.1:${server.port}`);
    await mailer.send(ana, code);
    const [mail] = server.mails;
    expect(mail).toMatchObject({ from: 'login@acme.example', to: ['ana@example.com'] });
    expect(mail?.headers).toMatchObject({
      from: ['"Acme sign-in" <login@acme.example>'],
      to: ['ana@example.com'],
      subject: ['Your code for Acme'],
      'auto-submitted': ['auto-generated'],
      'content-language': ['en'],
      date: ['Sun, 22 Nov 2026 14:02:11 +0000'],
      'message-id': [expect.stringMatching(/^<[\w-]{22}@acme\.example>$/)],
    });
    expect(mail?.headers).not.toHaveProperty('x-mailer');
    const written = write(ana, code);
    expect(mail?.parts).toEqual({
      'text/plain': expect.stringContaining('\r\n\r\n482913\r\n\r\n') as string,
      'text/html': expect.stringContaining('<p class="code">482913</p>') as string,
    });
    expect(mail?.parts['text/plain']?.replaceAll('\r\n', '\n').trim()).toBe(written.text.trim());
    expect(events).toEqual([
      { event: 'mail.sent', atMs: mailAtMs, kind: 'code', account: 'account-of-ana' },
    ]);
    expect(await waiting(store)).toBe(0);
  });

  test('a notice is written down first, and handed over by whichever process is there', async () => {
    const server = await serve();
    const url = `smtp://127.0.0.1:${server.port}`;
    const first = await open(url);
    await first.mailer.send(ana, notice);
    expect([server.mails.length, await waiting(first.store)]).toEqual([0, 1]);
    const second = await open(url, { store: first.store, clock: () => mailAtMs + 1 });
    second.mailer.start();
    await soon(() => expect(server.mails).toHaveLength(1));
    await soon(() => expect(outcomes(second.events)).toEqual([['mail.sent', undefined]]));
    expect(first.events).toEqual([]);
    await soon(async () => expect(await waiting(first.store)).toBe(0));
  });

  test('two processes at once hand each notice over once', async () => {
    const server = await serve();
    const url = `smtp://127.0.0.1:${server.port}`;
    const first = await open(url);
    const second = await open(url, { store: first.store, clock: () => mailAtMs });
    for (const { mailer } of [first, second]) mailer.start();
    await Promise.all(Array.from({ length: 30 }, () => first.mailer.send(ana, notice)));
    await soon(() => expect(first.events.length + second.events.length).toBe(30));
    const ids = server.mails.map(({ headers }) => headers['message-id']?.[0]);
    expect([ids.length, new Set(ids).size]).toEqual([30, 30]);
    await soon(async () => expect(await waiting(first.store)).toBe(0));
  });

  test('every kind comes as it was written', async () => {
    const server = await serve();
    const { mailer } = await open(`smtp://127.0.0.1:${server.port}`);
    mailer.start();
    const messages = messagesOf(issuer);
    for (const message of messages) await mailer.send(ana, message);
    await soon(() => expect(server.mails).toHaveLength(messages.length));
    const sent = messages.map((message) => write(ana, message).text.trim()).sort();
    const come = server.mails.map(({ parts }) => parts['text/plain']?.replaceAll('\r\n', '\n'));
    expect(come.map((one) => one?.trim()).sort()).toEqual(sent);
  });

  test('a language with other letters comes as it was written', async () => {
    const server = await serve();
    const written = { locale: 'ja', subject: '確認コード', text: 'コード：482913', html: '<p>コ' };
    const url = `smtp://127.0.0.1:${server.port}`;
    const { mailer } = await open(url, {
      write: () => written,
      from: 'ログイン <login@acme.example>',
    });
    await mailer.send(ana, code);
    const [mail] = server.mails;
    expect(mail?.parts['text/plain']?.trim()).toBe(written.text);
    expect(mail?.raw).toMatch(/^[\u0000-\u007f]*$/);
    expect(mail?.headers).toMatchObject({
      subject: [expect.stringMatching(/^=\?UTF-8\?/)],
      from: [expect.stringMatching(/^=\?UTF-8\?.*\?= <login@acme\.example>$/)],
    });
  });

  test('without a mail server nobody can be written to, but for where mails are captured', async () => {
    const { store } = await open('smtp://127.0.0.1:9');
    const tools = { issuer, isLoopback: false, write, store, clock: () => mailAtMs };
    const rest = { random: () => 'x', record: () => undefined, log: createLog('silent') };
    expect(createMailer({ ...tools, ...rest, capture: undefined })).toBeUndefined();
    const mails: WrittenMail[] = [];
    await createMailer({ ...tools, ...rest, capture: (mail) => mails.push(mail) })!.send(ana, code);
    expect(mails).toMatchObject([{ to: ana, message: code, atMs: mailAtMs, ...write(ana, code) }]);
  });
});

describe('a mail server that does not take it', () => {
  test('was down: a notice comes later, by the same id, and a code not at all', async () => {
    const port = await freePort();
    const { mailer, events, pass, store } = await open(`smtp://127.0.0.1:${port}`);
    mailer.start();
    await expect(mailer.send(ana, code)).rejects.toThrow('did not take');
    await mailer.send(ana, notice);
    await soon(() => expect(events).toHaveLength(2));
    expect(outcomes(events)).toEqual(Array(2).fill(['mail.failed', 'unreachable']));

    let refused = 0;
    const server = await serve({
      port,
      refuse: (step) => (step === 'DATA' && !refused++ ? 451 : undefined),
    });
    pass(5_000);
    await soon(() => expect(outcomes(events).at(2)).toEqual(['mail.failed', 'refused']));
    expect(await waiting(store)).toBe(1);
    pass(29_999);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(events).toHaveLength(3);
    pass(1);
    await soon(() => expect(outcomes(events).at(3)).toEqual(['mail.sent', undefined]));
    expect(server.mails.map(({ headers }) => headers['subject'])).toEqual([
      ['You can sign in with a selfie now'],
    ]);
    await soon(async () => expect(await waiting(store)).toBe(0));
  });

  test('failed half-way: the mail has the same id at the next try', async () => {
    const server = await serve();
    const url = `smtp://127.0.0.1:${server.port}`;
    const { mailer, pass, events, store } = await open(url, { random: countingRandom() });
    mailer.start();
    // The process ends after the mail was taken and before it wrote that down.
    const gone = vi.spyOn(store, 'delete').mockRejectedValueOnce(new Error('the process is gone'));
    await mailer.send(ana, notice);
    await soon(() => expect(gone).toHaveBeenCalled());
    pass(15_000);
    await soon(() => expect(events).toHaveLength(2));
    const ids = server.mails.map(({ headers }) => headers['message-id']?.[0]);
    expect(ids).toEqual(Array(2).fill('<id-1@acme.example>'));
  });

  test('for a day: then a notice is given up', async () => {
    const { mailer, events, pass, store } = await open(`smtp://127.0.0.1:${await freePort()}`);
    await mailer.send(ana, notice);
    pass(dayMs - 1);
    mailer.start();
    await soon(() => expect(outcomes(events)).toEqual([['mail.failed', 'unreachable']]));
    pass(5_000);
    await soon(() => expect(outcomes(events).at(1)).toEqual(['mail.failed', 'expired']));
    await soon(async () => expect(await waiting(store)).toBe(0));
    expect(events.at(1)).toMatchObject({ kind: 'face_enrolled', account: 'account-of-ana' });
  });

  test('knows no such address: it is not asked again', async () => {
    const server = await serve({ refuse: (step) => (step === 'RCPT TO' ? 550 : undefined) });
    const { mailer, events, store, log } = await open(`smtp://127.0.0.1:${server.port}`);
    mailer.start();
    await mailer.send(ana, notice);
    await soon(() => expect(outcomes(events)).toEqual([['mail.failed', 'refused']]));
    await soon(async () => expect(await waiting(store)).toBe(0));
    expect(log.lines()).toContainEqual(
      expect.objectContaining({ message: 'mail server', status: 550, step: 'RCPT TO' }),
    );
  });

  test('refuses the sender, which the operator can put right: it is asked again', async () => {
    let isWrong = true;
    const refuse = (step: string) => (step === 'MAIL FROM' && isWrong ? 550 : undefined);
    const server = await serve({ refuse });
    const { mailer, events, pass } = await open(`smtp://127.0.0.1:${server.port}`);
    mailer.start();
    await mailer.send(ana, notice);
    await soon(() => expect(outcomes(events)).toEqual([['mail.failed', 'refused']]));
    isWrong = false;
    pass(5_000);
    await soon(() => expect(server.mails).toHaveLength(1));
  });

  test('wants a password: the one of the address is used, and a wrong one is told', async () => {
    const server = await serve({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth({ username, password }, _session, done) {
        const isRight = username === 'log@in' && password === 'p:ss/w%rd';
        done(isRight ? null : new Error('no'), isRight ? { user: 'login' } : undefined);
      },
    });
    const host = `127.0.0.1:${server.port}`;
    const right = await open(`smtp://log%40in:p%3Ass%2Fw%25rd@${host}`);
    await right.mailer.send(ana, code);
    expect(server.mails).toHaveLength(1);
    const wrong = await open(`smtp://log%40in:other@${host}`);
    await expect(wrong.mailer.send(ana, code)).rejects.toThrow('did not take');
    expect(outcomes(wrong.events)).toEqual([['mail.failed', 'login']]);
  });

  test('never answers: the page waits for five seconds and no longer', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const { mailer, events } = await open(`smtp://127.0.0.1:${port}`);
    const sinceMs = performance.now();
    await expect(mailer.send(ana, code)).rejects.toThrow('did not take');
    expect(performance.now() - sinceMs).toBeLessThan(6_000);
    expect(outcomes(events)).toEqual([['mail.failed', 'timeout']]);
  });

  test('never ends its answer: the page waits no longer either', async () => {
    const endless = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('220 mail\r\n');
      const more = setInterval(() => socket.write('250-MORE\r\n'), 500);
      socket.on('close', () => clearInterval(more));
    });
    endless.listen(0, '127.0.0.1');
    await once(endless, 'listening');
    onTestFinished(() => void endless.close());
    const { port } = endless.address() as AddressInfo;
    const { mailer, events } = await open(`smtp://127.0.0.1:${port}`);
    const sinceMs = performance.now();
    await expect(mailer.send(ana, code)).rejects.toThrow('did not take');
    expect(performance.now() - sinceMs).toBeLessThan(6_000);
    expect(outcomes(events)).toEqual([['mail.failed', 'timeout']]);
  });
});

describe('TLS', () => {
  /** Another name for the loopback, which is treated like any other machine. */
  const elsewhere = '[::ffff:127.0.0.1]';
  const isLoopback = false;

  async function certificate(): Promise<{ key: string; cert: string }> {
    const altNames = [
      { type: 7 as const, ip: '127.0.0.1' },
      { type: 7 as const, ip: '::ffff:7f00:1' },
      { type: 2 as const, value: 'localhost' },
    ];
    const pair = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames }],
    });
    return { key: pair.private, cert: pair.cert };
  }

  test('a certificate that nobody vouches for is refused, from the start or by STARTTLS', async () => {
    const pair = await certificate();
    for (const [scheme, secure] of [
      ['smtps', true],
      ['smtp', false],
    ] as const) {
      const server = await serve({ ...pair, secure });
      const { mailer, events } = await open(`${scheme}://${elsewhere}:${server.port}`, {
        isLoopback,
      });
      await expect(mailer.send(ana, code)).rejects.toThrow('did not take');
      expect(outcomes(events)).toEqual([['mail.failed', 'tls']]);
      expect([server.mails, server.steps]).toEqual([[], []]);
    }
  });

  test('a server on another machine without TLS gets nothing, neither mail nor password', async () => {
    const asked = vi.fn();
    const server = await serve({
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => {
        asked();
        done(null, { user: 'x' });
      },
    });
    const url = `smtp://user:password@${elsewhere}:${server.port}`;
    const { mailer, events } = await open(url, { isLoopback });
    await expect(mailer.send(ana, code)).rejects.toThrow('did not take');
    expect(outcomes(events)).toEqual([['mail.failed', 'tls']]);
    expect([server.mails, server.steps]).toEqual([[], []]);
    expect(asked).not.toHaveBeenCalled();
  });

  test('with one that is trusted mails come, in both ways encrypted', async () => {
    const pair = await certificate();
    const usual = getCACertificates('default');
    setDefaultCACertificates([...usual, pair.cert]);
    onTestFinished(() => setDefaultCACertificates(usual));
    for (const [scheme, secure] of [
      ['smtps', true],
      ['smtp', false],
    ] as const) {
      const server = await serve({ ...pair, secure });
      const { mailer } = await open(`${scheme}://localhost:${server.port}`, { isLoopback });
      await mailer.send(ana, code);
      expect(server.mails).toMatchObject([{ secure: true, to: ['ana@example.com'] }]);
    }
  });
});

describe('hostile', () => {
  test.each([
    'ana@example.com\r\nBcc: eve@evil.example',
    'ana@example.com\nRCPT TO:<eve@evil.example>',
    'ana@example.com, eve@evil.example',
    'ana@example.com;eve@evil.example',
    'Ana <ana@example.com>',
    'team: ana@example.com',
    '"ana\r\n"@example.com',
    'ana@example.com\u0000',
    'ana@evil.example@example.com',
    'ana',
    '@example.com',
    '',
    `${'a'.repeat(250)}@example.com`,
  ])('the address %j is written to by nobody', async (address) => {
    const server = await serve();
    const { mailer, store } = await open(`smtp://127.0.0.1:${server.port}`);
    for (const message of [code, notice]) {
      await expect(mailer.send({ address }, message)).rejects.toThrow('no address');
    }
    expect([await waiting(store), server.steps]).toEqual([0, []]);
  });

  test('names with ends of lines in them begin no header and reach nobody else', async () => {
    const server = await serve();
    const { mailer } = await open(`smtp://127.0.0.1:${server.port}`);
    mailer.start();
    const messages = messagesOf(
      issuer,
      () => 'Wiki\r\nBcc: eve@evil.example\r\n\r\n.\r\nMAIL FROM:<eve@evil.example>\u2028x',
    );
    for (const message of messages) await mailer.send(ana, message);
    await soon(() => expect(server.mails).toHaveLength(messages.length));
    for (const { to, headers } of server.mails) {
      expect(to).toEqual(['ana@example.com']);
      expect(Object.keys(headers).sort()).toEqual([
        ...['auto-submitted', 'content-language', 'content-type', 'date', 'from', 'message-id'],
        ...['mime-version', 'subject', 'to'],
      ]);
      expect(Object.values(headers).every((values) => values.length === 1)).toBe(true);
    }
  });

  test.each([
    'https://evil.example/x',
    `${issuer}.evil.example/x`,
    'https://login.example.com@evil.example/',
    'javascript:alert(1)',
    '/x',
    issuer,
  ])('the link %s, which does not lead to us, is sent to nobody', async (link) => {
    const server = await serve();
    const { mailer, store } = await open(`smtp://127.0.0.1:${server.port}`);
    const invitation: Message = { kind: 'invitation', link, untilMs: mailAtMs };
    await expect(mailer.send(ana, invitation)).rejects.toThrow('does not lead to us');
    expect(await waiting(store)).toBe(0);
  });
});

test('no address, code, link or name stands in the log or in the store in the clear', async () => {
  const url = await freshRedis();
  const encryptionKeys = [randomBytes(32).toString('base64')];
  const { store } = await openStore({ url, encryptionKeys, clock: Date.now });
  onTestFinished(() => store.close());
  const quoting = (step: string) => (step === 'RCPT TO' ? 550 : undefined);
  const servers = [await serve(), await serve({ refuse: quoting }), { port: await freePort() }];
  const messages = messagesOf(issuer, (word) => `${word} word-of-a-stranger`);
  const logs: string[] = [];
  let events = 0;
  for (const { port } of servers) {
    const desk = await open(`smtp://127.0.0.1:${port}`, { store, clock: Date.now });
    for (const message of messages) await desk.mailer.send(ana, message).catch(() => undefined);
    // Codes do not wait: they are handed over while their page is made.
    expect(await waiting(store)).toBe(messages.filter(({ kind }) => kind !== 'code').length);
    logs.push(await contentsOf(url));
    desk.mailer.start();
    await soon(() => expect(desk.events.length).toBeGreaterThanOrEqual(messages.length));
    await desk.mailer.stop();
    logs.push(desk.log.text());
    events += desk.events.length;
  }
  expect(events).toBeGreaterThanOrEqual(3 * messages.length);
  const all = logs.join('\n');
  expect(all).toContain('"message":"mail.sent"');
  expect(all).toContain('"message":"mail.failed"');
  for (const secret of [
    ...['ana@example.com', 'ana.maria', '482913', 'secret-of-a-link', 'word-of-a-stranger'],
    ...['Acme Wiki', 'Firefox', 'login@acme.example'],
  ]) {
    expect(all).not.toContain(secret);
  }
});

/** All that lies there, read as what it is, since a dump may be compressed. */
function contentsOf(url: string): Promise<string> {
  return withRedis(url, async (redis) => {
    const read: Record<string, (key: string) => Promise<unknown>> = {
      string: (key) => redis.get(key),
      hash: (key) => redis.hgetall(key),
      zset: (key) => redis.zrange(key, '0', '-1'),
    };
    const keys = await redis.keys('*');
    const found = keys.map(async (key) => [key, await read[await redis.type(key)]?.(key)]);
    const text = JSON.stringify(await Promise.all(found));
    expect(text).toContain('mail:');
    expect(text).toContain('mails:');
    return text;
  });
}
