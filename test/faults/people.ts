/** People who sign in while something is broken, and who look closely at every answer that they get. */
import { expect } from 'vitest';
import { type Answer, type TestBrowser, createBrowser, formsOf } from '../support/browser.ts';
import {
  type Outcome,
  type Party,
  heading,
  press,
  settle,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';

/** Where a login ended: who the ID token is of, or what the last page said. `ms` is counted from the button. */
export type Ended = { email: unknown; ms: number } | { said: string; ms: number };

/** What the person reads when Didit does not answer. */
export const anotherWay = expect.stringContaining('is not answering at the moment') as string;

/** A browser to which nobody may show a defect: no answer is a 500, whatever is broken. */
export function createWatcher(): TestBrowser {
  return createBrowser({
    seen: ({ status, url }) => {
      expect(status, `${new URL(url).pathname} answered ${status}`).not.toBe(500);
    },
  });
}

/** From the app's button to the tokens, or as far as it goes. */
export async function visit(
  party: Party,
  identifier: string,
  { outcome = 'approve', browser = createWatcher(), got = () => undefined }: Visit = {},
): Promise<Ended> {
  const request = await party.begin();
  let page = await settle(browser, await browser.get(request.url));
  let pressedMs = performance.now();
  const ended = (): Ended => ({ said: saidBy(page), ms: performance.now() - pressedMs });

  if (offers(page, 'identify')) {
    page = await settle(browser, await press(browser, page, 'identify', { identifier }));
  }
  if (!offers(page, 'selfie')) return ended();
  pressedMs = performance.now();
  page = await settle(browser, await press(browser, page, 'selfie'));
  if (!page.text.includes('data-outcome')) return ended();
  page = await settle(browser, await takeSelfie(browser, page, outcome));
  page = await whileWaiting(browser, page);
  if (!offers(page, 'resume')) return ended();
  page = await settle(browser, await press(browser, page, 'resume'));
  if (page.location === undefined) return ended();
  const tokens = await request.finish(page.location);
  await got(tokens.id_token ?? '');
  const claims = tokens.claims();
  return { email: claims?.email, ms: performance.now() - pressedMs };
}

interface Visit {
  outcome?: Outcome;
  browser?: TestBrowser;
  /** Gets the ID token as it came. */
  got?: (idToken: string) => void | Promise<void>;
}

export const offers = (page: Answer, step: string): boolean =>
  formsOf(page).some(({ actions }) => actions.some((address) => address.endsWith(`/${step}`)));

/** The heading and the first sentence below it. */
function saidBy(page: Answer): string {
  const [, below = ''] = page.text.split('</h1>');
  const [, first = ''] = /<p[^>]*>([\s\S]*?)<\/p>/.exec(below) ?? [];
  return `${page.status} ${heading(page)}: ${first.trim()}`;
}
