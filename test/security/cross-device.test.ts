/**
 * A link to a selfie that is sent to somebody else. A is who began the sign-in and would like to be B; B has the
 * face, and opens what A sent. Both have browsers of the same kind, so that only the way back tells them apart.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { keepLog, overhear, ring } from '../didit/support.ts';
import { type Answer, type TestBrowser, withoutToken } from '../support/browser.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Device, createDevice, leaveBy, signInWith, toContext } from '../support/device.ts';
import { freshRedis, withRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const overheard = overhear();
const log = keepLog();
let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({ people: 40, fetch: overheard.fetch, log: log.write });
  party = await createParty(bed);
});
afterAll(() => bed.close());
beforeEach(async () => {
  await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
  bed.events.splice(0);
});

const count = (name: string): number => bed.events.filter(({ event }) => event === name).length;
/** Of a sign-in in a new browser they hear as well; that is another matter. */
const mailsTo = (person: string) =>
  bed.mails.filter(({ to, message }) => to.address === person && message.kind !== 'new_device');
/** Time for a second mail, should there be one. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 700));
const here = (callback: string): string => callback.replace(/\/didit\/[\w-]+$/, '');

/** A has pressed the button, and holds the link. */
async function begun(person = bed.person(), browser = createBrowser()) {
  const request = await party.begin();
  const selfie = await toSelfie(browser, request, person);
  const { body, diditSessionId } = overheard.latest();
  return { browser, request, selfie, person, callback: body.callback, diditSessionId };
}

/** B opens the link and takes the selfie; the answer leads B to where Didit sends browsers back to. */
async function takenByB(
  link: string,
  b = createBrowser(),
): Promise<{ b: TestBrowser; back: Answer }> {
  return { b, back: await takeSelfie(b, await b.get(link), 'approve') };
}

/** B's browser never arrives, and A comes back in its place: A stole or guessed the address. */
async function borrowed(person = bed.person(), device?: Device) {
  const a = await begun(person);
  const { b, back } = await takenByB(a.selfie.url);
  const ready = await whileWaiting(
    a.browser,
    await settle(a.browser, await a.browser.get(a.callback)),
  );
  const tokens = await a.request.finish(await leaveBy(a.browser, ready, device));
  return { ...a, b, back, tokens };
}

/** A sign-in in a new browser, up to the last button. */
async function toContinue(person: string): Promise<{ browser: TestBrowser; page: Answer }> {
  const { browser, selfie } = await begun(person);
  const returned = await settle(browser, await takeSelfie(browser, selfie, 'approve'));
  return { browser, page: await whileWaiting(browser, returned) };
}

const userinfo = (token: string): Promise<Response> =>
  fetch(`${bed.issuer}/me`, { headers: { authorization: `Bearer ${token}` } });

async function refresh(token: string): Promise<number> {
  const credentials = Buffer.from(`first:${bed.clientSecret}`).toString('base64');
  const response = await fetch(`${bed.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
  });
  return response.status;
}

async function isActive(token: string): Promise<unknown> {
  const credentials = Buffer.from(`first:${bed.clientSecret}`).toString('base64');
  const response = await fetch(`${bed.issuer}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ token }),
  });
  return ((await response.json()) as { active: unknown }).active;
}

