/** The same in two real browsers, with scripts: a desktop without a camera and a phone; and an attacker with a desktop. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  finishSelfie,
  heading,
  hostedOrigin,
  launchChromium,
  newPerson,
  press,
} from '../../support/chromium.ts';
import { type Scene, openScene, safariOnIphone } from './scene.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const desktopSize: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
const phoneSize: BrowserContextOptions = {
  ...{ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  userAgent: safariOnIphone,
};

let scene: Scene;
let browser: Browser;
beforeAll(async () => {
  scene = await openScene({
    simulator: { hostedOrigin },
    flags: { didit: { hostedOrigins: [hostedOrigin] } },
  });
  browser = await launchChromium(scene.bed.simulatorUrl);
});
afterAll(async () => {
  await browser.close();
  await scene.close();
});

const title = (page: Page, name: string): Promise<void> =>
  heading(page).filter({ hasText: name }).waitFor();

/** As far as the square code. @returns where it leads. */
async function ask(page: Page): Promise<string> {
  await page.goto((await scene.desk.begin()).url);
  await page.getByRole('textbox').fill(scene.bed.person());
  await press(page, 'Continue');
  await press(page, 'Use your phone’s camera');
  await title(page, 'Open this with your phone');
  return page.locator('main code').innerText();
}

async function takeSelfieOn(page: Page, address: string): Promise<string> {
  await page.goto(address);
  await title(page, 'Do you want to sign in on another screen?');
  await press(page, 'That is my screen');
  await press(page, 'Take a selfie');
  await finishSelfie(page, 'approve');
  await title(page, 'Type this on the other screen');
  return page.locator('.back-code').innerText();
}

test('[XD-13] a desktop and a phone: each page goes on by itself, and the code brings the desktop in', async () => {
  const [desktop, phone] = await Promise.all([
    newPerson(browser, desktopSize),
    newPerson(browser, phoneSize),
  ]);
  const address = await ask(desktop.page);
  await phone.page.goto(address);
  await press(phone.page, 'That is my screen');
  await title(desktop.page, 'Go on with your phone');
  await press(phone.page, 'Take a selfie');
  await finishSelfie(phone.page, 'approve');
  await title(phone.page, 'Type this on the other screen');
  const code = await phone.page.locator('.back-code').innerText();
  await title(desktop.page, 'Type the code from your phone');
  await desktop.page.getByRole('textbox').fill(code);
  const landed = desktop.page.waitForRequest((request) => request.url().includes('?code='));
  await press(desktop.page, 'Continue');
  await landed;
  await title(phone.page, 'Done');
  expect(scene.count('login.completed')).toBe(1);
});

test('[XD-13] the attacker’s desktop waits for a code that the victim’s phone shows to nobody else', async () => {
  const [attacker, victim] = await Promise.all([
    newPerson(browser, desktopSize),
    newPerson(browser, phoneSize),
  ]);
  scene.bed.events.splice(0);
  const code = await takeSelfieOn(victim.page, await ask(attacker.page));
  await title(attacker.page, 'Type the code from your phone');
  expect(await attacker.page.content()).not.toContain(code);
  // And every way on that the page offers, or that there is, leads back to it.
  const here = attacker.page.url();
  for (let tries = 1; tries <= 5; tries += 1) {
    await attacker.page.getByRole('textbox').fill('222222');
    await press(attacker.page, 'Continue');
  }
  await title(attacker.page, 'We could not sign you in');
  await attacker.page.goto(here);
  await title(attacker.page, 'We could not sign you in');
  expect(scene.count('login.completed')).toBe(0);
});

test('[XD-12] the victim who presses "This isn’t me" ends it, and the attacker’s page says so within a second', async () => {
  const [attacker, victim] = await Promise.all([
    newPerson(browser, desktopSize),
    newPerson(browser, phoneSize),
  ]);
  const address = await ask(attacker.page);
  await victim.page.goto(address);
  const [yes, no] = await Promise.all(
    ['That is my screen', 'This isn’t me'].map((name) =>
      victim.page.getByRole('button', { name }).boundingBox(),
    ),
  );
  expect([no?.width, no?.height]).toEqual([yes?.width, yes?.height]);
  const pressed = victim.page.waitForRequest((request) => request.method() === 'POST');
  await press(victim.page, 'This isn’t me');
  await title(victim.page, 'It is stopped');
  await title(attacker.page, 'This sign-in is over');
  // Since when the page that says so was asked for; when it is drawn is for the machine to say.
  const saidAtMs = await attacker.page.evaluate(() => performance.timeOrigin);
  expect(saidAtMs - (await pressed).timing().startTime).toBeLessThan(1_000);
});
