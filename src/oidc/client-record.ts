/** A client as operators see it, and as it stands in the store. */
import type { AdapterPayload } from 'oidc-provider';
import type { Version } from '../store/store.ts';
import { type ClientFields, clientFields } from './client-metadata.ts';
import { type KeptSecret, secretsOf, secretsWord } from './client-secrets.ts';

/** `file` and `registered` (by itself, RFC 7591) can be looked at alone. */
export type ClientSource = 'file' | 'operator' | 'registered';

export interface KnownClient {
  id: string;
  source: ClientSource;
  /** Without its secrets. */
  metadata: Partial<ClientFields>;
  secrets: readonly Omit<KeptSecret, 'hash'>[];
  createdAtMs?: number;
  version?: Version;
}

/** Why nothing was changed. */
export class ClientRefused extends Error {
  readonly why: 'absent' | 'taken' | 'read_only' | 'invalid' | 'changed_meanwhile' | 'last_secret';

  constructor(why: ClientRefused['why'], message: string) {
    super(message);
    this.name = 'ClientRefused';
    this.why = why;
  }
}

/** By this an operator's client differs from one that registered itself. */
export const addedAtWord = 'added_at_ms';

/** What stands in the store: the library's metadata, our words, and when it was added. */
export type Payload = AdapterPayload & { [addedAtWord]?: number };

export const changedMeanwhile = (): ClientRefused =>
  new ClientRefused('changed_meanwhile', 'somebody changed it since it was read');

export const needsSecret = ({ token_endpoint_auth_method: method }: ClientFields): boolean =>
  method.startsWith('client_secret_');

export function payloadOf(
  id: string,
  fields: ClientFields,
  secrets: readonly KeptSecret[],
  addedAtMs: number,
): Payload {
  // The library's default is the code flow, which asks for a redirect address.
  const isFlow = fields.grant_types.includes('authorization_code');
  const response = fields.response_types ?? (isFlow ? ['code'] : []);
  const payload = { client_id: id, ...fields, response_types: response, added_at_ms: addedAtMs };
  return withSecrets(payload as Payload, secrets);
}

/** The library wants one secret; it is compared with all of them, see provider.ts. */
export function withSecrets(payload: Payload, secrets: readonly KeptSecret[]): Payload {
  const newest = secrets.at(-1);
  if (!newest) return payload;
  return { ...payload, client_secret: newest.hash, [secretsWord]: secrets };
}

export const viewStored = (payload: Payload, version: Version): KnownClient => ({
  ...view(payload, payload.added_at_ms === undefined ? 'registered' : 'operator'),
  version,
});

export function view(payload: Payload, source: ClientSource): KnownClient {
  const said = payload as Record<string, unknown>;
  const metadata = Object.fromEntries(
    clientFields.flatMap((name) => (said[name] === undefined ? [] : [[name, said[name]]])),
  );
  const { added_at_ms: createdAtMs } = payload;
  return {
    ...{ id: payload.client_id ?? '', source, metadata },
    secrets: secretsOf(payload).map(({ hash: _, ...secret }) => secret),
    ...(createdAtMs === undefined ? {} : { createdAtMs }),
  };
}
