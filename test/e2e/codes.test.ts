/** Somebody who takes no selfie, in a real browser: as few steps, codes that can be pasted, no script needed. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { heading, press } from '../support/chromium.ts';
import { freshRedis } from '../support/redis.ts';
import { equip, mailedCode } from '../support/ways.ts';
import { claimsOn, signInLink, signedIn } from './apps.ts';
import { type Stage, openStage } from './stage.ts';

// A browser on a busy machine takes its time; nothing here is about how long.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let stage: Stage;
let store: Store;

beforeAll(async () => {
  stage = await openStage({ storeUrl: await freshRedis() });
  store = await stage.bed.openStore();
});
afterAll(async () => {
  await store.close();
  await stage.close();
});

async function begin(page: Page): Promise<void> {
  await page.goto(stage.apps.wiki);
  await signInLink(page).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}

const byMail = 'Get a code by mail';
const byApp = 'Use a code from an app';
const field = (page: Page) => page.getByRole('textbox');

/** As somebody does who has it in the mail program beside. */
async function paste(page: Page, text: string): Promise<void> {
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  await page.locator('input#answer:focus').waitFor();
  await page.keyboard.press('Control+V');
}

describe('[AX-01] whoever takes no selfie', () => {
  test('presses as few buttons until the first question as whoever takes one', async () => {
    const { page } = await stage.newPerson();
    const asksForCode = () => page.getByRole('heading', { name: 'Type the code from the mail' });
    const asksForSelfie = () => page.locator('[data-outcome]').first();
    const ways: [string, string, () => ReturnType<typeof asksForCode>][] = [
      ['Continue', 'Take a selfie', asksForSelfie],
      ['Continue', byMail, asksForCode],
      ['Sign in another way', byMail, asksForCode],
    ];
    for (const [first, second, asked] of ways) {
      await begin(page);
      await field(page).fill('ben@example.com');
      await press(page, first);
      await press(page, second);
      await asked().waitFor();
    }
  });

  test('finds each other way right after the selfie, as large and as easy to reach', async () => {
    const { page } = await stage.newPerson();
    await begin(page);
    await field(page).fill('ben@example.com');
    await press(page, 'Continue');
    const buttons = page.locator('form:not(.who) > button');
    const shown = (await buttons.allInnerTexts()).slice(0, 4);
    expect(shown).toEqual(['Take a selfie', byMail, byApp, 'Use a recovery code']);
    const boxes = await Promise.all([0, 1, 2, 3].map((at) => buttons.nth(at).boundingBox()));
    const [selfie, ...others] = boxes.map((box) => [box?.width, box?.height]);
    for (const other of others) expect(other).toEqual(selfie);
    const looks = await page.evaluate<[string, string][]>(`
      [...document.querySelectorAll('form:not(.who) > button')].slice(1, 4).map((button) => {
        const { fontWeight, borderTopColor } = getComputedStyle(button);
        return [fontWeight, borderTopColor];
      })`);
    for (const [weight, border] of looks) {
      expect(weight).toBe('600');
      expect(border).not.toBe('rgba(0, 0, 0, 0)');
    }
    expect(looks).toHaveLength(3);
    // By the keyboard: one more press of the tab key each.
    await buttons.nth(0).focus();
    for (const name of shown.slice(1)) {
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').innerText()).toBe(name);
    }
  });
});

describe('[AX-02] codes', () => {
  test('are pasted, with the spaces that a mail program puts in, and filled in by the browser', async () => {
    const { app } = await equip(store, 'ana@example.com');
    const { page } = await stage.newPerson({ permissions: ['clipboard-write', 'clipboard-read'] });
    await begin(page);
    await field(page).fill('ana@example.com');
    await press(page, 'Continue');
    await press(page, byMail);
    await page.getByRole('heading', { name: 'Type the code from the mail' }).waitFor();
    expect(await field(page).getAttribute('autocomplete')).toBe('one-time-code');
    expect(await field(page).getAttribute('inputmode')).toBe('numeric');
    const code = await mailedCode(stage.bed, 'ana@example.com');
    await paste(page, ` ${code.slice(0, 4)} ${code.slice(4)}\n`);
    await page.keyboard.press('Enter');
    await page.getByText('That was right.').waitFor();
    await press(page, byApp);
    await page.getByLabel('Code from the app').waitFor();
    expect(await field(page).getAttribute('autocomplete')).toBe('one-time-code');
    await paste(page, app());
    await page.keyboard.press('Enter');
    await signedIn(page).waitFor();
    const { acr, amr } = await claimsOn(page);
    expect({ acr, amr }).toEqual({
      acr: 'urn:didit-oidc:acr:fallback:test',
      amr: '["otp","mca"]',
    });
  });

  test('on paper are typed as people read them, and all of it works without a script', async () => {
    const { app, paper } = await equip(store, 'chiyo@example.com');
    const { page } = await stage.newPerson({ javaScriptEnabled: false });
    await begin(page);
    await field(page).fill('chiyo@example.com');
    await press(page, 'Sign in another way');
    expect(await heading(page).innerText()).toBe('Sign in another way');
    await press(page, 'Use a recovery code');
    await field(page).fill('0000 0000 0000 0000');
    await press(page, 'Continue');
    await page.getByText('That was not right').waitFor();
    expect(await field(page).getAttribute('autocomplete')).toBe('one-time-code');
    await field(page).fill(paper[0]!.toLowerCase().replaceAll('-', ' '));
    await press(page, 'Continue');
    await press(page, byApp);
    await field(page).fill(app());
    await press(page, 'Continue');
    await page.getByRole('button', { name: 'Continue to The wiki' }).click();
    await signedIn(page).waitFor();
  });
});
