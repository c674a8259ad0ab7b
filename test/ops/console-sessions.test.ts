/** Sessions of the console against whoever plants, forges or keeps one; and what is one operator’s alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { type ConsoleScene, enter, look, openConsole, operator, send } from '../support/console.ts';
import { tokenOn } from '../support/enrol.ts';
import { settle } from '../support/login.ts';

let scene: ConsoleScene;
let aheadMs = 0;
beforeAll(async () => {
  scene = await openConsole({ clock: () => Date.now() + aheadMs });
});
afterAll(() => scene.close());

const cookieName = '_console-session';

async function cookieOf({ jar }: TestBrowser): Promise<string | undefined> {
  const all = await jar.getCookies(`${scene.origin}/console`);
  return all.find(({ key }) => key === cookieName)?.value;
}

/** The same form, as a page of another site would have the browser send it. */
const fromElsewhere = (browser: TestBrowser, url: string, fields: Record<string, string>) =>
  browser.request(url, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'sec-fetch-site': 'same-site', origin: scene.bed.issuer },
  });

const isIn = async (browser: TestBrowser): Promise<boolean> =>
  (await look(scene, browser, '/people')).status === 200;

describe('[PL-12] a form of the console', () => {
  it('does nothing from another site, with its token and all', async () => {
    const { browser } = await operator(scene);
    const { accountId } = await operator(scene, 'viewer');
    const page = await look(scene, browser, '/operators');
    const url = `${scene.origin}/console/operators/set-role`;
    const fields = { ...tokenOn(page), sub: accountId, role: 'admin' };
    expect((await fromElsewhere(browser, url, fields)).status).toBe(403);
    expect(await scene.records.operators.find(accountId)).toMatchObject({ role: 'viewer' });
    expect((await browser.post(url, fields)).status).toBe(303);
  });

  it('of one session has a token that is none of another’s', async () => {
    const [one, other] = [await operator(scene), await operator(scene)];
    const token = tokenOn(await look(scene, other.browser, '/operators'));
    const url = `${scene.origin}/console/operators/link`;
    const sent = await one.browser.post(url, { ...token, role: 'admin', email: '' });
    expect(sent.status).toBe(403);
  });

  it('that signs out does so only for the page it stands on', async () => {
    const { browser, page } = await operator(scene, 'viewer');
    const url = `${scene.origin}/console/sign-out`;
    expect((await browser.post(url, {})).status).toBe(403);
    expect((await browser.post(url, { form_token: 'none' })).status).toBe(403);
    expect((await fromElsewhere(browser, url, tokenOn(page))).status).toBe(403);
    expect(await isIn(browser)).toBe(true);
    expect((await browser.post(url, tokenOn(page))).status).toBe(303);
    expect(await isIn(browser)).toBe(false);
  });

  it('that takes a link does so only with the token of its page', async () => {
    const { browser } = await operator(scene, 'viewer');
    const link = await scene.link('viewer');
    const other = tokenOn(await browser.get(await scene.link('reviewer', 'somebody')));
    for (const fields of [{}, { form_token: 'none' }, other]) {
      expect((await browser.post(link, fields)).status).toBe(403);
    }
    expect((await browser.post(link, tokenOn(await browser.get(link)))).status).toBe(303);
  });
});

describe('[PL-20] a session of the console', () => {
  it('is another one after each sign-in, and the one before is over: a planted one is worth nothing', async () => {
    const attacker = await operator(scene, 'viewer');
    const planted = await attacker.browser.jar.getCookies(`${scene.origin}/console`);
    const before = await cookieOf(attacker.browser);
    const victim = await enter(
      await scene.link('admin'),
      scene.bed.person(),
      await browserWith(planted.map(String)),
    );
    expect(await cookieOf(victim.browser)).not.toBe(before);
    expect(await isIn(victim.browser)).toBe(true);
    expect(await isIn(attacker.browser)).toBe(false);
  });

  it('has the role of now: a demoted operator may no more than their role from the next request on', async () => {
    await operator(scene);
    const { browser, accountId, page } = await operator(scene);
    await scene.records.operators.setRole(accountId, 'viewer');
    const url = `${scene.origin}/console/operators/link`;
    const sent = await browser.post(url, { ...tokenOn(page), role: 'admin', email: '' });
    expect(sent.status).toBe(403);
    expect((await look(scene, browser, '/operators')).status).toBe(403);
  });

  it('is over after twelve hours, however busy it is', async () => {
    const { browser } = await operator(scene, 'viewer');
    const hourMs = 3_600_000;
    try {
      for (let hour = 1; hour < 12; hour += 1) {
        aheadMs += hourMs;
        expect([hour, await isIn(browser)]).toEqual([hour, true]);
      }
      aheadMs += hourMs + 5_000;
      expect(await isIn(browser)).toBe(false);
    } finally {
      aheadMs = 0;
    }
  });
});

describe('[PL-20] what is kept for one operator over a redirect', () => {
  it('and shown once is shown to them alone', async () => {
    const [one, other] = [await operator(scene), await operator(scene)];
    const form = await look(scene, one.browser, '/new-app');
    const sent = await send(one.browser, form, 'add', {
      ...{ template: 'web', client_name: 'Lunch', client_id: 'lunch' },
      redirect_uris: 'https://lunch.example/callback',
    });
    const secret = /client_secret: [\w-]{40,}/;
    expect((await other.browser.get(sent.location!)).text).not.toMatch(secret);
    expect((await settle(one.browser, sent)).text).toMatch(secret);
  });

  it('and had been typed comes back to them alone', async () => {
    const [one, other] = [await operator(scene), await operator(scene)];
    const form = await look(scene, one.browser, '/new-app');
    aheadMs = 6 * 60_000;
    try {
      await send(one.browser, form, 'add', {
        ...{ template: 'web', client_name: 'Dinner', client_id: 'dinner' },
        redirect_uris: 'https://dinner.example/callback',
      });
    } finally {
      aheadMs = 0;
    }
    const flow = await one.browser.jar.getCookies(`${scene.origin}/console`);
    const [, note = ''] = flow.find(({ key }) => key === '_console-flow')?.value.split('.') ?? [];
    const path = Buffer.from(note, 'base64url').toString();
    expect(path).toMatch(/^\/console\/new-app\?draft=/);
    expect((await other.browser.get(`${scene.origin}${path}`)).text).not.toContain('Dinner');
    expect((await one.browser.get(`${scene.origin}${path}`)).text).toContain('Dinner');
  });
});

async function browserWith(cookies: readonly string[]): Promise<TestBrowser> {
  const { createBrowser } = await import('../support/browser.ts');
  const browser = createBrowser();
  for (const cookie of cookies) {
    await browser.jar.setCookie(`${cookie}; Path=/console`, `${scene.origin}/console`);
  }
  return browser;
}
