/** The provider, Didit and two strangers, each on a host with TLS, in a browser that takes their word for nothing. */
import { type Browser, type Page, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { App } from '../../src/app.ts';
import { apiKey } from '../didit/support.ts';
import { finishSelfie, heading, newPerson, press, toSelfie } from '../support/chromium.ts';
import { chromiumPath } from '../support/packages.ts';
import { freePort } from '../support/ports.ts';
import { deploymentKeys, startApp, webhookSecret } from '../support/testbed.ts';
import { type TlsFront, hosts, onward, startTlsFront } from './tls.ts';

// Each story goes to some twenty pages.
vi.setConfig({ testTimeout: 60_000 });

let front: TlsFront;
let app: App;
let browser: Browser;
let simulator: Awaited<ReturnType<typeof createSimulator>>;
let issuer: string;
let callback: string;

beforeAll(async () => {
  front = await startTlsFront();
  issuer = `https://${hosts.provider}:${front.port}`;
  callback = `https://${hosts.app}:${front.port}/callback`;
  const diditOrigin = `https://${hosts.didit}:${front.port}`;
  simulator = await createSimulator({
    ...{ apiKeys: { live: [apiKey] }, webhookSecret, hostedOrigin: diditOrigin },
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  const port = await freePort();
  app = await startApp({
    ...{ keys: await deploymentKeys(), port, simulatorUrl, apiKey },
    flags: {
      ...{ issuer, trustProxy: 1 },
      didit: { hostedOrigins: [diditOrigin], environment: 'live' },
    },
    clients: [
      { client_id: 'tls', first_party: true },
      { client_id: 'guest', first_party: false },
    ].map((client) => ({
      ...{ ...client, client_name: 'The app', token_endpoint_auth_method: 'none' },
      redirect_uris: [callback, atApp(onward)],
      post_logout_redirect_uris: [atApp(onward)],
    })),
  });
  await app.listen();
  front.lead(hosts.provider, port);
  front.lead(hosts.didit, Number(new URL(simulatorUrl).port));
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      '--use-fake-device-for-media-stream',
    ],
  });
});
afterAll(async () => {
  await browser.close();
  await app.close();
  await simulator.close();
  await front.close();
});

const atApp = (path: string): string => `https://${hosts.app}:${front.port}${path}`;
const person = () => newPerson(browser, { ignoreHTTPSErrors: true });

const authorization = (more: Record<string, string> = {}): string => {
  const query = new URLSearchParams({
    ...{ client_id: 'tls', redirect_uri: callback, response_type: 'code', scope: 'openid' },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256', ...more },
  });
  return `${issuer}/auth?${query.toString()}`;
};

async function signIn(page: Page, identifier: string): Promise<void> {
  await page.goto(authorization());
  await toSelfie(page, identifier);
  await finishSelfie(page, 'approve');
  await page.waitForURL(`${callback}?**`);
}

const createdSessions = async (): Promise<number> => {
  const log = (await (await fetch(`${simulator.url}/control/log`)).json()) as {
    calls: { operation: string }[];
  };
  return log.calls.filter(({ operation }) => operation === 'create').length;
};

