/**
 * What the conformance suite will do first, done by ourselves with the very files that a run of it
 * uses. Only the addresses differ: no TLS, free ports.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type App, createApp } from '../../src/app.ts';
import { generateJwks, randomKey } from '../../src/config/keys.ts';
import { loadConfig } from '../../src/config/load.ts';
import { parseClients } from '../../src/oidc/clients.ts';
import { withDevelopmentKeys } from '../../src/ops/cli/serve.ts';
import { type Simulator, createSimulator } from '../../src/simulator/simulator.ts';
import { createLog } from '../../src/web/telemetry.ts';
import { basic, overHttp, post } from '../oidc/support.ts';
import { type Answer, type TestBrowser, createBrowser, formsOf } from '../support/browser.ts';
import { heading, press, takeSelfie, whileWaiting } from '../support/login.ts';
import { freePort } from '../support/ports.ts';
import { accountsFile } from '../support/testbed.ts';

const suite = 'https://localhost.emobix.co.uk:8443/test/a/didit-oidc/';
const callback = `${suite}callback`;

interface ClientsFile {
  clients: { client_id: string; client_secret?: string; jwks?: jose.JSONWebKeySet }[];
}

let app: App;
let simulator: Simulator;
let issuer: URL;
let file: ClientsFile;
/** In the place of the one that whoever runs the suite makes. */
let suiteKey: jose.GenerateKeyPairResult;

