/** A day of a provider, on which everything happens that leaves something behind, and all that must not be read of it. */
import { readFileSync } from 'node:fs';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { expect } from 'vitest';
import { apiKey, type overhear } from '../didit/support.ts';
import { createOtherParty, newRequest } from '../oidc/support.ts';
import { type TestBrowser, chromeOnLinux, formTokenFor, formsOf } from '../support/browser.ts';
import {
  createBrowser,
  createParty,
  interactionOf,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, redirectUri, webhookSecret } from '../support/testbed.ts';

export const registrationToken = 'the-token-with-which-clients-register-themselves';

/** Is to be told of logouts, and never can be: what it should hear stays in the queue. */
export const toldClient = {
  client_id: 'told',
  client_name: 'Told',
  redirect_uris: [redirectUri],
  token_endpoint_auth_method: 'none',
  first_party: true,
  backchannel_logout_uri: 'https://127.0.0.1:9/logout',
  backchannel_logout_session_required: true,
};

export interface Day {
  bed: Testbed;
  /** By name; bytes that are no text are written as latin1. */
  secrets: Map<string, string>;
  /** What is good to the end. */
  still: { clientId: string; here: string; expectAllGood: () => Promise<void> };
}

export async function liveThrough(
  bed: Testbed,
  overheard: ReturnType<typeof overhear>,
): Promise<Day> {
  const secrets = new Map<string, string>();
  const keep = (name: string, secret: string | undefined | null): void => {
    expect(secret?.length, name).toBeGreaterThanOrEqual(8);
    secrets.set(secrets.has(name) ? `${name} ${secrets.size}` : name, secret ?? '');
  };
  keep('the API key', apiKey);
  keep('the webhook secret', webhookSecret);
  keep('the secret of a client', bed.clientSecret);
  keep('the token of registrations', registrationToken);
  keep('what a browser calls itself', chromeOnLinux);
  for (const name of ['ana', 'ben', 'chiyo', 'decoy']) {
    const file = new URL(`../../config/demo/${name}.png`, import.meta.url);
    keep('a face', readFileSync(file).subarray(100, 160).toString('latin1'));
    if (name !== 'decoy') keep('an address', `${name}@example.com`);
  }

  const party = await createParty(bed);
  const keepCookies = async (browser: TestBrowser): Promise<void> => {
    for (const { key, value } of await browser.jar.getCookies(bed.issuer, { allPaths: true })) {
      keep(`the cookie ${key}`, value);
    }
  };
  const keepRequest = (url: string): void => {
    const { searchParams } = new URL(url);
    keep('a state', searchParams.get('state'));
    keep('a nonce', searchParams.get('nonce'));
    keep('a challenge', searchParams.get('code_challenge'));
  };
  const keepTokens = (tokens: oidc.TokenEndpointResponse): void => {
    keep('an access token', tokens.access_token);
    if (tokens.id_token) keep('an ID token', tokens.id_token);
    const [family, second] = tokens.refresh_token?.split('.') ?? [];
    if (tokens.refresh_token) keep('a refresh token', tokens.refresh_token);
    if (family) keep('a refresh token, its first half', family);
    if (second) keep('a refresh token, its second half', second);
  };
  const keepCapture = (): void => {
    const { body, diditSessionId, url } = overheard.latest();
    keep('a person at Didit', body.vendor_data);
    keep('a Didit session', diditSessionId);
    keep('a link to Didit', url.split('/').at(-1));
    keep('the secret of a way back', body.callback.split('/').at(-1));
    keep('a nonce for Didit', (body['metadata'] as { nonce: string }).nonce);
  };

  // Ana signs in, and her app renews its tokens.
  const ana = createBrowser();
  const first = await party.begin({ login_hint: 'hint-of-somebody@example.com' });
  keep('a hint', 'hint-of-somebody@example.com');
  keepRequest(first.url);
  const callback = await signIn(ana, first);
  keepCapture();
  keep('a code that was used', new URL(callback).searchParams.get('code'));
  const before = await first.finish(callback);
  keepTokens(before);
  keep('an account', before.claims()?.sub);
  const tokens = await oidc.refreshTokenGrant(party.config, before.refresh_token ?? '');
  keepTokens(tokens);

  // She allows an app that is not of the house, and one that registered itself; one request is only pushed.
  const guest = await createParty(bed, 'stranger');
  const asked = await guest.begin();
  const consent = await settle(ana, await ana.get(asked.url));
  const allowed = await settle(ana, await press(ana, consent, 'allow'));
  keepTokens(await asked.finish(allowed.location ?? ''));
  const registered = await register(bed);
  keep('the name of a registered client', registered.client_id);
  keep('the secret of a registered client', registered.client_secret);
  keep('the token of a registered client', registered.registration_access_token);
  const { parameters } = await newRequest();
  const pushed = await oidc.buildAuthorizationUrlWithPAR(party.config, parameters);
  keep('a pushed request', pushed.searchParams.get('request_uri')?.split(':').at(-1));

  // Ben is declined, and his link then comes back in the browser of somebody else.
  const ben = createBrowser();
  const declined = await toSelfie(ben, await party.begin(), 'ben@example.com');
  keepCapture();
  const back = await settle(ben, await takeSelfie(ben, declined, 'decline'));
  await whileWaiting(ben, back);
  const forwarded = await toSelfie(createBrowser(), await party.begin(), 'ben@example.com');
  keepCapture();
  await takeSelfie(createBrowser(), forwarded, 'approve').then(({ location = '' }) =>
    createBrowser().get(location),
  );
  await keepCookies(ben);

  // Nobody has this name, and somebody signs out of everything.
  await toSelfie(createBrowser(), await party.begin(), 'nobody-of-that-name@example.com');
  keep('a name without an account', 'nobody-of-that-name@example.com');
  keepCapture();
  keep('a session id', await leave(bed, keepTokens));

  // Chiyo stands before the camera, and Ana holds a code that she has not used.
  const chiyo = createBrowser();
  const waiting = await party.begin();
  keepRequest(waiting.url);
  await toSelfie(chiyo, waiting, 'chiyo@example.com');
  keepCapture();
  const here = await interactionOf(chiyo, bed);
  keep('a sign-in', here.split('/').at(-1));
  keep('the token of a form', formTokenFor(here)['form_token']);
  await keepCookies(chiyo);
  await keepCookies(ana);
  const unused = await party.begin();
  const { location: unusedCallback = '' } = await ana.get(unused.url);
  keep('a code', new URL(unusedCallback).searchParams.get('code'));

  return {
    ...{ bed, secrets },
    still: {
      clientId: registered.client_id ?? '',
      here: new URL(here).pathname,
      async expectAllGood() {
        expect((await unused.finish(unusedCallback)).access_token).toBeDefined();
        const about = await oidc.tokenIntrospection(party.config, tokens.access_token);
        expect(about.active).toBe(true);
        const again = await oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
        expect(again.access_token).toBeDefined();
        expect((await chiyo.get(here)).status).toBe(200);
        expect((await ana.get((await party.begin()).url)).location).toContain('code=');
      },
    },
  };
}