describe('under TLS', () => {
  it('[PL-11] [PL-09] every cookie has the name, the path and the marks that guard it', async () => {
    const { page } = await person();
    await page.goto(authorization());
    const during = await page.context().cookies();
    const interaction = during.find(({ name }) => name === '__Secure-interaction');
    expect(interaction?.path).toMatch(/^\/interaction\/[\w-]+$/);
    await toSelfie(page, 'ana@example.com');
    await finishSelfie(page, 'approve');
    await page.waitForURL(`${callback}?**`);
    expect(new URL(page.url()).searchParams.get('iss')).toBe(issuer);

    const all = await page.context().cookies();
    const cookies = all.filter(({ domain }) => domain === hosts.provider);
    const names = [...during, ...cookies].map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['__Host-session', '__Host-device', '__Secure-resume']),
    );
    for (const { name, ...cookie } of [...during, ...cookies]) {
      expect(name).toMatch(/^__(Host|Secure)-/);
      expect(cookie).toMatchObject({
        ...{ secure: true, httpOnly: true, sameSite: 'Lax', domain: hosts.provider },
      });
      if (name.startsWith('__Host-')) expect(cookie.path).toBe('/');
    }
  });

  it('[PL-11] a cookie that a sister planted, or whose signature was changed, is as good as none', async () => {
    const { page } = await person();
    await signIn(page, 'ben@example.com');
    const silent = async (): Promise<string> => {
      await page.goto(authorization({ prompt: 'none' }));
      return page.url();
    };
    expect(await silent()).toContain('code=');

    const planting = await page.context().newPage();
    await planting.goto(`https://${hosts.sister}:${front.port}/`);
    await planting.evaluate<unknown>(`
      for (const name of ['__Host-session', '_session', '__Secure-interaction'])
        document.cookie = name + '=planted; Domain=${hosts.provider}; Path=/; Secure';
    `);
    expect(await silent()).toContain('code=');

    const context = page.context();
    const genuine = await context.cookies(issuer);
    const session = genuine.find(({ name }) => name === '__Host-session.sig');
    expect(session).toBeDefined();
    const value = (session?.value ?? '').replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
    await context.addCookies([{ ...session!, value }]);
    expect(await silent()).toContain('error=login_required');
  });

  it.each([
    ['another site', hosts.stranger],
    // Of the same site, so that the browser sends the cookies along.
    ['a sister', hosts.sister],
  ])(
    '[PL-12] a form of %s begins nothing, though the browser sends it at once',
    async (_name, host) => {
      const { page } = await person();
      const evil = await page.context().newPage();
      await page.goto(authorization());
      const asking = page.url().replace(/\?.*$/, '');
      const before = await createdSessions();
      expect(await submitFrom(evil, host, `${asking}/identify`)).toBe(403);
      await page.getByRole('textbox').fill('chiyo@example.com');
      await press(page, 'Continue');
      const steps = [
        'selfie',
        'resume',
        'cancel',
        'other-way',
        'start-over',
        'try-again',
        'factor',
      ];
      for (const step of steps) expect(await submitFrom(evil, host, `${asking}/${step}`)).toBe(403);
      expect(await createdSessions()).toBe(before);
      await page.reload();
      expect(await heading(page).innerText()).toBe('One selfie to sign in');

      await signIn(page, 'ben@example.com');
      await page.goto(authorization({ client_id: 'guest' }));
      const consent = page.url().replace(/\?.*$/, '');
      for (const step of ['allow', 'deny']) {
        expect(await submitFrom(evil, host, `${consent}/${step}`)).toBe(403);
      }
      await page.reload();
      expect(await heading(page).innerText()).toBe('Share this with The app?');
      await page.goto(`${issuer}/session/end`);
      expect(await submitFrom(evil, host, `${issuer}/session/end/confirm`)).toBe(400);
      await page.goto(authorization({ prompt: 'none' }));
      expect(page.url()).toContain('code=');
    },
  );

  /** @returns the status of what came of it. */
  async function submitFrom(evil: Page, host: string, address: string): Promise<number> {
    await evil.goto(`https://${host}:${front.port}/`);
    const answered = evil.waitForResponse((response) => response.url() === address);
    await evil.evaluate<unknown>(`
      const form = Object.assign(document.createElement('form'), { method: 'post', action: '${address}' });
      form.innerHTML = '<input name="identifier" value="ana@example.com"><input name="logout" value="yes">';
      document.body.append(form);
      form.submit();
    `);
    const status = (await answered).status();
    await evil.waitForURL(address);
    return status;
  }

  it.each([
    ['another site', hosts.stranger],
    ['a sister', hosts.sister],
  ])('[PL-10] none of its pages can be shown inside %s', async (_name, host) => {
    const { page, complaints } = await person();
    await page.goto(authorization());
    const own = [
      page.url(),
      authorization(),
      `${issuer}/session/end`,
      `${issuer}/nothing`,
      `${issuer}/jwks`,
    ];
    /** Where the frame ends, and what the browser says of it. */
    const inside = async (address: string): Promise<string> => {
      await page.goto(`https://${host}:${front.port}/`);
      complaints.splice(0);
      await page.evaluate<unknown>(
        `document.body.innerHTML = ${JSON.stringify(`<iframe src="${address}"></iframe>`)}`,
      );
      const frame = (): string => page.mainFrame().childFrames()[0]?.url() ?? '';
      await expect.poll(frame, { timeout: 10_000 }).toMatch(/^(https|chrome-error):/);
      return frame();
    };
    // So that it is known what it is like when it works.
    const permissive = `https://${hosts.beyond}:${front.port}/`;
    expect(await inside(permissive)).toBe(permissive);
    expect(complaints).toEqual([]);
    for (const address of own) {
      expect(await inside(address), address).toBe('chrome-error://chromewebdata/');
      await expect.poll(() => complaints.join()).toMatch(/frame-ancestors 'none'/);
    }
    complaints.splice(0);
  });
});

