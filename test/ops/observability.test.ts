/** What is seen of the provider from outside: metrics without people in them, and one id a request in the log. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { inScope, traceIdOf } from '../../src/web/scope.ts';
import { keepLog } from '../didit/support.ts';
import {
  type Party,
  createBrowser,
  createParty,
  press,
  settle,
  signIn,
  toSelfie,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const log = keepLog();
const toDidit: { headers: Headers; url: string; body: string }[] = [];
let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({
    log: log.write,
    flags: { trustProxy: 1 },
    fetch: (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      toDidit.push({
        headers: new Headers(init?.headers),
        url,
        body: typeof init?.body === 'string' ? init.body : '',
      });
      return fetch(input, init);
    },
  });
  party = await createParty(bed);
});
afterAll(() => bed.close());

const metrics = async (): Promise<string> => (await fetch(`${bed.managementUrl}/metrics`)).text();

/** As a scraper does, or a page on the web whose name was made to lead here. */
function statusUnder(host: string, path = '/metrics'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(`${bed.managementUrl}${path}`, { headers: { host } }, (res) => {
      res.resume();
      resolve(res.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('metrics', () => {
  it.each([
    ...[
      'evil.example',
      'evil.example:9000',
      'rebound.127.0.0.1.evil.example',
      'localhost.evil.example',
    ],
    ...['127.0.0.1.evil.example', 'svc.evil.example', 'a@evil.example'],
  ])(
    '[PL-20] [PL-24] are not answered under %s, a name that a page on the web may have',
    async (host) => {
      expect(await statusUnder(host)).toBe(421);
      expect(await statusUnder(host, '/healthz')).toBe(200);
    },
  );

  it.each([
    ...[
      '127.0.0.1:9000',
      '10.1.2.3:9000',
      '[::1]:9000',
      '[fd00::7]',
      'localhost:9000',
      'provider:9000',
    ],
    ...['didit-oidc.login.svc:9000', 'didit-oidc.login.svc.cluster.local', 'login.internal:9000'],
  ])('are answered under %s, an address or a name inside', async (host) => {
    expect(await statusUnder(host)).toBe(200);
  });

  it('[PL-24] tell how sign-ins end, and have nobody in them', async () => {
    const request = await party.begin();
    const { claims } = await finished(request, await signIn(createBrowser(), request));
    const browser = createBrowser();
    const didit = await toSelfie(browser, await party.begin(), 'ben@example.com');
    const back = await settle(browser, await takeSelfie(browser, didit, 'decline'));
    await whileWaiting(browser, back);
    const stranger = createBrowser();
    const identify = await settle(stranger, await stranger.get((await party.begin()).url));
    await press(stranger, identify, 'identify', { identifier: 'canary-nobody@example.com' });

    const text = await metrics();
    expect(text).toContain('login_attempts_total{decision="selfie",outcome="completed"} 1');
    expect(text).toContain('login_attempts_total{decision="selfie",outcome="denied"} 1');
    expect(text).toContain('login_denials_total{reason="declined"} 1');
    // Of the other one the verdict may have been there before the browser was.
    expect(text).toMatch(/^verdict_wait_seconds_count [12]$/m);
    expect(text).toMatch(/^verdict_to_browser_seconds_count 1$/m);
    expect(text).toMatch(
      /^didit_request_duration_seconds_count\{operation="create",outcome="ok"\} 2$/m,
    );
    expect(text).toMatch(/^webhook_events_total\{result="settled"\} 2$/m);
    expect(text).toMatch(/^sse_connections 0$/m);
    expect(text).toMatch(/^process_cpu_seconds_total /m);

    const people = bed.events.flatMap(({ account, attempt, reference, enrolment, ...event }) => [
      ...[account, attempt, reference, enrolment, (event as { claimed?: string }).claimed],
    ]);
    const canaries = ['ana@', 'ben@', 'canary-nobody', '127.0.0.1', 'Mozilla', claims.sub];
    const found = [...people, ...canaries].filter((one) => one !== undefined && text.includes(one));
    expect(new Set(people).size).toBeGreaterThan(6);
    expect(found).toEqual([]);
    // Labels are words of ours: none is as long as a key, an id or a token.
    const labels = [...text.matchAll(/="([^"]*)"/g)].map(([, value = '']) => value);
    expect(labels.filter((value) => value.length > 40)).toEqual([]);
  });

  it('[PL-24] and whatever else is for operators cannot be reached by the public listener', async () => {
    const paths = [
      '/metrics',
      '/readyz',
      '/healthz',
      '/admin/v1/accounts',
      '/console',
      '/console/',
    ];
    for (const path of paths) {
      const { status } = await fetch(bed.issuer + path, { redirect: 'manual' });
      expect([path, status]).toEqual([path, 404]);
    }
  });
});

describe('the id of a request', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${trace}-00f067aa0ba902b7-01`;

  it('is in every line of it, down to the calls to Didit, and never leaves for there', async () => {
    const browser = createBrowser();
    log.clear();
    toDidit.splice(0);
    const page = await toSelfieWith(browser, { traceparent });
    expect(page.url).toContain(bed.simulatorUrl);
    const lines = log.lines().filter(({ requestId }) => requestId === trace);
    const messages = lines.map(({ message }) => message);
    expect(messages).toEqual(expect.arrayContaining(['didit call', 'capture.created', 'request']));
    const [call] = lines.filter(({ message }) => message === 'didit call');
    expect(call).toMatchObject({ operation: 'create', outcome: 'ok' });
    // Didit can be asked about the call by the id that it got.
    expect(toDidit.map(({ headers }) => headers.get('x-request-id'))).toContain(call?.call);
    const sent = toDidit.map(({ headers, url, body }) => [...headers, url, body].join('\n'));
    expect(sent.join('\n')).not.toContain(trace);
    expect(sent.join('\n')).not.toContain('traceparent');
    // From the reference on the page to the request that called Didit.
    const [created] = lines.filter(({ message }) => message === 'capture.created');
    expect(bed.events.at(-1)?.reference).toBe(created?.reference);
  });

  it('is made where none came, one for each request', async () => {
    log.clear();
    await Promise.all([1, 2].map(() => fetch(`${bed.issuer}/jwks`)));
    const requests = log.lines().filter(({ route }) => route === 'jwks');
    const ids = requests.map(({ requestId }) => requestId);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is not the choice of a visitor', async () => {
    const own = keepLog();
    const alone = await startTestbed({ log: own.write });
    onTestFinished(() => alone.close());
    own.clear();
    await fetch(`${alone.issuer}/jwks`, { headers: { traceparent, tracestate: 'x=y' } });
    expect(own.text()).toContain('"message":"request"');
    expect(own.text()).not.toContain(trace);
  });

  it.each([
    ...[
      '',
      'x',
      trace,
      `00-${trace}`,
      `ff-${trace}-00f067aa0ba902b7-01`,
      `01-${trace}-00f067aa0ba902b7-01`,
    ],
    ...[`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `00-${trace}-${'0'.repeat(16)}-01`],
    ...[`00-${trace.toUpperCase()}-00f067aa0ba902b7-01`, `${traceparent}\n`, `${traceparent}-more`],
  ])('is made anew where what came keeps to no form (%j)', (header) => {
    expect(traceIdOf(header)).toBeUndefined();
    expect(inScope(() => 'done', header)).toBe('done');
  });

  async function toSelfieWith(
    browser: ReturnType<typeof createBrowser>,
    headers: Record<string, string>,
  ) {
    const request = await party.begin();
    const identify = await settle(browser, await browser.get(request.url));
    const fields = { identifier: 'chiyo@example.com' };
    const context = await settle(browser, await press(browser, identify, 'identify', fields));
    const action = `${context.url.replace(/\?.*/, '')}/selfie`;
    const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(context.text) ?? [];
    const answer = await browser.request(action, {
      method: 'POST',
      body: new URLSearchParams({ form_token: token }),
      headers: { ...headers, 'sec-fetch-site': 'same-origin', origin: bed.issuer },
    });
    return settle(browser, answer);
  }
});

it('how long each part takes is told to nobody outside the demo', async () => {
  const answer = await fetch(`${bed.issuer}/jwks`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('server-timing')).toBeNull();
});

async function finished(request: Awaited<ReturnType<Party['begin']>>, callback: string) {
  const tokens = await request.finish(callback);
  const claims = JSON.parse(
    Buffer.from(String(tokens.id_token).split('.')[1] ?? '', 'base64url').toString(),
  ) as { sub: string };
  return { claims };
}
