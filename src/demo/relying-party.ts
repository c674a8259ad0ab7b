/**
 * demo/ is the sample relying party: "Acme Wiki", an application that adds this provider like any
 * other.
 *
 * It knows nothing of the rooms that make up the provider; it speaks OpenID Connect over HTTP, so
 * what works here works for a stranger. Read it to see what a relying party has to do, and what it
 * gets.
 */
import { createRemoteJWKSet, jwtVerify } from 'jose';
import Koa, { type Context } from 'koa';
import * as oidc from 'openid-client';
import rawBody from 'raw-body';
import type { WrittenMail } from '../domain/message.ts';
import { mailPage } from './mail-page.ts';
import {
  failurePage,
  homePage,
  type Hop,
  signedInPage,
  stylesheet,
} from './relying-party-pages.ts';
import { createLocalSessions, type LocalSessions } from './relying-party-sessions.ts';

export interface RelyingPartyOptions {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Where this is reached; its `/`, `/callback`, `/backchannel-logout` are registered. */
  baseUrl: string;
  /** The steps of a subject's last sign-in; a real application has no such window. */
  timeline(sub: string): Hop[] | undefined;
  /** What people were written, newest first: in the demo alone, where nobody has a mailbox. */
  mails?: () => readonly WrittenMail[];
  /** Identifiers that can sign in, offered on the home page. */
  people: readonly string[];
}

interface Party {
  options: RelyingPartyOptions;
  discover: () => Promise<oidc.Configuration>;
  sessions: LocalSessions;
  homeUrl: string;
  callbackUrl: string;
}

const routes: Readonly<Record<string, (party: Party, ctx: Context) => void | Promise<void>>> = {
  'GET /': home,
  'GET /login': login,
  'GET /callback': callback,
  'GET /logout': logout,
  'POST /backchannel-logout': backchannelLogout,
  'GET /mail': ({ options }, ctx) => {
    if (options.mails) ctx.body = mailPage(options.mails());
  },
  'GET /favicon.ico': (_party, ctx) => {
    ctx.status = 204;
  },
  'GET /style.css': (_party, ctx) => {
    ctx.type = 'css';
    ctx.body = stylesheet;
  },
};

export function createRelyingParty(options: RelyingPartyOptions): Koa {
  const party: Party = {
    options,
    discover: lazyDiscovery(options),
    sessions: createLocalSessions(),
    homeUrl: new URL('/', options.baseUrl).href,
    callbackUrl: new URL('/callback', options.baseUrl).href,
  };
  const app = new Koa();
  app.use(async function answer(ctx) {
    ctx.set('Content-Security-Policy', "default-src 'none'; style-src 'self'");
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.set('Cache-Control', 'no-store');
    const route = routes[`${ctx.method} ${ctx.path}`];
    if (route === undefined) return;
    ctx.type = 'html';
    try {
      await route(party, ctx);
    } catch (error) {
      answerFailure(ctx, error);
    }
  });
  return app;
}

function home({ options, sessions }: Party, ctx: Context): void {
  const { signedIn } = sessions.load(ctx);
  const hasMail = options.mails !== undefined;
  ctx.body = signedIn
    ? signedInPage(signedIn, options.timeline(signedIn.claims.sub), {
        ...{ hasMail, accountUrl: `${options.issuer}/account` },
      })
    : homePage(options.issuer, options.people, hasMail);
}

async function login({ discover, sessions, callbackUrl }: Party, ctx: Context): Promise<void> {
  const configuration = await discover();
  const { login_hint: loginHint, prompt, step } = ctx.query;
  const codeVerifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const nonce = oidc.randomNonce();
  sessions.save(ctx, { ...sessions.load(ctx), pending: { state, nonce, codeVerifier } });
  ctx.redirect(
    oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: callbackUrl,
      scope: 'openid profile email',
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
      ...(typeof loginHint === 'string' ? { login_hint: loginHint } : {}),
      // `create`: Initiating User Registration via OpenID Connect 1.0.
      ...(step === 'up' ? sensitive(configuration) : {}),
      ...(prompt === 'login' || prompt === 'create' ? { prompt } : {}),
    }).href,
  );
}

/**
 * More proof than a sign-in takes: liveness by a movement, in a browser that is known by its key. It is essential, so
 * the provider says no rather than less (OpenID Connect Core 5.5.1.1).
 */
