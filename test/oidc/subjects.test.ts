/** Under which names apps know a person. */
import * as oidc from 'openid-client';
import { beforeAll, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { createAccounts } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import { overhear } from '../didit/support.ts';
import type { TestBrowser } from '../support/browser.ts';
import { createBrowser, createParty, isCallback, signIn } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { createOtherParty, newRequest, userinfo } from './support.ts';

const overheard = overhear();
const encryptionKeys = [randomKey()];
let url: string;
let bed: Testbed;
let ana: TestBrowser;
let publicSub: string;

const party = (client_id: string, host: string, metadata: object = {}): object => ({
  ...{ client_id, token_endpoint_auth_method: 'none', first_party: true },
  redirect_uris: [`http://${host}.localhost:9/callback`],
  subject_type: 'pairwise',
  ...metadata,
});

beforeAll(async () => {
  url = await freshRedis();
  bed = await startTestbed({
    flags: { store: { url, encryptionKeys } },
    people: 2,
    fetch: overheard.fetch,
    clients: [party('one', 'first'), party('sibling', 'first'), party('two', 'second')],
  });
  ana = createBrowser();
  const request = await (await createParty(bed)).begin();
  publicSub = (await request.finish(await signIn(ana, request))).claims()?.sub ?? '';
  return () => bed.close();
});

async function subAt(
  clientId: string,
  host: string,
  more: Record<string, string> = {},
  browser = ana,
) {
  const config = await createOtherParty(bed, clientId, oidc.None());
  const redirect_uri = `http://${host}.localhost:9/callback`;
  const { parameters, checks } = await newRequest({ redirect_uri, ...more });
  const answer = await browser.get(oidc.buildAuthorizationUrl(config, parameters).href);
  const tokens = await oidc.authorizationCodeGrant(config, new URL(answer.location ?? ''), checks);
  const sub = tokens.claims()?.sub ?? '';
  expect((await userinfo(bed, tokens.access_token)).json.sub).toBe(sub);
  return { sub, idToken: tokens.id_token ?? '' };
}

it('[PR-27] a pairwise subject is one for each sector, always the same, and no other name of anybody', async () => {
  const { sub } = await subAt('one', 'first');
  expect((await subAt('one', 'first')).sub).toBe(sub);
  expect((await subAt('sibling', 'first')).sub).toBe(sub);
  const other = (await subAt('two', 'second')).sub;
  const { vendor_data } = overheard.latest().body;
  expect(new Set([sub, other, publicSub, vendor_data, 'ana@example.com', 'ana']).size).toBe(6);
  for (const name of [sub, other]) expect(name).toMatch(/^[\w-]{43}$/);
  await bed.restart();
  expect((await subAt('one', 'first')).sub).toBe(sub);
});

it('[PR-27] [PR-13] it is understood as a hint, and only from the client whose it is', async () => {
  const { idToken } = await subAt('one', 'first');
  const again = await subAt('one', 'first', { id_token_hint: idToken, prompt: 'none' });
  expect(again.idToken).not.toBe('');
  const config = await createOtherParty(bed, 'two', oidc.None());
  const { parameters } = await newRequest({
    ...{ redirect_uri: 'http://second.localhost:9/callback', prompt: 'none' },
    id_token_hint: idToken,
  });
  const { location = '' } = await ana.get(oidc.buildAuthorizationUrl(config, parameters).href);
  expect(isCallback(location)).toBe(false);
  expect(location).not.toContain('code=');
});

it('[PR-27] who is removed and enrolled anew, under the same address, is somebody new to every app', async () => {
  const person = bed.person();
  const subjects = async (): Promise<unknown[]> => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const claims = (await request.finish(await signIn(browser, request, person))).claims();
    expect(claims?.email).toBe(person);
    const { vendor_data: vendorData } = overheard.latest().body;
    const own = await subAt('one', 'first', {}, browser);
    return [claims?.sub, own.sub, vendorData];
  };
  const before = await subjects();
  const { store } = await openStore({ url, encryptionKeys, clock: Date.now });
  const accounts = createAccounts(store, { clock: Date.now, random: randomKey });
  const id = String(before[0]);
  const named = (await accounts.find(id)) ?? {};
  expect(await accounts.setStatus(id, 'erased')).toBe(true);
  await accounts.giveUpNames(id, named);
  // A name that was given up stays taken for a second.
  await expect.poll(() => accounts.idOf(person), { timeout: 3_000 }).toBeUndefined();
  await store.close();
  // The accounts file is read at each start; it names the person still.
  await bed.restart();
  const after = await subjects();
  const names = [...before, ...after, person];
  expect(new Set(names).size).toBe(7);
  expect(before[0]).toMatch(/^[\w-]{22}$/);
  expect(after[0]).toMatch(/^[\w-]{22}$/);
});
