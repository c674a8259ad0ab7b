/** An operator in a browser: from the one-time link to what they do all day, and what comes of it for people. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as oidc from 'openid-client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  finishSelfie,
  heading,
  hostedOrigin,
  launchChromium,
  newPerson,
  press,
  signIn,
  toSelfie,
} from '../support/chromium.ts';
import { type ConsoleScene, openConsole } from '../support/console.ts';
import { openToAll } from '../support/enrol.ts';
import { type Party, createParty, isCallback } from '../support/login.ts';
import { soon } from '../support/soon.ts';

// Each story is several sign-ins, on a machine that may be busy.
vi.setConfig({ testTimeout: 120_000 });

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let scene: ConsoleScene;
let browser: Browser;
let party: Party;
let aheadMs = 0;
beforeAll(async () => {
  scene = await openConsole({
    simulator: { hostedOrigin },
    clock: () => Date.now() + aheadMs,
    flags: {
      ...openToAll,
      didit: { ...openToAll.didit, hostedOrigins: [hostedOrigin] },
      cost: { freePerMonth: 0 },
    },
  });
  browser = await launchChromium(scene.bed.simulatorUrl);
  party = await createParty(scene.bed);
});
afterAll(async () => {
  await browser.close();
  await scene.close();
});

/** By a new link and a selfie. */
async function operator(): Promise<Page> {
  const { page } = await newPerson(browser, { viewport: { width: 360, height: 740 } });
  await page.goto(await scene.link());
  await press(page, 'Sign in');
  await signIn(page, scene.bed.person(), 'approve');
  await page.waitForURL(`${scene.origin}/console`);
  expect(await heading(page).textContent()).toBe('Overview');
  return page;
}

/** Who comes again in the browser that knows them, as it takes for what takes two. */
async function operatorOnOwnDevice(): Promise<Page> {
  const page = await operator();
  await press(page, 'Sign out');
  await open(page, '');
  await press(page, 'Take a selfie');
  await finishSelfie(page, 'approve');
  await page.waitForURL(`${scene.origin}/console`);
  return page;
}

const open = (page: Page, path: string) => page.goto(`${scene.origin}/console${path}`);
/** What the console says of the form before. */
const said = (page: Page, text: string): Promise<void> =>
  page.getByRole('status').filter({ hasText: text }).waitFor();

/** Somebody signs in to an app. @returns the address that the app's code came to. */
async function signInAt(url: string, identifier: string): Promise<string> {
  const { page } = await newPerson(browser);
  const callback = page.waitForRequest((request) => isCallback(request.url()));
  await page.goto(url);
  await signIn(page, identifier, 'approve');
  return (await callback).url();
}

it('[PL-20] an operator comes by the link, adds an app, and somebody signs in to it by the settings that were printed', async () => {
  const page = await operator();
  await open(page, '/new-app');
  await page.getByLabel('Name', { exact: true }).fill('Lunch');
  await page.getByLabel('Client ID').fill('lunch');
  await page.getByLabel('Redirect addresses').fill('http://localhost:9/callback');
  await page.getByLabel('It is ours').check();
  await press(page, 'Add the app');
  await page.getByText('Its secret is shown this once').waitFor();
  const printed = (await page.locator('pre').textContent()) ?? '';
  const setting = (name: string): string =>
    new RegExp(`^${name}:\\s+(\\S+)$`, 'm').exec(printed)?.[1] ?? '';
  const redirect_uri = setting('redirect_uri');
  const config = await oidc.discovery(
    new URL(setting('issuer')),
    setting('client_id'),
    undefined,
    oidc.ClientSecretBasic(setting('client_secret')),
    { execute: [oidc.allowInsecureRequests] },
  );
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const url = oidc.buildAuthorizationUrl(config, {
    ...{ redirect_uri, scope: 'openid email', code_challenge_method: 'S256' },
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  });
  const who = scene.bed.person();
  const callback = new URL(await signInAt(url.href, who));
  const tokens = await oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier });
  expect(tokens.claims()?.email).toBe(who);
});

it('an operator invites somebody, who is sent a link that the operator does not see', async () => {
  const page = await operator();
  await open(page, '/people');
  await page.getByRole('link', { name: 'Invite somebody' }).click();
  await page.getByLabel('E-mail address').fill('mira@example.com');
  await page.getByLabel('Groups').fill('kitchen');
  await press(page, 'Invite');
  await said(page, 'They were invited');
  await page.getByText('The link was sent to mira@example.com').waitFor();
  const mail = await soon(() => {
    const found = scene.bed.mails.find(({ to }) => to.address === 'mira@example.com');
    if (found?.message.kind !== 'invitation') throw new Error('nobody was invited yet');
    return found.message;
  });
  expect(await page.content()).not.toContain('/enrol/');
  const { page: theirs } = await newPerson(browser);
  expect((await theirs.goto(mail.link))?.status()).toBe(200);
});

it('[EN-10] an operator closes a review, which signs nobody in, and the person comes by another selfie', async () => {
  const page = await operator();
  const who = scene.bed.person();
  const { page: theirs } = await newPerson(browser);
  await theirs.goto((await party.begin()).url);
  await toSelfie(theirs, who);
  await finishSelfie(theirs, 'review');
  await theirs.getByRole('heading', { name: 'Somebody is looking at it' }).waitFor();
  await open(page, '/reviews');
  await page.locator('tbody a').first().click();
  const approve = page.locator('form[action$="/approve"]');
  await approve.getByLabel('Why').fill('the light was bad');
  await press(page, 'Approve');
  await said(page, 'It signs nobody in');
  await page.getByText('the light was bad').waitFor();
  const completed = () =>
    scene.bed.events.filter(
      ({ event, client }) => event === 'login.completed' && client === 'first',
    );
  expect(completed()).toEqual([]);
  const request = await party.begin();
  const tokens = await request.finish(await signInAt(request.url, who));
  expect(tokens.claims()?.email).toBe(who);
  expect(completed()).toHaveLength(1);
});

