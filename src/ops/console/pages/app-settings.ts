import {
  type Software,
  secretElsewhere,
  software,
  usualMetadata,
  usualScope,
} from '../../../oidc/client-settings.ts';

/** What an app has to be told, word for word, for a few of them that people often have. */
export interface Template {
  id: string;
  name: string;
  /** What its kind says of it; the rest is asked for. */
  metadata: Readonly<Record<string, unknown>>;
  /** Where the lines stand, if they are a file. */
  file?: string;
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
  ...software.map(templateFor),
];

/** These know one redirect address. */
function templateFor({ id, name, file, text }: Software): Template {
  return {
    ...{ id, name, file, metadata: server, takesOne: true },
    lines: ({ redirectUris: [redirect = ''], ...known }) =>
      text({ ...known, redirect }).split('\n'),
  };
}

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
    file: chosen?.file,
    isForFirst: chosen?.takesOne === true && redirectUris.length > 1,
    choices: fitting.map(({ id, name }) => ({ id, name, isChosen: id === chosen?.id })),
  };
}
