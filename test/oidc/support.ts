/**
 * oidc/ meets the provider as relying parties do: through openid-client where it is willing, by
 * hand-made requests where an old or a hostile program would make them. This file is what the tests
 * share.
 */
import * as oidc from 'openid-client';
import { expect } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import {
  type Party,
  type PartyRequest,
  createBrowser,
  createParty,
  signIn,
} from '../support/login.ts';
import { type Testbed, redirectUri } from '../support/testbed.ts';

export interface Reply {
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}

/** A form post as programs send it. */
export async function post(
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(fields),
    headers,
  });
  return reply(response);
}

export async function reply(response: Response): Promise<Reply> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, json };
}

export function basic(clientId: string, secret: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` };
}

export function bearer(token: string, scheme = 'Bearer'): { authorization: string } {
  return { authorization: `${scheme} ${token}` };
}

export function userinfo(bed: Testbed, token: string): Promise<Reply> {
  return fetch(`${bed.issuer}/me`, { headers: bearer(token) }).then(reply);
}

/** Lets openid-client speak without TLS, on the loopback. */

export const overHttp = { execute: [oidc.allowInsecureRequests] };

/** A relying party that authenticates in another way than with the shared secret. */
export async function createOtherParty(
  bed: Pick<Testbed, 'issuer'>,
  clientId: string,
  authentication: oidc.ClientAuth,
  metadata: Partial<oidc.ClientMetadata> = {},
): Promise<oidc.Configuration> {
  const issuer = new URL(bed.issuer);
  const config = await oidc.discovery(issuer, clientId, metadata, authentication, overHttp);
  oidc.enableNonRepudiationChecks(config);
  return config;
}

export interface HandMade {
  parameters: Record<string, string>;
  checks: oidc.AuthorizationCodeGrantChecks;
}

/** The parameters of a request with PKCE, and what its answer is checked against. */
export async function newRequest(more: Record<string, string> = {}): Promise<HandMade> {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  return {
    parameters: {
      redirect_uri: redirectUri,
      scope: 'openid',
      state: expectedState,
      nonce: expectedNonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...more,
    },
    checks: { pkceCodeVerifier, expectedState, expectedNonce },
  };
}

/** The address of a request, with parameters changed or, where undefined, left out. */
export async function changed(
  party: Party,
  changes: Record<string, string | undefined>,
): Promise<string> {
  const url = new URL((await party.begin()).url);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.href;
}

/** What the relying party is told in the redirect. */
export function answerOf(location: string | undefined): Record<string, string> {
  expect(location).toMatch(/^http:\/\/([a-z]+\.)?localhost:9\/callback\?/);
  return Object.fromEntries(new URL(location ?? '').searchParams);
}

/** A browser with a session. One selfie serves a whole file of tests. */
export async function signedIn(bed: Testbed, identifier?: string): Promise<TestBrowser> {
  const browser = createBrowser();
  await signIn(browser, await (await createParty(bed)).begin(), identifier);
  return browser;
}

/** Tokens by single sign-on. */
export async function tokensOf(
  browser: TestBrowser,
  request: PartyRequest,
): ReturnType<PartyRequest['finish']> {
  const { location = '' } = await browser.get(request.url);
  return request.finish(location);
}

export async function selfiesAsked(bed: Testbed): Promise<number> {
  return (await bed.log()).calls.filter(({ operation }) => operation === 'create').length;
}
