import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { heading, launchChromium, newPerson, press } from '../support/chromium.ts';
import { createParty } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let bed: Testbed;
let browser: Browser;
beforeAll(async () => {
  // In a sandbox nobody needs a camera, and the page does not look for one.
  bed = await startTestbed({
    simulator: { apiKeys: { live: ['test-api-key-0123456789'] } },
    flags: { didit: { environment: 'live' } },
  });
  browser = await launchChromium(bed.simulatorUrl);
});
afterAll(async () => {
  await browser.close();
  await bed.close();
});

test('[AX-07] a device without a camera says so before the selfie, and another way is two presses from the first page', async () => {
  const { page } = await newPerson(browser);
  await page.goto((await (await createParty(bed)).begin()).url);
  await page.getByRole('textbox').fill('ana@example.com');
  await press(page, 'Continue');
  await page.locator('[data-no-camera]').waitFor();
  expect(await page.locator('[data-no-camera]').innerText()).toContain('no camera');
  await press(page, 'Get a code by mail');
  expect(await heading(page).innerText()).toBe('Type the code from the mail');
  const { calls } = await bed.log();
  expect(calls.filter(({ operation }) => operation === 'create')).toEqual([]);
});

test('[AX-07] who will not or cannot take one says so on the first page, by one press', async () => {
  const { page } = await newPerson(browser);
  await page.goto((await (await createParty(bed)).begin()).url);
  await page.getByRole('textbox').fill('ana@example.com');
  await press(page, 'Sign in another way');
  await press(page, 'Use a code from an app');
  expect(await page.getByRole('textbox').getAttribute('autocomplete')).toBe('one-time-code');
});
