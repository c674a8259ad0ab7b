import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finishSelfie, heading, press, signIn, toSelfie } from '../support/chromium.ts';
import { type AppName, claimsOn, signInLink, signedIn } from './apps.ts';
import { type Stage, openStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

async function open(page: Page, app: AppName): Promise<void> {
  await page.goto(stage.apps[app]);
  await signInLink(page).click();
}

async function signInTo(page: Page, app: AppName): Promise<Record<string, string>> {
  await open(page, app);
  await signIn(page, 'ana@example.com', 'approve');
  await signedIn(page).waitFor();
  return claimsOn(page);
}

describe('a person with a browser', () => {
  test('signs in with a selfie, and the app says how', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'wiki');
    expect(await heading(page).innerText()).toBe('Sign in');
    await page.getByRole('textbox').fill('ana@example.com');
    await press(page, 'Continue');
    expect(await page.getByRole('main').innerText()).toContain(new URL(stage.apps.wiki).host);
    await press(page, 'Take a selfie');
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
    expect(await heading(page).innerText()).toBe('Hello, Ana');
    const { acr, amr } = await claimsOn(page);
    expect({ acr, amr }).toEqual({ acr: 'urn:didit-oidc:acr:selfie:test', amr: '["face"]' });
  });

  test('is in a second app at once, without another selfie', async () => {
    const { page } = await stage.newPerson();
    const first = await signInTo(page, 'wiki');
    const asked = await stage.selfiesAskedFor();
    await open(page, 'notes');
    await signedIn(page).waitFor();
    const second = await claimsOn(page);
    expect(second).toMatchObject({ aud: 'notes', sub: first.sub, auth_time: first.auth_time });
    expect(await stage.selfiesAskedFor()).toBe(asked);
  });

  test('proves it anew when the app insists, and has a newer auth_time then', async () => {
    const { page } = await stage.newPerson();
    const before = await signInTo(page, 'wiki');
    await page.waitForFunction((sec) => Date.now() / 1000 >= sec, Number(before.auth_time) + 1);
    await page.getByRole('link', { name: 'Take another selfie' }).click();
    // Nobody is asked who they are: it is the person of the session who has to prove it.
    expect(await page.getByRole('main').innerText()).toContain('ana@example.com');
    await press(page, 'Take a selfie');
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
    const after = await claimsOn(page);
    expect(after.sub).toBe(before.sub);
    expect(Number(after.auth_time)).toBeGreaterThan(Number(before.auth_time));
  });

  test('[XD-20] leaves Didit no handle on the page before it', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'wiki');
    await toSelfie(page, 'chiyo@example.com');
    expect(await page.evaluate<unknown>('window.opener')).toBeNull();
  });

  test('[XD-20] may sign in in a window of its own, which the app finds again afterwards', async () => {
    const { page } = await stage.newPerson();
    await page.goto(stage.apps.wiki);
    const opened = page.waitForEvent('popup');
    await page.evaluate("void window.open('/login', 'sign-in', 'popup')");
    const popup = await opened;
    await signIn(popup, 'ana@example.com', 'approve');
    await signedIn(popup).waitFor();
    expect(await popup.evaluate<unknown>('window.opener.location.pathname')).toBe('/');
  });

  test('signs out everywhere: the second app is told behind the scenes', async () => {
    const { page } = await stage.newPerson();
    await signInTo(page, 'wiki');
    await open(page, 'notes');
    await signedIn(page).waitFor();
    await page.getByRole('link', { name: 'Sign out' }).click();
    expect(await heading(page).innerText()).toBe('Sign out?');
    await press(page, 'Yes, sign out');
    await page.waitForURL(`${stage.apps.notes}/`);
    await page.goto(stage.apps.wiki);
    await signInLink(page).click();
    expect(await heading(page).innerText()).toBe('Sign in');
  });

  test('may leave one app and stay signed in with the provider', async () => {
    const { page } = await stage.newPerson();
    await signInTo(page, 'wiki');
    await page.getByRole('link', { name: 'Sign out' }).click();
    await press(page, 'No, stay signed in');
    await page.waitForURL(`${stage.apps.wiki}/`);
    await signInLink(page).click();
    await signedIn(page).waitFor();
  });

  test('who goes back after the end finds the sign-in over, and is still signed in', async () => {
    const { page } = await stage.newPerson();
    await signInTo(page, 'wiki');
    for (const found of ['This sign-in is over', 'The check is finished', 'This sign-in is over']) {
      await page.goBack();
      expect(await heading(page).innerText()).toBe(found);
    }
    expect(page.url()).toContain(`${stage.bed.issuer}/interaction/`);
    await page.goto(stage.apps.wiki);
    await signedIn(page).waitFor();
  });
});

