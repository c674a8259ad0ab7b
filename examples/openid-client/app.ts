/** A relying party in forty lines: openid-client does the protocol. See README.md. */
import { createServer } from 'node:http';
import * as oidc from 'openid-client';

const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', PORT = '3003' } = process.env;
const issuer = new URL(ISSUER);
const home = `http://localhost:${PORT}`;
// Without TLS the library talks to a provider on this machine only when it is told to.

const execute = issuer.hostname === '127.0.0.1' ? [oidc.allowInsecureRequests] : [];
const secret = oidc.ClientSecretBasic(CLIENT_SECRET);
const provider = await oidc.discovery(issuer, CLIENT_ID, undefined, secret, { execute });

// One person at a time: a real application keeps these in the session of its own cookie.
let expected = { expectedState: '', expectedNonce: '', pkceCodeVerifier: '' };

async function signIn(): Promise<URL> {
  expected = {
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
  };
  return oidc.buildAuthorizationUrl(provider, {
    redirect_uri: `${home}/callback`,
    scope: 'openid profile email',
    state: expected.expectedState,
    nonce: expected.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(expected.pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
}

const server = createServer((req, res) => {
  const answer = async (): Promise<void> => {
    const url = new URL(req.url ?? '/', home);
    if (url.pathname === '/')
      return void res.writeHead(303, { location: (await signIn()).href }).end();
    if (url.pathname !== '/callback') return void res.writeHead(404).end();
    const tokens = await oidc.authorizationCodeGrant(provider, url, expected);
    // `acr` says that it was a selfie, `auth_time` when.
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(tokens.claims()));
  };
  answer().catch((error: unknown) => res.writeHead(400).end(`Not signed in: ${String(error)}`));
});
server.listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`open ${home}\n`));
