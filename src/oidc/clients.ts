/**
 * Relying parties as the operator writes them: OpenID client metadata in YAML, plus the few words that only an
 * operator may say (first party, PKCE exemption, who reads tokens for which resource).
 */
import type { ClientMetadata } from 'oidc-provider';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { hashSecret } from './adapter.ts';

const minimumSecretLength = 32;

const client = z.looseObject({
  client_id: z.string().min(1),
  client_secret: z
    .string()
    .min(minimumSecretLength, `a client_secret has at least ${minimumSecretLength} characters`)
    .optional(),
  client_secret_hash: z
    .string()
    .regex(/^sha256:[\w-]{43}$/, 'written by `didit-oidc clients secret`')
    .optional(),
  redirect_uris: z.array(z.string()).default([]),
  first_party: z.boolean().default(false),
  /** Absent: as the setting `pkce.required` says. */
  pkce: z.enum(['required', 'optional']).optional(),
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
  return { clients: parsed.data.clients.map(toMetadata), resources: parsed.data.resources };
}

function toMetadata({
  client_secret,
  client_secret_hash,
  ...metadata
}: z.output<typeof client>): ClientMetadata {
  const secret = client_secret_hash ?? (client_secret && hashSecret(client_secret));
  return { ...metadata, ...(secret ? { client_secret: secret } : {}) };
}
