/**
 * oidc/ is our use of node-oidc-provider: the provider's configuration (provider.ts), its policy (prompts.ts),
 * claims, clients and keys, and the adapter that keeps its records in our store. It knows nothing of Didit and
 * nothing of how a login is done.
 *
 * The adapter closes the races that the library leaves to its adapter. It does so with the store's single-key
 * verbs alone, so it is the same on one file, one Redis or a cluster:
 *
 * - a code, refresh token or pushed request is consumed by compare-and-set: of many callers one wins;
 * - an interaction that is resumed is taken out of the store: it leads to one response, in however many tabs;
 * - a proof's `jti` is recorded only if absent;
 * - a grant is the kill switch: every token is honoured only while its grant exists, so to revoke a family is to
 *   put a tombstone in the grant's place, in one step, and no list of its tokens need be kept;
 * - what hangs on a proof that was taken back is not found any more: revoked.ts;
 * - the session, which many tabs and relying parties write at once, has a file of its own: sessions.ts.
 *
 * What one request has read it need not read again to write: versions are remembered for as long as the
 * library's request context lives.
 */
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import { type Store, update } from '../store/store.ts';
import type { AccountSessions } from './account-sessions.ts';
import { hashSecret } from './client-secrets.ts';
import { createInteractions } from './interactions.ts';
import { lifetime, read, seen, tombstone, tombstoneSeconds } from './records.ts';
import { type IsRevoked, withoutRevoked } from './revoked.ts';
import { createRefreshTokens } from './refresh-tokens.ts';
import { createSessionAdapter } from './sessions.ts';
import { type UsedCodes, createUsedCodes } from './used-codes.ts';

export interface AdapterTools {
  store: Store;
  clock: Clock;
  isRevoked: IsRevoked;
  accountSessions: AccountSessions;
}

export function createAdapter(tools: AdapterTools): (model: string) => Adapter {
  const { store, clock, isRevoked, accountSessions } = tools;
  const usedCodes = createUsedCodes(clock);
  return (model) => withoutRevoked(model, adapterFor(model), isRevoked);

  function adapterFor(model: string): Adapter {
    switch (model) {
      case 'Session':
        return createSessionAdapter(store, accountSessions);
      case 'Grant':
        return { ...plain(store, clock, model), ...grants(store) };
      case 'Interaction':
        return { ...plain(store, clock, model), ...createInteractions(store) };
      case 'AuthorizationCode':
        return remembering(plain(store, clock, model), usedCodes);
      case 'RefreshToken':
        return { ...plain(store, clock, model), ...createRefreshTokens(store, clock) };
      case 'ReplayDetection':
        return { ...plain(store, clock, model), upsert: recordOnce(store) };
      case 'Client':
        return { ...plain(store, clock, model), upsert: saveClient(store) };
      default:
        return plain(store, clock, model);
    }
  }
}

function plain(store: Store, clock: Clock, model: string): Adapter {
  const keyOf = (id: string): string => `${model}:${id}`;
  return {
    async upsert(id, payload, expiresIn) {
      await store.put(keyOf(id), JSON.stringify(payload), { ttlSeconds: lifetime(expiresIn) });
      return undefined;
    },
    find: (id) => read(store, keyOf(id)),
    findByUid: () => Promise.resolve(undefined),
    findByUserCode: () => Promise.resolve(undefined),
    consume: (id) => consume(store, clock, model, keyOf(id)),
    async destroy(id) {
      await store.delete(keyOf(id));
      return undefined;
    },
    // The grant itself is destroyed in the same breath, and no token outlives it.
    revokeByGrantId: () => Promise.resolve(undefined),
  };
}

/** A code that this process has seen used stays used, whatever a database that lost its last second says of it. */
function remembering(adapter: Adapter, used: UsedCodes): Adapter {
  return {
    ...adapter,
    async find(id) {
      const payload = await adapter.find(id);
      const consumed = used.at(id);
      return payload && consumed !== undefined ? { ...payload, consumed } : payload;
    },
    async consume(id) {
      await adapter.consume(id);
      used.add(id);
    },
  };
}

async function consume(store: Store, clock: Clock, model: string, key: string): Promise<undefined> {
  await update<undefined>(
    store,
    key,
    (current) => {
      if (current === undefined) throw usedUp(model);
      const payload = JSON.parse(current) as AdapterPayload;
      if (payload.consumed) throw usedUp(model);
      const now = Math.floor(clock() / 1000);
      const ttlSeconds = lifetime(Math.max(0, (payload.exp ?? now) - now));
      return {
        value: JSON.stringify({ ...payload, consumed: now }),
        ttlSeconds,
        result: undefined,
      };
    },
    seen().get(key),
  );
  return undefined;
}

function usedUp(model: string): Error {
  if (model === 'PushedAuthorizationRequest') {
    return new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used');
  }
  return new errors.InvalidGrant('already used');
}

/** A destroyed grant leaves a tombstone, so that a request that read it before cannot save it back to life. */
function grants(store: Store): Pick<Adapter, 'upsert' | 'destroy'> {
  const keyOf = (id: string): string => `Grant:${id}`;
  return {
    async upsert(id, payload, expiresIn) {
      const value = JSON.stringify(payload);
      const ttlSeconds = lifetime(expiresIn);
      const known = seen().get(keyOf(id));
      if (!known && (await store.put(keyOf(id), value, { ttlSeconds, ifAbsent: true }))) {
        return undefined;
      }
      return update<undefined>(
        store,
        keyOf(id),
        (current) => {
          if (current === tombstone) throw new errors.InvalidGrant('the grant was revoked');
          return { value, ttlSeconds, result: undefined };
        },
        known,
      );
    },
    async destroy(id) {
      await store.put(keyOf(id), tombstone, { ttlSeconds: tombstoneSeconds });
      return undefined;
    },
  };
}

function recordOnce(store: Store): Adapter['upsert'] {
  return async (id, payload, expiresIn) => {
    const options = { ttlSeconds: lifetime(expiresIn), ifAbsent: true };
    if (!(await store.put(`ReplayDetection:${id}`, JSON.stringify(payload), options))) {
      throw new errors.InvalidRequest('the proof was used before');
    }
    return undefined;
  };
}

/** A registered client learns its secret once, in the answer to its registration; we keep the hash. */
function saveClient(store: Store): Adapter['upsert'] {
  return async (id, payload) => {
    const secret = payload.client_secret;
    const kept = secret === undefined ? payload : { ...payload, client_secret: hashSecret(secret) };
    await store.put(`Client:${id}`, JSON.stringify(kept));
    return undefined;
  };
}