async function register({ issuer }: Testbed): Promise<Record<string, string>> {
  const answer = await fetch(`${issuer}/reg`, {
    method: 'POST',
    body: JSON.stringify({ application_type: 'native', redirect_uris: [redirectUri] }),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${registrationToken}` },
  });
  return (await answer.json()) as Record<string, string>;
}

/**
 * Ana, elsewhere, goes to the app that cannot be told, and out of everything again.
 * @returns what the app should have been told of: the session by its name there.
 */
async function leave(
  bed: Testbed,
  keepTokens: (tokens: oidc.TokenEndpointResponse) => void,
): Promise<string> {
  const browser = createBrowser();
  const request = await (await createParty(bed)).begin();
  keepTokens(await request.finish(await signIn(browser, request)));
  const config = await createOtherParty(bed, 'told', oidc.None());
  const { parameters, checks } = await newRequest();
  const { location = '' } = await browser.get(oidc.buildAuthorizationUrl(config, parameters).href);
  const tokens = await oidc.authorizationCodeGrant(config, new URL(location), checks);
  keepTokens(tokens);
  const [form] = formsOf(await browser.get(`${bed.issuer}/session/end`));
  const done = await browser.post(form?.action ?? '', { ...form?.fields, logout: 'yes' });
  expect(done.status).toBe(303);
  return String(jose.decodeJwt(tokens.id_token ?? '').sid);
}
