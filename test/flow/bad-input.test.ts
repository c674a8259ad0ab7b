/**
 * What does not belong on `/interaction/…`: other people's cookies, other sites' posts, other orders, and bytes that
 * no browser would send. Whatever it is, Didit hears nothing of it, the person gets a page with a reference, and
 * the operator one line with the same reference and a code.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { keepLog, overhear } from '../didit/support.ts';
import { type Answer, type TestBrowser, formTokenFor } from '../support/browser.ts';
import {
  type PartyRequest,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const overheard = overhear();
const log = keepLog();
let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed({ fetch: overheard.fetch, log: log.write });
});
afterAll(() => bed.close());
beforeEach(() => {
  overheard.calls.splice(0);
  log.clear();
});

interface AtTheDoor {
  browser: TestBrowser;
  request: PartyRequest;
  /** The dispatcher's address. */
  here: string;
}

/** A person who is asked who they are, or with a name: who may take a selfie now. */
async function atTheDoor(identifier?: string): Promise<AtTheDoor> {
  const browser = createBrowser();
  const request = await (await createParty(bed)).begin();
  const page = await settle(browser, await browser.get(request.url));
  if (identifier !== undefined) await press(browser, page, 'identify', { identifier });
  const here = withoutQuery(page.url);
  onTestFinished(async () => {
    await browser.post(`${here}/cancel`);
  });
  log.clear();
  return { browser, request, here };
}

const withoutQuery = (url: string): string => url.split('?', 1)[0] ?? url;
const sameOrigin = { 'sec-fetch-site': 'same-origin' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const revealing =
  /node_modules|\.ts:\d|\bat \S+ \(|oidc-provider|\bkoa\b|ioredis|sqlite|redis|\/src\//i;

/** A page of ours, with a reference that the log has too, and nothing about how we are made. */
function expectRefusal(answer: Answer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(heading(answer)).not.toBe('');
  expect(answer.text).not.toMatch(revealing);
  expect([...answer.headers.keys()]).not.toContain('x-powered-by');
  const [reference] = /[2-9A-Z]{4}-[2-9A-Z]{4}/.exec(answer.text) ?? ['no reference'];
  const refusals = log.lines().filter((line) => line['code'] !== undefined);
  expect(refusals).toMatchObject([{ code, status, reference }]);
  expect(overheard.calls).toEqual([]);
}

describe('a browser that did not begin this sign-in', () => {
  it('without a cookie gets no further', async () => {
    const { here } = await atTheDoor('ana@example.com');
    expectRefusal(await createBrowser().get(here), 400, 'interaction_not_yours');
    for (const step of ['identify', 'selfie', 'resume', 'cancel', 'start-over', 'allow', 'deny']) {
      log.clear();
      expectRefusal(await createBrowser().post(`${here}/${step}`), 400, 'interaction_not_yours');
    }
  });

  it('with an unknown sign-in gets no further', async () => {
    const unknown = `${bed.issuer}/interaction/${'u'.repeat(21)}`;
    expectRefusal(await createBrowser().get(unknown), 400, 'interaction_not_yours');
  });

  it.each([
    ['its signature', /(?<=\.sig=)./],
    ['its value', /(?<=_interaction=)./],
    ['the lack of a signature', /; _interaction\.sig=[^;]+|_interaction\.sig=[^;]+; /],
  ])('with a cookie that was changed in %s gets no further', async (_name, part) => {
    const { browser, here } = await atTheDoor('ana@example.com');
    const genuine = await browser.jar.getCookieString(here);
    const another = (found: string): string => (found === 'a' ? 'b' : 'a');
    const changed = genuine.replace(part, (found) => (found.length > 1 ? '' : another(found)));
    expect(changed).not.toBe(genuine);
    const forger = createBrowser();
    for (const cookie of changed.split('; ')) await forger.jar.setCookie(`${cookie}; Path=/`, here);
    expectRefusal(await forger.post(`${here}/selfie`), 400, 'interaction_not_yours');
  });
});

describe('[CB-09] a sign-in that is finished', () => {
  it('is not done again by the back button, a reload, or the button pressed once more', async () => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const callback = await signIn(browser, request);
    await request.finish(callback);
    const { body } = overheard.latest();
    const here = body.callback.replace(/\/didit\/[\w-]+$/, '');
    overheard.calls.splice(0);
    const completed = bed.events.filter(({ event }) => event === 'login.completed').length;
    // The library's cookie is gone with the interaction; this is a browser that would have kept it.
    for (const address of [here, body.callback, here.replace('/interaction/', '/auth/')]) {
      const answer = await settle(browser, await browser.get(address));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.location ?? '').not.toContain('code=');
    }
    for (const step of ['resume', 'selfie', 'try-again', 'start-over', 'cancel', 'allow']) {
      const answer = await settle(browser, await browser.post(`${here}/${step}`));
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.location).toBeUndefined();
    }
    expect(overheard.calls).toEqual([]);
    expect(bed.events.filter(({ event }) => event === 'login.completed')).toHaveLength(completed);
  });

  it('is not done again by a browser that keeps its cookies', async () => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const identify = await settle(browser, await browser.get(request.url));
    const here = withoutQuery(identify.url);
    const as = { identifier: 'ana@example.com' };
    const context = await settle(browser, await press(browser, identify, 'identify', as));
    const didit = await settle(browser, await press(browser, context, 'selfie'));
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    const cookie = await browser.jar.getCookieString(here);
    await settle(browser, await press(browser, ready, 'resume'));
    const again = async (address: string, method: string): Promise<string> => {
      const headers = { cookie, accept: 'text/html', ...sameOrigin };
      const body = method === 'POST' ? new URLSearchParams(formTokenFor(address)) : null;
      const response = await fetch(address, { method, headers, body, redirect: 'manual' });
      return `${response.status} ${response.headers.get('location') ?? ''}`;
    };
    const path = new URL(here).pathname;
    overheard.calls.splice(0);
    expect(await again(here, 'GET')).toBe('410 ');
    for (const step of ['selfie', 'cancel', 'identify', 'other-way']) {
      expect(await again(`${here}/${step}`, 'POST')).toBe(`303 ${path}`);
    }
    for (const step of ['resume', 'try-again', 'start-over']) {
      expect(await again(`${here}/${step}`, 'POST')).toBe('410 ');
    }
    expect(overheard.calls).toEqual([]);
  });
});

