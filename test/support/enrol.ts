/** Somebody new, step by step, by a browser with a cookie jar; and the person's own page. */
import type { Answer, TestBrowser } from './browser.ts';
import { type PartyRequest, heading, press, settle, whileWaiting } from './login.ts';
import type { Testbed, TestbedOptions } from './testbed.ts';
import { mailedCode } from './ways.ts';

export const kycWorkflowId = '0b6f2f0a-5f0d-4a57-8f65-000000000003';

/** A provider at which anybody may enrol. */
export const openToAll = {
  registration: 'open',
  didit: { workflows: { passive: '0b6f2f0a-5f0d-4a57-8f65-000000000001', kyc: kycWorkflowId } },
} satisfies TestbedOptions['flags'];

/** Whose document is shown at the simulator; its fields as the simulator's page has them. */
export const document = {
  ...{ first_name: 'Nora', last_name: 'Novak', date_of_birth: '1991-05-17' },
};

/** From the app to the page that asks for an address. */
export async function toJoin(browser: TestBrowser, request: PartyRequest): Promise<Answer> {
  const identify = await settle(browser, await browser.get(request.url));
  return settle(browser, await press(browser, identify, 'sign-up'));
}

/** Confirms the address. @returns the page after it, which asks for the consent of somebody who is new. */
export async function confirmAddress(
  bed: Testbed,
  browser: TestBrowser,
  join: Answer,
  address: string,
): Promise<Answer> {
  const mailsBefore = bed.mails.length;
  const confirm = await settle(browser, await press(browser, join, 'address', { address }));
  const code = await mailedCode(bed, address, mailsBefore);
  return settle(browser, await press(browser, confirm, 'address-code', { code }));
}

/** Ticks the box, with the version that the page shows. */
export async function agree(browser: TestBrowser, page: Answer): Promise<Answer> {
  const [, agreed = ''] = /name="agreed" value="([^"]+)"/.exec(page.text) ?? [];
  return settle(browser, await press(browser, page, 'agree', { agreed }));
}

/** Recovery codes on paper. @returns the page after them, and the codes. */
export async function takeCodes(
  bed: Testbed,
  browser: TestBrowser,
  page: Answer,
): Promise<{ page: Answer; codes: string[] }> {
  const shown = await press(browser, page, 'protect-recovery');
  const codes = [...shown.text.matchAll(/(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}/g)].map(([code]) => code);
  const next = new URL(/href="(\/interaction\/[^"]+)"/.exec(shown.text)?.[1] ?? '', bed.issuer);
  return { page: await settle(browser, await browser.get(next.href)), codes };
}

/** What the page of a code app asks to be put into it. */
export function secretOn({ text }: Answer): string {
  return /<code[^>]*>([A-Z2-7 ]{32,})<\/code>/.exec(text)?.[1] ?? '';
}

/** Document and selfie at the simulator. @returns the page after the verdict. */
export async function showDocument(
  browser: TestBrowser,
  page: Answer,
  outcome = 'approve',
  person: Record<string, string> = document,
): Promise<Answer> {
  const didit = await settle(browser, await press(browser, page, 'selfie'));
  const back = await settle(browser, await browser.post(didit.url, { outcome, ...person }));
  return whileWaiting(browser, back);
}

/** All of it. @returns the app's callback, and the recovery codes. */
export async function signUp(
  bed: Testbed,
  browser: TestBrowser,
  request: PartyRequest,
  address: string,
): Promise<{ location: string; codes: string[] }> {
  const consent = await confirmAddress(bed, browser, await toJoin(browser, request), address);
  const { page, codes } = await takeCodes(bed, browser, await agree(browser, consent));
  const ready = await showDocument(browser, page);
  const done = await settle(browser, await press(browser, ready, 'resume'));
  if (done.location === undefined) throw new Error(`no redirect but "${heading(done)}"`);
  return { location: done.location, codes };
}

/** The person's own page; signing in there is by single sign-on where there is one. */
export async function accountPage(bed: Testbed, browser: TestBrowser): Promise<Answer> {
  return settle(browser, await browser.get(`${bed.issuer}/account`));
}

/** Presses a button of the person's own page, with its form's token. */
export async function act(
  browser: TestBrowser,
  page: Answer,
  action: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const path = `/account/${action}`;
  // Most buttons of the sheet stand outside of their form.
  if (!page.text.includes(`action="${path}"`)) {
    throw new Error(`no button "${action}" on "${heading(page)}"`);
  }
  const address = new URL(path, page.url).href;
  return settle(browser, await browser.post(address, { ...tokenOn(page), ...fields }));
}

/** The token of the forms of a page. */
export function tokenOn({ text }: Answer): { form_token: string } {
  return { form_token: /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? '' };
}
