/** Somebody who is blocked or removed by another process is out everywhere at once, and nothing comes back with them. */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { type Accounts, createAccounts } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import type { TestBrowser } from '../support/browser.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { answerOf, changed, signedIn, tokensOf, userinfo } from './support.ts';

let bed: Testbed;
let store: Store;
let accounts: Accounts;
let party: Party;

beforeAll(async () => {
  const [url, encryptionKeys] = [await freshRedis(), [randomKey()]];
  bed = await startTestbed({ flags: { store: { url, encryptionKeys } }, people: 16 });
  ({ store } = await openStore({ url, encryptionKeys, clock: Date.now }));
  accounts = createAccounts(store, { clock: Date.now, random: randomKey });
  party = await createParty(bed);
});
afterAll(async () => {
  await store.close();
  await bed.close();
});

const invalidGrant = { error: 'invalid_grant' };

async function introspected(token: string): Promise<boolean> {
  return (await oidc.tokenIntrospection(party.config, token)).active;
}

/** With a selfie, as anybody sees it. */
async function selfieOf(person: string): Promise<string> {
  const stranger = createBrowser();
  const didit = await toSelfie(stranger, await party.begin(), person);
  const back = await settle(stranger, await takeSelfie(stranger, didit, 'approve'));
  return (await whileWaiting(stranger, back)).text;
}

describe.each([
  ['blocked', (sub: string) => accounts.setStatus(sub, 'blocked')],
  ['erased', (sub: string) => accounts.setStatus(sub, 'erased')],
])('[PR-26] an account that is %s', (_, end) => {
  let person: string;
  let browser: TestBrowser;
  let tokens: Awaited<ReturnType<typeof tokensOf>>;
  let sub: string;

  beforeEach(async () => {
    person = bed.person();
    browser = await signedIn(bed, person);
    tokens = await tokensOf(browser, await party.begin());
    sub = tokens.claims()?.sub ?? '';
  });

  /** Resolves when the provider has heard of it, which is to be soon. */
  async function ended(): Promise<void> {
    expect(await end(sub)).toBe(true);
    const isOut = async (): Promise<number> => (await userinfo(bed, tokens.access_token)).status;
    await expect.poll(isOut, { timeout: 1_000, interval: 10 }).toBe(401);
  }

  it('[PR-14] keeps no token', async () => {
    await ended();
    const refused = oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
    await expect(refused).rejects.toMatchObject(invalidGrant);
    expect((await userinfo(bed, tokens.access_token)).status).toBe(401);
    expect(await introspected(tokens.access_token)).toBe(false);
    expect(await introspected(tokens.refresh_token ?? '')).toBe(false);
  });

  it('has no session any more', async () => {
    await ended();
    const silent = await browser.get(await changed(party, { prompt: 'none' }));
    expect(answerOf(silent.location).error).toBe('login_required');
    const asked = await browser.get((await party.begin()).url);
    expect(asked.location).toContain('/interaction/');
  });

  it('cannot redeem a code that was on its way', async () => {
    const request = await party.begin();
    const { location = '' } = await browser.get(request.url);
    await ended();
    await expect(request.finish(location)).rejects.toMatchObject(invalidGrant);
  });

  it('is not let in by a selfie that was approved before', async () => {
    const other = createBrowser();
    const didit = await toSelfie(other, await party.begin(), person);
    const back = await settle(other, await takeSelfie(other, didit, 'approve'));
    const ready = await whileWaiting(other, back);
    await ended();
    const refused = await settle(other, await press(other, ready, 'resume'));
    expect(refused.location).toBeUndefined();
    expect(heading(refused)).toBe('We could not sign you in');
    expect(refused.text).not.toMatch(/block|remov|delet/i);
  });

  it('cannot answer a question that was asked before', async () => {
    const stranger = await createParty(bed, 'stranger');
    const page = await settle(browser, await browser.get((await stranger.begin()).url));
    expect(heading(page)).toBe('Share this with Stranger?');
    await ended();
    const { location = '' } = await settle(browser, await press(browser, page, 'allow'));
    expect(location).not.toContain('code=');
  });

  it('[AB-01] gets a selfie that lets nobody in, and no reason', async () => {
    await ended();
    const text = await selfieOf(person);
    expect(text).toContain('We could not sign you in');
    expect(text).not.toMatch(/block|remov|delet/i);
  });
});

it('[PR-14] [PR-26] somebody who is let in again signs in anew, and has nothing of what was before', async () => {
  const person = bed.person();
  const browser = await signedIn(bed, person);
  const before = await tokensOf(browser, await party.begin());
  const onItsWay = await party.begin();
  const { location = '' } = await browser.get(onItsWay.url);
  const sub = before.claims()?.sub ?? '';
  await accounts.setStatus(sub, 'blocked');
  await accounts.setStatus(sub, 'active');
  const second = (): number => Math.floor(Date.now() / 1000);
  const blockedAt = second();
  const hasSession = async (): Promise<boolean> => {
    const silent = await browser.get(await changed(party, { prompt: 'none' }));
    return 'code' in answerOf(silent.location);
  };
  await expect.poll(hasSession).toBe(false);
  const refused = oidc.refreshTokenGrant(party.config, before.refresh_token ?? '');
  await expect(refused).rejects.toMatchObject(invalidGrant);
  await expect(onItsWay.finish(location)).rejects.toMatchObject(invalidGrant);
  expect((await userinfo(bed, before.access_token)).status).toBe(401);
  // The second in which the block fell is void as a whole.
  await expect.poll(second, { timeout: 2_000 }).toBeGreaterThan(blockedAt);
  const anew = await party.begin();
  const after = await anew.finish(await signIn(createBrowser(), anew, person));
  expect(after.claims()?.sub).toBe(sub);
  expect((await userinfo(bed, after.access_token)).status).toBe(200);
});