function sensitive(configuration: oidc.Configuration): Record<string, string> {
  const supported = configuration.serverMetadata().acr_values_supported ?? [];
  const wanted = supported.filter((name) => name.includes(':acr:selfie-active'));
  const claims = { id_token: { acr: { essential: true, values: wanted } } };
  return { claims: JSON.stringify(claims) };
}

async function callback(party: Party, ctx: Context): Promise<void> {
  const { discover, sessions, callbackUrl, homeUrl } = party;
  const { pending, ...before } = sessions.load(ctx);
  if (!pending) {
    ctx.status = 400;
    ctx.body = failurePage('no_sign_in_under_way', 'This browser did not start a sign-in here.');
    return;
  }
  // Whatever comes of it, this answer is not asked for a second time.
  sessions.save(ctx, before);
  const configuration = await discover();
  const tokens = await oidc.authorizationCodeGrant(
    configuration,
    new URL(`${callbackUrl}?${ctx.querystring}`),
    {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.codeVerifier,
      idTokenExpected: true,
    },
  );
  const claims = tokens.claims();
  if (!claims || tokens.id_token === undefined) throw new Error('the answer has no ID token');
  const userinfo = await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub);
  sessions.save(ctx, { signedIn: { claims, userinfo, idToken: tokens.id_token } });
  // The result is shown at a clean address, so that a reload does not send the spent code again.
  ctx.redirect(homeUrl);
}

/** Ends the session here and asks the provider to end its own (RP-Initiated Logout 1.0). */
async function logout({ discover, sessions, homeUrl }: Party, ctx: Context): Promise<void> {
  const { signedIn } = sessions.load(ctx);
  sessions.end(ctx);
  if (!signedIn) {
    ctx.redirect(homeUrl);
    return;
  }
  const parameters = { id_token_hint: signedIn.idToken, post_logout_redirect_uri: homeUrl };
  ctx.redirect(oidc.buildEndSessionUrl(await discover(), parameters).href);
}

/** OpenID Connect Back-Channel Logout 1.0, section 2.6. */
async function backchannelLogout(party: Party, ctx: Context): Promise<void> {
  const { options, discover, sessions } = party;
  const form = new URLSearchParams(await rawBody(ctx.req, { limit: '16kb', encoding: 'utf8' }));
  const { issuer, jwks_uri: jwksUri } = (await discover()).serverMetadata();
  if (jwksUri === undefined) throw new Error('the provider publishes no keys');
  const { payload } = await jwtVerify(
    form.get('logout_token') ?? '',
    createRemoteJWKSet(new URL(jwksUri)),
    {
      issuer,
      audience: options.clientId,
      typ: 'logout+jwt',
      maxTokenAge: '2 minutes',
      requiredClaims: ['events', 'jti'],
    },
  );
  const events = Object.keys(payload.events ?? {});
  if (!events.includes('http://schemas.openid.net/event/backchannel-logout')) {
    throw new Error('this token announces no logout');
  }
  if (payload.nonce !== undefined) throw new Error('an ID token is not a logout token');
  sessions.endWhere(({ claims }) =>
    payload.sid === undefined ? claims.sub === payload.sub : claims.sid === payload.sid,
  );
  ctx.status = 200;
  ctx.body = '';
}

/** Asks the provider who it is when first needed, and again after a failure: it may start later. */
function lazyDiscovery(options: RelyingPartyOptions): () => Promise<oidc.Configuration> {
  const issuer = new URL(options.issuer);
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(issuer.hostname);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- only marked to stand out
  const execute = issuer.protocol === 'http:' && isLoopback ? [oidc.allowInsecureRequests] : [];
  const authentication = oidc.ClientSecretBasic(options.clientSecret);
  let known: Promise<oidc.Configuration> | undefined;
  return () => {
    known ??= oidc
      .discovery(issuer, options.clientId, undefined, authentication, { execute })
      .catch((error: unknown) => {
        known = undefined;
        throw error;
      });
    return known;
  };
}

function answerFailure(ctx: Context, error: unknown): void {
  if (ctx.method === 'POST') {
    ctx.status = 400;
    ctx.body = { error: 'invalid_request' };
  } else if (error instanceof oidc.AuthorizationResponseError) {
    ctx.status = 400;
    ctx.body = failurePage(error.error, error.error_description);
  } else {
    ctx.status = 502;
    ctx.body = failurePage('sign_in_failed', error instanceof Error ? error.message : undefined);
  }
}