describe('a post that another page sent', () => {
  const origins: [string, Record<string, string>][] = [
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from a sister domain', { 'sec-fetch-site': 'same-site' }],
    ['typed into the address bar', { 'sec-fetch-site': 'none' }],
    ['from a foreign origin', { origin: 'https://evil.example' }],
    ['from an origin that is hidden', { origin: 'null' }],
    ['from a foreign page', { referer: 'https://evil.example/' }],
    ['from nowhere', {}],
    ['from another site that names our origin', { 'sec-fetch-site': 'cross-site', origin: 'ours' }],
  ];

  it.each(origins)('%s does nothing', async (_name, headers) => {
    const { browser, here } = await atTheDoor('ana@example.com');
    const origin = headers['origin'] === 'ours' ? { origin: bed.issuer } : {};
    for (const step of ['selfie', 'resume', 'cancel', 'try-again', 'start-over', 'allow', 'deny']) {
      log.clear();
      const body = new URLSearchParams(formTokenFor(here));
      const init = { method: 'POST', body, headers: { ...form, ...headers, ...origin } };
      expectRefusal(await browser.request(`${here}/${step}`, init), 403, 'cross_site');
    }
    expect(heading(await browser.get(here))).toBe('One selfie to sign in');
  });

  it.each([
    ['no token', undefined],
    ['an empty token', ''],
    ['a token that was made up', 'x'.repeat(43)],
    ['the token of another sign-in', 'another'],
  ])('[PL-12] with %s does nothing, from wherever it comes', async (_name, token) => {
    const [{ browser, here }, other] = [await atTheDoor('ana@example.com'), await atTheDoor()];
    const form_token = token === 'another' ? formTokenFor(other.here)['form_token'] : token;
    expect(form_token).not.toBe(formTokenFor(here)['form_token']);
    for (const step of ['selfie', 'resume', 'cancel', 'try-again', 'start-over', 'allow', 'deny']) {
      log.clear();
      const body = new URLSearchParams(form_token === undefined ? {} : { form_token });
      const init = { method: 'POST', body, headers: { ...form, ...sameOrigin } };
      expectRefusal(await browser.request(`${here}/${step}`, init), 403, 'cross_site');
    }
    expect(heading(await browser.get(here))).toBe('One selfie to sign in');
  });
});

