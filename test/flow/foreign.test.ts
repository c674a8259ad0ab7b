/**
 * Who comes back from Didit, and from where. The link to a selfie can be sent to somebody else; these are the ways in
 * which that must come to nothing.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { callDidit, overhear, ring } from '../didit/support.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import {
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
import { type Testbed, startTestbed } from '../support/testbed.ts';

const foreign = 'This was not started here';
const failed = 'We could not sign you in';
const waiting = 'Checking your selfie';
const overheard = overhear();
let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed({ fetch: overheard.fetch, people: 80 });
});
afterAll(() => bed.close());
beforeEach(() => void bed.events.splice(0));

interface Login {
  browser: TestBrowser;
  request: PartyRequest;
  page: Answer;
  /** The dispatcher's address, and the one that Didit sends the browser to. */
  here: string;
  callback: string;
  diditSessionId: string;
}

async function begin(identifier = bed.person(), browser = createBrowser()): Promise<Login> {
  const request = await (await createParty(bed)).begin();
  const page = await toSelfie(browser, request, identifier);
  const { body, diditSessionId } = overheard.latest();
  const { callback } = body;
  const here = callback.replace(/\/didit\/[\w-]+$/, '');
  expect(page.url).toContain(bed.simulatorUrl);
  // Whatever became of it, the session at Didit is gone for the next test.
  onTestFinished(async () => {
    await browser.post(`${here}/cancel`);
  });
  return { browser, request, page, here, callback, diditSessionId };
}

const events = (name: string): number => bed.events.filter(({ event }) => event === name).length;

/** A page without what differs each time it is made. */
const withoutReference = ({ text }: Answer): string => text.replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/g, '');

/** Nothing that this browser can press or open brings a code. */
async function expectNoCode({ browser, here }: Login): Promise<void> {
  for (const step of ['resume', 'allow']) {
    const answer = await browser.follow(await browser.post(`${here}/${step}`), (url) =>
      url.startsWith('http://localhost:9/'),
    );
    expect(answer.location ?? '').not.toContain('code=');
  }
  const library = await browser.get(here.replace('/interaction/', '/auth/'));
  expect(library.location ?? '').not.toContain('code=');
  expect(events('login.completed')).toBe(0);
}

describe('a link to a selfie that was sent to somebody else', () => {
  it('brings them to a page that explains, and ends the sign-in of who sent it', async () => {
    const sender = await begin();
    const taker = createBrowser();
    const selfie = await taker.get(sender.page.url);
    const arrival = await settle(taker, await takeSelfie(taker, selfie, 'approve'));
    expect([arrival.status, heading(arrival)]).toEqual([403, foreign]);
    expect(events('login.foreign')).toBe(1);

    expect(await shown(sender)).toBe(failed);
    const late = await settle(sender.browser, await sender.browser.get(sender.callback));
    expect(heading(late)).toBe(failed);
    await expectNoCode(sender);
    expect(taker.jar.serializeSync()?.cookies.map(({ key }) => key)).not.toContain('_session');
  });

  it('ends it also when the sender came back first, with the nonce', async () => {
    const sender = await begin();
    await settle(sender.browser, await takeSelfie(sender.browser, sender.page, 'approve'));
    const ready = await whileWaiting(sender.browser, await sender.browser.get(sender.here));
    expect(heading(ready)).toBe('It is you');
    expect(heading(await settle(createBrowser(), await createBrowser().get(sender.callback)))).toBe(
      foreign,
    );
    expect(heading(await sender.browser.get(sender.here))).toBe(failed);
    await expectNoCode(sender);
  });

  it('ends it also without a selfie, and takes the session away from Didit', async () => {
    const sender = await begin();
    await createBrowser().get(`${sender.callback}?status=Approved`);
    const path = `/v3/session/${sender.diditSessionId}/decision/`;
    expect((await callDidit(bed, 'GET', path)).status).toBe(404);
    await ring(bed, sender.diditSessionId, 'Approved');
    await expectNoCode(sender);
    // The slot is free again: the same person may begin anew at once.
    await begin();
  });

  it('shows the same page for a right, a wrong and an old nonce', async () => {
    const login = await begin();
    const wrong = await createBrowser().get(`${login.here}/didit/${'n'.repeat(43)}`);
    expect(await shown(login)).toBe(waiting);
    const right = await createBrowser().get(login.callback);
    const again = await createBrowser().get(login.callback);
    expect(withoutReference(wrong)).toBe(withoutReference(right));
    expect(withoutReference(again)).toBe(withoutReference(right));
    expect([wrong.status, right.status, again.status]).toEqual([403, 403, 403]);
    expect(events('login.foreign')).toBe(1);
  });

  it('[XD-16] does not sign the receiver in as the sender', async () => {
    const attacker = await begin('ben@example.com');
    await takeSelfie(attacker.browser, attacker.page, 'approve');
    const victim = createBrowser();
    const arrival = await settle(victim, await victim.get(attacker.callback));
    expect(heading(arrival)).toBe(foreign);
    const silent = await (await createParty(bed)).begin({ prompt: 'none' });
    const answer = await settle(victim, await victim.get(silent.url));
    expect(answer.location).toContain('error=login_required');
  });
});

