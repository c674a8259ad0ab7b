/** Attacks on the doorbell, over HTTP. Didit's own rings are held back, so that only those made here are heard. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { signWebhook } from '../../src/didit/signature.ts';
import { type Ring, callDidit, keepLog, overhear, ring } from '../didit/support.ts';
import {
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
} from '../support/login.ts';
import { freshRedis, isMeter, noteCommands } from '../support/redis.ts';
import { type Testbed, startTestbed, webhookSecret, workflowId } from '../support/testbed.ts';

const overheard = overhear();
const log = keepLog();
let bed: Testbed;

beforeAll(async () => {
  const { fetch } = overheard;
  bed = await startTestbed({ people: 60, fetch, log: log.write });
});
afterAll(() => bed.close());
beforeEach(async () => {
  await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
  await bed.control('faults', { webhooks: 'drop' });
  bed.events.splice(0);
  bed.alarms.splice(0);
  log.clear();
});

const verdicts = (): number =>
  bed.events.filter(({ event }) => event === 'verdict.received').length;
const notes = () => log.lines().filter(({ message }) => message === 'webhook');
const reads = (): number => overheard.calls.filter((method) => method === 'GET').length;

/** Somebody has taken a good selfie; nobody has heard of it, and their browser is not back. */
async function approvedAtDidit() {
  const browser = createBrowser();
  const request = await (await createParty(bed)).begin();
  const selfie = await toSelfie(browser, request, bed.person());
  const back = await takeSelfie(browser, selfie, 'approve');
  const { diditSessionId: id, body } = overheard.latest();
  overheard.calls.splice(0);
  return { browser, request, back, id, vendorData: body.vendor_data };
}

/** The whole answer without what differs each time. */
async function answerTo(change: Ring, id: string, at = bed): Promise<string> {
  const { status, text, headers } = await ring(at, id, 'Approved', change);
  const named = JSON.stringify([...headers].filter(([name]) => name !== 'date').sort());
  return `${status} ${named} ${text.replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/, 'REFERENCE')}`;
}

describe('[WH-14] a genuine ring', () => {
  it.each([
    'data.updated',
    'user.status.updated',
    'Status.Updated',
    'status.updated ',
    '',
    7,
    null,
  ])('of the kind %j is not acted upon, though the selfie was good', async (kind) => {
    const { id } = await approvedAtDidit();
    await ring(bed, id, 'Approved', { event: { webhook_type: kind } });
    expect([reads(), verdicts()]).toEqual([0, 0]);
  });

  it.each(['approved', 'APPROVED', 'Approved ', '承認済み', ['Approved'], true, null, 'Verified'])(
    'that says %j of a selfie that was not taken approves nothing',
    async (status) => {
      const browser = createBrowser();
      await toSelfie(browser, await (await createParty(bed)).begin(), bed.person());
      const { diditSessionId: id, body } = overheard.latest();
      await ring(bed, id, 'Approved', { event: { status } });
      expect(verdicts()).toBe(0);
      const page = await settle(browser, await browser.get(body.callback));
      expect(heading(page)).toBe('Checking your selfie');
    },
  );
});

