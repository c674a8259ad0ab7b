/** mod_auth_openidc, from Debian's packages, driven by Chromium. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { hostedOrigin, launchChromium, newPerson, press, signIn } from '../support/chromium.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { type Apache, prepareApache } from './apache.ts';

const client = { clientId: 'apache', clientSecret: 'a-secret-that-apache-and-we-have-in-common' };
let apache: Apache;
let bed: Testbed;
let browser: Browser;

beforeAll(async () => {
  apache = await prepareApache();
  const byAddress = apache.redirectUri.replace('apache.localhost', '127.0.0.1');
  bed = await startTestbed({
    simulator: { hostedOrigin },
    flags: { didit: { hostedOrigins: [hostedOrigin] } },
    clients: [
      {
        client_id: client.clientId,
        client_secret: client.clientSecret,
        redirect_uris: [apache.redirectUri],
        post_logout_redirect_uris: [apache.page.replace('/protected/index.html', '/bye.html')],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: `${byAddress}?logout=backchannel`,
        backchannel_logout_session_required: true,
        private_networks: ['127.0.0.0/8'],
        first_party: true,
      },
    ],
  });
  await apache.start(bed.issuer, client);
  browser = await launchChromium(bed.simulatorUrl);
});
afterAll(async () => {
  await browser.close();
  await apache.stop();
  await bed.close();
});

interface Info {
  access_token: string;
  id_token: { email?: string; acr: string; amr: string[]; iss: string };
  userinfo: { email: string };
}

describe('mod_auth_openidc', () => {
  it('signs in, refreshes, and signs out when its person does', async () => {
    const { page } = await newPerson(browser);
    await signInTo(page, 'ana@example.com');
    const before = await infoOf(page);
    expect(before.userinfo.email).toBe('ana@example.com');
    expect(before.id_token).toMatchObject({
      acr: 'urn:didit-oidc:acr:selfie:test',
      iss: bed.issuer,
    });

    const after = await infoOf(page, '&access_token_refresh_interval=0');
    expect(after.access_token).not.toBe(before.access_token);
    expect(after.userinfo.email).toBe('ana@example.com');

    const bye = apache.page.replace('/protected/index.html', '/bye.html');
    await page.goto(`${apache.redirectUri}?logout=${encodeURIComponent(bye)}`);
    await press(page, 'Yes, sign out');
    await page.waitForURL(bye);
    await page.goto(apache.page);
    expect(page.url()).toContain(`${bed.issuer}/interaction/`);
  });

  it('signs its person out when the provider says so behind the scenes', async () => {
    const { page } = await newPerson(browser);
    await signInTo(page, 'ben@example.com');
    await page.goto(`${bed.issuer}/session/end`);
    await press(page, 'Yes, sign out');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await vi.waitFor(
      async () => {
        await page.goto(apache.page);
        expect(page.url()).toContain(`${bed.issuer}/interaction/`);
      },
      { timeout: 10_000, interval: 200 },
    );
  });
});

async function signInTo(page: Page, identifier: string): Promise<void> {
  await page.goto(apache.page);
  await signIn(page, identifier, 'approve');
  await page.getByRole('heading', { name: 'Behind the login' }).waitFor();
}

async function infoOf(page: Page, more = ''): Promise<Info> {
  await page.goto(`${apache.redirectUri}?info=json${more}`);
  return JSON.parse(await page.locator('body').innerText()) as Info;
}
