import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { press } from '../support/chromium.ts';
import { signInLink } from './apps.ts';
import { type Stage, openStage } from './stage.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const minuteMs = 60_000;
let stage: Stage;
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now(), shouldAdvanceTime: true });
  stage = await openStage();
});
afterAll(async () => {
  await stage.close();
  vi.useRealTimers();
});

test('[AX-03] who needs longer is warned a minute before, gets more by one press, and loses nothing that was typed', async () => {
  const { page } = await stage.newPerson();
  await page.clock.install();
  await page.goto(stage.apps.wiki);
  await signInLink(page).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByRole('textbox').fill('ben@example.com');
  const warning = page.getByRole('alert');
  await page.clock.runFor(13 * minuteMs);
  expect(await warning.isVisible()).toBe(false);
  await page.clock.runFor(minuteMs);
  await page.getByText('The time for this page is almost up.').waitFor();
  expect(await warning.innerText()).toBe('The time for this page is almost up.');

  await press(page, 'I need more time');
  await warning.waitFor({ state: 'hidden' });
  expect(await page.getByRole('textbox').inputValue()).toBe('ben@example.com');
  // Past the quarter of an hour that there was at first.
  vi.setSystemTime(Date.now() + 16 * minuteMs);
  await press(page, 'Continue');
  await page.getByRole('heading', { name: 'One selfie to sign in' }).waitFor();
});

test('[AX-03] nobody gets more than an hour, however often they ask', async () => {
  const { page } = await stage.newPerson({ javaScriptEnabled: false });
  await page.goto(stage.apps.wiki);
  await signInLink(page).click();
  const path = new URL(page.url()).pathname;
  const token = await page.locator('input[name=form_token]').first().getAttribute('value');
  const ask = () =>
    page.request.post(`${stage.bed.issuer}${path}/more-time`, {
      form: { form_token: token ?? '' },
      headers: { 'sec-fetch-site': 'same-origin' },
    });
  for (let at = 0; at < 3; at += 1) {
    expect((await ask()).status()).toBe(200);
    vi.setSystemTime(Date.now() + 14 * minuteMs);
  }
  const last = await ask();
  expect(last.status()).toBe(200);
  expect(await last.text()).not.toContain('data-expires-in');
  vi.setSystemTime(Date.now() + 19 * minuteMs);
  expect((await ask()).status()).toBe(410);
});
