/** People on their own page, in a time that passes when a test says so. */
import { vi } from 'vitest';
import type { Account } from '../../src/store/accounts.ts';
import type { Store } from '../../src/store/store.ts';
import type { Answer, TestBrowser } from './browser.ts';
import { act } from './enrol.ts';
import { createBrowser, heading, press, settle, toSelfie, whileWaiting } from './login.ts';
import { freshRedis } from './redis.ts';
import { type Testbed, type TestbedOptions, quarterMs, startTestbed } from './testbed.ts';
import { answer, choose, equip, mailedCode, toChoice, waysOn } from './ways.ts';

export const minute = 60;
export const day = 86_400;

/** Everybody's clock, the library's too, runs on from where `pass` has moved it. */
export async function openScene(options: TestbedOptions = {}) {
  const real = Date.now.bind(Date);
  const moved = { ms: 0 };
  const spy = vi.spyOn(Date, 'now').mockImplementation(() => real() + moved.ms);
  const storeUrl = await freshRedis();
  const bed = await startTestbed({ people: 30, storeUrl, ...options });
  const store = await bed.openStore();
  return {
    ...{ bed, store },
    pass: (seconds: number): void => void (moved.ms += seconds * 1_000),
    /** To the beginning of a quarter after the next: limits are of calendar quarters, and none ends while one counts. */
    passQuarter(): void {
      moved.ms += quarterMs;
      moved.ms += quarterMs - (Date.now() % quarterMs);
    },
    async close(): Promise<void> {
      await store.close();
      await bed.close();
      spy.mockRestore();
    },
  };
}

export type Scene = Awaited<ReturnType<typeof openScene>>;

/** Somebody new to the test, with an app that shows codes and recovery codes. */
export async function somebody({ bed, store }: Scene, has = ['totp', 'recovery']) {
  const address = bed.person();
  return { address, ...(await equip(store, address, { has })) };
}

export type Somebody = Awaited<ReturnType<typeof somebody>>;

export async function recordOf(store: Store, accountId: string): Promise<Account> {
  const { value = '{}' } = (await store.get(`account:${accountId}`)) ?? {};
  return JSON.parse(value) as Account;
}

/** To the person's page by a selfie. */
export async function bySelfie(
  { bed }: Pick<Scene, 'bed'>,
  address: string,
  browser: TestBrowser = createBrowser(),
): Promise<{ browser: TestBrowser; page: Answer }> {
  const didit = await toSelfie(browser, { url: `${bed.issuer}/account` } as never, address);
  return { browser, page: await afterSelfie(browser, didit) };
}

async function afterSelfie(browser: TestBrowser, didit: Answer): Promise<Answer> {
  const back = await settle(browser, await browser.post(didit.url, { outcome: 'approve' }));
  const ready = await whileWaiting(browser, back);
  return settle(browser, await press(browser, ready, 'resume'));
}

/** Signs in once more, by a selfie, from a page that the provider shows for it. */
export async function selfieAgain(
  browser: TestBrowser,
  page: Answer,
  address: string,
): Promise<Answer> {
  const asksWho = page.text.includes('/identify"');
  const choice = asksWho
    ? await settle(browser, await press(browser, page, 'identify', { identifier: address }))
    : page;
  return afterSelfie(browser, await settle(browser, await press(browser, choice, 'selfie')));
}

/** To the person's page by a code from the mail and one from the app. */
export async function byCodes(
  { bed }: Pick<Scene, 'bed'>,
  { address, app }: Pick<Somebody, 'address' | 'app'>,
  { browser = createBrowser(), steps = 0 } = {},
): Promise<{ browser: TestBrowser; page: Answer }> {
  const mailsBefore = bed.mails.length;
  const start = { url: `${bed.issuer}/account/sign-in` } as never;
  const asked = await choose(browser, await toChoice(browser, start, address), 'mail');
  const code = await mailedCode(bed, address, mailsBefore);
  const second = await answer(browser, asked, code);
  const appPage = waysOn(second).includes('totp') ? await choose(browser, second, 'totp') : second;
  const ready = await answer(browser, appPage, app(steps));
  if (heading(ready) !== 'It is you') throw new Error(`not signed in but "${heading(ready)}"`);
  return { browser, page: await settle(browser, await press(browser, ready, 'resume')) };
}

/** A selfie, and a code of something that the person has: what changes take. */
export async function proven(scene: Pick<Scene, 'bed'>, person: Somebody) {
  const { browser, page } = await bySelfie(scene, person.address);
  const asked = await act(browser, page, 'codes');
  const sheet = await act(browser, asked, 'prove-code', { code: person.paper.pop() ?? '' });
  return { browser, page: sheet };
}

/** What the page says was done. */
export function said({ text }: Answer): string {
  return /<p class="notice" role="status"[^>]*>([^<]*)/.exec(text)?.[1]?.trim() ?? '';
}

/** The latest mail of a kind to somebody, once it is there. @param before so many mails are of earlier. */
export function mailOf(
  { mails }: Pick<Testbed, 'mails'>,
  address: string,
  kind: string,
  before = 0,
) {
  return vi.waitFor(() => {
    const found = mails
      .slice(before)
      .filter(({ to, message }) => to.address === address && message.kind === kind);
    const [last] = found.slice(-1);
    if (!last) throw new Error(`no mail "${kind}" to ${address}`);
    return last;
  }, 10_000);
}
