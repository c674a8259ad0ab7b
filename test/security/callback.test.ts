/** The address that Didit sends browsers back to, and the page that waits there. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keepLog, overhear, ring } from '../didit/support.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const overheard = overhear();
const log = keepLog();
let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({ people: 60, fetch: overheard.fetch, log: log.write });
  party = await createParty(bed);
});
afterAll(() => bed.close());
beforeEach(async () => {
  await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
  bed.events.splice(0);
  log.clear();
});

const count = (name: string): number => bed.events.filter(({ event }) => event === name).length;

async function begun() {
  const browser = createBrowser();
  const request = await party.begin();
  const selfie = await toSelfie(browser, request, bed.person());
  const { body, diditSessionId } = overheard.latest();
  const here = body.callback.replace(/\/didit\/[\w-]+$/, '');
  return { browser, request, selfie, callback: body.callback, here, diditSessionId };
}

describe('[CB-05] a query that Didit does not send', () => {
  it.each([
    ['the same name twice', 'status=Declined&status=Approved'],
    ['seven kilobytes', `status=${'A'.repeat(7_000)}`],
    ['line breaks', 'status=Approved%0d%0aset-cookie:%20a=b'],
    ['a NUL', 'verificationSessionId=%00'],
  ])(
    '(%s) is refused with one line in the log, and the way back stays open',
    async (_name, query) => {
      const { browser, callback, selfie } = await begun();
      log.clear();
      const answer = await browser.get(`${callback}?${query}`);
      expect(answer.status).toBe(400);
      expect(count('browser.returned')).toBe(0);
      expect(log.lines().filter(({ code }) => code === 'malformed')).toHaveLength(1);
      expect(log.text()).not.toContain('A'.repeat(100));
      const back = await settle(browser, await takeSelfie(browser, selfie, 'approve'));
      expect(heading(await whileWaiting(browser, back))).toBe('It is you');
    },
  );

  it('does not hide a browser that did not begin', async () => {
    const { callback } = await begun();
    await createBrowser().get(`${callback}?a=1&a=2`);
    expect(count('login.foreign')).toBe(1);
  });

  it('with names that nobody knows is let pass', async () => {
    const { browser, callback } = await begun();
    expect((await browser.get(`${callback}?lang=de&new_thing=1`)).status).toBe(303);
    expect(count('browser.returned')).toBe(1);
  });
});

describe('[CB-02] a session that was approved for somebody else', () => {
  it('does not help, whether its id stands in the query or its webhook comes', async () => {
    await bed.control('faults', { webhooks: 'drop' });
    const attacker = await begun();
    await takeSelfie(attacker.browser, attacker.selfie, 'approve');
    const victim = await begun();
    const address = `${victim.callback}?verificationSessionId=${attacker.diditSessionId}&status=Approved`;
    const page = await settle(victim.browser, await victim.browser.get(address));
    await ring(bed, attacker.diditSessionId, 'Approved');
    expect(heading(page)).toBe('Checking your selfie');
    expect((await victim.browser.post(`${victim.here}/resume`)).location).toBe(victim.here);
    expect(count('login.completed')).toBe(0);
  });
});

describe('[CB-06] the stream of the page that waits', () => {
  const eventsOf = async (here: string, cookie: string): Promise<Response> =>
    fetch(`${here}/events`, { headers: { cookie, accept: 'application/json' } });

  it('is not there for a stranger, nor for the holder of another sign-in', async () => {
    const [one, two] = [await begun(), await begun()];
    const cookie = await one.browser.jar.getCookieString(one.here);
    const answers = [];
    for (const [at, held] of [
      [one.here, ''],
      [two.here, cookie],
      [`${bed.issuer}/interaction/x`, cookie],
    ] as const) {
      const response = await eventsOf(at, held);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      const text = await response.text();
      const plain = text.replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/, 'REFERENCE');
      answers.push(`${response.status} ${plain}`);
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^404 /);
  });

  it('is one: a second takes the place of the first, and neither tells more than to look again', async () => {
    const { here, browser, selfie } = await begun();
    const cookie = await browser.jar.getCookieString(here);
    const first = await eventsOf(here, cookie);
    expect(first.headers.get('access-control-allow-origin')).toBeNull();
    const second = await eventsOf(here, cookie);
    expect(await first.text()).not.toContain('data:');
    await takeSelfie(browser, selfie, 'decline');
    expect((await second.text()).split('\n').filter((line) => line.startsWith('data:'))).toEqual([
      'data: look again',
    ]);
  });

  it('is opened about once a second and no more often', async () => {
    const { here, browser } = await begun();
    const cookie = await browser.jar.getCookieString(here);
    const answers = await Promise.all(Array.from({ length: 12 }, () => eventsOf(here, cookie)));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(7);
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const answer of answers) await answer.body?.cancel();
    await soon(async () => expect((await browser.get(here)).status).toBe(200));
  });
});

it('[CB-08] webhook, look and return, a hundred times at once: one verdict, one login', async () => {
  await bed.control('faults', { webhooks: 'drop' });
  const { browser, request, selfie, callback, here, diditSessionId } = await begun();
  await takeSelfie(browser, selfie, 'approve');
  await Promise.all(
    Array.from({ length: 100 }, async (_, at) => {
      if (at % 4 === 0) await ring(bed, diditSessionId, 'Approved');
      else if (at % 4 === 1) await browser.get(callback);
      else if (at % 4 === 2) await browser.get(here);
      else await browser.post(`${here}/resume`);
    }),
  );
  const page = await whileWaiting(browser, await browser.get(here));
  const pressed = heading(page) === 'It is you' ? await press(browser, page, 'resume') : undefined;
  const done = await settle(browser, pressed ?? (await browser.post(`${here}/resume`)));
  expect([count('verdict.received'), count('browser.returned')]).toEqual([1, 1]);
  expect(count('login.completed')).toBe(1);
  expect((await request.finish(done.location ?? '')).claims()?.sub).toBeTruthy();
});

it('[CB-09] after the end every way leads to a page that says so, and Didit hears nothing', async () => {
  const { browser, request, selfie, callback, here } = await begun();
  const back = await settle(browser, await takeSelfie(browser, selfie, 'approve'));
  const ready = await whileWaiting(browser, back);
  const done = await settle(browser, await press(browser, ready, 'resume'));
  await request.finish(done.location ?? '');
  overheard.calls.splice(0);
  const answers = [
    await settle(browser, await browser.get(callback)),
    await settle(browser, await browser.get(here)),
  ];
  for (const step of ['resume', 'selfie', 'try-again']) {
    answers.push(await settle(browser, await browser.post(`${here}/${step}`)));
  }
  for (const answer of answers) {
    expect(answer.status).toBe(410);
    expect(answer.location ?? '').not.toContain('code=');
  }
  expect(overheard.calls).toEqual([]);
  expect(count('login.completed')).toBe(1);
});
