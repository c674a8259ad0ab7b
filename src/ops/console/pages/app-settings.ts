import { usualMetadata, usualScope } from '../../../oidc/client-settings.ts';

/** What an app has to be told, word for word, for a few of them that people often have. */
export interface Template {
  id: string;
  name: string;
  /** What its kind says of it; the rest is asked for. */
  metadata: Readonly<Record<string, unknown>>;
  lines: (known: Known) => readonly string[];
  /** It knows one redirect address. */
  takesOne?: true;
}

interface Known {
  issuer: string;
  id: string;
  secret: string;
  redirectUris: readonly string[];
}

const secretElsewhere = 'THE-SECRET';

const { server, device } = usualMetadata;

export const templates: readonly Template[] = [
  {
    ...{ id: 'web', name: 'Web app with a server', metadata: server },
    lines: ({ issuer, id, secret, redirectUris }) => [
      `issuer:        ${issuer}`,
      `discovery:     ${issuer}/.well-known/openid-configuration`,
      `client_id:     ${id}`,
      `client_secret: ${secret}`,
      ...redirectUris.map((uri) => `redirect_uri:  ${uri}`),
      `scope:         ${usualScope}`,
      'flow:          authorization code with PKCE (S256)',
    ],
  },
  {
    ...{ id: 'page', name: 'Single-page or native app, without a secret' },
    metadata: device,
    lines: ({ issuer, id, redirectUris }) => [
      `issuer:        ${issuer}`,
      `discovery:     ${issuer}/.well-known/openid-configuration`,
      `client_id:     ${id}`,
      'client_secret: none',
      ...redirectUris.map((uri) => `redirect_uri:  ${uri}`),
      'flow:          authorization code with PKCE (S256)',
    ],
  },
  {
    ...{ id: 'grafana', name: 'Grafana', metadata: server },
    lines: ({ issuer, id, secret }) => [
      'GF_AUTH_GENERIC_OAUTH_ENABLED=true',
      'GF_AUTH_GENERIC_OAUTH_NAME=Selfie',
      `GF_AUTH_GENERIC_OAUTH_CLIENT_ID=${id}`,
      `GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET=${secret}`,
      `GF_AUTH_GENERIC_OAUTH_SCOPES=${usualScope}`,
      `GF_AUTH_GENERIC_OAUTH_AUTH_URL=${issuer}/auth`,
      `GF_AUTH_GENERIC_OAUTH_TOKEN_URL=${issuer}/token`,
      `GF_AUTH_GENERIC_OAUTH_API_URL=${issuer}/me`,
      'GF_AUTH_GENERIC_OAUTH_USE_PKCE=true',
    ],
  },
  {
    ...{ id: 'oauth2-proxy', name: 'oauth2-proxy', metadata: server },
    takesOne: true,
    lines: ({ issuer, id, secret, redirectUris: [redirectUri = ''] }) => [
      'OAUTH2_PROXY_PROVIDER=oidc',
      `OAUTH2_PROXY_OIDC_ISSUER_URL=${issuer}`,
      `OAUTH2_PROXY_CLIENT_ID=${id}`,
      `OAUTH2_PROXY_CLIENT_SECRET=${secret}`,
      `OAUTH2_PROXY_REDIRECT_URL=${redirectUri}`,
      `OAUTH2_PROXY_SCOPE=${usualScope}`,
      'OAUTH2_PROXY_CODE_CHALLENGE_METHOD=S256',
      'OAUTH2_PROXY_OIDC_GROUPS_CLAIM=groups',
    ],
  },
];

interface ShownClient {
  client_id: string;
  metadata: { redirect_uris?: readonly string[]; token_endpoint_auth_method?: string };
}

export function settingsOf(
  wanted: string | undefined,
  { issuer, client, secret }: { issuer: string; client: ShownClient; secret: string | undefined },
) {
  const isPublic = client.metadata.token_endpoint_auth_method === 'none';
  const fitting = templates.filter(({ id }) => (id === 'page') === isPublic);
  const chosen = fitting.find(({ id }) => id === wanted) ?? fitting[0];
  const { redirect_uris: redirectUris = [] } = client.metadata;
  const known = { issuer, id: client.client_id, secret: secret ?? secretElsewhere, redirectUris };
  return {
    lines: chosen?.lines(known) ?? [],
    isForFirst: chosen?.takesOne === true && redirectUris.length > 1,
    choices: fitting.map(({ id, name }) => ({ id, name, isChosen: id === chosen?.id })),
  };
}
