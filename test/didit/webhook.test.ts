/**
 * The doorbell, over real HTTP. Didit's own webhooks are held back, so that only the rings made here are heard; and
 * no browser comes back before it is told to, so that nobody asks Didit but for a ring.
 */
import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Answer, TestBrowser } from '../support/browser.ts';
import {
  type Outcome,
  type PartyRequest,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { startRedisServer, withRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed, webhookSecret } from '../support/testbed.ts';
import { type Ring, callDidit, keepLog, overhear, ring } from './support.ts';

const newSecret = 'the-next-webhook-secret-0123456789';
const overheard = overhear();
const log = keepLog();
let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed({
    people: 60,
    fetch: overheard.fetch,
    log: log.write,
    flags: { didit: { webhookSecrets: [newSecret, webhookSecret] } },
  });
});
afterAll(() => bed.close());
beforeEach(async () => {
  await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
  await bed.control('faults', { webhooks: 'drop' });
  bed.events.splice(0);
  log.clear();
});

interface UnderWay {
  browser: TestBrowser;
  request: PartyRequest;
  page: Answer;
  id: string;
}

/** A person before Didit's camera, one after the other: Ana has one slot only. */
async function atDidit(on: Testbed = bed): Promise<UnderWay> {
  const browser = createBrowser();
  const request = await (await createParty(on)).begin();
  const page = await toSelfie(browser, request, on === bed ? bed.person() : undefined);
  const { diditSessionId: id } = overheard.latest();
  onTestFinished(async () => {
    // Whatever became of it, the slot is free for the next test.
    await callDidit(on, 'DELETE', `/v3/session/${id}/delete/`).catch(() => undefined);
    await browser.post(`${here(overheard.latest().body.callback)}/cancel`).catch(() => undefined);
  });
  return { browser, request, page, id };
}

const here = (callback: string): string => callback.replace(/\/didit\/[\w-]+$/, '');
const events = (name: string, { events } = bed): number =>
  events.filter(({ event }) => event === name).length;
const results = (): unknown[] =>
  log
    .lines()
    .filter(({ message }) => message === 'webhook')
    .map(({ result }) => result);

async function taken(outcome: Outcome, on?: Testbed): Promise<UnderWay & { back: Answer }> {
  const underWay = await atDidit(on);
  return { ...underWay, back: await takeSelfie(underWay.browser, underWay.page, outcome) };
}

async function whatIsShown({ browser, back }: { browser: TestBrowser; back: Answer }) {
  return settle(browser, back);
}