describe('a selfie that does not open the door', () => {
  test('is explained when declined, and the next one may succeed', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'wiki');
    await signIn(page, 'ana@example.com', 'decline');
    await page.getByText('The check did not confirm that it was you.').waitFor();
    await press(page, 'Try another selfie');
    await press(page, 'Take a selfie');
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
  });

  test('is held for a person to look at, when Didit wants that', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'wiki');
    await signIn(page, 'ana@example.com', 'review');
    await page.getByRole('heading', { name: 'Somebody is looking at it' }).waitFor();
    await page.reload();
    expect(await heading(page).innerText()).toBe('Somebody is looking at it');
    await press(page, 'Go back to The wiki');
    await page.getByText('access_denied').waitFor();
  });

  test('need not be taken: there is another way, and a way back to it', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'wiki');
    await page.getByRole('textbox').fill('ana@example.com');
    await press(page, 'Continue');
    await press(page, 'None of these works for me');
    expect(await heading(page).innerText()).toBe('Sign in another way');
    await press(page, 'Take a selfie after all');
    await press(page, 'Take a selfie');
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
  });

  test('can be given up: the app learns that access was denied', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'wiki');
    await press(page, 'Cancel and go back to The wiki');
    expect(await heading(page).innerText()).toBe('You are not signed in');
    await page.getByText('access_denied').waitFor();
  });
});

describe('an app that is not of the house', () => {
  test('gets nothing when the person does not allow it', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'guest');
    await signIn(page, 'ana@example.com', 'approve');
    await page.getByRole('heading', { name: 'Share this with The guest?' }).waitFor();
    await press(page, 'Do not allow');
    await page.getByText('access_denied').waitFor();
  });

  test('gets what the person allowed, and asks only once', async () => {
    const { page } = await stage.newPerson();
    await open(page, 'guest');
    await signIn(page, 'ana@example.com', 'approve');
    await press(page, 'Allow');
    await signedIn(page).waitFor();
    expect((await claimsOn(page)).email).toBe('ana@example.com');
    await page.goto(`${stage.apps.guest}/login`);
    await signedIn(page).waitFor();
  });
});

test('a redirect address that nobody registered is never followed', async () => {
  const { page, redirects } = await stage.newPerson();
  const query = new URLSearchParams({
    client_id: 'wiki',
    redirect_uri: 'https://evil.example/callback',
    response_type: 'code',
    scope: 'openid',
  });
  const answer = await page.goto(`${stage.bed.issuer}/auth?${query.toString()}`);
  expect(answer?.status()).toBe(400);
  expect(await heading(page).innerText()).toBe('The app asked for something we cannot do');
  expect(redirects).toEqual([]);
  expect(await page.content()).not.toContain('evil.example');
});

test('[PR-25] every redirect on the way is a 303 after a form, and leaves nothing behind', async () => {
  const { page, redirects } = await stage.newPerson();
  await open(page, 'guest');
  await toSelfie(page, 'ana@example.com');
  await finishSelfie(page, 'decline');
  await press(page, 'Try another selfie');
  await press(page, 'Take a selfie');
  await finishSelfie(page, 'approve');
  await press(page, 'Allow');
  await signedIn(page).waitFor();
  await page.getByRole('link', { name: 'Sign out' }).click();
  await press(page, 'Yes, sign out');
  await signInLink(page).waitFor();
  await signInLink(page).click();
  await press(page, 'Cancel and go back to The guest');
  await page.getByText('access_denied').waitFor();

  const ours = redirects.filter(({ from }) => from.startsWith(stage.bed.issuer));
  expect(ours.filter(({ method }) => method === 'POST').length).toBeGreaterThanOrEqual(8);
  for (const { method, status, from, headers } of ours) {
    const step = `${method} ${new URL(from).pathname}`;
    expect(method === 'POST' ? [303] : [302, 303], step).toContain(status);
    expect(headers['cache-control'], step).toBe('no-store');
    expect(headers['referrer-policy'], step).toBe('same-origin');
  }
});
