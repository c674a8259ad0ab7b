/** The provider, Didit and two strangers, each on a host with TLS, in a browser that takes their word for nothing. */
import { type Browser, type Page, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSimulator } from '../../src/simulator/simulator.ts';
import type { App } from '../../src/app.ts';
import { apiKey } from '../didit/support.ts';
import { finishSelfie, heading, newPerson, press, toSelfie } from '../support/chromium.ts';
import { chromiumPath } from '../support/packages.ts';
import { freePort } from '../support/ports.ts';
import { deploymentKeys, startApp, webhookSecret } from '../support/testbed.ts';
import { type TlsFront, hosts, startTlsFront } from './tls.ts';

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
    ...{ apiKeys: { sandbox: [apiKey] }, webhookSecret, hostedOrigin: diditOrigin },
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  const port = await freePort();
  app = await startApp({
    ...{ keys: await deploymentKeys(), port, simulatorUrl, apiKey },
    flags: { issuer, trustProxy: 1, didit: { hostedOrigins: [diditOrigin] } },
    clients: [
      {
        ...{ client_id: 'tls', token_endpoint_auth_method: 'none', first_party: true },
        redirect_uris: [callback],
      },
    ],
  });
  await app.listen();
  front.lead(hosts.provider, port);
  front.lead(hosts.didit, Number(new URL(simulatorUrl).port));
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  });
});
afterAll(async () => {
  await browser.close();
  await app.close();
  await simulator.close();
  await front.close();
});

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
    expect(names).toEqual(expect.arrayContaining(['__Host-session', '__Host-device']));
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

  it('[PL-12] a form of another site begins nothing, though the browser sends it at once', async () => {
    const { page } = await person();
    await page.goto(authorization());
    await page.getByRole('textbox').fill('chiyo@example.com');
    await press(page, 'Continue');
    const here = page.url();
    const before = await createdSessions();
    for (const step of ['selfie', 'resume', 'cancel', 'other-way']) {
      const evil = await page.context().newPage();
      await evil.goto(`https://${hosts.stranger}:${front.port}/`);
      const answered = evil.waitForResponse((response) => response.url() === `${here}/${step}`);
      await evil.evaluate<unknown>(`
        const form = Object.assign(document.createElement('form'), { method: 'post', action: '${here}/${step}' });
        document.body.append(form);
        form.submit();
      `);
      expect((await answered).status()).toBe(403);
    }
    expect(await createdSessions()).toBe(before);
    await page.reload();
    expect(await heading(page).innerText()).toBe('One selfie to sign in');
  });

  it('[PL-10] none of its pages can be shown inside another', async () => {
    const { page, complaints } = await person();
    await page.goto(authorization());
    const inside = [page.url(), authorization(), `${issuer}/session/end`, `${issuer}/nothing`];
    for (const host of [hosts.stranger, hosts.sister]) {
      await page.goto(`https://${host}:${front.port}/`);
      await page.evaluate<unknown>(
        `document.body.innerHTML = ${JSON.stringify(
          inside.map((url) => `<iframe src="${url}"></iframe>`).join(''),
        )}`,
      );
      await expect
        .poll(() =>
          page
            .frames()
            .slice(1)
            .map((frame) => frame.url()),
        )
        .toEqual(inside.map(() => 'chrome-error://chromewebdata/'));
    }
    // The browser says why, and that is what was wanted.
    expect(complaints.splice(0).join('\n')).toMatch(/frame-ancestors 'none'/);
  });
});
