import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, type TestBrowser, formsOf } from '../support/browser.ts';
import {
  type Party,
  type PartyRequest,
  createParty,
  heading,
  press,
  settle,
} from '../support/login.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import { answerOf, changed, selfiesAsked, signedIn, tokensOf, userinfo } from './support.ts';

const wiki = 'https://wiki.example/api';
let bed: Testbed;
let stranger: Party;

beforeAll(async () => {
  bed = await startTestbed({
    resources: [{ identifier: wiki, scope: 'wiki:read' }],
    clients: [
      {
        client_id: 'native',
        application_type: 'native',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
        first_party: true,
      },
    ],
  });
  stranger = await createParty(bed, 'stranger');
});
afterAll(() => bed.close());

async function asked(browser: TestBrowser, request: PartyRequest): Promise<Answer> {
  const page = await settle(browser, await browser.get(request.url));
  expect(heading(page)).toBe('Share this with Stranger?');
  return page;
}

async function allowed(browser: TestBrowser, request: PartyRequest) {
  const page = await asked(browser, request);
  const { location = '' } = await settle(browser, await press(browser, page, 'allow'));
  return request.finish(location);
}

it('[PR-20] an app that is not of the house asks first, without another selfie', async () => {
  const browser = await signedIn(bed);
  const before = await selfiesAsked(bed);
  const request = await stranger.begin({ scope: 'openid email groups' });
  const page = await asked(browser, request);
  expect(page.text).toContain('localhost:9');
  const { location = '' } = await settle(browser, await press(browser, page, 'allow'));
  const tokens = await request.finish(location);
  expect(tokens.claims()).toMatchObject({ aud: 'stranger', email: 'ana@example.com' });
  expect((await userinfo(bed, tokens.access_token)).json.groups).toEqual(['staff', 'kitchen']);
  expect(await selfiesAsked(bed)).toBe(before);
});

it('[PR-20] the answer holds for the session, and no longer', async () => {
  const browser = await signedIn(bed);
  await allowed(browser, await stranger.begin());
  const again = await tokensOf(browser, await stranger.begin());
  expect(again.claims()?.aud).toBe('stranger');
  await asked(await signedIn(bed), await stranger.begin());
});

it('[PR-20] what was not asked for before is asked for now', async () => {
  const browser = await signedIn(bed);
  await allowed(browser, await stranger.begin({ scope: 'openid' }));
  const more = await stranger.begin({ scope: 'openid email' });
  const tokens = await allowed(browser, more);
  expect(tokens.claims()?.email).toBe('ana@example.com');
  await asked(browser, await stranger.begin({ scope: 'openid wiki:read', resource: wiki }));
});

it('a no is told to the app as one, and the session stays', async () => {
  const browser = await signedIn(bed);
  const request = await stranger.begin();
  const page = await asked(browser, request);
  const { location } = await settle(browser, await press(browser, page, 'deny'));
  expect(answerOf(location)).toMatchObject({ error: 'access_denied', iss: bed.issuer });
  const house = await createParty(bed);
  expect((await tokensOf(browser, await house.begin())).claims()?.aud).toBe('first');
  await asked(browser, await stranger.begin());
});

it('[PR-20] prompt=none does not answer in the place of the person', async () => {
  const browser = await signedIn(bed);
  const silent = await browser.get(await changed(stranger, { prompt: 'none' }));
  expect(answerOf(silent.location).error).toBe('consent_required');
});

it('[PR-20] [PR-13] what one person allowed another has not', async () => {
  const browser = await signedIn(bed);
  await allowed(browser, await stranger.begin());
  await asked(await signedIn(bed, 'ben@example.com'), await stranger.begin());
});

it('[PL-12] a yes from another site or another browser does nothing', async () => {
  const browser = await signedIn(bed);
  const page = await asked(browser, await stranger.begin());
  const allow = formsOf(page)[0]?.actions.find((address) => address.endsWith('/allow')) ?? '';
  const foreign = await browser.request(allow, {
    method: 'POST',
    headers: { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' },
  });
  expect(foreign.status).toBe(403);
  const other = await signedIn(bed, 'ben@example.com');
  expect((await other.post(allow)).status).toBe(400);
  expect(heading(await browser.get(page.url))).toBe('Share this with Stranger?');
});

it('an app of the house is not asked about, even when it is a native one', async () => {
  const native = await createParty(bed, 'native');
  const { location } = await (await signedIn(bed)).get((await native.begin()).url);
  expect(answerOf(location)).toHaveProperty('code');
});
