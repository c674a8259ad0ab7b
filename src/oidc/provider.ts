/** node-oidc-provider as we use it: what is on, what is off, and for how long things last. */
import { hkdfSync } from 'node:crypto';
import type { JWK } from 'jose';
import { type Configuration, type FindAccount, Provider } from 'oidc-provider';
import { acr, acrName } from '../domain/assurance.ts';
import type { Clock } from '../domain/environment.ts';
import type { Store } from '../store/store.ts';
import type { AccountSessions } from './account-sessions.ts';
import { createAdapter } from './adapter.ts';
import { isAmongSecrets, secretsOf } from './client-secrets.ts';
import { claims } from './claims.ts';
import { assertClaimsParameter } from './claims-parameter.ts';
import type { Clients } from './clients.ts';
import { createGrantLoader } from './grants.ts';
import { signingAlgorithms } from './keys.ts';
import type { ProviderPages } from './pages.ts';
import { acceptOnlyIdTokensAsHints, assertAssertion, assertRequestObject } from './jwts.ts';
import { allowsHandoff, createPolicy } from './prompts.ts';
import { nameByFamily } from './refresh-tokens.ts';
import { createRegistrationRules } from './registration.ts';
import { type IsRevoked, proofOfToken } from './revoked.ts';
import type { SubjectFor } from './subjects.ts';
import { resourceIndicators, tokenAccess } from './tokens.ts';

export interface ProviderSettings {
  issuer: string;
  cookieKeys: readonly string[];
  /** What the nonces of DPoP proofs come from. */
  nonceSecret: string;
  jwks: { keys: JWK[] };
  clients: Clients;
  environment: 'live' | 'sandbox';
  /** May anybody make an account? */
  isOpen: boolean;
  /** Can anybody sign in by a passkey here? */
  hasPasskeys: boolean;
  /** May a selfie for an app that operators added be taken on a phone? Looked at when the provider starts. */
  hasHandoff: boolean;
  /** Is there a workflow for active liveness? */
  hasActive: boolean;
  session: { ttlSeconds: number; maxAgeSeconds: number };
  pkceRequired: boolean;
  dynamicRegistration: { enabled: boolean; initialAccessToken?: string | undefined };
}

export interface ProviderParts {
  store: Store;
  clock: Clock;
  findAccount: FindAccount;
  isRevoked: IsRevoked;
  accountSessions: AccountSessions;
  subjectFor: SubjectFor;
  pages: ProviderPages;
  /** For addresses that relying parties chose; see web/outgoing.ts. */
  fetch: typeof fetch;
  whyNotCalled: (address: string) => string | undefined;
}

/**
 * What was begun by two codes, or by a selfie on another device, is over so long after it, however much it is used: the
 * session, and what hangs on it.
 */
const shortSessionSeconds = 3_600;

/** From its issue on: it may outlive the session that it came from. */
export const refreshTokenSeconds = 14 * 24 * 3_600;

/** An interaction lives as long as an attempt; see login/start.ts. */
export const interactionTtlSeconds = 900;

export function createProvider(settings: ProviderSettings, parts: ProviderParts): Provider {
  const provider = new Provider(settings.issuer, configuration(settings, parts));
  compareSecretsByHash(provider, parts.clock);
  nameByFamily(provider);
  acceptOnlyIdTokensAsHints(provider);
  // web/edge.ts has replaced whatever forwarded headers came in by what is true.
  provider.proxy = true;
  return provider;
}

