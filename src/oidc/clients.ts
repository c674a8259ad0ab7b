/**
 * Relying parties as the operator writes them: OpenID client metadata in YAML, plus the few words that only an
 * operator may say (first party, PKCE exemption, policy, who reads tokens for which resource).
 */
import type { ClientMetadata, Provider } from 'oidc-provider';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { acr } from '../domain/assurance.ts';
import { type KeptSecret, hashSecret, secretIdOf, secretsWord } from './client-secrets.ts';

const minimumSecretLength = 32;

const secretHash = z
  .string()
  .regex(/^sha256:[\w-]{43}$/, 'written by `didit-oidc clients secret make`');

const client = z.looseObject({
  client_id: z.string().min(1),
  client_secret: z
    .string()
    .min(minimumSecretLength, `a client_secret has at least ${minimumSecretLength} characters`)
    .optional(),
  client_secret_hash: secretHash.optional(),
  /** Several at once, while one takes the place of another: any of them opens. */
  client_secret_hashes: z.array(secretHash).min(1).max(10).optional(),
  redirect_uris: z.array(z.string()).default([]),
  first_party: z.boolean().default(false),
  /** Absent: as the setting `pkce.required` says. */
  pkce: z.enum(['required', 'optional']).optional(),
  /** `token_endpoint`: for software that cannot write the issuer into its assertions. */
  assertion_audience: z.enum(['issuer', 'token_endpoint']).optional(),
  /** How much proof a sign-in to it takes: the name of a policy or of its file. Absent: as the setting `policyFile`. */
  policy: z.string().min(1).optional(),
  /** What every sign-in to it must be at least, as the live class is called; see domain/assurance.ts. */
  minimum_acr: z.enum(Object.values(acr)).optional(),
  /** May the selfie be taken on a phone, for a browser without a camera? */
  handoff: z.boolean().default(false),
  /** Hosts and networks (CIDR) that are private, and that this client's own addresses may lead to. */
  private_networks: z.array(z.union([z.cidrv4(), z.cidrv6(), z.hostname()])).default([]),
});

const resource = z.strictObject({
  /** The resource indicator (RFC 8707): an absolute URI. */
  identifier: z.url(),
  scope: z.string(),
  access_token_format: z.enum(['jwt', 'opaque']).default('jwt'),
  access_token_ttl_seconds: z.int().positive().default(600),
  /** Clients that may introspect other clients' opaque tokens for this resource. */
  introspected_by: z.array(z.string()).default([]),
});

const file = z.strictObject({
  clients: z.array(client).default([]),
  resources: z.array(resource).default([]),
});

export type Resource = z.output<typeof resource>;

export interface Clients {
  clients: ClientMetadata[];
  resources: Resource[];
  /** The addresses that may be private, each with where it may lead; see web/outgoing.ts. */
  privateAddresses: ReadonlyMap<string, readonly string[]>;
}

/** @throws one Error that lists every problem of the text. */
export function parseClients(text: string): Clients {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    // The first line says where; the others would quote the text, secrets included.
    const problems = document.errors.map(({ message }) => message.split('\n', 1).join(''));
    throw new Error(problems.join('\n'));
  }
  const parsed = file.safeParse(document.toJS() ?? {});
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { clients, resources } = parsed.data;
  return {
    clients: clients.map(toMetadata),
    resources,
    privateAddresses: new Map(clients.flatMap(privateAddressesOf)),
  };
}

/** Nobody but the operator can say so: who registers a client has no such word. */
function privateAddressesOf(written: z.output<typeof client>): [string, readonly string[]][] {
  if (written.private_networks.length === 0) return [];
  return ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri'].flatMap((name) => {
    const address = written[name];
    const url = typeof address === 'string' ? URL.parse(address) : null;
    return url ? [[url.href, written.private_networks]] : [];
  });
}

function toMetadata({
  client_secret,
  client_secret_hash,
  client_secret_hashes = [],
  private_networks: _,
  ...metadata
}: z.output<typeof client>): ClientMetadata {
  const one = client_secret_hash ?? (client_secret && hashSecret(client_secret));
  const hashes = [...new Set([...client_secret_hashes, ...(one ? [one] : [])])];
  const newest = hashes.at(-1);
  if (newest === undefined) return metadata;
  const kept: KeptSecret[] = hashes.map((hash) => ({ id: secretIdOf(hash), hash }));
  return { ...metadata, client_secret: newest, [secretsWord]: kept };
}

/** The library looks at a client when it is first used; an operator wants to hear of a mistake at start. */
export async function validateClients(provider: Provider, { clients }: Clients): Promise<void> {
  for (const { client_id: id } of clients) {
    try {
      await provider.Client.find(id);
    } catch (cause) {
      const { error_description: description } = cause as { error_description?: string };
      throw new Error(`client "${id}": ${description ?? String(cause)}`, { cause });
    }
  }
}
