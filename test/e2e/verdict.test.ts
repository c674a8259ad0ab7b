import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { finishSelfie, heading, press, toSelfie } from '../support/chromium.ts';
import { signInLink, signedIn } from './apps.ts';
import { type Stage, openStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  await fetch(`${stage.bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
});
afterAll(() => stage.close());

const waitingTitle = 'Checking your selfie';

async function openSelfie(page: Page): Promise<void> {
  await page.goto(stage.apps.wiki);
  await signInLink(page).click();
  await toSelfie(page, 'ana@example.com');
}

async function release(): Promise<void> {
  await fetch(`${stage.bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
  await stage.bed.control('webhooks/release', {});
}

/** Nor does the page learn of the verdict by asking, as it does after a second. */
const unreadable = { operation: 'decision', mode: 503, times: 1_000 };

function verdicts(): number {
  return stage.bed.events.filter(({ event }) => event === 'verdict.received').length;
}

/** Playwright’s own routes do not see a redirect, so the answer that redirects is what waits. @returns where to. */
async function holdRedirect(
  page: Page,
  urlPattern: string,
  until: () => Promise<void>,
): Promise<string[]> {
  const held: string[] = [];
  const protocol = await page.context().newCDPSession(page);
  await protocol.send('Fetch.enable', { patterns: [{ urlPattern, requestStage: 'Response' }] });
  const letPass = async (requestId: string, location: string | undefined): Promise<void> => {
    if (location !== undefined) {
      held.push(location);
      await until();
    }
    await protocol.send('Fetch.continueRequest', { requestId });
  };
  protocol.on('Fetch.requestPaused', ({ requestId, responseHeaders = [] }) => {
    const location = responseHeaders.find(({ name }) => name.toLowerCase() === 'location');
    void letPass(requestId, location?.value);
  });
  return held;
}

describe('a verdict and a browser meet', () => {
  test('when the browser comes first: the page waits, is rung, and goes on by itself', async () => {
    const { page } = await stage.newPerson();
    await openSelfie(page);
    await stage.bed.control('faults', { webhooks: 'withhold', api: unreadable });
    const listening = page.waitForResponse('**/events');
    await finishSelfie(page, 'approve');
    await page.getByRole('heading', { name: waitingTitle }).waitFor();
    const events = await listening;
    expect(await page.getByRole('status').innerText()).toContain('You are back in this browser');
    await release();
    await signedIn(page).waitFor();
    expect(events.headers()['content-type']).toContain('text/event-stream');
  });

  test('when the verdict comes between the page and its listening', async () => {
    const { page } = await stage.newPerson();
    const statuses: number[] = [];
    await page.route('**/events', async (route) => {
      const known = verdicts();
      await release();
      await expect.poll(verdicts).toBe(known + 1);
      await route.continue();
    });
    page.on('response', (response) => {
      if (response.url().endsWith('/events')) statuses.push(response.status());
    });
    await openSelfie(page);
    await stage.bed.control('faults', { webhooks: 'withhold' });
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
    expect(statuses).toEqual([200]);
  });

  test('when the webhook is here before the browser is back: nobody waits', async () => {
    const { page } = await stage.newPerson();
    await openSelfie(page);
    const known = verdicts();
    const held = await holdRedirect(page, '*/session/*', () =>
      expect.poll(verdicts, { timeout: 5_000 }).toBe(known + 1),
    );
    const titles: string[] = [];
    page.on('domcontentloaded', () => void page.title().then((title) => titles.push(title)));
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
    expect(held).toHaveLength(1);
    expect(held[0]).toContain('/didit/');
    expect(titles.filter((title) => title.startsWith(waitingTitle))).toEqual([]);
  });

  test('when no webhook ever comes: the provider looks for itself', async () => {
    const { page } = await stage.newPerson();
    await openSelfie(page);
    await stage.bed.control('faults', { webhooks: 'drop' });
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
  });

  test('without JavaScript: the page refreshes itself, and the last step is a button', async () => {
    const { page } = await stage.newPerson({ javaScriptEnabled: false });
    await openSelfie(page);
    await stage.bed.control('faults', { webhooks: 'withhold' });
    await finishSelfie(page, 'approve');
    await page.getByRole('heading', { name: waitingTitle }).waitFor();
    await release();
    await page.getByRole('heading', { name: 'It is you' }).waitFor();
    await press(page, 'Continue to The wiki');
    await signedIn(page).waitFor();
    await page.getByRole('link', { name: 'Sign out' }).click();
    await press(page, 'Yes, sign out');
    await signInLink(page).waitFor();
  });
});

test('a link that somebody else opened and finished signs in nobody', async () => {
  const { page } = await stage.newPerson();
  await openSelfie(page);
  const link = page.url();
  const listening = page.waitForResponse('**/events');
  await page.goBack();
  await listening;
  const other = await stage.newPerson();
  await other.page.goto(link);
  await finishSelfie(other.page, 'approve');
  expect(await heading(other.page).innerText()).toBe('This was not started here');
  expect(await other.page.context().cookies(stage.bed.issuer)).toEqual([]);
  // The page of the one who sent the link learns of it by itself.
  await page.getByText('The selfie was taken in another browser').waitFor();
  await page.goto(stage.apps.wiki);
  await signInLink(page).waitFor();
});