describe('a genuine ring', () => {
  it('makes us read the decision, which lets the returning browser in', async () => {
    const login = await taken('approve');
    expect(await ring(bed, login.id, 'Approved')).toMatchObject({ status: 200 });
    expect(events('verdict.received')).toBe(1);
    const ready = await whatIsShown(login);
    const done = await settle(login.browser, await press(login.browser, ready, 'resume'));
    await login.request.finish(done.location ?? '');
  });

  it('is heard under the new and under the old secret while they are changed over', async () => {
    const login = await taken('approve');
    for (const secret of [newSecret, webhookSecret]) {
      expect(await ring(bed, login.id, 'Approved', { secret })).toMatchObject({ status: 200 });
    }
    const other = await ring(bed, login.id, 'Approved', { secret: 'a-secret-of-somebody-else' });
    expect(other.status).toBe(401);
  });

  it('that comes 20 times at once leads to one verdict', async () => {
    const login = await taken('approve');
    const rings = Array.from({ length: 20 }, () => ring(bed, login.id, 'Approved'));
    expect((await Promise.all(rings)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(events('verdict.received')).toBe(1);
    await ring(bed, login.id, 'Approved');
    expect(events('verdict.received')).toBe(1);
  });

  it('whose decision cannot be read is answered 200, and we look again by ourselves', async () => {
    const login = await taken('approve');
    await bed.control('faults', { api: { operation: 'decision', mode: 503, times: 2 } });
    expect(await ring(bed, login.id, 'Approved')).toMatchObject({ status: 200 });
    expect(results()).toEqual(['later']);
    expect(events('verdict.received')).toBe(0);
    await vi.waitFor(() => expect(events('verdict.received')).toBe(1), { timeout: 8_000 });
  });
});

describe('a ring decides nothing', () => {
  it.each(['decline', 'spoof'] as const)(
    '[WH-15] of a selfie that ended in "%s", though it says Approved',
    async (outcome) => {
      const login = await taken(outcome);
      expect(await ring(bed, login.id, 'Approved')).toMatchObject({ status: 200 });
      expect(heading(await whatIsShown(login))).toBe('We could not sign you in');
      expect(events('login.denied')).toBe(1);
    },
  );

  it('[WH-15] of a selfie that is not taken yet, though it says Approved: it ends there', async () => {
    const { browser, id } = await atDidit();
    bed.alarms.splice(0);
    expect(await ring(bed, id, 'Approved')).toMatchObject({ status: 200 });
    expect(bed.alarms).toMatchObject([{ reason: 'webhook_contradicts' }]);
    const { callback } = overheard.latest().body;
    const page = await settle(browser, await browser.get(`${callback}?status=Approved`));
    expect(heading(page)).toBe('We could not sign you in');
    expect((await browser.post(`${here(callback)}/resume`)).location).toBe(here(callback));
    expect(bed.events).toContainEqual(
      expect.objectContaining({
        event: 'verdict.received',
        reason: expect.stringContaining('contradicted') as string,
      }),
    );
  });

  it('[WH-15] of a session that Didit does not have any more: it ends there', async () => {
    const login = await taken('approve');
    await callDidit(bed, 'DELETE', `/v3/session/${login.id}/delete/`);
    expect(await ring(bed, login.id, 'Approved')).toMatchObject({ status: 200 });
    expect(heading(await whatIsShown(login))).toBe('We could not sign you in');
  });

  it('of a decision about another session', async () => {
    const login = await taken('approve');
    await bed.control('faults', { api: { operation: 'decision', mode: 'other_session' } });
    await ring(bed, login.id, 'Approved');
    expect(heading(await whatIsShown(login))).toBe('We could not sign you in');
  });

  it('after a refusal: an operator who approves later lets nobody in', async () => {
    const login = await taken('decline');
    await ring(bed, login.id, 'Declined');
    await changeByHand(login.id, 'Approved');
    expect(await ring(bed, login.id, 'Approved')).toMatchObject({ status: 200 });
    expect(results()).toEqual(['settled', 'over']);
    expect(heading(await whatIsShown(login))).toBe('We could not sign you in');
  });

  it.each(['before we hear of it', 'after we heard of it'])(
    '[VD-06] In Review that somebody approves by hand %s',
    async (when) => {
      const login = await taken('review');
      if (when === 'after we heard of it') await ring(bed, login.id, 'In Review');
      await changeByHand(login.id, 'Approved');
      await ring(bed, login.id, 'Approved');
      const page = await whatIsShown(login);
      expect(heading(page)).toMatch(/^(We could not sign you in|Somebody is looking at it)$/);
      expect((await login.browser.post(`${page.url}/resume`)).location).toBe(page.url);
      expect(events('login.completed')).toBe(0);
    },
  );

  it('[WH-11] in whatever order the rings come, the result is the decision', async () => {
    const statuses = ['Not Started', 'In Progress', 'In Review', 'Approved', 'Declined'];
    for (const [outcome, title] of [
      ['approve', 'It is you'],
      ['decline', 'We could not sign you in'],
    ] as const) {
      const login = await taken(outcome);
      for (const order of permutations(statuses)) {
        for (const status of order) await ring(bed, login.id, status);
      }
      expect(heading(await whatIsShown(login))).toBe(title);
      expect(events('verdict.received')).toBe(1);
      bed.events.splice(0);
      await login.browser.post(`${here(overheard.latest().body.callback)}/cancel`);
    }
  });
});

it('[WH-11] a decision that turns to Declined before it is used closes the door again', async () => {
  const login = await taken('approve');
  await ring(bed, login.id, 'Approved');
  expect(heading(await whatIsShown(login))).toBe('It is you');
  await changeByHand(login.id, 'Declined');
  await ring(bed, login.id, 'Declined');
  const page = await login.browser.get(here(overheard.latest().body.callback));
  expect(heading(page)).toBe('We could not sign you in');
  expect((await login.browser.post(`${page.url}/resume`)).location).toBe(page.url);
});

describe('a ring that is not provably fresh and from Didit', () => {
  const now = Math.floor(Date.now() / 1000);
  const body = (text: string): Ring => ({ body: text });
  const refused: [string, Ring][] = [
    ['signed with another secret', { secret: 'a-secret-of-somebody-else' }],
    ['older than five minutes', { timestampSeconds: now - 400 }],
    ['from more than five minutes ahead', { timestampSeconds: now + 400 }],
    [
      'with another time in its header',
      { timestampSeconds: now, headers: { 'X-Timestamp': String(now + 1) } },
    ],
    [
      'with an old body under a fresh header',
      {
        timestampSeconds: now - 400,
        headers: { 'X-Timestamp': String(now) },
      },
    ],
    ['with a broken signature', { headers: { 'X-Signature': 'f0', 'X-Signature-V2': 'f0' } }],
    ['that is no JSON', body('{"status":"Approved"')],
    ['that is a list', body('[]')],
    ['with a field twice', body('{"status":"Declined","status":"Approved"}')],
    ['with a prototype', body('{"__proto__":{"status":"Approved"}}')],
    ['with nothing in it', body('')],
  ];

  it.each(refused)('%s is refused without a word, and nothing is read', async (_name, change) => {
    const login = await taken('approve');
    const calls = overheard.calls.length;
    const answer = await ring(bed, login.id, 'Approved', change);
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toEqual({
      error: 'webhook_refused',
      reference: expect.stringMatching(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/) as string,
    });
    expect(overheard.calls).toHaveLength(calls);
    expect(events('verdict.received')).toBe(0);
    expect(results()).toEqual(['refused']);
  });

  it('signed with the simple form only, which covers no decision, is refused', async () => {
    const { id } = await taken('approve');
    const timestamp = Math.floor(Date.now() / 1000);
    const event = { webhook_type: 'status.updated', session_id: id, status: 'Approved', timestamp };
    const response = await fetch(`${bed.issuer}/webhooks/didit`, {
      method: 'POST',
      body: JSON.stringify(event),
      headers: {
        'content-type': 'application/json',
        'x-signature-simple': 'a'.repeat(64),
        'x-timestamp': String(timestamp),
      },
    });
    expect(response.status).toBe(401);
  });
});

describe('a ring that is none of our business', () => {
  it('[WH-12] of a session that we did not create changes nothing and answers like any other', async () => {
    const login = await taken('approve');
    const { vendor_data } = overheard.latest().body;
    const calls = overheard.calls.length;
    const stranger = '99999999-2222-4333-8444-555555555555';
    const unknown = await ring(bed, stranger, 'Approved', { event: { vendor_data } });
    expect(overheard.calls).toHaveLength(calls);
    expect(bed.events.map(({ event }) => event)).not.toContain('verdict.received');
    expect(results()).toEqual(['unknown']);
    const known = await ring(bed, login.id, 'Approved');
    const told = ({ status, text, headers }: typeof known) => ({
      ...{ status, text },
      // The second may be another.
      headers: [...headers].filter(([name]) => name !== 'date'),
    });
    expect(told(unknown)).toEqual(told(known));
  });

  it.each([
    ['of another type', { webhook_type: 'data.updated' }],
    ['of a person', { webhook_type: 'user.status.updated' }],
    ['of an unknown type', { webhook_type: 'status.updated.now' }],
    ['without a session', { session_id: undefined }],
    ['with a status that is no text', { status: ['Approved'] }],
  ])('%s is answered 200 and ignored', async (_name, event) => {
    const login = await taken('approve');
    const calls = overheard.calls.length;
    expect(await ring(bed, login.id, 'Approved', { event })).toMatchObject({ status: 200 });
    expect(results()).toEqual(['ignored']);
    expect(overheard.calls).toHaveLength(calls);
  });

  it('[WH-13] of another application is not looked at', async () => {
    const mine = overhear();
    const flags = { didit: { applicationId: 'application-1' } };
    const strict = await startTestbed({ flags, fetch: mine.fetch });
    onTestFinished(() => strict.close());
    await strict.control('faults', { webhooks: 'drop' });
    await toSelfie(createBrowser(), await (await createParty(strict)).begin());
    const { diditSessionId } = mine.latest();
    const about = (application_id: string): Ring => ({ event: { application_id } });
    await ring(strict, diditSessionId, 'Approved', about('application-2'));
    expect(mine.calls.filter((method) => method === 'GET')).toHaveLength(0);
    await ring(strict, diditSessionId, 'Approved', about('application-1'));
    expect(mine.calls.filter((method) => method === 'GET').length).toBeGreaterThan(0);
    expect(strict.alarms[0]).toMatchObject({ reason: 'webhook_differs' });
  });
});

describe('[WH-01] what is no small JSON document, posted in good time, is not read', () => {
  it.each([
    ['text', 415, { headers: { 'content-type': 'text/plain' } }],
    ['no type', 415, { headers: { 'content-type': '' } }],
    [
      'gzip',
      415,
      { headers: { 'content-encoding': 'gzip' }, body: gzipSync(Buffer.alloc(2 ** 20)) },
    ],
    ['513 KiB', 413, { body: Buffer.alloc(513 * 1024, ' ') }],
  ] as [string, number, Ring][])('%s: %i', async (_name, status, change) => {
    expect(await ring(bed, 'session', 'Approved', change)).toMatchObject({ status });
  });

  it.each(['GET', 'PUT', 'DELETE', 'HEAD'])('%s: 405', async (method) => {
    expect((await fetch(`${bed.issuer}/webhooks/didit`, { method })).status).toBe(405);
  });

  it('513 KiB in pieces of unannounced number: 413 before the last one is there', async () => {
    const socket = await open('transfer-encoding: chunked');
    const piece = Buffer.alloc(27 * 1024, ' ');
    for (let pieces = 0; pieces < 19; pieces += 1) {
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write('\r\n');
    }
    expect(await statusFrom(socket)).toBe(413);
  });

  it('a body that does not come: 408', async () => {
    const socket = await open('content-length: 100');
    socket.write('{"status"');
    expect(await statusFrom(socket)).toBe(408);
  });
});

it('[WH-10] while the store is away the answer is 503, and the repeated ring counts once', async () => {
  const server = await startRedisServer({
    args: ['--appendonly', 'yes', '--appendfsync', 'always'],
  });
  onTestFinished(() => server.stop());
  const { fetch } = overheard;
  const onRedis = await startTestbed({ storeUrl: server.url, fetch });
  onTestFinished(() => onRedis.close());
  await onRedis.control('faults', { webhooks: 'drop' });
  const login = await taken('approve', onRedis);
  await server.kill();
  expect(await ring(onRedis, login.id, 'Approved')).toMatchObject({ status: 503 });
  await server.restart();
  await soon(() => withRedis(server.url, (redis) => redis.ping()));
  await vi.waitFor(
    async () => expect((await ring(onRedis, login.id, 'Approved')).status).toBe(200),
    { timeout: 8_000, interval: 100 },
  );
  await ring(onRedis, login.id, 'Approved');
  expect(events('verdict.received', onRedis)).toBe(1);
  expect(heading(await whileWaiting(login.browser, await whatIsShown(login)))).toBe('It is you');
});

async function changeByHand(id: string, new_status: 'Approved' | 'Declined'): Promise<void> {
  const change = { new_status, comment: 'looked at' };
  const response = await callDidit(bed, 'PATCH', `/v3/session/${id}/update-status/`, change);
  expect(response.status).toBe(200);
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    permutations(items.filter((_, other) => other !== at)).map((rest) => [item, ...rest]),
  );
}

/** A request of which only the head is sent. */
async function open(header: string): Promise<Socket> {
  const { hostname, port, host } = new URL(bed.issuer);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  const type = 'content-type: application/json';
  socket.write(
    ['POST /webhooks/didit HTTP/1.1', `host: ${host}`, type, header, '', ''].join('\r\n'),
  );
  return socket;
}

async function statusFrom(socket: Socket): Promise<number> {
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer.toString())?.[1]);
}

it('strangers who dribble from one address do not keep the others from ringing', async () => {
  const { hostname, port, host } = new URL(bed.issuer);
  const head = `POST /webhooks/didit HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
  let sentAway = 0;
  const strangers = await Promise.all(
    Array.from({ length: 144 }, async () => {
      const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.0.2' });
      socket.on('error', () => undefined);
      socket.once('data', () => (sentAway += 1));
      await once(socket, 'connect');
      socket.write(`${head}Content-Length: 1000\r\n\r\n{`);
      return socket;
    }),
  );
  onTestFinished(() => strangers.forEach((socket) => socket.destroy()));
  const post = (): Promise<Response> =>
    fetch(`${bed.issuer}/webhooks/didit`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
  // Once the sixteen beyond their share have been sent away, the share is full.
  await soon(() => expect(sentAway).toBe(16));
  expect((await post()).status).toBe(401);
});
