/** Debian's Chromium, driven by playwright-core: a browser process, and people with a profile of their own in it. */
import {
  type Browser,
  type BrowserContextOptions,
  type Page,
  type Response,
  chromium,
} from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { OutcomeName } from '../../src/simulator/outcomes.ts';
import { chromiumPath } from './packages.ts';

/** Where the browser finds Didit, whatever port the simulator has: another site than the provider's, as in life. */
export const hostedOrigin = 'http://didit.localhost';

const quiet = ['background-networking', 'component-update', 'sync', 'gpu', 'quic'];

/** @param simulatorUrl what answers at `hostedOrigin`; nobody without it. */
export function launchChromium(simulatorUrl?: string): Promise<Browser> {
  const rules = simulatorUrl && `MAP didit.localhost:80 ${new URL(simulatorUrl).host}`;
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--no-sandbox',
      '--no-first-run',
      ...quiet.map((feature) => `--disable-${feature}`),
      ...(rules ? [`--host-resolver-rules=${rules}`] : []),
    ],
  });
}

export interface Redirect {
  method: string;
  status: number;
  from: string;
  headers: Record<string, string>;
}

export interface Person {
  page: Page;
  /** Every redirect that this browser was sent on. */
  redirects: Redirect[];
  /** What pages complained about: errors on the console, refusals by the content security policy, failed parts. */
  complaints: string[];
}

/** Somebody with a browser profile of their own, for one test. A page that complained fails it. */
export async function newPerson(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext({ locale: 'en', ...options });
  context.setDefaultTimeout(15_000);
  const person: Person = { page: await context.newPage(), redirects: [], complaints: [] };
  watch(person);
  onTestFinished(async () => {
    await context.close();
    expect(person.complaints, 'complaints of the pages').toEqual([]);
  });
  return person;
}

function watch({ page, redirects, complaints }: Person): void {
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    // The browser says this of an error page too, and there it is as it should be; see below for the others.
    const isStatus = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isStatus) complaints.push(message.text());
  });
  page.on('response', (response) => {
    const request = response.request();
    if (response.status() >= 300 && response.status() < 400) redirects.push(redirectOf(response));
    if (response.status() >= 400 && !request.isNavigationRequest()) {
      complaints.push(`${response.status()} ${request.method()} ${response.url()}`);
    }
  });
}

function redirectOf(response: Response): Redirect {
  return {
    method: response.request().method(),
    status: response.status(),
    from: response.url(),
    headers: response.headers(),
  };
}

export const heading = (page: Page) => page.getByRole('heading', { level: 1 });

/** Where the key of the browser goes along with the form, it is sent a moment after the press. */
export async function press(page: Page, name: string): Promise<void> {
  const button = page.getByRole('button', { name, exact: true });
  await button.waitFor();
  const keyed = page.locator('form[data-device-key] button:not([formaction])');
  const isLater = (await keyed.and(button).count()) > 0;
  const next = isLater ? page.waitForEvent('domcontentloaded') : undefined;
  await button.click();
  await next;
}

/** From the page that asks who it is, to Didit's page. */
export async function toSelfie(page: Page, identifier: string): Promise<void> {
  await page.getByRole('textbox').fill(identifier);
  await press(page, 'Continue');
  await press(page, 'Take a selfie');
  await page.locator('[data-outcome]').first().waitFor();
}

/** Ends Didit's check. What comes then is for the test to say. */
export function finishSelfie(page: Page, outcome: OutcomeName): Promise<void> {
  return page.locator(`[data-outcome="${outcome}"]`).click();
}

/** All that a person does between the relying party's "sign in" and what comes of it. */
export async function signIn(page: Page, identifier: string, outcome: OutcomeName): Promise<void> {
  await toSelfie(page, identifier);
  await finishSelfie(page, outcome);
}