/** Each ends on another origin than the app's, of which a policy for forms would have to know. */
describe('[PL-09] under TLS no policy is in the way of', () => {
  /** A page that complains of anything fails the test; see newPerson. */
  async function along(): Promise<{ page: Page; answers: Map<string, Record<string, string>> }> {
    const { page } = await person();
    const answers = new Map<string, Record<string, string>>();
    page.on('response', (response) => {
      if (response.url().startsWith(issuer)) answers.set(response.url(), response.headers());
    });
    return { page, answers };
  }
  const onwardBy = (more: Record<string, string> = {}): string =>
    authorization({ redirect_uri: atApp(onward), ...more });
  const isBeyond = (page: Page): Promise<void> =>
    page.waitForURL(`https://${hosts.beyond}:${front.port}/`);

  it('a selfie and the way on from the app, whose every answer is guarded', async () => {
    const { page, answers } = await along();
    await page.goto(onwardBy());
    await toSelfie(page, 'ana@example.com');
    expect(new URL(page.url()).hostname).toBe(hosts.didit);
    await finishSelfie(page, 'approve');
    await isBeyond(page);
    expect(answers.size).toBeGreaterThan(8);
    for (const [url, headers] of answers) {
      expect(headers, url).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'") as string,
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      });
    }
  });

  it('an answer by form, with a code or an error', async () => {
    const { page } = await along();
    await signIn(page, 'ana@example.com');
    await page.goto(onwardBy({ response_mode: 'form_post' }));
    await isBeyond(page);
    await page.goto(onwardBy({ response_mode: 'form_post', prompt: 'none', max_age: '0' }));
    await isBeyond(page);
  });

  it('consent and its refusal, a way out, and the end of the session', async () => {
    const { page } = await along();
    await page.goto(onwardBy());
    await press(page, 'Cancel and go back to The app');
    await isBeyond(page);
    await signIn(page, 'ben@example.com');
    for (const answer of ['Do not allow', 'Allow']) {
      await page.goto(onwardBy({ client_id: 'guest' }));
      await press(page, answer);
      await isBeyond(page);
    }
    const query = new URLSearchParams({
      ...{ client_id: 'tls', post_logout_redirect_uri: atApp(onward) },
    });
    for (const answer of ['No, stay signed in', 'Yes, sign out']) {
      await page.goto(`${issuer}/session/end?${query.toString()}`);
      await press(page, answer);
      await isBeyond(page);
    }
  });

  it('looking for a camera before the selfie', async () => {
    const { page } = await along();
    await page.goto(authorization());
    await page.getByRole('textbox').fill('ana@example.com');
    await press(page, 'Continue');
    const allows = (): Promise<boolean> =>
      page.evaluate<boolean>("document.featurePolicy.allowsFeature('camera')");
    expect(await allows()).toBe(true);
    expect(await page.locator('[data-no-camera]').isHidden()).toBe(true);
    await page.goto(`${issuer}/session/end`);
    expect(await allows()).toBe(false);
  });
});