describe('[XD-01] [XD-04] an approval that came by a link', () => {
  it('brings A nothing, whether B arrives or stays away', async () => {
    const a = await begun();
    const { b, back } = await takenByB(a.selfie.url);
    await soon(() => expect(count('verdict.received')).toBe(1));
    const waiting = await a.browser.get(here(a.callback));
    expect(heading(waiting)).toBe('Checking your selfie');
    expect((await a.browser.post(`${here(a.callback)}/resume`)).location).toBe(here(a.callback));
    expect(count('login.completed')).toBe(0);

    expect(heading(await settle(b, back))).toBe('This was not started here');
    expect(heading(await a.browser.get(here(a.callback)))).toBe('We could not sign you in');
    expect(count('login.completed')).toBe(0);
  });

  it('is told to the person by mail', async () => {
    const a = await begun();
    const { b, back } = await takenByB(a.selfie.url);
    await settle(b, back);
    await createBrowser().get(a.callback);
    await soon(() => expect(mailsTo(a.person)).toHaveLength(1));
    await settled();
    const [mail, ...others] = mailsTo(a.person);
    expect(others).toEqual([]);
    expect(mail?.message).toMatchObject({ kind: 'borrowed_selfie', ended: false });
    expect(mail?.text).toContain('Somebody began to sign in to First as you');
    expect(mail?.text).toMatch(/^Browser: Chrome on Linux$/m);
    const sent = bed.events.filter(({ event }) => event === 'mail.sent');
    expect(sent).toMatchObject([{ kind: 'borrowed_selfie', account: mail?.to.account }]);
  });

  it('[XD-02] looks to A exactly as if nobody had taken a selfie', async () => {
    const page = async (isApproved: boolean): Promise<string> => {
      const a = await begun();
      if (isApproved) {
        const before = count('verdict.received');
        await takenByB(a.selfie.url);
        await soon(() => expect(count('verdict.received')).toBe(before + 1));
      }
      const { text, status, headers } = await a.browser.get(here(a.callback));
      const uid = here(a.callback).split('/').at(-1) ?? '';
      const plain = withoutToken(text)
        .replaceAll(uid, 'UID')
        .replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/g, 'REFERENCE');
      return JSON.stringify([status, [...headers.keys()].sort(), plain]);
    };
    const [approved, pending] = [await page(true), await page(false)];
    expect(approved).toBe(pending);
  });

  it('[XD-02] rings at the page of A no sooner than A may know of it', async () => {
    const a = await begun();
    const cookie = await a.browser.jar.getCookieString(here(a.callback));
    const { body } = await fetch(`${here(a.callback)}/events`, { headers: { cookie } });
    let told = '';
    const listening = (async () => {
      for await (const piece of body ?? []) told += Buffer.from(piece).toString();
    })();
    const { b, back } = await takenByB(a.selfie.url);
    await soon(() => expect(count('verdict.received')).toBe(1));
    await sleep(300); // A ring takes a few milliseconds.
    expect(told).toBe('retry: 1000\n\n');
    // Until B’s browser is there, which ends it.
    await settle(b, back);
    await listening;
    expect(told).toContain('data: look again');
  });
});

