import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createBrowser,
  createParty,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed();
});
afterAll(() => bed.close());

it('a login that ends after somebody else has signed in signs them out first, and then goes on', async () => {
  const party = await createParty(bed);
  const browser = createBrowser();
  const bens = await party.begin();
  const didit = await toSelfie(browser, bens, 'ben@example.com');
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  const ready = await whileWaiting(browser, back);
  await signIn(browser, await party.begin(), 'ana@example.com');

  const resumed = await press(browser, ready, 'resume');
  const detour = await browser.get(resumed.location ?? '');
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(detour.text)?.[1] ?? '';
  const confirm = `${bed.issuer}/session/end/confirm`;
  const done = await settle(browser, await browser.post(confirm, { xsrf, logout: 'yes' }));
  const claims = (await bens.finish(done.location ?? '')).claims();
  expect(claims?.email).toBe('ben@example.com');
});

it('of two tabs that resume the same login one gets a code', async () => {
  const party = await createParty(bed);
  for (let round = 0; round < 20; round += 1) {
    const browser = createBrowser();
    const didit = await toSelfie(browser, await party.begin());
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    const { location = '' } = await press(browser, ready, 'resume');
    const tabs = await Promise.all(Array.from({ length: 4 }, () => browser.get(location)));
    expect(tabs.filter((tab) => (tab.location ?? '').includes('code='))).toHaveLength(1);
  }
});
