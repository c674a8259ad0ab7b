/**
 * Clients that operators add while the provider runs, beside those of the clients file. They are records of the
 * library's own kind, which it reads anew with every request: a change counts at once, in every process. The file's
 * have precedence and are shown as they are.
 */
import { type ClientMetadata, type Provider, errors } from 'oidc-provider';
import type { Clock, Random } from '../domain/environment.ts';
import type { Store, Version } from '../store/store.ts';
import { indexPage } from '../store/index-page.ts';
import { membersSince } from '../store/index-pages.ts';
import type { ClientFields } from './client-metadata.ts';
import {
  ClientRefused,
  type KnownClient,
  type Payload,
  changedMeanwhile,
  needsSecret,
  payloadOf,
  view,
  viewStored,
  withSecrets,
} from './client-record.ts';
import { type KeptSecret, hashSecret, secretsOf } from './client-secrets.ts';
import { requireAcceptable } from './registration.ts';

export interface RegistryTools {
  provider: Pick<Provider, 'Client'>;
  store: Store;
  clock: Clock;
  random: Random;
  /** Of the file, and our own. */
  staticClients: readonly ClientMetadata[];
  /** See registration.ts. */
  whyNotCalled: (address: string) => string | undefined;
  /** Is there a policy of this name for a client that is kept here? */
  hasPolicy: (name: string) => boolean;
}

export type ClientRegistry = ReturnType<typeof createClientRegistry>;

const index = 'clients-by-time';
const keyOf = (id: string): string => `Client:${id}`;
/** What people gave one app is not another one's, though it has the same name. */
const goneKeyOf = (id: string): string => `client-gone:${id}`;
/** Longer than any grant. */
const goneForSeconds = 400 * 86_400;
const secretBytes = 32;
/** One in use, one to come, and some that were forgotten. */
const secretsAtMost = 10;

/** Those that operators added, the oldest first. */
export async function* addedClients(
  store: Pick<Store, 'get' | 'indexRange'>,
): AsyncGenerator<KnownClient> {
  for await (const id of membersSince(store, index, 0)) {
    const stored = await store.get(keyOf(id));
    if (stored) yield viewStored(JSON.parse(stored.value) as Payload, stored.version);
  }
}

/** Whether somebody added or registered a client of this id. */
export const isKept = async (store: Pick<Store, 'get'>, id: string): Promise<boolean> =>
  (await store.get(keyOf(id))) !== undefined;

export function createClientRegistry(tools: RegistryTools) {
  const { store, clock, random } = tools;
  const kept = createKept(tools);
  const { ofFile, load, validate, write } = kept;
  const { makeSecret, addSecret, removeSecret } = createSecrets(tools, kept);

  async function get(id: string): Promise<KnownClient | undefined> {
    const written = ofFile.get(id);
    if (written) return view(written, 'file');
    const stored = await store.get(keyOf(id));
    return stored && viewStored(JSON.parse(stored.value) as Payload, stored.version);
  }

  /** The file's first, then those of the store, the oldest first. @returns undefined when the mark is none of ours. */
  async function page(of: {
    limit: number;
    after?: string | undefined;
  }): Promise<{ clients: KnownClient[]; next?: string } | undefined> {
    const listed = await indexPage(store, index, of);
    if (!listed) return undefined;
    const stored = await store.getMany(listed.members.map(keyOf));
    const added = stored.flatMap((one) =>
      one ? [viewStored(JSON.parse(one.value) as Payload, one.version)] : [],
    );
    const first = of.after === undefined ? [...ofFile.values()] : [];
    return {
      clients: [...first.map((one) => view(one as Payload, 'file')), ...added],
      ...(listed.next === undefined ? {} : { next: listed.next }),
    };
  }

  /** @throws ClientRefused, and nothing is kept then. @returns also its secret, which is shown this once. */
  async function add(
    fields: ClientFields,
    wantedId?: string,
  ): Promise<{ client: KnownClient; secret?: { id: string; value: string } }> {
    const id = wantedId ?? Buffer.from(random(12), 'base64url').toString('hex');
    if (ofFile.has(id)) throw new ClientRefused('taken', `the client "${id}" is in the file`);
    if (await store.get(goneKeyOf(id))) {
      throw new ClientRefused(
        'taken',
        `a client "${id}" was removed not long ago: take another id`,
      );
    }
    const nowMs = clock();
    const made = needsSecret(fields) ? makeSecret(undefined) : undefined;
    const payload = payloadOf(id, fields, made ? [made.kept] : [], nowMs);
    await validate(payload);
    const value = JSON.stringify(payload);
    // Listed first: who dies in between leaves a name in the list that leads nowhere.
    await store.indexAdd(index, id, nowMs);
    const version = await store.put(keyOf(id), value, { ifAbsent: true });
    if (version === undefined) throw new ClientRefused('taken', `there is a client "${id}"`);
    const secret = made && { id: made.kept.id, value: made.value };
    return { client: viewStored(payload, version), ...(secret ? { secret } : {}) };
  }

  /** All its metadata anew; its secrets stay. @throws ClientRefused, and nothing is changed then. */
  async function change(
    id: string,
    fields: ClientFields,
    ifVersion: Version,
  ): Promise<KnownClient> {
    const { payload: before } = await load(id, ifVersion);
    const secrets = needsSecret(fields) ? secretsOf(before) : [];
    if (needsSecret(fields) && secrets.length === 0) {
      throw new ClientRefused('invalid', 'it has no secret yet: add it anew with this method');
    }
    return write(payloadOf(id, fields, secrets, before.added_at_ms ?? clock()), ifVersion);
  }

  async function remove(id: string, ifVersion: Version): Promise<void> {
    const { payload } = await load(id, ifVersion);
    await store.put(goneKeyOf(id), '1', { ttlSeconds: goneForSeconds });
    // Over the version that was looked at; then it goes by itself.
    const gone = await store.put(keyOf(id), JSON.stringify(payload), { ifVersion, ttlSeconds: 1 });
    if (gone === undefined) throw changedMeanwhile();
    await store.delete(keyOf(id));
    await store.indexRemove(index, id);
  }

  return { get, page, add, change, remove, addSecret, removeSecret };
}

