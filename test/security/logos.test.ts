/**
 * Pictures of apps. An app may say where its logo is (`logo_uri`); to fetch it would tell somebody there who is
 * signing in, and to show it would let a stranger decorate our pages. So nobody fetches it, and nobody sees it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { readLogo } from '../../src/web/logo.ts';
import { type AppPage, openAppPage } from '../support/app-page.ts';
import {
  finishSelfie,
  heading,
  hostedOrigin,
  launchChromium,
  newPerson,
  press,
  toSelfie,
} from '../support/chromium.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const registrationToken = randomKey();
let bed: Testbed;
let browser: Browser;
/** The app's own server. It would have the picture, too. */
let elsewhere: AppPage;

beforeAll(async () => {
  elsewhere = await openAppPage();
  bed = await startTestbed({
    simulator: { hostedOrigin },
    flags: {
      didit: { hostedOrigins: [hostedOrigin] },
      dynamicRegistration: { enabled: true, initialAccessToken: registrationToken },
      // Whatever would be called could be.
      outgoing: { allowPrivateNetworks: true },
    },
    clients: [{ client_id: 'written', token_endpoint_auth_method: 'none', ...metadata() }],
  });
  browser = await launchChromium(bed.simulatorUrl);
});
afterAll(async () => {
  await browser.close();
  await bed.close();
  await elsewhere.close();
});

const metadata = () => ({
  client_name: 'Somebody',
  application_type: 'native',
  redirect_uris: [elsewhere.callback],
  logo_uri: `${elsewhere.url}/logo.png`,
  'logo_uri#de': `${elsewhere.url}/logo-de.png`,
  client_uri: `${elsewhere.url}/`,
  policy_uri: `${elsewhere.url}/privacy`,
  tos_uri: `${elsewhere.url}/terms`,
});

async function register(): Promise<string> {
  const answer = await fetch(`${bed.issuer}/reg`, {
    method: 'POST',
    body: JSON.stringify({ ...metadata(), token_endpoint_auth_method: 'none' }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${registrationToken}` },
  });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { client_id: string }).client_id;
}

describe.each([
  ['the operator wrote down', () => Promise.resolve('written')],
  ['registered itself', register],
])('an app that %s', (_name, clientId) => {
  it('[PL-08] has a logo that nobody fetches, and that is on no page', async () => {
    const { page } = await newPerson(browser);
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      seen.push(await heading(page).innerText());
      expect(await page.content()).not.toContain('/logo');
      expect(await imagesOf(page)).toEqual([]);
    };
    const query = new URLSearchParams({
      ...{ client_id: await clientId(), redirect_uri: elsewhere.callback },
      ...{
        response_type: 'code',
        scope: 'openid email',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      },
    });
    await page.goto(`${bed.issuer}/auth?${query.toString()}`);
    await look();
    await toSelfie(page, 'ana@example.com');
    await finishSelfie(page, 'approve');
    await page.getByRole('heading', { name: 'Share this with Somebody?' }).waitFor();
    await look();
    await press(page, 'Allow');
    await page.getByRole('heading', { name: 'The app' }).waitFor();
    await page.goto(`${bed.issuer}/session/end?${query.toString()}`);
    await look();
    expect(seen).toEqual(['Sign in', 'Share this with Somebody?', 'Sign out?']);

    const own = [bed.issuer, hostedOrigin, elsewhere.callback, 'data:'];
    expect(requests.filter((url) => !own.some((origin) => url.startsWith(origin)))).toEqual([]);
    expect(elsewhere.asked).toEqual([]);
  });
});

const imagesOf = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>('[...document.images].map((image) => image.src)');

describe('the operator’s own logo', () => {
  const inDirectory = (name: string, content: Buffer): string => {
    const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-logo-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };

  test('[PL-08] stands in the page, as a picture made of points', () => {
    const image = Buffer.from('89504e470d0a1a0a', 'hex');
    expect(readLogo(inDirectory('logo.png', image))).toBe('data:image/png;base64,iVBORw0KGgo=');
  });

  test.each(['logo.svg', 'logo.html', 'logo', 'logo.png.svg'])(
    '[PL-08] is not taken from %s, which can hold a script',
    (name) => {
      expect(() => readLogo(inDirectory(name, Buffer.from('<svg/>')))).toThrow('a logo is a PNG');
    },
  );

  test('[PL-08] has at most 64 KiB', () => {
    const name = inDirectory('logo.webp', Buffer.alloc(64 * 1024 + 1));
    expect(() => readLogo(name)).toThrow('at most 64 KiB');
  });
});
