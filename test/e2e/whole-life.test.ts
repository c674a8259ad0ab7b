/**
 * One person from "Create account" to the last trace of them, in a real browser with an authenticator and a camera
 * that draws pictures: through the sample app, on a provider at a host name, against the simulator.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createRelyingParty } from '../../src/demo/relying-party.ts';
import type { WrittenMail } from '../../src/domain/message.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { keepLog } from '../didit/support.ts';
import {
  finishSelfie,
  heading,
  hostedOrigin,
  launchChromium,
  newPerson,
  press,
  signIn,
} from '../support/chromium.ts';
import { kycWorkflowId } from '../support/enrol.ts';
import { freePort } from '../support/ports.ts';
import { dumpOf, freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { deploymentKeys, startApp, webhookSecret, workflowId } from '../support/testbed.ts';
import { withoutIds } from '../support/words.ts';

const apiKey = 'whole-life-api-key-0123456789';
const address = 'nora.novak@example.com';
const hourMs = 3_600_000;
const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-life-'));
const mails: WrittenMail[] = [];
const log = keepLog();
/** What the database held at each look. */
const dumps: string[] = [];
let stage: Awaited<ReturnType<typeof open>>;

beforeAll(async () => {
  // The library, the simulator and the provider read the same clock; only the days between are skipped.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now(), shouldAdvanceTime: true });
  stage = await open();
});
afterAll(async () => {
  await stage.close();
  vi.useRealTimers();
  rmSync(directory, { recursive: true });
});

async function open() {
  const [port, appPort, keys, storeUrl] = [
    await freePort(),
    await freePort(),
    await deploymentKeys(),
    await freshRedis(),
  ];
  const issuer = `http://localhost:${port}`;
  const appUrl = `http://rp.localhost:${appPort}`;
  const simulator = await createSimulator({
    ...{ apiKeys: { sandbox: [apiKey] }, webhookSecret, webhookDelayMs: 0, hostedOrigin },
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  simulator.sendWebhooksTo(`${issuer}/webhooks/didit`);
  const app = await startApp({
    ...{ keys, port, simulatorUrl, apiKey, storeUrl, mails, log: log.write },
    flags: {
      ...{ issuer, registration: 'open' },
      didit: {
        hostedOrigins: [hostedOrigin],
        workflows: { passive: workflowId, kyc: kycWorkflowId },
      },
    },
    clients: [
      {
        ...{ client_id: 'wiki', client_name: 'Acme Wiki', first_party: true },
        ...{ client_secret: keys.clientSecret, redirect_uris: [`${appUrl}/callback`] },
      },
    ],
  });
  await app.listen();
  const server = createRelyingParty({
    ...{ issuer, clientId: 'wiki', clientSecret: keys.clientSecret, baseUrl: appUrl, people: [] },
    timeline: () => undefined,
  }).listen(appPort, '127.0.0.1');
  const browser = await launchChromium(simulatorUrl);
  return {
    ...{ issuer, appUrl, simulatorUrl, storeUrl, browser },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
      await app.close();
      await simulator.close();
    },
  };
}

/** A browser with an authenticator of its own, and a recording of what it shows. */
async function someone(recording: string) {
  const { page } = await newPerson(stage.browser);
  const context = page.context();
  await context.tracing.start({ screenshots: true, snapshots: true });
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      ...{ protocol: 'ctap2', transport: 'internal', automaticPresenceSimulation: true },
      ...{ hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
    },
  });
  return { page, context, stop: () => stopRecording(context, recording) };
}

async function stopRecording(context: BrowserContext, name: string): Promise<void> {
  const path = join(directory, `${name}.zip`);
  await context.tracing.stop({ path });
  expect(statSync(path).size).toBeGreaterThan(10_000);
}

async function look(): Promise<void> {
  dumps.push((await dumpOf(stage.storeUrl)).text);
}

/** The code in the newest mail, typed into the page that asks for it. */
async function typeCode(page: Page, button: string): Promise<void> {
  const code = await soon(() => {
    const last = mails.findLast(({ to }) => to.address === address);
    if (last?.message.kind !== 'code') throw new Error('no code yet');
    return last.message.code;
  });
  await page.getByRole('textbox').fill(code);
  await press(page, button);
}

async function toAccount(page: Page): Promise<void> {
  await page.goto(`${stage.issuer}/account`);
}