function configuration(settings: ProviderSettings, parts: ProviderParts): Configuration {
  const reachable = reachableClasses(settings);
  const tls = settings.issuer.startsWith('https:');
  return {
    adapter: createAdapter(parts),
    extraTokenClaims: proofOfToken,
    clients: settings.clients.clients,
    findAccount: parts.findAccount,
    jwks: settings.jwks,
    loadExistingGrant: createGrantLoader(settings.environment),
    interactions: {
      policy: createPolicy(reachable, parts.subjectFor, settings.isOpen, settings.environment),
      // `begin` says that nothing is under way yet, and saves the login's first look into the store.
      url: (_ctx, interaction) => `/interaction/${interaction.uid}?begin`,
    },
    // Initiating User Registration via OpenID Connect 1.0: an app reads here whether it may ask for an account.
    discovery: {
      prompt_values_supported: ['none', 'login', 'consent', ...(settings.isOpen ? ['create'] : [])],
    },
    cookies: cookies(settings.cookieKeys, tls),

    claims,
    scopes: ['openid', 'offline_access'],
    acrValues: reachable,
    subjectTypes: ['public', 'pairwise'],
    pairwiseIdentifier: (_ctx, accountId, client) => parts.subjectFor(client, accountId),
    // Internal tools read groups and e-mail from the ID token.
    conformIdTokenClaims: false,

    responseTypes: ['code'],
    pkce: {
      required: (_ctx, { pkce }) =>
        pkce === undefined ? settings.pkceRequired : pkce === 'required',
    },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    // Secrets are hashed, so nothing may be signed with them: no HS256, no client_secret_jwt.
    enabledJWA: {
      idTokenSigningAlgValues: [...signingAlgorithms],
      userinfoSigningAlgValues: [...signingAlgorithms],
      introspectionSigningAlgValues: [...signingAlgorithms],
      requestObjectSigningAlgValues: ['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'],
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'],
      dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
    },
    assertJwtClientAuthClaimsAndHeader: assertAssertion,
    extraClientMetadata: createRegistrationRules(parts.whyNotCalled),
    clientBasedCORS: (_ctx, origin, client) =>
      client.clientAuthMethod === 'none' &&
      (client.redirectUris ?? []).some((uri) => originOf(uri) === origin),

    features: features(settings, parts),
    issueRefreshToken: (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') &&
      code.scopes.has('openid') &&
      !('acr' in code && code.acr === acrName(acr.selfieHandoff, settings.environment)),
    // A token that is bound to a key gains nothing from rotation; one that is not is used once.
    rotateRefreshToken: ({ oidc }) => !oidc.entities.RefreshToken?.isSenderConstrained(),
    ttl: lifetimes(settings, parts.clock),
    fetch: parts.fetch,
    fetchResponseBodyLimits: { jwks_uri: 64 * 1024, sector_identifier_uri: 64 * 1024 },
    renderError: parts.pages.error,
  };
}

/** What a login here can end with, best first. */
function reachableClasses(settings: ProviderSettings): string[] {
  const { clients, environment, hasPasskeys, hasActive, hasHandoff } = settings;
  const classes = [
    ...(hasPasskeys ? [acr.passkey] : []),
    ...(hasActive ? [acr.selfieActive] : []),
    ...[acr.selfieDevice, acr.selfie, acr.device],
    ...(hasHandoff || clients.clients.some(allowsHandoff) ? [acr.selfieHandoff] : []),
    acr.fallback,
  ];
  return classes.map((name) => acrName(name, environment));
}

function features(settings: ProviderSettings, parts: ProviderParts): Configuration['features'] {
  const { clients, dynamicRegistration } = settings;
  const { pages, findAccount } = parts;
  const mayAsk = tokenAccess(clients.resources, findAccount);
  return {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    dPoP: {
      enabled: true,
      nonceSecret: deriveKey(settings.nonceSecret, 'dpop nonce'),
      // Proofs that were made beforehand are no use where everything has to be bound to a key.
      requireNonce: ({ oidc }) => oidc.client?.dpopBoundAccessTokens === true,
    },
    claimsParameter: { enabled: true, assertClaimsParameter },
    clientCredentials: { enabled: true },
    requestObjects: { enabled: true, assertJwtClaimsAndHeader: assertRequestObject },
    resourceIndicators: resourceIndicators(clients.resources),
    introspection: { enabled: true, allowedPolicy: mayAsk.introspect },
    revocation: { enabled: true, allowedPolicy: mayAsk.revoke },
    userinfo: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: pages.logout,
      postLogoutSuccessSource: pages.loggedOut,
    },
    registration: {
      enabled: dynamicRegistration.enabled,
      initialAccessToken: dynamicRegistration.initialAccessToken ?? false,
    },
  };
}

/**
 * Under TLS the browser itself guards the names: `__Host-` for the session, `__Secure-` for the two that carry a
 * path of their own.
 */
function cookies(keys: readonly string[], tls: boolean): Configuration['cookies'] {
  const common = { signed: true, httpOnly: true, sameSite: 'lax', secure: tls } as const;
  return {
    keys: [...keys],
    names: tls
      ? {
          session: '__Host-session',
          interaction: '__Secure-interaction',
          resume: '__Secure-resume',
        }
      : { session: '_session', interaction: '_interaction', resume: '_interaction_resume' },
    long: { ...common, path: '/' },
    short: common,
  };
}

function lifetimes({ session, environment }: ProviderSettings, clock: Clock): Configuration['ttl'] {
  const isShort = (name: string | undefined): boolean =>
    [acr.fallback, acr.selfieHandoff].some((short) => name === acrName(short, environment));
  /** Of a time that began with the login and does not slide. */
  const left = (seconds: number, authTime = clock() / 1000): number =>
    seconds - (clock() / 1000 - authTime);
  const grantSeconds = session.maxAgeSeconds + refreshTokenSeconds;
  return {
    AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 600,
    AuthorizationCode: 60,
    ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? 600,
    // A grant that ends before what hangs on it would end that too.
    Grant: grantSeconds,
    IdToken: 600,
    Interaction: interactionTtlSeconds,
    RefreshToken: (_ctx, { acr: name, authTime }) =>
      isShort(name)
        ? Math.max(1, Math.floor(left(shortSessionSeconds, authTime)))
        : refreshTokenSeconds,
    // Slides with use, up to an end that does not.
    Session(_ctx, { acr: name, loginTs }) {
      const { ttlSeconds, maxAgeSeconds } = session;
      const most = isShort(name) ? Math.min(maxAgeSeconds, shortSessionSeconds) : maxAgeSeconds;
      return Math.max(1, Math.floor(Math.min(ttlSeconds, left(most, loginTs))));
    },
  };
}

/** Of a web address; an app's own scheme has none. */
function originOf(uri: string): string | undefined {
  const url = URL.parse(uri);
  return url && /^https?:$/.test(url.protocol) ? url.origin : undefined;
}

/** Each use gets a key of its own, so that none of them needs one more secret from the operator. */
function deriveKey(secret: string, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `didit-oidc ${use}`, 32));
}

/** What is stored are hashes; so is what comes in, before it is compared with all of them. */
function compareSecretsByHash(provider: Provider, clock: Clock): void {
  provider.Client.prototype.compareClientSecret = function compareClientSecret(actual: string) {
    const kept = secretsOf(this);
    // Who registered itself has the one that the library knows.
    const secrets = kept.length > 0 ? kept : [{ hash: this.clientSecret ?? '' }];
    return isAmongSecrets(actual, secrets, clock());
  };
}
