/** A whole login, step by step, by a real relying party library and a browser with a cookie jar. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as oidc from 'openid-client';
import { type Answer, type TestBrowser, createBrowser, formsOf } from './browser.ts';
import { type Testbed, redirectUri } from './testbed.ts';

export type Outcome =
  'approve' | 'decline' | 'spoof' | 'review' | 'abandon' | 'low-score' | 'no-match';

export interface Party {
  config: oidc.Configuration;
  /** A new authorization request. */
  begin(parameters?: Record<string, string>): Promise<PartyRequest>;
}

export interface PartyRequest {
  url: string;
  /** The code in the redirect becomes tokens; every check that the library knows is made. */
  finish(
    callbackUrl: string,
  ): Promise<oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers>;
}

export async function createParty(
  { issuer, clientSecret }: Pick<Testbed, 'issuer' | 'clientSecret'>,
  clientId = 'first',
  redirect = redirectUri,
): Promise<Party> {
  const config = await oidc.discovery(
    new URL(issuer),
    clientId,
    undefined,
    clientId === 'spa' ? oidc.None() : oidc.ClientSecretBasic(clientSecret),
    { execute: [oidc.allowInsecureRequests] },
  );
  return {
    config,
    async begin(parameters = {}) {
      const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
      const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirect,
        scope: 'openid profile email',
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        ...{ state, nonce },
        ...parameters,
      });
      const maxAge = parameters.max_age;
      return {
        url: url.href,
        finish: (callbackUrl) =>
          oidc.authorizationCodeGrant(config, new URL(callbackUrl), {
            ...{ pkceCodeVerifier, expectedState: state, expectedNonce: nonce },
            ...(maxAge === undefined ? {} : { maxAge: Number(maxAge) }),
          }),
      };
    },
  };
}

export const isCallback = (url: string): boolean => url.startsWith('http://localhost:9/');

/** The address of the login that this browser is in the middle of. */
export async function interactionOf(
  { jar }: TestBrowser,
  { issuer }: Pick<Testbed, 'issuer'>,
): Promise<string> {
  const cookies = await jar.getCookies(issuer, { allPaths: true });
  return issuer + (cookies.find(({ key }) => key === '_interaction')?.path ?? '');
}

/** Follows redirects to a page of the provider or of Didit, or to the relying party's door. */
export function settle(browser: TestBrowser, answer: Answer): Promise<Answer> {
  return browser.follow(answer, isCallback);
}

export function heading(answer: Answer): string {
  return (/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(answer.text)?.[1] ?? '').replace(/<[^>]+>/g, '').trim();
}

/** Presses the button of a page that leads to the named step. */
export function press(
  browser: TestBrowser,
  page: Answer,
  step: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const action = formsOf(page)
    .flatMap(({ actions }) => actions)
    .find((address) => address.endsWith(`/${step}`));
  if (action === undefined) throw new Error(`no button "${step}" on "${heading(page)}"`);
  return browser.post(action, fields);
}

/** As far as Didit's page: what a person does before the selfie. */
export async function toSelfie(
  browser: TestBrowser,
  request: PartyRequest,
  identifier = 'ana@example.com',
): Promise<Answer> {
  const identify = await settle(browser, await browser.get(request.url));
  const context = await settle(browser, await press(browser, identify, 'identify', { identifier }));
  return settle(browser, await press(browser, context, 'selfie'));
}

/** Presses a button on Didit's page. @returns its answer, whose location is the way back. */
export function takeSelfie(browser: TestBrowser, page: Answer, outcome: Outcome): Promise<Answer> {
  return browser.post(page.url, { outcome });
}

/** Looks again, as the waiting page does, until something else is shown. */
export async function whileWaiting(browser: TestBrowser, page: Answer): Promise<Answer> {
  let current = page;
  for (let looks = 0; heading(current) === 'Checking your selfie'; looks += 1) {
    if (looks > 400) throw new Error('the verdict does not come');
    await sleep(25);
    current = await browser.get(page.url);
  }
  return current;
}

/** Everything from the relying party's request to its callback. @returns the callback's address. */
export async function signIn(
  browser: TestBrowser,
  request: PartyRequest,
  identifier?: string,
): Promise<string> {
  const didit = await toSelfie(browser, request, identifier);
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  const ready = await whileWaiting(browser, back);
  const done = await settle(browser, await press(browser, ready, 'resume'));
  if (done.location === undefined) throw new Error(`no redirect but "${heading(done)}"`);
  return done.location;
}

export { createBrowser };