test('[BD-04] a person enrols, signs in with one selfie, loses the phone, recovers and is gone without a trace', async () => {
  const phone = await someone('phone');
  await createAccount(phone.page);
  await phone.stop();

  const laptop = await someone('laptop');
  await laptop.page.goto(stage.appUrl);
  await laptop.page.getByRole('link', { name: 'Sign in with a selfie' }).click();
  await signIn(laptop.page, address, 'approve');
  await heading(laptop.page).filter({ hasText: 'Hello, Nora Novak' }).waitFor();
  const idToken = JSON.parse((await laptop.page.locator('pre').first().textContent()) ?? '') as {
    sub: string;
    acr: string;
  };
  expect(idToken.acr).toBe('urn:didit-oidc:acr:selfie:test');
  await look();

  // The phone is lost, and with it the passkey.
  await phone.context.close();
  await recover(laptop.page);
  await look();
  await erase(laptop.page);
  await laptop.stop();
  await expectNoTrace();
}, 180_000);

async function createAccount(page: Page): Promise<void> {
  await page.goto(stage.appUrl);
  await page.getByRole('link', { name: 'Create account' }).click();
  await page.getByRole('textbox').fill(address);
  await press(page, 'Send me a code');
  await typeCode(page, 'Continue');
  await page.getByRole('checkbox').check();
  await press(page, 'I agree, go on');
  await press(page, 'Make a passkey');
  await press(page, 'Make a passkey on this device');
  await press(page, 'Begin');
  await page.locator('input[name=first_name]').fill('Nora');
  await page.locator('input[name=last_name]').fill('Novak');
  await look();
  await finishSelfie(page, 'approve');
  await heading(page).filter({ hasText: 'Hello, Nora Novak' }).waitFor();
  await look();
}

async function recover(page: Page): Promise<void> {
  await toAccount(page);
  await page.getByText('I have lost my passkey, my phone or my codes').click();
  await press(page, 'Begin');
  await typeCode(page, 'Begin the wait');
  await page.getByText('The wait has begun. We wrote to you.').waitFor();
  // Until then nothing can be changed.
  await press(page, 'Add a passkey');
  await heading(page).filter({ hasText: 'Show that it is you' }).waitFor();
  await press(page, 'Back to my account');

  vi.setSystemTime(Date.now() + 25 * hourMs);
  await toAccount(page);
  // The key of this browser spares the selfie, to look; to change something it takes a new one.
  await page.getByRole('textbox').fill(address);
  await press(page, 'Continue');
  await press(page, 'Go on');
  await press(page, 'Take a selfie');
  await finishSelfie(page, 'approve');
  await press(page, 'Go on');
  await page.getByText('For the next fifteen minutes').waitFor();
  await press(page, 'Add a passkey');
  await press(page, 'Make a passkey on this device');
  await page.getByText('The passkey is made.').waitFor();
  const lost = page.getByRole('listitem').filter({ hasText: 'Rename' }).first();
  await lost.getByText('Change').click();
  await lost.getByRole('button', { name: 'Remove' }).click();
  await page.getByText('That way to sign in is gone.').waitFor();
  // The new passkey, and the keys of two browsers.
  expect(await page.getByRole('button', { name: 'Rename', includeHidden: true }).count()).toBe(3);
}

async function erase(page: Page): Promise<void> {
  await press(page, 'Erase my account');
  await press(page, 'Erase it');
  await page.getByText('Your account will be erased on').waitFor();
  vi.setSystemTime(Date.now() + 73 * hourMs);
  await vi.waitFor(() => expect(log.text()).toContain('account.erased'), { timeout: 20_000 });
  await toAccount(page);
  await heading(page).filter({ hasText: 'Sign in' }).waitFor();
}

async function expectNoTrace(): Promise<void> {
  const { text } = await dumpOf(stage.storeUrl);
  dumps.push(text);
  const codes = mails.flatMap(({ message }) => (message.kind === 'code' ? [message.code] : []));
  expect(codes).toHaveLength(2);
  const [secrets, names] = [
    [address, '/9j/', ...codes],
    ['Nora', 'Novak'],
  ];
  const written = { log: log.text(), database: dumps.join('\n') };
  for (const [where, everything] of Object.entries(written)) {
    const words = withoutIds(everything);
    expect(words.length, where).toBeGreaterThan(1_000);
    const found = [
      ...secrets.filter((secret) => everything.includes(secret)),
      ...names.filter((name) => words.includes(name)),
    ];
    expect(found, where).toEqual([]);
  }
  const notices = mails.filter(({ message }) => message.kind !== 'code');
  for (const { html, text: words } of notices) {
    for (const secret of ['/9j/', ...codes]) expect(html + words).not.toContain(secret);
  }
}
