/** Apps that people sign in to. Those of the clients file are shown and not changed. */
import { z } from 'zod';
import { changedClient, newClient } from '../../oidc/client-metadata.ts';
import { ClientRefused, type KnownClient } from '../../oidc/client-record.ts';
import { isOwnClient } from '../../oidc/own-client.ts';
import { act, done, idParam, isoTime, pageQuery } from './act.ts';
import { Refusal } from './refusal.ts';

const secretView = z.object({
  id: z.string(),
  created_at: z.string().optional(),
  expires_at: z.string().optional(),
});

export const clientView = z.object({
  client_id: z.string(),
  /** `operator`: added here. `file` and `registered` (RFC 7591) are read only. */
  source: z.enum(['file', 'operator', 'registered']),
  /** Of `file`: it stands in none, since it is a page of the provider's own. */
  built_in: z.literal(true).optional(),
  metadata: z.record(z.string(), z.unknown()),
  secrets: z.array(secretView),
  created_at: z.string().optional(),
  version: z.string().optional(),
});

function view({ id, source, metadata, secrets, createdAtMs, version }: KnownClient) {
  return {
    ...{ client_id: id, source, metadata },
    ...(isOwnClient(id) ? { built_in: true as const } : {}),
    secrets: secrets.map((one) => ({
      id: one.id,
      ...(one.createdAtMs === undefined ? {} : { created_at: isoTime(one.createdAtMs) }),
      ...(one.expiresAtMs === undefined ? {} : { expires_at: isoTime(one.expiresAtMs) }),
    })),
    ...(createdAtMs === undefined ? {} : { created_at: isoTime(createdAtMs) }),
    ...(version === undefined ? {} : { version }),
  };
}

/** Shown this once: what is kept is its hash. */
const shownSecret = z.object({ id: z.string(), value: z.string() });

const codes = {
  absent: 'not_found',
  taken: 'conflict',
  read_only: 'conflict',
  invalid: 'invalid',
  changed_meanwhile: 'changed_meanwhile',
  last_secret: 'conflict',
} as const;

async function orRefuse<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ClientRefused) throw new Refusal(codes[error.why], error.message);
    throw error;
  }
}

const list = act({
  ...{ id: 'clients.list', method: 'GET', path: '/clients' },
  summary: 'Apps: those of the clients file first, then those that operators added',
  ...{ role: 'viewer', scope: 'clients:read' },
  query: z.strictObject(pageQuery),
  answer: z.object({ clients: z.array(clientView), next: z.string().optional() }),
  async run({ query: { limit, cursor } }, { clients }) {
    const page = await clients.page({ limit, after: cursor });
    if (!page) throw new Refusal('invalid', 'the cursor is none of ours');
    return { ...page, clients: page.clients.map(view) };
  },
});

const get = act({
  ...{ id: 'clients.get', method: 'GET', path: '/clients/:id' },
  summary: 'One app',
  ...{ role: 'viewer', scope: 'clients:read' },
  params: idParam,
  answer: clientView,
  async run({ params: { id } }, { clients }) {
    const found = await clients.get(id);
    if (!found) throw new Refusal('not_found', 'there is no such client');
    return view(found);
  },
});

const add = act({
  ...{ id: 'clients.add', method: 'POST', path: '/clients' },
  summary: 'Add an app; its secret, where it has one, is shown this once',
  ...{ role: 'admin', scope: 'clients:write', isDangerous: true },
  status: 201,
  body: newClient,
  answer: clientView.extend({ secret: shownSecret.optional() }),
  objectOf: ({ client_id: id }) => id,
  async run({ body: { client_id: id, ...fields } }, { clients }) {
    const { client, ...secret } = await orRefuse(clients.add(fields, id));
    return { ...view(client), ...secret };
  },
});

const change = act({
  ...{ id: 'clients.change', method: 'PUT', path: '/clients/:id' },
  summary: 'All of an app’s metadata anew; its secrets stay',
  ...{ role: 'admin', scope: 'clients:write', isDangerous: true, isVersioned: true },
  params: idParam,
  body: changedClient,
  answer: clientView,
  run: async ({ params: { id }, body, ifVersion }, { clients }) =>
    view(await orRefuse(clients.change(id, body, ifVersion))),
});

const remove = act({
  ...{ id: 'clients.remove', method: 'DELETE', path: '/clients/:id' },
  summary: 'Nobody signs in to this app any more, and what it has counts for nothing',
  ...{ role: 'admin', scope: 'clients:write', isDangerous: true, isVersioned: true },
  params: idParam,
  answer: done,
  async run({ params: { id }, ifVersion }, { clients }) {
    await orRefuse(clients.remove(id, ifVersion));
    return { done: true as const };
  },
});

const addSecret = act({
  ...{ id: 'clients.add-secret', method: 'POST', path: '/clients/:id/secrets' },
  summary: 'One more secret, shown this once; the others stay good',
  ...{ role: 'admin', scope: 'clients:write', isDangerous: true, isVersioned: true },
  params: idParam,
  status: 201,
  body: z.strictObject({ expires_at: z.iso.datetime().optional() }),
  answer: clientView.extend({ secret: shownSecret }),
  async run({ params: { id }, body: { expires_at: end }, ifVersion }, { clients, clock }) {
    const expiresAtMs = end === undefined ? undefined : Date.parse(end);
    if (expiresAtMs !== undefined && expiresAtMs <= clock()) {
      throw new Refusal('invalid', 'expires_at is over', [
        { path: 'expires_at', message: 'lies in the past' },
      ]);
    }
    const { client, secret } = await orRefuse(clients.addSecret(id, { expiresAtMs, ifVersion }));
    return { ...view(client), secret };
  },
});

const removeSecret = act({
  ...{ id: 'clients.remove-secret', method: 'DELETE', path: '/clients/:id/secrets/:secret' },
  summary: 'This secret counts no more; the last one stays',
  ...{ role: 'admin', scope: 'clients:write', isDangerous: true, isVersioned: true },
  params: idParam.extend({ secret: z.string().max(64) }),
  answer: clientView,
  noteOf: (_, { params: { secret } }) => secret,
  run: async ({ params: { id, secret }, ifVersion }, { clients }) =>
    view(await orRefuse(clients.removeSecret(id, secret, ifVersion))),
});

export {
  list as listClients,
  get as getClient,
  add as addClient,
  change as changeClient,
  remove as removeClient,
  addSecret as addClientSecret,
  removeSecret as removeClientSecret,
};
export const clientActs = [list, get, add, change, remove, addSecret, removeSecret];
