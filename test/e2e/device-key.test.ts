/** The key of a browser, in a real one: made after a selfie, proven with the next form, never copied. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { finishSelfie, heading, press, signIn } from '../support/chromium.ts';
import { claimsOn, signInLink, signedIn } from './apps.ts';
import { type Stage, openStage } from './stage.ts';

let stage: Stage;
let aheadMs = 0;
const dayMs = 86_400_000;

beforeAll(async () => {
  // The library has no other clock.
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
  stage = await openStage();
});
afterAll(async () => {
  vi.restoreAllMocks();
  await stage.close();
});

async function signInAnew(page: Page, name: string): Promise<Record<string, string>> {
  await page.goto(stage.apps.wiki);
  await signInLink(page).click();
  await signIn(page, name, 'approve');
  await signedIn(page).waitFor();
  return claimsOn(page);
}

/** Without the cookies of the provider and of the apps; what a script keeps stays. */
async function forgetSession(page: Page): Promise<void> {
  await page.context().clearCookies();
}

describe('[FB-03] the key of a browser', () => {
  test('is made after the first selfie, and the second one is a face and a device', async () => {
    const { page } = await stage.newPerson();
    const first = await signInAnew(page, 'ana@example.com');
    expect(first.acr).toBe('urn:didit-oidc:acr:selfie:test');
    await page.getByRole('link', { name: 'Take another selfie' }).click();
    await press(page, 'Take a selfie');
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();
    const second = await claimsOn(page);
    expect(second.acr).toBe('urn:didit-oidc:acr:selfie-device:test');
    expect(JSON.parse(second.amr ?? '[]')).toEqual(['face', 'swk', 'pop', 'mfa']);
  });

  test('spares the selfie after a day, in the network where it was taken: same auth_time, no face', async () => {
    const { page } = await stage.newPerson();
    const first = await signInAnew(page, 'ben@example.com');
    await forgetSession(page);
    const asked = await stage.selfiesAskedFor();
    aheadMs += dayMs + 60_000;
    await page.goto(stage.apps.wiki);
    await signInLink(page).click();
    expect(await heading(page).innerText()).toBe('Sign in');
    await expect.poll(() => page.getByRole('textbox').inputValue()).toBe('ben@example.com');
    await press(page, 'Continue');
    await signedIn(page).waitFor();
    const second = await claimsOn(page);
    expect(second).toMatchObject({
      ...{ sub: first.sub, auth_time: first.auth_time },
      acr: 'urn:didit-oidc:acr:device:test',
    });
    expect(JSON.parse(second.amr ?? '[]')).toEqual(['swk', 'pop']);
    expect(await stage.selfiesAskedFor()).toBe(asked);
  });
});