beforeAll(async () => {
  const [apiKey, webhookSecret, port] = [randomKey(), randomKey(), await freePort()];
  issuer = new URL(`http://127.0.0.1:${port}`);
  simulator = await createSimulator({
    apiKeys: { sandbox: [apiKey] },
    webhookSecret,
    webhookUrl: `${issuer.origin}/webhooks/didit`,
    webhookDelayMs: 0,
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  const { config } = loadConfig({
    fileName: fileURLToPath(new URL('../../config/conformance.yaml', import.meta.url)),
    env: {},
    flags: {
      ...{ issuer: issuer.origin, port, accountsFile },
      management: { port: 0 },
      didit: {
        ...{ apiKey, webhookSecrets: [webhookSecret] },
        ...{ apiBaseUrl: simulatorUrl, hostedOrigins: [simulatorUrl] },
      },
    },
  });
  suiteKey = await jose.generateKeyPair('ES256', { extractable: true });
  file = parse(readFileSync(config.clientsFile ?? '', 'utf8')) as ClientsFile;
  const jwks = { keys: [await jose.exportJWK(suiteKey.publicKey)] };
  for (const client of file.clients) if (client.jwks) client.jwks = jwks;
  app = await createApp({
    config: await withDevelopmentKeys(config),
    jwks: await generateJwks(),
    clients: parseClients(JSON.stringify(file)),
    log: createLog('silent'),
  });
  await app.listen();
});
afterAll(async () => {
  await app.close();
  await simulator.close();
});

it('the file as it is can be read, and holds the clients that the plans need', () => {
  const name = new URL('../../config/conformance-clients.yaml', import.meta.url);
  const { clients } = parseClients(readFileSync(name, 'utf8'));
  expect(clients.map(({ client_id }) => client_id)).toEqual([
    'conformance-basic',
    'conformance-basic-2',
    'conformance-post',
    'conformance-private-key-jwt',
    'conformance-fapi',
    'conformance-fapi-2',
  ]);
});

it('Basic OP: a static client signs in without PKCE, and the second one after it', async () => {
  const browser = createBrowser();
  const first = await party('conformance-basic', oidc.ClientSecretBasic);
  const tokens = await signIn(browser, first, { scope: 'openid profile email' });
  expect(tokens.claims()).toMatchObject({ aud: 'conformance-basic', email: 'ana@example.com' });
  const { sub = '' } = tokens.claims() ?? {};
  expect((await oidc.fetchUserInfo(first, tokens.access_token, sub)).sub).toBe(sub);
  const second = await party('conformance-basic-2', oidc.ClientSecretBasic);
  expect((await signIn(browser, second, {})).claims()?.sub).toBe(sub);
});

it('Basic OP: a redirect address may have a query of its own', async () => {
  const redirectUri = `${callback}?dummy1=lorem&dummy2=ipsum`;
  const second = await party('conformance-basic-2', oidc.ClientSecretBasic);
  const { url } = request(second, { redirect_uri: redirectUri });
  const { location = '' } = await toCallback(createBrowser(), url);
  const { code = '', ...rest } = Object.fromEntries(new URL(location).searchParams);
  expect(rest).toMatchObject({ dummy1: 'lorem', dummy2: 'ipsum', iss: issuer.origin });
  // By hand: the client library leaves the query out when it exchanges the code.
  const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
  const headers = basic('conformance-basic-2', secretOf('conformance-basic-2') ?? '');
  const { status, json } = await post(`${issuer.origin}/token`, fields, headers);
  expect(status).toBe(200);
  expect(json).toHaveProperty('id_token');
});

it('Basic OP: client_secret_post', async () => {
  const client = await party('conformance-post', oidc.ClientSecretPost);
  const tokens = await signIn(createBrowser(), client, {});
  expect(tokens.claims()?.aud).toBe('conformance-post');
});

it('Basic OP: private_key_jwt', async () => {
  const key = () => oidc.PrivateKeyJwt(suiteKey.privateKey);
  const tokens = await signIn(createBrowser(), await party('conformance-private-key-jwt', key), {});
  expect(tokens.claims()?.aud).toBe('conformance-private-key-jwt');
});

it('Form Post OP', async () => {
  const client = await party('conformance-basic', oidc.ClientSecretBasic);
  const { url, checks } = request(client, { response_mode: 'form_post' });
  const page = await toCallback(createBrowser(), url);
  const [form] = formsOf(page);
  expect(form?.action).toBe(callback);
  const posted = new Request(callback, {
    method: 'POST',
    body: new URLSearchParams(form?.fields),
  });
  const tokens = await oidc.authorizationCodeGrant(client, posted, checks);
  expect(tokens.claims()?.aud).toBe('conformance-basic');
});

it('Dynamic OP: a client registers itself and signs somebody in', async () => {
  const client = await oidc.dynamicClientRegistration(
    issuer,
    { redirect_uris: [callback], client_name: 'Registered', response_types: ['code'] },
    undefined,
    { ...overHttp, algorithm: 'oidc' },
  );
  const tokens = await signIn(createBrowser(), client, {});
  expect(tokens.claims()?.aud).toBe(client.clientMetadata().client_id);
});

it('RP-initiated logout goes back to the suite', async () => {
  const client = await party('conformance-basic', oidc.ClientSecretBasic);
  const browser = createBrowser();
  const { id_token: hint = '' } = await signIn(browser, client, {});
  const page = await browser.get(
    oidc.buildEndSessionUrl(client, {
      ...{ id_token_hint: hint, state: 'x' },
      post_logout_redirect_uri: `${suite}post_logout_redirect`,
    }).href,
  );
  const [form] = formsOf(page);
  const done = await browser.post(form?.action ?? '', { ...form?.fields, logout: 'yes' });
  expect(done.location).toBe(`${suite}post_logout_redirect?state=x`);
});

it('[PR-29] FAPI 2.0: PAR, PKCE, private_key_jwt and DPoP, and nothing less', async () => {
  const client = await party('conformance-fapi', () => oidc.PrivateKeyJwt(suiteKey.privateKey));
  const DPoP = oidc.getDPoPHandle(client, await oidc.randomDPoPKeyPair('ES256'));
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const parameters = {
    ...{ redirect_uri: callback, scope: 'openid', state: expectedState },
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  const pushed = await oidc.buildAuthorizationUrlWithPAR(client, parameters, { DPoP });
  const { location = '' } = await toCallback(createBrowser(), pushed.href);
  const checks = { pkceCodeVerifier, expectedState };
  const back = new URL(location);
  const tokens = await oidc.authorizationCodeGrant(client, back, checks, undefined, { DPoP });
  expect(tokens.token_type).toBe('dpop');
  expect(jose.decodeProtectedHeader(tokens.id_token ?? '').alg).toBe('ES256');
  const { sub = '' } = tokens.claims() ?? {};
  expect((await oidc.fetchUserInfo(client, tokens.access_token, sub, { DPoP })).sub).toBe(sub);

  const direct = await createBrowser().get(oidc.buildAuthorizationUrl(client, parameters).href);
  expect(direct.location).not.toContain('/interaction/');
  const { code_challenge, code_challenge_method, ...without } = parameters;
  expect([code_challenge.length, code_challenge_method]).toEqual([43, 'S256']);
  const noChallenge = oidc.buildAuthorizationUrlWithPAR(client, without, { DPoP });
  await expect(noChallenge).rejects.toMatchObject({ error: 'invalid_request' });
});

function party(
  clientId: string,
  authenticate: (secret?: string) => oidc.ClientAuth,
): Promise<oidc.Configuration> {
  const alg = clientId.includes('fapi') ? { id_token_signed_response_alg: 'ES256' } : undefined;
  return oidc.discovery(issuer, clientId, alg, authenticate(secretOf(clientId)), overHttp);
}

function secretOf(clientId: string): string | undefined {
  return file.clients.find(({ client_id }) => client_id === clientId)?.client_secret;
}

function request(client: oidc.Configuration, more: Record<string, string>) {
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = oidc.buildAuthorizationUrl(client, {
    ...{ redirect_uri: callback, scope: 'openid', state: expectedState, nonce: expectedNonce },
    ...more,
  });
  return { url: url.href, checks: { expectedState, expectedNonce } };
}

async function signIn(
  browser: TestBrowser,
  client: oidc.Configuration,
  parameters: Record<string, string>,
): ReturnType<typeof oidc.authorizationCodeGrant> {
  const { url, checks } = request(client, parameters);
  const { location = '' } = await toCallback(browser, url);
  return oidc.authorizationCodeGrant(client, new URL(location), checks);
}

/** What the suite's browser does: answer each page that comes, until it is sent back. */
async function toCallback(browser: TestBrowser, url: string): Promise<Answer> {
  const settle = async (answer: Promise<Answer>): Promise<Answer> =>
    browser.follow(await answer, (to) => to.startsWith(suite));
  let page = await settle(browser.get(url));
  if (heading(page) === 'Sign in') {
    const context = await settle(press(browser, page, 'identify', { identifier: 'ana' }));
    const didit = await settle(press(browser, context, 'selfie'));
    const back = await settle(takeSelfie(browser, didit, 'approve'));
    page = await settle(press(browser, await whileWaiting(browser, back), 'resume'));
  }
  if (heading(page).startsWith('Share this with')) {
    page = await settle(press(browser, page, 'allow'));
  }
  return page;
}