describe('a selfie that was taken in another browser of the same person', () => {
  it.each([
    ['another browser', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    [
      'another system',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 CriOS/140.0 Safari/604.1',
    ],
    ['one that says nothing of itself', 'something'],
  ])('%s: the attempt is denied', async (_name, userAgent) => {
    const login = await begin();
    const back = await login.browser.request(login.page.url, {
      method: 'POST',
      body: new URLSearchParams({ outcome: 'approve' }),
      headers: { 'user-agent': userAgent },
    });
    const page = await whileWaiting(login.browser, await settle(login.browser, back));
    expect(heading(page)).toBe(failed);
    expect(page.text).toContain('another browser or on another device');
    await expectNoCode(login);
  });
});

describe('the nonce', () => {
  it('that is wrong is refused, and does no harm to who holds the cookie', async () => {
    const login = await begin();
    const wrong = await login.browser.get(`${login.here}/didit/${'n'.repeat(43)}`);
    expect([wrong.status, heading(wrong)]).toEqual([400, 'We could not read that']);
    const back = await settle(
      login.browser,
      await takeSelfie(login.browser, login.page, 'approve'),
    );
    const ready = await whileWaiting(login.browser, back);
    expect(heading(ready)).toBe('It is you');
    await settle(login.browser, await press(login.browser, ready, 'resume'));
  });

  it('is spent once, however often it comes', async () => {
    const login = await begin();
    await takeSelfie(login.browser, login.page, 'approve');
    const all = await Promise.all(
      Array.from({ length: 10 }, () => login.browser.get(login.callback)),
    );
    expect(new Set(all.map(({ location }) => location))).toEqual(new Set([login.here]));
    expect(events('browser.returned')).toBe(1);
  });

  it('of another sign-in of the same browser is refused by this one', async () => {
    const browser = createBrowser();
    const one = await begin('ana@example.com', browser);
    const other = await begin('ben@example.com', browser);
    const nonce = other.callback.split('/').at(-1) ?? '';
    expect((await browser.get(`${one.here}/didit/${nonce}`)).status).toBe(400);
    expect([await shown(one), await shown(other)]).toEqual([waiting, waiting]);
  });

  it('does not help with the cookie of another sign-in', async () => {
    const browser = createBrowser();
    const one = await begin('ana@example.com', browser);
    const other = await begin('ben@example.com', browser);
    const cookie = await browser.jar.getCookieString(other.here);
    const send = (url: string, method = 'GET'): Promise<Response> =>
      fetch(url, {
        method,
        redirect: 'manual',
        headers: { cookie, accept: 'text/html', 'sec-fetch-site': 'same-origin' },
      });
    expect((await send(one.here)).status).toBe(400);
    expect((await send(`${one.here}/resume`, 'POST')).status).toBe(400);
    expect((await send(one.callback)).status).toBe(400);
    expect(await shown(one)).toBe(failed);
  });
});

describe('[CB-01] what the address says of the status is decoration', () => {
  it('Approved, while the verdict is out: the page waits', async () => {
    const login = await begin();
    const page = await settle(
      login.browser,
      await login.browser.get(`${login.callback}?status=Approved`),
    );
    expect(heading(page)).toBe(waiting);
    await expectNoCode(login);
  });

  it('Approved, while the verdict is Declined: denied', async () => {
    const login = await begin();
    await takeSelfie(login.browser, login.page, 'decline');
    const address = `${login.callback}?verificationSessionId=${login.diditSessionId}&status=Approved`;
    const page = await settle(login.browser, await login.browser.get(address));
    expect(heading(await whileWaiting(login.browser, page))).toBe(failed);
    await expectNoCode(login);
  });

  it('Declined, while the verdict is Approved: judged by the verdict', async () => {
    const login = await begin();
    await takeSelfie(login.browser, login.page, 'approve');
    const address = `${login.callback}?status=Declined`;
    const page = await settle(login.browser, await login.browser.get(address));
    expect(heading(await whileWaiting(login.browser, page))).toBe('It is you');
  });

  it('another session, approved for somebody else: not even looked at', async () => {
    const login = await begin();
    const attacker = await begin('ben@example.com');
    await takeSelfie(attacker.browser, attacker.page, 'approve');
    await takeSelfie(login.browser, login.page, 'decline');
    const address = `${login.callback}?verificationSessionId=${attacker.diditSessionId}`;
    const page = await settle(login.browser, await login.browser.get(address));
    expect(heading(await whileWaiting(login.browser, page))).toBe(failed);
  });
});

describe('[CB-03] coming back, looking and looking again completes nothing', () => {
  it.each([
    ['a HEAD request', { method: 'HEAD' }],
    ['a prefetch', { headers: { 'sec-purpose': 'prefetch' } }],
    ['a second GET', {}],
  ])('%s', async (_name, init: RequestInit) => {
    const login = await begin();
    const back = await takeSelfie(login.browser, login.page, 'approve');
    await login.browser.request(back.location ?? '', init);
    await login.browser.request(back.location ?? '', init);
    const ready = await whileWaiting(login.browser, await login.browser.get(back.location ?? ''));
    await settle(login.browser, ready);
    for (const address of [login.here, `${login.here}/resume`]) {
      await login.browser.request(address, init);
    }
    expect(events('login.completed')).toBe(0);
  });
});

/** What the dispatcher shows now. */
async function shown({ browser, here }: Login): Promise<string> {
  return heading(await browser.get(here));
}
