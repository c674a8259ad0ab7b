import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBrowser, createParty, heading, toSelfie } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed();
});
afterAll(() => bed.close());

it('who goes back from the selfie page finds a page that waits, and does not reload without end', async () => {
  const browser = createBrowser();
  const request = await (await createParty(bed)).begin();
  await toSelfie(browser, request);
  const cookies = await browser.jar.getCookies(bed.issuer, { allPaths: true });
  const path = cookies.find(({ key }) => key === '_interaction')?.path ?? '';
  const page = await browser.get(bed.issuer + path);
  expect(heading(page)).toBe('Checking your selfie');
  expect(page.text).toContain('Start the selfie again');

  const address = `${bed.issuer}${path}/events`;
  const cookie = await browser.jar.getCookieString(address);
  const events = await fetch(address, { headers: { cookie } });
  const reader = events.body?.getReader();
  // What there was to see was looked at before the answer began, and all of it is in the first piece.
  const first = (await reader?.read()) as { done: boolean; value?: Uint8Array } | undefined;
  expect(first?.done).toBe(false);
  expect(Buffer.from(first?.value ?? []).toString()).toBe('retry: 1000\n\n');
  await reader?.cancel();
});
