/** A relying party on oauth4webapi, which does each step by hand and checks all that it gets. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestBrowser, createBrowser } from '../support/browser.ts';
import { press, settle, takeSelfie, toSelfie, whileWaiting } from '../support/login.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

const loopback = { [oauth.allowInsecureRequests]: true };
const client: oauth.Client = { client_id: 'by-hand' };
const secret = 'a-secret-of-the-client-that-works-by-hand';
const authentication = oauth.ClientSecretBasic(secret);
const bye = 'http://localhost:9/bye';

let bed: Testbed;
let server: oauth.AuthorizationServer;
const logoutTokens: string[] = [];
const listener = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    logoutTokens.push(new URLSearchParams(body).get('logout_token') ?? '');
    response.end();
  });
});

beforeAll(async () => {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  bed = await startTestbed({
    clients: [
      {
        ...{ client_id: client.client_id, client_secret: secret, first_party: true },
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: [bye],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: `http://127.0.0.1:${port}/`,
        backchannel_logout_session_required: true,
        private_networks: ['127.0.0.1/32'],
      },
    ],
  });
  const issuer = new URL(bed.issuer);
  const discovered = await oauth.discoveryRequest(issuer, { ...loopback, algorithm: 'oidc' });
  server = await oauth.processDiscoveryResponse(issuer, discovered);
});
afterAll(async () => {
  listener.close();
  await bed.close();
});

it('signs in, asks who it is, refreshes, and signs out by both ways', async () => {
  const browser = createBrowser();
  const tokens = await signIn(browser);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  expect(claims).toMatchObject({ acr: 'urn:didit-oidc:acr:selfie:test', amr: ['face'] });

  const sub = claims?.sub ?? '';
  const asked = await oauth.userInfoRequest(server, client, tokens.access_token, loopback);
  const person = await oauth.processUserInfoResponse(server, client, sub, asked);
  expect(person.email).toBe('ana@example.com');

  const refreshed = await oauth.processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(
      server,
      client,
      authentication,
      tokens.refresh_token ?? '',
      loopback,
    ),
  );
  expect(refreshed.access_token).not.toBe(tokens.access_token);

  const leave = new URL(server.end_session_endpoint ?? '');
  leave.searchParams.set('id_token_hint', tokens.id_token ?? '');
  leave.searchParams.set('post_logout_redirect_uri', bye);
  leave.searchParams.set('state', 'see-you');
  const page = await browser.get(leave.href);
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
  const left = await browser.post(`${bed.issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
  expect(left.location).toBe(`${bye}?state=see-you`);

  await soon(() => expect(logoutTokens).toHaveLength(1));
  const keys = createRemoteJWKSet(new URL(server.jwks_uri ?? ''));
  const { payload } = await jwtVerify(logoutTokens[0] ?? '', keys, {
    ...{ issuer: server.issuer, audience: client.client_id, typ: 'logout+jwt' },
  });
  expect(payload).toMatchObject({ sub, sid: claims?.sid });
});

/** Every check is the library's: the state, the nonce, and `iss` in the answer. */
async function signIn(browser: TestBrowser): Promise<oauth.TokenEndpointResponse> {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(server.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    ...{ client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code' },
    ...{ scope: 'openid email', state, nonce, code_challenge_method: 'S256' },
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  }).toString();
  const request = { url: url.href, finish: () => Promise.reject(new Error('done by hand')) };
  const didit = await toSelfie(browser, request);
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  const ready = await whileWaiting(browser, back);
  const done = await settle(browser, await press(browser, ready, 'resume'));
  const answer = oauth.validateAuthResponse(server, client, new URL(done.location ?? ''), state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authentication,
    answer,
    redirectUri,
    verifier,
    loopback,
  );
  return oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  });
}