describe('[WH-09] the same delivery', () => {
  it('a hundred times at once is answered a hundred times and has one effect', async () => {
    const { id, browser, back } = await approvedAtDidit();
    const rings = Array.from({ length: 100 }, () => ring(bed, id, 'Approved'));
    expect(new Set((await Promise.all(rings)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(verdicts()).toBe(1);
    // Those that come while one is looked into share the next look.
    expect(reads()).toBeLessThan(100);
    expect(heading(await settle(browser, back))).toBe('It is you');
  });

  it('under an event id that had other content before is told to the operator, and does no harm', async () => {
    const { id } = await approvedAtDidit();
    const event = { event_id: 'event-of-this-test' };
    await ring(bed, id, 'In Progress', { event });
    expect((await ring(bed, id, 'Approved', { event })).status).toBe(200);
    expect(notes().map(({ reason }) => reason)).toEqual([undefined, 'event_id_reused']);
    expect(verdicts()).toBe(1);
  });
});

describe('[WH-13] a genuine ring about a session of ours that names', () => {
  it.each([
    ['another person', { vendor_data: 'somebody-else' }],
    ['no person', { vendor_data: null }],
    ['another workflow', { workflow_id: '0b6f2f0a-5f0d-4a57-8f65-000000000002' }],
    ['no workflow', { workflow_id: undefined }],
    ['another environment', { environment: 'live' }],
    ['no environment', { environment: undefined }],
    ['another kind of session', { session_kind: 'business' }],
    ['another version of the workflow', { workflow_version: 99 }],
  ])('%s is not acted upon, and an operator is told', async (_name, event) => {
    const { id } = await approvedAtDidit();
    expect((await ring(bed, id, 'Approved', { event })).status).toBe(200);
    expect([reads(), verdicts()]).toEqual([0, 0]);
    expect(bed.alarms).toMatchObject([{ reason: 'webhook_differs' }]);
    expect(notes()).toMatchObject([{ result: 'quarantined' }]);
  });
});

describe('[WH-15] with a stolen webhook secret', () => {
  it('"Approved" for a selfie that was never taken denies, and an operator is told', async () => {
    const browser = createBrowser();
    await toSelfie(browser, await (await createParty(bed)).begin(), bed.person());
    const { diditSessionId: id, body } = overheard.latest();
    expect((await ring(bed, id, 'Approved')).status).toBe(200);
    expect(bed.alarms).toMatchObject([{ reason: 'webhook_contradicts' }]);
    const page = await settle(browser, await browser.get(body.callback));
    expect(heading(page)).toBe('We could not sign you in');
  });

  it('a decision that is known a moment later is no contradiction', async () => {
    const { id, browser, back } = await approvedAtDidit();
    await bed.control('faults', {
      api: { operation: 'decision', mode: 503, times: 2 },
    });
    await ring(bed, id, 'Approved');
    await vi.waitFor(() => expect(verdicts()).toBe(1), { timeout: 8_000 });
    expect(bed.alarms).toEqual([]);
    expect(heading(await settle(browser, back))).toBe('It is you');
  });

  it('while the API is away nothing is believed: it stays pending', async () => {
    const { id, browser, back } = await approvedAtDidit();
    await bed.control('faults', { api: { operation: 'decision', mode: 503, times: 50 } });
    expect((await ring(bed, id, 'Approved')).status).toBe(200);
    expect(heading(await settle(browser, back))).toBe('Checking your selfie');
    expect(verdicts()).toBe(0);
  });
});

it.each([
  ['lacks what it always had', { status: undefined }],
  ['has a status that is new to us', { status: 'Provisionally Approved' }],
])('[VD-14] a decision that %s denies, and an operator is told', async (_name, change) => {
  const drifting = overhear();
  let drifts = false;
  const strange = await startTestbed({
    fetch: async (input, init) => {
      const response = await drifting.fetch(input, init);
      if (!drifts || init?.method !== 'GET') return response;
      return Response.json({ ...((await response.json()) as object), ...change });
    },
  });
  onTestFinished(() => strange.close());
  await strange.control('faults', { webhooks: 'drop' });
  const browser = createBrowser();
  const selfie = await toSelfie(browser, await (await createParty(strange)).begin());
  const back = await takeSelfie(browser, selfie, 'approve');
  drifts = true;
  await ring(strange, drifting.latest().diditSessionId, 'Approved');
  expect(strange.alarms).toMatchObject([{ reason: 'schema_drift' }]);
  expect(heading(await settle(browser, back))).toBe('We could not sign you in');
});

describe('[WH-16] while the secret is changed', () => {
  const [oldSecret, newSecret] = [webhookSecret, 'the-next-webhook-secret-0123456789'];

  it('no login is lost, and after its end the old one is refused', async () => {
    let aheadMs = 0;
    const clock = (): number => Date.now() + aheadMs;
    const until = new Date(clock() + 60_000).toISOString().replace(/\.\d+Z/, 'Z');
    const rotating = await startTestbed({
      ...{ people: 9, clock },
      flags: { didit: { webhookSecrets: [newSecret, `${oldSecret} until ${until}`] } },
    });
    onTestFinished(() => rotating.close());
    // The simulator goes on signing with the old one: Didit has not changed over yet.
    const party = await createParty(rotating);
    const logins = Array.from({ length: 8 }, async () => {
      const request = await party.begin();
      const callback = await signIn(createBrowser(), request, rotating.person());
      return (await request.finish(callback)).claims()?.sub;
    });
    expect((await Promise.all(logins)).filter(Boolean)).toHaveLength(8);
    const unknown = 'session-of-nobody';
    const lastOne = rotating.person();
    const about = (secret: string): Ring => ({
      secret,
      timestampSeconds: Math.floor(clock() / 1000),
    });
    expect((await ring(rotating, unknown, 'Approved', about(oldSecret))).status).toBe(200);
    aheadMs = 61_000;
    expect((await ring(rotating, unknown, 'Approved', about(oldSecret))).status).toBe(401);
    expect((await ring(rotating, unknown, 'Approved', about(newSecret))).status).toBe(200);
    // Didit still has not changed over; we find out by looking.
    const request = await party.begin();
    const late = await request.finish(await signIn(createBrowser(), request, lastOne));
    expect(late.claims()?.email).toBe(lastOne);
  });
});

describe('[WH-17] with a list of addresses that may ring', () => {
  it('a signature is not enough, an address neither, and a forged header is no address', async () => {
    const strict = await startTestbed({ flags: { didit: { webhookAddresses: ['192.0.2.0/24'] } } });
    onTestFinished(() => strict.close());
    const forged = { headers: { 'x-forwarded-for': '192.0.2.7' } };
    expect((await ring(strict, 'session', 'Approved')).status).toBe(401);
    expect((await ring(strict, 'session', 'Approved', forged)).status).toBe(401);

    const behindProxy = await startTestbed({
      flags: { trustProxy: 1, didit: { webhookAddresses: ['192.0.2.0/24'] } },
    });
    onTestFinished(() => behindProxy.close());
    const wrongKey = { ...forged, secret: 'a-secret-of-somebody-else' };
    expect((await ring(behindProxy, 'session', 'Approved', forged)).status).toBe(200);
    expect((await ring(behindProxy, 'session', 'Approved', wrongKey)).status).toBe(401);
    const spoofed = { headers: { 'x-forwarded-for': '192.0.2.7, 198.51.100.1' } };
    expect((await ring(behindProxy, 'session', 'Approved', spoofed)).status).toBe(401);
  });

  it('by default any address may', async () => {
    expect((await ring(bed, 'session', 'Approved')).status).toBe(200);
  });
});

describe('[WH-18] whoever tries the bell', () => {
  it('hears the same for a wrong signature, an old body and a broken one', async () => {
    const { id } = await approvedAtDidit();
    const old = Math.floor(Date.now() / 1000) - 4_000;
    const answers = await Promise.all(
      [
        { secret: 'a-secret-of-somebody-else' },
        { timestampSeconds: old },
        { timestampSeconds: old, secret: 'a-secret-of-somebody-else' },
        { headers: { 'X-Signature': 'f0', 'X-Signature-V2': 'f0' } },
        { body: '[]' },
      ].flatMap((change) => [answerTo(change, id), answerTo(change, 'session-of-nobody')]),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^401 /);

    const strict = await startTestbed({ flags: { didit: { webhookAddresses: ['192.0.2.0/24'] } } });
    onTestFinished(() => strict.close());
    expect(await answerTo({}, 'session-of-nobody', strict)).toBe(answers[0]);
  });

  it('hears the same of a session that is ours and of one that is not', async () => {
    const { id, vendorData } = await approvedAtDidit();
    const known = await answerTo({}, id);
    const event = { vendor_data: vendorData };
    expect(await answerTo({ event }, 'session-of-nobody')).toBe(known);
    expect(await answerTo({ event: { vendor_data: 'else' } }, id)).toBe(known);
  });
});

it('[WH-19] a flood of bad deliveries writes nothing, and logins go on', async () => {
  // On a real Redis, which counts what it is asked to do.
  const url = await freshRedis();
  // What a process knows it reads again after some seconds, which do not pass here.
  const now = Date.now();
  const flooded = await startTestbed({ storeUrl: url, clock: () => now });
  onTestFinished(() => flooded.close());
  const bad = { secret: 'a-secret-of-somebody-else' };
  const before = process.memoryUsage().rss;
  let refused = 0;
  const flood = Array.from({ length: 20 }, async () => {
    for (let at = 0; at < 100; at += 1) {
      const { status } = await ring(flooded, `session-${at}`, 'Approved', bad);
      if (status === 401 || status === 503) refused += 1;
    }
  });
  const request = await (await createParty(flooded)).begin();
  const tokens = await request.finish(await signIn(createBrowser(), request));
  expect(tokens.claims()?.sub).toBeTruthy();
  await Promise.all(flood);
  expect(refused).toBe(2_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 2 ** 20);

  const sent = noteCommands(flooded.app.redis!);
  for (let at = 0; at < 100; at += 1) await ring(flooded, `session-${at}`, 'Approved', bad);
  // What is left are the timers that look, twice a second, for what is due, and the count of the login.
  const isTimers = (one: string): boolean => one.startsWith('zrangebyscore') || isMeter(one);
  expect(sent.filter((one) => !isTimers(one))).toEqual([]);
});

it('[WH-20] nothing of a delivery but its event id and its outcome is in the log', async () => {
  const { id, vendorData } = await approvedAtDidit();
  const canary = 'canary-in-the-coal-mine';
  const change: Ring = {
    headers: { 'x-canary': canary, 'user-agent': canary },
    event: { event_id: 'event-77', decision: { canary }, metadata: { canary }, canary },
  };
  await ring(bed, id, 'Approved', change);
  await ring(bed, id, 'Approved', { ...change, secret: 'a-secret-of-somebody-else' });
  await ring(bed, id, 'Approved', { ...change, body: `{"canary":"${canary}"` });
  expect(notes()[0]).toMatchObject({ result: 'settled', eventId: 'event-77' });
  expect(notes()[0]?.diditSession).toMatch(/^[\w-]{43}$/);
  for (const secret of [canary, id, vendorData, webhookSecret]) {
    expect(log.text()).not.toContain(secret);
  }
});

it('[WH-21] whichever byte of a delivery is changed, nothing happens and nothing breaks', async () => {
  const { id, vendorData } = await approvedAtDidit();
  const timestamp = Math.floor(Date.now() / 1000);
  const body = Buffer.from(
    JSON.stringify({
      ...{ webhook_type: 'status.updated', session_id: id, status: 'Approved', timestamp },
      ...{ vendor_data: vendorData, workflow_id: workflowId, environment: 'sandbox' },
    }),
  );
  const signed = signWebhook(body, webhookSecret, timestamp);
  const names = ['X-Signature', 'X-Signature-V2'] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(body.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(63),
      fc.boolean(),
      async (at, mask, digit, inBody) => {
        const changed = Buffer.from(body);
        if (inBody) changed[at] = (changed[at] ?? 0) ^ mask;
        const headers: Record<string, string> = { 'x-timestamp': String(timestamp) };
        for (const name of names) {
          const mac = signed[name] ?? '';
          const other = mac[digit] === '0' ? '1' : '0';
          headers[name] = inBody ? mac : mac.slice(0, digit) + other + mac.slice(digit + 1);
        }
        const response = await fetch(`${bed.issuer}/webhooks/didit`, {
          method: 'POST',
          body: new Uint8Array(changed),
          headers: { 'content-type': 'application/json', accept: 'application/json', ...headers },
        });
        expect(response.status).toBe(401);
      },
    ),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 300) },
  );
  expect([reads(), verdicts()]).toEqual([0, 0]);
});

it('[VD-07] a session that Didit asks to be taken again ends here', async () => {
  const { id, browser, back } = await approvedAtDidit();
  await callDidit(bed, 'PATCH', `/v3/session/${id}/update-status/`, { new_status: 'Resubmitted' });
  await ring(bed, id, 'Resubmitted');
  const page = await settle(browser, back);
  expect(heading(page)).not.toBe('It is you');
  expect(() => press(browser, page, 'resume')).toThrow('no button');
});