it('[EN-10] two operators open a recovery for somebody, and hand them a link after the wait', async () => {
  const who = scene.bed.person();
  const id = (await scene.records.accounts.idOf(who)) ?? '';
  await scene.records.accounts.change(id, (account) => ({
    ...account,
    ...(account.enrolment && {
      enrolment: { ...account.enrolment, identity: { person: 'p', document: 'd' } },
    }),
  }));
  const [one, other] = [await operatorOnOwnDevice(), await operatorOnOwnDevice()];
  const openIt = async (page: Page): Promise<void> => {
    await open(page, `/people/${id}`);
    await page.getByText('Open a recovery …').click();
    await press(page, 'Open a recovery');
    await said(page, 'It is noted');
  };
  await openIt(one);
  await one.getByText('Another operator has to open it').waitFor();
  await openIt(other);
  await other.getByText('It waits until').waitFor();
  await soon(() => {
    const told = scene.bed.mails.filter(({ to }) => to.address === who);
    expect(told.map(({ message }) => message.kind)).toContain('recovery_began');
  });

  // The wait is days long.
  await scene.records.accounts.change(id, ({ recovery, ...account }) => ({
    ...account,
    ...(recovery && { recovery: { ...recovery, readyAtMs: Date.now() } }),
  }));
  await open(one, `/people/${id}`);
  await press(one, 'Make the link');
  await said(one, 'shown this once');
  const link = (await one.locator('.secret code').textContent()) ?? '';
  const { page: theirs } = await newPerson(browser);
  expect((await theirs.goto(link))?.status()).toBe(200);
  expect(link).toContain('/enrol/recovery/');
});

it('caps that an operator sets lead people to their other ways, until they are raised', async () => {
  const page = await operator();
  const cap = async (dollars: string): Promise<void> => {
    await open(page, '/cost');
    await page.getByLabel('Hard cap a month').fill(dollars);
    await press(page, 'Set the caps');
    await said(page, 'The caps are set');
  };
  await cap('0.01');
  const { page: theirs } = await newPerson(browser);
  await theirs.goto((await party.begin()).url);
  await theirs.getByRole('textbox').fill(scene.bed.person());
  await press(theirs, 'Continue');
  await press(theirs, 'Take a selfie');
  await theirs.getByText('Selfies are paused for now').waitFor();
  expect(scene.bed.events).toContainEqual(
    expect.objectContaining({ event: 'budget.reached', reason: 'hard_month' }),
  );
  await cap('500');
  const who = scene.bed.person();
  const request = await party.begin();
  const tokens = await request.finish(await signInAt(request.url, who));
  expect(tokens.claims()?.email).toBe(who);
});

it('an operator who signed in some time ago shows anew who they are, and finds what they had typed', async () => {
  const page = await operator();
  await open(page, '/cost');
  await page.getByLabel('Soft cap a month').fill('123');
  aheadMs += 6 * 60_000;
  await press(page, 'Set the caps');
  await press(page, 'Take a selfie');
  await finishSelfie(page, 'approve');
  await page.waitForURL(/\/console\/cost\?draft=/);
  expect(await page.getByLabel('Soft cap a month').inputValue()).toBe('123');
  expect(await page.getByText('soft none').count()).toBe(1);
  await press(page, 'Set the caps');
  await said(page, 'The caps are set');
  await page.getByText('soft $123.00').waitFor();
});

/** What a reader with a screen reader, a keyboard or weak eyes would stumble over. */
async function stumbles(page: Page): Promise<string[]> {
  const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `${axe}; axe.run()`,
  );
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
}

const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

it('every page is for all eyes and hands, on a small window too', async () => {
  const page = await operator();
  const accountId = await scene.records.accounts.idOf('person-0');
  const [found] = await Array.fromAsync(scene.records.reviews.list());
  const places = [
    ...['', '/people', `/people/${accountId}`, '/reviews', `/reviews/${found?.id}`],
    ...[
      '/apps',
      '/apps/first',
      '/apps/console',
      '/apps/lunch',
      '/new-app',
      '/new-person',
      '/audit',
      `/audit/${found?.reference}`,
    ],
    ...['/audit?account=nobody', '/cost', '/didit', '/keys', '/operators'],
  ];
  for (const place of places) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect((await open(page, place))?.status(), place).toBe(200);
      expect(await stumbles(page), `${place} ${colorScheme}`).toEqual([]);
      expect(await page.evaluate<number>(overflow), place).toBeLessThanOrEqual(0);
      await shoot(page, `${place.slice(1).replaceAll(/[/?]/g, '-') || 'overview'}-${colorScheme}`);
    }
  }
}, 300_000);

/** For whoever wants to look at them. */
async function shoot(page: Page, name: string): Promise<void> {
  const directory = process.env.CONSOLE_SHOTS;
  if (!directory) return;
  for (const width of [1280, 360]) {
    await page.setViewportSize({ width, height: 740 });
    await page.screenshot({ path: `${directory}/${name}-${width}.png`, fullPage: true });
  }
}
