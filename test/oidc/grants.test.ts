/** A session that names a grant of somebody else's: by a mistake of ours, or of whoever writes to the database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import type { TestBrowser } from '../support/browser.ts';
import { type Party, createParty, heading, press, settle } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { answerOf, changed, signedIn, tokensOf } from './support.ts';

interface KeptSession {
  accountId?: string;
  authorizations?: Record<string, { grantId?: string }>;
}

let bed: Testbed;
let store: Store;
let stranger: Party;

beforeAll(async () => {
  const [url, encryptionKeys] = [await freshRedis(), [randomKey()]];
  bed = await startTestbed({ flags: { store: { url, encryptionKeys } }, people: 8 });
  ({ store } = await openStore({ url, encryptionKeys, clock: Date.now }));
  stranger = await createParty(bed, 'stranger');
});
afterAll(async () => {
  await store.close();
  await bed.close();
});

/** Somebody who has allowed the app everything that it asks for. */
async function allowed(): Promise<{ browser: TestBrowser; sub: string }> {
  const browser = await signedIn(bed, bed.person());
  const request = await stranger.begin();
  const page = await settle(browser, await browser.get(request.url));
  const { location = '' } = await settle(browser, await press(browser, page, 'allow'));
  return { browser, sub: (await request.finish(location)).claims()?.sub ?? '' };
}

async function sessionOf(sub: string): Promise<{ key: string; session: KeptSession }> {
  for await (const { key, value } of store.scan('Session')) {
    const session = JSON.parse(value) as KeptSession | null;
    if (session?.accountId === sub) return { key, session };
  }
  throw new Error('no session');
}

async function name(sub: string, grantId: string | undefined, clientId = 'stranger') {
  const { key, session } = await sessionOf(sub);
  const entry = session.authorizations?.[clientId];
  if (!entry) throw new Error('no such entry');
  Object.assign(entry, { grantId });
  await store.put(key, JSON.stringify(session), { ttlSeconds: 600 });
}

const grantOf = async (sub: string, clientId: string): Promise<string | undefined> =>
  (await sessionOf(sub)).session.authorizations?.[clientId]?.grantId;

async function answers(browser: TestBrowser): Promise<Record<string, string>> {
  const silent = await browser.get(await changed(stranger, { prompt: 'none' }));
  return answerOf(silent.location);
}

it('[PR-20] what a person allowed an app is found again, and this is where it is found', async () => {
  const { browser, sub } = await allowed();
  expect(await answers(browser)).toHaveProperty('code');
  await name(sub, 'G'.repeat(43));
  expect(await answers(browser)).toMatchObject({ error: 'consent_required' });
});

it('[PR-20] [PR-13] a grant of another person is none', async () => {
  const [ana, ben] = [await allowed(), await allowed()];
  await name(ben.sub, await grantOf(ana.sub, 'stranger'));
  expect(await answers(ben.browser)).toMatchObject({ error: 'consent_required' });
  const page = await settle(ben.browser, await ben.browser.get((await stranger.begin()).url));
  expect(heading(page)).toBe('Share this with Stranger?');
  expect(await answers(ana.browser)).toHaveProperty('code');
});

it('[PR-20] a grant for another app is none', async () => {
  const { browser, sub } = await allowed();
  const house = await createParty(bed);
  await tokensOf(browser, await house.begin());
  await name(sub, await grantOf(sub, 'first'));
  expect(await answers(browser)).toMatchObject({ error: 'consent_required' });
});

it('[PR-20] an app of the house is given one of its own in the place of another’s', async () => {
  const { browser, sub } = await allowed();
  const house = await createParty(bed);
  await tokensOf(browser, await house.begin());
  const theirs = await grantOf(sub, 'stranger');
  await name(sub, theirs, 'first');
  const tokens = await tokensOf(browser, await house.begin());
  expect(tokens.claims()).toMatchObject({ sub, aud: 'first' });
  expect(await grantOf(sub, 'first')).not.toBe(theirs);
  expect(await answers(browser)).toHaveProperty('code');
});
