import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
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
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import { answerOf, basic, changed, newRequest, post, signedIn } from './support.ts';

let bed: Testbed;
let party: Party;
let ana: TestBrowser;

beforeAll(async () => {
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    clock: () => Date.now(),
    clients: [
      {
        client_id: 'pushing',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
        require_pushed_authorization_requests: true,
        first_party: true,
      },
    ],
  });
  party = await createParty(bed);
  ana = await signedIn(bed);
});
afterAll(() => bed.close());
afterEach(() => {
  vi.useRealTimers();
});

async function push(more: Record<string, string> = {}) {
  const { parameters, checks } = await newRequest(more);
  const url = await oidc.buildAuthorizationUrlWithPAR(party.config, parameters);
  return { url, checks };
}

it('[PR-06] it becomes tokens, and only its name travels by the browser', async () => {
  const { url, checks } = await push();
  expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri']);
  const { location = '' } = await ana.get(url.href);
  const tokens = await oidc.authorizationCodeGrant(party.config, new URL(location), checks);
  expect(tokens.claims()?.acr).toBe('urn:didit-oidc:acr:selfie:test');
});

it('[PR-06] it is used once', async () => {
  const { url } = await push();
  expect(answerOf((await ana.get(url.href)).location)).toHaveProperty('code');
  await refused(ana, url.href);
});

it('[PR-06] [PR-30] it survives the selfie, and no cookie carries what it says', async () => {
  const browser = createBrowser();
  const { url, checks } = await push({ login_hint: 'ana@example.com', scope: 'openid email' });
  const finish = (callback: string): ReturnType<typeof oidc.authorizationCodeGrant> =>
    oidc.authorizationCodeGrant(party.config, new URL(callback), checks);
  const callback = await signIn(browser, { url: url.href, finish });
  expect((await finish(callback)).claims()?.email).toBe('ana@example.com');
  await refused(browser, url.href);
  const cookies = await browser.jar.getCookies(bed.issuer);
  for (const { value } of cookies) expect(value).toMatch(/^[\w-]+$/);
  expect(JSON.stringify(cookies)).not.toContain('example.com');
});

it('[PR-06] of two sign-ins that it began one gets an answer', async () => {
  const { url } = await push();
  const request = { url: url.href, finish: () => Promise.reject(new Error('not used')) };
  const [anas, bens] = [createBrowser(), createBrowser()];
  const selfies = [
    [anas, await toSelfie(anas, request, 'ana@example.com')],
    [bens, await toSelfie(bens, request, 'ben@example.com')],
  ] as const;
  const answers = [];
  for (const [browser, didit] of selfies) {
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    answers.push(await settle(browser, await press(browser, ready, 'resume')));
  }
  expect(answerOf(answers[0]?.location)).toHaveProperty('code');
  expect(answerOf(answers[1]?.location)).toMatchObject({ error: 'invalid_request_uri' });
  expect(answers[1]?.location).not.toContain('code=');
});

it('[PR-06] of three answers that are asked for at once it is worth one, each time', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { url } = await push();
    const tabs = await Promise.all([1, 2, 3].map(() => ana.get(url.href)));
    expect(tabs.filter(({ location }) => location?.includes('code='))).toHaveLength(1);
    for (const { location, status } of tabs) {
      // The person is told, or the app, by how far it had come.
      const error = location === undefined ? status : answerOf(location).error;
      expect([undefined, 400, 'invalid_request_uri']).toContain(error);
    }
  }
});

it('[PR-06] it begins three sign-ins and no fourth, in however many browsers', async () => {
  const { url } = await push();
  for (const browser of [createBrowser(), createBrowser(), createBrowser()]) {
    expect((await browser.get(url.href)).location).toContain('/interaction/');
  }
  const fourth = await createBrowser().get(url.href);
  expect(answerOf(fourth.location)).toMatchObject({ error: 'invalid_request_uri' });
  const { url: other } = await push();
  expect((await createBrowser().get(other.href)).location).toContain('/interaction/');
});

it('[PR-06] it is over after a minute, as the answer says', async () => {
  const { parameters } = await newRequest({ client_id: 'first' });
  const fields = { ...parameters, response_type: 'code' };
  const { json } = await post(`${bed.issuer}/request`, fields, basic('first', bed.clientSecret));
  expect(json.expires_in).toBe(60);
  const { url } = await push();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  await refused(ana, url.href);
});

it('[PR-06] it belongs to the client that pushed it', async () => {
  const { url } = await push();
  url.searchParams.set('client_id', 'second');
  await refused(ana, url.href);
});

it('[PR-06] what stands beside it in the address changes nothing', async () => {
  const { url, checks } = await push();
  url.searchParams.set('redirect_uri', 'http://evil.example/');
  url.searchParams.set('state', 'injected');
  url.searchParams.set('scope', 'openid email');
  const { location = '' } = await ana.get(url.href);
  expect(new URL(location).host).toBe('localhost:9');
  expect(answerOf(location).state).toBe(checks.expectedState);
  const tokens = await oidc.authorizationCodeGrant(party.config, new URL(location), checks);
  expect(tokens.scope).toBe('openid');
});

it('[PR-06] a client that has to push is refused when it does not', async () => {
  const pushing = await createParty(bed, 'spa');
  const url = await changed(pushing, { client_id: 'pushing', redirect_uri: redirectUri });
  const { location } = await ana.get(url);
  expect(answerOf(location)).toMatchObject({ error: 'invalid_request' });
  expect(answerOf(location)).not.toHaveProperty('code');
  const fields = { client_id: 'pushing', response_type: 'code' };
  const { parameters } = await newRequest();
  const pushed = await post(`${bed.issuer}/request`, { ...parameters, ...fields });
  expect(pushed.status).toBe(201);
  const query = new URLSearchParams({
    client_id: 'pushing',
    request_uri: String(pushed.json.request_uri),
  });
  const { location: back } = await ana.get(`${bed.issuer}/auth?${query.toString()}`);
  expect(answerOf(back)).toHaveProperty('code');
});

it('[PR-06] [PR-16] nothing is taken from a client that does not say who it is', async () => {
  const { parameters } = await newRequest();
  const fields = { ...parameters, client_id: 'first', response_type: 'code' };
  expect((await post(`${bed.issuer}/request`, fields)).status).toBe(401);
  const wrong = basic('first', `${bed.clientSecret}x`);
  expect((await post(`${bed.issuer}/request`, fields, wrong)).status).toBe(401);
});

it('[PR-08] a request by reference or unsigned is not fetched and not believed', async () => {
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  const claims = Buffer.from(JSON.stringify({ scope: 'openid email', iss: 'first' }));
  const unsigned = `${none}.${claims.toString('base64url')}.`;
  for (const changes of [{ request_uri: 'https://evil.example/jar' }, { request: unsigned }]) {
    const { status, location = '' } = await ana.get(await changed(party, changes));
    expect(status === 400 || answerOf(location).error !== undefined).toBe(true);
    expect(location).not.toContain('code=');
  }
});

/** The library cannot know whose request it was, so the person is told, not a relying party. */
async function refused(browser: TestBrowser, url: string): Promise<void> {
  const answer = await browser.get(url);
  expect(answer).toMatchObject({ status: 400, location: undefined });
  expect(heading(answer)).toBe('The app asked for something we cannot do');
}