/** The records that operators may change, one version at a time. */
function createKept(tools: RegistryTools) {
  const { store, staticClients } = tools;
  const ofFile = new Map(staticClients.map((one) => [one.client_id, one]));

  /** @throws ClientRefused unless it is an operator's, in this version. */
  async function load(id: string, ifVersion: Version): Promise<{ payload: Payload }> {
    if (ofFile.has(id)) {
      throw new ClientRefused('read_only', `the client "${id}" is in the file: change it there`);
    }
    const stored = await store.get(keyOf(id));
    if (!stored) throw new ClientRefused('absent', 'there is no such client');
    const payload = JSON.parse(stored.value) as Payload;
    if (payload.added_at_ms === undefined) {
      throw new ClientRefused('read_only', `the client "${id}" registered itself`);
    }
    if (stored.version !== ifVersion) throw changedMeanwhile();
    return { payload };
  }

  async function write(payload: Payload, ifVersion: Version): Promise<KnownClient> {
    await validate(payload);
    const id = payload.client_id ?? '';
    const version = await store.put(keyOf(id), JSON.stringify(payload), { ifVersion });
    if (version === undefined) throw changedMeanwhile();
    return viewStored(payload, version);
  }

  /** By the library's own rules, and ours. */
  async function validate(payload: Payload): Promise<void> {
    const { policy } = payload as { policy?: string };
    if (policy !== undefined && !tools.hasPolicy(policy)) {
      throw new ClientRefused('invalid', `policy: there is none of the name "${policy}" here`);
    }
    const { Client } = tools.provider as unknown as {
      Client: { validate(metadata: object): Promise<void> };
    };
    try {
      requireAcceptable(payload, tools.whyNotCalled, { mayBeLocal: true });
      await Client.validate(payload);
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) throw error;
      throw new ClientRefused('invalid', error.error_description ?? error.message);
    }
  }

  return { ofFile, load, write, validate };
}

function createSecrets({ clock, random }: RegistryTools, kept: ReturnType<typeof createKept>) {
  const { load, write } = kept;

  /** @returns its value, which is shown this once. */
  async function addSecret(
    id: string,
    { expiresAtMs, ifVersion }: { expiresAtMs?: number | undefined; ifVersion: Version },
  ): Promise<{ client: KnownClient; secret: { id: string; value: string } }> {
    const { payload } = await load(id, ifVersion);
    const secrets = secretsOf(payload).filter(({ expiresAtMs: end = Infinity }) => clock() < end);
    if (payload.client_secret === undefined) {
      throw new ClientRefused('invalid', 'this client has no use for a secret');
    }
    if (secrets.length >= secretsAtMost) {
      throw new ClientRefused('invalid', `a client has at most ${secretsAtMost} secrets`);
    }
    const made = makeSecret(expiresAtMs);
    const client = await write(withSecrets(payload, [...secrets, made.kept]), ifVersion);
    return { client, secret: { id: made.kept.id, value: made.value } };
  }

  async function removeSecret(
    id: string,
    secretId: string,
    ifVersion: Version,
  ): Promise<KnownClient> {
    const { payload } = await load(id, ifVersion);
    const secrets = secretsOf(payload);
    const left = secrets.filter((one) => one.id !== secretId);
    if (left.length === secrets.length) {
      throw new ClientRefused('absent', 'there is no such secret');
    }
    if (!left.some(({ expiresAtMs = Infinity }) => clock() < expiresAtMs)) {
      throw new ClientRefused('last_secret', 'it is the last one: add another one first');
    }
    return write(withSecrets(payload, left), ifVersion);
  }

  function makeSecret(expiresAtMs: number | undefined): { kept: KeptSecret; value: string } {
    const value = random(secretBytes);
    const end = expiresAtMs === undefined ? {} : { expiresAtMs };
    const id = Buffer.from(random(6), 'base64url').toString('hex');
    return { kept: { id, hash: hashSecret(value), createdAtMs: clock(), ...end }, value };
  }

  return { makeSecret, addSecret, removeSecret };
}
