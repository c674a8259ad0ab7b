/** People with an app that shows codes, recovery codes on paper, and a letter box. */
import { randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { expect } from 'vitest';
import { createOtherWays } from '../../src/fallback/factors.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import type { Store } from '../../src/store/store.ts';
import { type Answer, type TestBrowser, createBrowser, formTokenFor } from './browser.ts';
import { type PartyRequest, heading, press, settle } from './login.ts';
import { soon } from './soon.ts';
import type { Testbed } from './testbed.ts';

export interface Equipped {
  accountId: string;
  /** Of the app. */
  secret: string;
  /** What the app shows, or showed so many steps of half a minute ago; each is good once, -1 to 1 are good now. */
  app: (steps?: number) => string;
  /** The recovery codes that are left; whoever takes one takes it away. */
  paper: string[];
}

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');

/** Gives somebody an app and recovery codes, as if they had set them up some minutes ago. */
export async function equip(
  store: Store,
  address: string,
  { clock = Date.now, has = ['totp', 'recovery'] }: { clock?: () => number; has?: string[] } = {},
): Promise<Equipped> {
  const before = (): number => clock() - 300_000;
  const accountId = (await createAccounts(store, { clock, random }).idOf(address)) ?? '';
  const { totp, recoveryCodes } = await createOtherWays({
    ...{ store, random, clock: before, sendMail: undefined },
    ...{ issuer: 'http://localhost', issuerName: 'test', alarm: () => undefined },
  });
  const { secret } = await totp.begin(accountId, address);
  const shown = new TOTP({ secret: Secret.fromBase32(secret) });
  const showAt = (timestamp: number): string => shown.generate({ timestamp });
  if (has.includes('totp')) {
    expect(await totp.confirm(accountId, showAt(before()))).toBe(true);
  }
  return {
    ...{ accountId, secret },
    app: (steps = 0) => showAt(clock() + steps * 30_000),
    paper: has.includes('recovery') ? await recoveryCodes.make(accountId) : [],
  };
}

/** The newest code that somebody was sent; it may be on its way still. */
export async function mailedCode({ mails }: Testbed, address: string, after = 0): Promise<string> {
  return soon(() => {
    const codes = mails
      .slice(after)
      .filter(({ to, message }) => to.address === address && message.kind === 'code');
    const [last] = codes.slice(-1);
    if (last?.message.kind !== 'code') throw new Error(`no code for ${address}`);
    return last.message.code;
  });
}

/** From the app to the page after the name, where selfie and other ways stand side by side. */
export async function toChoice(
  browser: TestBrowser,
  request: PartyRequest,
  person: string,
): Promise<Answer> {
  const identify = await settle(browser, await browser.get(request.url));
  return settle(browser, await press(browser, identify, 'identify', { identifier: person }));
}

/** Presses the button of a way. */
export async function choose(browser: TestBrowser, page: Answer, way: string): Promise<Answer> {
  expect(waysOn(page), `on "${heading(page)}"`).toContain(way);
  return settle(browser, await press(browser, page, 'factor', { factor: way }));
}

export async function answer(browser: TestBrowser, page: Answer, code: string): Promise<Answer> {
  return settle(browser, await press(browser, page, 'answer', { answer: code }));
}

/** Which ways a page offers, in their order. */
export function waysOn(page: Answer): string[] {
  return [...page.text.matchAll(/name="factor" value="([^"]*)"/g)].map(([, way = '']) => way);
}

/** "It is you": the last button. @returns the address of the app's callback. */
export async function finishOn(browser: TestBrowser, page: Answer): Promise<string> {
  expect(heading(page)).toBe('It is you');
  const done = await settle(browser, await press(browser, page, 'resume'));
  if (done.location === undefined) throw new Error(`no redirect but "${heading(done)}"`);
  return done.location;
}

/** A whole sign-in by a code from the mail and one from the app. @returns the address of the app's callback. */
export async function signInByCodes(
  bed: Testbed,
  browser: TestBrowser,
  request: PartyRequest,
  { address, app }: { address: string; app: string },
): Promise<string> {
  const mailsBefore = bed.mails.length;
  const asked = await choose(browser, await toChoice(browser, request, address), 'mail');
  const code = await mailedCode(bed, address, mailsBefore);
  const second = await answer(browser, asked, code);
  const appPage = waysOn(second).includes('totp') ? await choose(browser, second, 'totp') : second;
  return finishOn(browser, await answer(browser, appPage, app));
}

let networks = 0;

/** A browser in a network of its own, as a trusted proxy says; nothing but its address differs. */
export function browserElsewhere(): TestBrowser {
  const browser = createBrowser();
  const address = `198.51.${(networks += 1)}.7`;
  const request = browser.request.bind(browser);
  const from = (init: RequestInit = {}): RequestInit => ({
    ...init,
    headers: { ...(init.headers as Record<string, string>), 'x-forwarded-for': address },
  });
  const get = (url: string): Promise<Answer> => request(url, from());
  const post = (url: string, fields: Record<string, string> = {}): Promise<Answer> =>
    request(
      url,
      from({
        method: 'POST',
        body: new URLSearchParams({ ...formTokenFor(url), ...fields }),
        headers: { 'sec-fetch-site': 'same-origin', origin: new URL(url).origin },
      }),
    );
  const follow: TestBrowser['follow'] = async (first, until) => {
    let current = first;
    while (current.location !== undefined && until?.(current.location) !== true) {
      current = await get(current.location);
    }
    return current;
  };
  return { jar: browser.jar, request, get, post, follow };
}