describe('[XD-03] B’s browser, arriving after A was let in,', () => {
  it('[PR-14] takes back what A got: session, userinfo, refresh token, introspection', async () => {
    const { browser, b, back, tokens } = await borrowed();
    const token = tokens.access_token;
    expect((await userinfo(token)).status).toBe(200);
    expect(await isActive(token)).toBe(true);

    expect(heading(await settle(b, back))).toBe('This was not started here');
    expect((await userinfo(token)).status).toBe(401);
    expect(await isActive(token)).toBe(false);
    expect(await refresh(tokens.refresh_token ?? '')).toBe(400);
    const again = await settle(browser, await browser.get((await party.begin()).url));
    expect(heading(again)).toBe('Sign in');
    expect(bed.events).toContainEqual(
      expect.objectContaining({ event: 'login.foreign', reason: 'after_the_end' }),
    );
  });

  it('takes back a code that A has not used yet', async () => {
    const a = await begun();
    const { b, back } = await takenByB(a.selfie.url);
    const ready = await settle(a.browser, await a.browser.get(a.callback));
    const open = await whileWaiting(a.browser, ready);
    const done = await settle(a.browser, await press(a.browser, open, 'resume'));
    await settle(b, back);
    await expect(a.request.finish(done.location ?? '')).rejects.toThrow();
  });

  it('[FB-03] takes back the key that A’s browser made, and no other', async () => {
    const [own, person] = [createDevice(), bed.person()];
    const mine = await party.begin();
    await mine.finish(await signInWith(createBrowser(), mine, person, own));
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // Proofs are told apart by the second.
    const device = createDevice();
    const { b, back } = await borrowed(person, device);
    expect(device.id()).toBeDefined();
    await settle(b, back);
    const isTaken = async (one: typeof device): Promise<boolean> => {
      bed.events.splice(0);
      await toContext(createBrowser(), await party.begin(), person, one);
      return count('factor.proven') === 1;
    };
    expect([await isTaken(device), await isTaken(own)]).toEqual([false, true]);
  });

  it('leaves alone what the same person proved before, in a browser of their own', async () => {
    const person = bed.person();
    const own = createBrowser();
    const request = await party.begin();
    const mine = await request.finish(await signIn(own, request, person));
    await new Promise((resolve) => setTimeout(resolve, 1_100)); // Proofs are told apart by the second.
    const { b, back } = await borrowed(person);
    await settle(b, back);
    expect((await userinfo(mine.access_token)).status).toBe(200);
    expect(await refresh(mine.refresh_token ?? '')).toBe(200);
  });

  it('tells the person at their next sign-in, once, and waits for them to read it', async () => {
    const { person, b, back } = await borrowed();
    // However often it arrives.
    for (let times = 0; times < 3; times += 1) await settle(b, back);
    const told = await toContinue(person);
    expect(told.page.text.match(/What it opened was closed/g)).toHaveLength(1);
    expect(told.page.text).not.toContain('data-submit');
    await settle(told.browser, await press(told.browser, told.page, 'resume'));
    const next = await toContinue(person);
    expect(next.page.text).not.toContain('What it opened was closed');
    expect(next.page.text).toContain('data-submit');
  });

  it('writes to the person, once, however often the link is opened', async () => {
    const { person, b, back, callback } = await borrowed();
    await settle(b, back);
    for (let again = 0; again < 3; again += 1) await createBrowser().get(callback);
    await soon(() => expect(mailsTo(person)).toHaveLength(1));
    await settled();
    expect(mailsTo(person)).toMatchObject([
      {
        to: { account: expect.any(String) as string },
        message: { kind: 'borrowed_selfie', ended: true, client: 'First', browser: 'Chrome' },
        subject: 'We ended a sign-in that used your selfie',
      },
    ]);
  });

  it('holds in every process', async () => {
    const url = await freshRedis();
    const heard = overhear();
    const one = await startTestbed({ storeUrl: url, fetch: heard.fetch });
    onTestFinished(() => one.close());
    const browser = createBrowser();
    const request = await (await createParty(one)).begin();
    const selfie = await toSelfie(browser, request);
    const b = createBrowser();
    const back = await takeSelfie(b, await b.get(selfie.url), 'approve');
    const { callback } = heard.latest().body;
    const open = await whileWaiting(browser, await settle(browser, await browser.get(callback)));
    const done = await settle(browser, await press(browser, open, 'resume'));
    await request.finish(done.location ?? '');
    await settle(b, back);
    // What is written is what another process reads.
    const accounts = await withRedis(url, (redis) => redis.keys('*record:account:*'));
    expect(accounts.length).toBeGreaterThan(0);
    const next = await settle(
      browser,
      await browser.get((await (await createParty(one)).begin()).url),
    );
    expect(heading(next)).toBe('Sign in');
  });
});

describe('[XD-03] B’s browser, arriving before A was let in,', () => {
  it.each([
    ['of the same kind', createBrowser()],
    ['of another kind, of which the decision told before', createBrowser({ userAgent: firefox })],
  ])('%s: the operator hears of it, and the person at their next sign-in, once', async (_, b) => {
    const a = await begun();
    const { back } = await takenByB(a.selfie.url, b);
    await soon(() => expect(count('verdict.received')).toBe(1));
    for (let times = 0; times < 3; times += 1) {
      expect(heading(await settle(b, back))).toBe('This was not started here');
    }
    expect(count('login.foreign')).toBeGreaterThan(0);
    expect(count('login.completed')).toBe(0);
    const told = await toContinue(a.person);
    expect(told.page.text.match(/We stopped it/g)).toHaveLength(1);
  });
});

