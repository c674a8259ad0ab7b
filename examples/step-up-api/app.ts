/** An app that calls the API for its person, and has them sign in better when the API asks for it, once. See README.md. */
import { createServer } from 'node:http';
import * as oidc from 'openid-client';

const { ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', PORT = '3003' } = process.env;
const { API = '', AUDIENCE = '' } = process.env;
const issuer = new URL(ISSUER);
const home = `http://localhost:${PORT}`;
// Without TLS the library talks to a provider on this machine only when it is told to.
const execute = issuer.hostname === '127.0.0.1' ? [oidc.allowInsecureRequests] : [];
const secret = oidc.ClientSecretBasic(CLIENT_SECRET);
const provider = await oidc.discovery(issuer, CLIENT_ID, undefined, secret, { execute });

/** A sign-in that is under way: what comes back is compared with it, and `path` is asked for again. */
interface SignIn {
  path: string;
  /** What the API found fault with since the person asked. No fault is answered twice, so nothing goes in circles. */
  faults: readonly string[];
  checks: oidc.AuthorizationCodeGrantChecks;
}

interface Session {
  accessToken?: string;
  signIn?: SignIn;
}

type Challenge = oidc.WWWAuthenticateChallenge['parameters'];
type Answer = { location: string } | { status: number; text: string };

const sessions = new Map<string, Session>();

async function signIn(
  session: Session,
  path: string,
  faults: readonly string[],
  { acr_values: acrValues, max_age: maxAge }: Challenge = {},
): Promise<Answer> {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  session.signIn = {
    ...{ path, faults },
    checks: {
      ...{ pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce },
      // With it the library also looks at `auth_time` of what comes back.
      ...(maxAge === undefined ? {} : { maxAge: Number(maxAge) }),
    },
  };
  const url = oidc.buildAuthorizationUrl(provider, {
    ...{ redirect_uri: `${home}/callback`, scope: 'openid notes', resource: AUDIENCE },
    ...{ state, nonce, code_challenge_method: 'S256' },
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    ...(acrValues === undefined ? {} : { acr_values: acrValues }),
    ...(maxAge === undefined ? {} : { max_age: maxAge }),
  });
  return { location: url.href };
}

async function call(
  session: Session,
  path: string,
  faults: readonly string[] = [],
): Promise<Answer> {
  if (session.accessToken === undefined) return signIn(session, path, faults);
  try {
    const url = new URL(path, API);
    const reply = await oidc.fetchProtectedResource(provider, session.accessToken, url, 'GET');
    return { status: reply.status, text: await reply.text() };
  } catch (error) {
    if (!(error instanceof oidc.WWWAuthenticateChallengeError)) throw error;
    const challenge = error.cause.find(({ scheme }) => scheme === 'bearer')?.parameters ?? {};
    const { error: fault = 'no reason' } = challenge;
    // A token that is out of date takes a new one, for which a person who is signed in with the provider is asked nothing.
    const canHelp = ['invalid_token', 'insufficient_user_authentication'].includes(fault);
    if (canHelp && !faults.includes(fault)) {
      return signIn(session, path, [...faults, fault], challenge);
    }
    return { status: 403, text: `The API refused: ${fault}` };
  }
}

async function finish(session: Session, url: URL): Promise<Answer> {
  const { signIn: begun } = session;
  delete session.signIn;
  if (!begun) return { status: 400, text: 'Nobody here is signing in' };
  const tokens = await oidc.authorizationCodeGrant(provider, url, begun.checks);
  session.accessToken = tokens.access_token;
  return call(session, begun.path, begun.faults);
}

function route(session: Session, url: URL): Promise<Answer> | Answer {
  if (url.pathname === '/callback') return finish(session, url);
  if (['/notes', '/vault'].includes(url.pathname)) return call(session, url.pathname);
  return { status: 404, text: 'There are /notes and /vault' };
}

const server = createServer((req, res) => {
  const [, id = ''] = /(?:^|; )example=([\w-]+)/.exec(req.headers.cookie ?? '') ?? [];
  const session = sessions.get(id) ?? {};

  const answer = async (): Promise<void> => {
    const answered = await route(session, new URL(req.url ?? '/', home));
    // A new name after each step: nobody can have a person sign in under a name that they know.
    sessions.delete(id);
    const next = oidc.randomState();
    sessions.set(next, session);
    res.setHeader('set-cookie', `example=${next}; Path=/; HttpOnly; SameSite=Lax`);
    if ('location' in answered) res.writeHead(303, { location: answered.location }).end();
    else res.writeHead(answered.status, { 'content-type': 'text/plain' }).end(answered.text);
  };
  answer().catch((error: unknown) => res.writeHead(400).end(`Not signed in: ${String(error)}`));
});
server.listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`open ${home}\n`));