describe('a form', () => {
  const post = (browser: TestBrowser, url: string, text: string, headers = {}): Promise<Answer> => {
    const body = `${text}&${new URLSearchParams(formTokenFor(url)).toString()}`;
    const init = { method: 'POST', body, headers: { ...form, ...sameOrigin, ...headers } };
    return browser.request(url, init);
  };

  it.each([
    ['larger than 16 KiB', 413, 'body_too_large', `identifier=${'a'.repeat(16 * 1024)}`],
    ['with a field twice', 400, 'malformed', 'identifier=ana&identifier=ben'],
  ])('%s is refused', async (_name, status, code, body) => {
    const { browser, here } = await atTheDoor();
    expectRefusal(await post(browser, `${here}/identify`, body), status, code);
    expect(heading(await browser.get(here))).toBe('Sign in');
  });

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x'])(
    'of type %s is refused',
    async (type) => {
      const { browser, here } = await atTheDoor();
      const answer = await post(browser, `${here}/identify`, 'a=b', { 'content-type': type });
      expectRefusal(answer, 415, 'unsupported_media_type');
    },
  );

  it.each([
    ['nothing', '', 'Type your e-mail address'],
    ['space only', '%20%09%0D%0A', 'Type your e-mail address'],
    ['255 characters', 'a'.repeat(255), 'That is too long'],
  ])('with %s as the name is shown again', async (_name, identifier, says) => {
    const { browser, here } = await atTheDoor();
    const answer = await post(browser, `${here}/identify`, `identifier=${identifier}`);
    expect([answer.status, heading(answer)]).toEqual([400, 'Sign in']);
    expect(answer.text).toContain(says);
  });

  it.each([
    ['a NUL', 'ana%00@example.com'],
    ['line breaks', 'ana%0D%0ASet-Cookie:%20a=b%0D%0A'],
    ['half a character', '%FF%FE%ED%A0%80'],
    ['a broken escape', '%E0%A4%A'],
    ['a prototype', '__proto__'],
    ['254 characters', 'a'.repeat(254)],
    ['254 characters that grow', '%EF%B7%BA'.repeat(254)],
  ])('with %s in the name goes the way of any unknown name', async (_name, identifier) => {
    const { browser, here } = await atTheDoor();
    const answer = await post(browser, `${here}/identify`, `identifier=${identifier}`);
    expect([answer.status, answer.location]).toEqual([303, here]);
    const context = await browser.get(here);
    expect(heading(context)).toBe('One selfie to sign in');
    const end = await settle(browser, await press(browser, context, 'selfie'));
    expect(heading(end)).toBe('Take a selfie');
    const { body } = overheard.latest();
    expect(body.vendor_data).toMatch(/^[\w-]{22}$/);
    // One line an event, whatever is in it.
    expect(log.text().trimEnd().split('\n')).toHaveLength(log.lines().length);
  });

  it('with markup in the name shows it as text', async () => {
    const { browser, here } = await atTheDoor();
    const markup = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`;
    await browser.post(`${here}/identify`, { identifier: markup });
    const page = await browser.get(here);
    expect(page.text).not.toContain('<script>alert');
    expect(page.text).not.toContain('<img src=x');
    expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });
});

describe('a step out of its order', () => {
  it.each(['selfie', 'resume'])(
    '"%s" before the name is known only shows where one is',
    async (step) => {
      const { browser, here } = await atTheDoor();
      expect(await browser.post(`${here}/${step}`)).toMatchObject({ status: 303, location: here });
      expect(heading(await browser.get(here))).toBe('Sign in');
      expect(overheard.calls).toEqual([]);
    },
  );

  it('"resume" before the selfie opens nothing', async () => {
    const { browser, here } = await atTheDoor('ana@example.com');
    expect((await browser.post(`${here}/resume`)).location).toBe(here);
    const library = await browser.get(here.replace('/interaction/', '/auth/'));
    expect(library.location ?? '').not.toContain('code=');
  });

  it('a second name does not take the place of the first', async () => {
    const { browser, here } = await atTheDoor('ana@example.com');
    await browser.post(`${here}/identify`, { identifier: 'ben@example.com' });
    const page = await browser.get(here);
    expect(page.text).toContain('ana@example.com');
    expect(page.text).not.toContain('ben@example.com');
  });

  it('"allow" and "deny" when nothing was asked give no consent and no code', async () => {
    const { browser, here } = await atTheDoor('ana@example.com');
    const allowed = await settle(browser, await browser.post(`${here}/allow`));
    expect(allowed.location ?? '').not.toContain('code=');
    const denied = await settle(browser, await browser.post(`${here}/deny`));
    expect(denied.location ?? '').not.toContain('code=');
    expect(overheard.calls).toEqual([]);
  });
});

describe('an address', () => {
  it.each([
    ['GET', 'selfie'],
    ['GET', 'resume'],
    ['GET', 'cancel'],
    ['PUT', 'selfie'],
    ['DELETE', ''],
    ['POST', 'didit/nonce'],
    ['POST', 'no-such-step'],
    ['GET', 'didit/'],
    ['GET', 'didit/a/b'],
    ['GET', '%E0%A4%A'],
    ['GET', 'constructor'],
  ])('%s …/%s is not served', async (method, step) => {
    const { browser, here } = await atTheDoor('ana@example.com');
    const init = { method, headers: { ...form, ...sameOrigin } };
    const answer = await browser.request(`${here}/${step}`, init);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(answer.text).not.toMatch(revealing);
    expect(overheard.calls).toEqual([]);
  });

  it('with HEAD says no more than with GET, and begins nothing', async () => {
    const { browser, here } = await atTheDoor('ana@example.com');
    const answer = await browser.request(here, { method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect((await createBrowser().request(here, { method: 'HEAD' })).status).toBe(400);
    expect(overheard.calls).toEqual([]);
  });

  it.each(['evil.example', 'localhost', '127.0.0.1', '127.0.0.1:80', ''])(
    'of host "%s" is not ours',
    async (host) => {
      const answer = await send(`GET /auth HTTP/1.1\r\nhost: ${host}\r\nconnection: close`);
      expect(answer).toMatch(/^HTTP\/1\.1 421 /);
      expect(answer).not.toMatch(revealing);
      expect(answer).not.toContain('evil.example');
    },
  );

  it.each([
    '/assets/../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/etc/passwd',
    '/assets/..\\..\\package.json',
    '/assets//etc/passwd',
    '/assets/app.css%00.html',
    '/assets/',
  ])('%s leads to no file', async (path) => {
    const { host } = new URL(bed.issuer);
    const answer = await send(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close`);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).not.toMatch(/root:|"dependencies"/);
    expect(answer).not.toMatch(revealing);
  });
});

/** A request as it stands, which no client library would send. */
async function send(head: string): Promise<string> {
  const { hostname, port } = new URL(bed.issuer);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(`${head}\r\naccept: text/html\r\n\r\n`);
  return text(socket);
}