describe('[XD-05] [CB-03] the way back', () => {
  it('without the cookie and without the nonce tells nobody anything, and ends nothing', async () => {
    const a = await begun();
    const stranger = createBrowser();
    const wrong = await stranger.get(`${here(a.callback)}/didit/${'x'.repeat(43)}`);
    expect([wrong.status, heading(wrong)]).toEqual([403, 'This was not started here']);
    const none = await stranger.get(`${bed.issuer}/interaction/of-nobody/didit/nonce`);
    expect([none.status, heading(none)]).toEqual([403, 'This was not started here']);
    expect(count('login.foreign')).toBe(0);
  });

  it.each([
    ['HEAD', { method: 'HEAD' }],
    ['Sec-Purpose: prefetch', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
    ['Purpose: prefetch', { headers: { purpose: 'prefetch' } }],
    ['X-Moz: prefetch', { headers: { 'x-moz': 'prefetch' } }],
  ])('looked at ahead (%s) is nobody’s arrival', async (_name, init) => {
    const a = await begun();
    const ahead = await fetch(a.callback, { redirect: 'manual', ...init });
    expect(ahead.status).toBe(204);
    const cookie = await a.browser.jar.getCookieString(a.callback);
    const { headers } = init as { headers?: Record<string, string> };
    await fetch(a.callback, { redirect: 'manual', ...init, headers: { ...headers, cookie } });
    expect([count('login.foreign'), count('browser.returned')]).toEqual([0, 0]);
    const back = await settle(a.browser, await takeSelfie(a.browser, a.selfie, 'approve'));
    expect(heading(await whileWaiting(a.browser, back))).toBe('It is you');
  });

  it('[XD-06] with the cookie of another sign-in is refused, and ends the one it names', async () => {
    const [one, two] = [await begun(), await begun()];
    const cookie = await one.browser.jar.getCookieString(here(one.callback));
    const answer = await fetch(two.callback, { headers: { cookie }, redirect: 'manual' });
    expect(answer.status).toBe(400);
    expect(heading(await two.browser.get(here(two.callback)))).toBe('We could not sign you in');
    expect(heading(await one.browser.get(here(one.callback)))).toBe('Checking your selfie');
  });
});

it('[XD-11] an approval that comes after the time is no login, minutes or days late', async () => {
  const heard = overhear();
  let nowMs = Date.now();
  const slow = await startTestbed({ people: 4, fetch: heard.fetch, clock: () => nowMs });
  onTestFinished(() => slow.close());
  await slow.control('faults', { webhooks: 'drop' });
  for (const lateMs of [6 * 60_000, 6 * 86_400_000]) {
    const browser = createBrowser();
    const selfie = await toSelfie(browser, await (await createParty(slow)).begin(), slow.person());
    const { body, diditSessionId } = heard.latest();
    const back = await takeSelfie(browser, selfie, 'approve');
    nowMs += lateMs;
    const timestampSeconds = Math.floor(nowMs / 1000);
    expect((await ring(slow, diditSessionId, 'Approved', { timestampSeconds })).status).toBe(200);
    const page = await settle(browser, back);
    expect(heading(page)).not.toBe('It is you');
    expect((await browser.post(`${here(body.callback)}/resume`)).location ?? '').not.toContain(
      'code=',
    );
  }
  expect(slow.events.filter(({ event }) => event === 'login.completed')).toEqual([]);
});

it('[XD-17] two selfies that came from elsewhere close the selfie to new browsers for a day', async () => {
  const person = bed.person();
  const own = createBrowser();
  const first = await party.begin();
  await first.finish(await signIn(own, first, person));
  for (let links = 0; links < 2; links += 1) {
    const a = await begun(person);
    const { b, back } = await takenByB(a.selfie.url);
    await settle(b, back);
  }
  const limited = await toSelfie(createBrowser(), await party.begin(), person);
  expect(limited.text).toContain('Selfies are paused for a while');
  expect(bed.events).toContainEqual(expect.objectContaining({ reason: 'turn_closed' }));
  // The browser in which the person has signed in before goes on.
  const again = await party.begin({ prompt: 'login' });
  const page = await settle(own, await own.get(again.url));
  expect(heading(page)).toBe('One selfie to sign in');
  expect((await press(own, page, 'selfie')).location).toContain(bed.simulatorUrl);
});

it('[AB-09] a second start in the same browser ends the first, whose way back is dead', async () => {
  const person = bed.person();
  const browser = createBrowser();
  const one = await begun(person, browser);
  const two = await begun(person, browser);
  expect(two.diditSessionId).not.toBe(one.diditSessionId);
  expect((await createBrowser().get(one.selfie.url)).status).toBe(404);
  const dead = await settle(browser, await browser.get(one.callback));
  expect(heading(dead)).toBe('This sign-in is over');
  const back = await settle(browser, await takeSelfie(browser, two.selfie, 'approve'));
  expect(heading(await whileWaiting(browser, back))).toBe('It is you');
});
