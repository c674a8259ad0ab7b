/** What somebody types into an app so that it signs people in here: exact values, and as the file of common software. */
import type { KnownClient } from './client-record.ts';

export interface ClientSettings {
  issuer: string;
  discovery: string;
  clientId: string;
  authentication: string;
  redirectUris: readonly string[];
  postLogoutRedirectUris: readonly string[];
  scope: string;
  snippets: readonly { software: string; file: string; text: string }[];
}

/** What an app asks for that wants to know who it is, and what they may. */
export const usualScope = 'openid profile email groups';

/** What apps say of themselves as a rule, at whichever door they are added. */
export const usualMetadata = {
  /** With a server, which keeps a secret and refreshes what it was given. */
  server: {
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'client_secret_basic',
  },
  /** On people's devices, where a refresh token would lie open. */
  device: { grant_types: ['authorization_code'], token_endpoint_auth_method: 'none' },
} as const;

/** What stands where the secret goes that nobody can look up any more. */
export const secretElsewhere = 'THE CLIENT SECRET';

/** @param secret where it was just made; else its place is left open. */
export function settingsFor(
  { id, metadata }: Pick<KnownClient, 'id' | 'metadata'>,
  issuer: string,
  secret?: string,
): ClientSettings {
  const { redirect_uris: redirectUris = [], post_logout_redirect_uris: after = [] } = metadata;
  const authentication = metadata.token_endpoint_auth_method ?? 'client_secret_basic';
  const hasSecret = authentication.startsWith('client_secret_');
  const filled: Filled = {
    ...{ issuer, id, redirect: redirectUris[0] ?? 'https://app.example.com/callback' },
    secret: hasSecret ? (secret ?? secretElsewhere) : undefined,
  };
  return {
    ...{ issuer, clientId: id, authentication, redirectUris, scope: usualScope },
    discovery: `${issuer}/.well-known/openid-configuration`,
    postLogoutRedirectUris: after,
    snippets: [
      { software: 'Any (environment)', file: '.env', text: environment(filled) },
      ...software.map(({ name, file, text }) => ({ software: name, file, text: text(filled) })),
    ],
  };
}

interface Filled {
  issuer: string;
  id: string;
  /** Absent: it has none. */
  secret: string | undefined;
  redirect: string;
}

/** What people often have, and which words stand in which file of it. */
export interface Software {
  id: string;
  name: string;
  file: string;
  text: (filled: Filled) => string;
}

const lines = (all: readonly (string | undefined)[]): string =>
  all.filter((line) => line !== undefined).join('\n');

/** A JSON text is one of these languages' as well. */
const quoted = (text: string): string => JSON.stringify(text);

const environment = ({ issuer, id, secret, redirect }: Filled): string =>
  lines([
    `OIDC_ISSUER=${quoted(issuer)}`,
    `OIDC_CLIENT_ID=${quoted(id)}`,
    secret && `OIDC_CLIENT_SECRET=${quoted(secret)}`,
    `OIDC_REDIRECT_URI=${quoted(redirect)}`,
    `OIDC_SCOPE=${quoted(usualScope)}`,
  ]);

const oauth2Proxy = ({ issuer, id, secret, redirect }: Filled): string =>
  lines([
    'provider = "oidc"',
    `oidc_issuer_url = ${quoted(issuer)}`,
    `client_id = ${quoted(id)}`,
    secret && `client_secret = ${quoted(secret)}`,
    `redirect_url = ${quoted(redirect)}`,
    `scope = ${quoted(usualScope)}`,
    'code_challenge_method = "S256"',
    // It does not start without these two.
    'email_domains = ["*"]',
    'cookie_secret = "A RANDOM TEXT OF 32 CHARACTERS"',
  ]);

const apache = ({ issuer, id, secret, redirect }: Filled): string =>
  lines([
    `OIDCProviderMetadataURL ${quoted(`${issuer}/.well-known/openid-configuration`)}`,
    `OIDCClientID ${quoted(id)}`,
    secret && `OIDCClientSecret ${quoted(secret)}`,
    `OIDCRedirectURI ${quoted(redirect)}`,
    `OIDCScope ${quoted(usualScope)}`,
    'OIDCPKCEMethod S256',
    'OIDCCryptoPassphrase "A LONG RANDOM TEXT"',
  ]);

const grafana = ({ issuer, id, secret }: Filled): string =>
  lines([
    '[auth.generic_oauth]',
    'enabled = true',
    'name = Selfie',
    `client_id = ${id}`,
    secret && `client_secret = ${secret}`,
    `scopes = ${usualScope}`,
    `auth_url = ${issuer}/auth`,
    `token_url = ${issuer}/token`,
    `api_url = ${issuer}/me`,
    'use_pkce = true',
  ]);

const node = ({ issuer, id, secret, redirect }: Filled): string =>
  lines([
    "import * as oidc from 'openid-client';",
    '',
    'const config = await oidc.discovery(',
    `  new URL(${quoted(issuer)}),`,
    `  ${quoted(id)},`,
    secret === undefined ? '  undefined,\n  oidc.None(),' : '  process.env.OIDC_CLIENT_SECRET,',
    ');',
    'const verifier = oidc.randomPKCECodeVerifier();',
    'const address = oidc.buildAuthorizationUrl(config, {',
    `  redirect_uri: ${quoted(redirect)},`,
    `  scope: ${quoted(usualScope)},`,
    '  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),',
    "  code_challenge_method: 'S256',",
    '});',
  ]);

export const software: readonly Software[] = [
  { id: 'oauth2-proxy', name: 'oauth2-proxy', file: 'oauth2-proxy.cfg', text: oauth2Proxy },
  { id: 'apache', name: 'Apache mod_auth_openidc', file: 'auth.conf', text: apache },
  { id: 'grafana', name: 'Grafana', file: 'grafana.ini', text: grafana },
  { id: 'openid-client', name: 'Node.js openid-client', file: 'auth.js', text: node },
];
