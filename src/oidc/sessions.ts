/**
 * The browser's session with this provider, under concurrent writers.
 *
 * The library reads a session, changes it and writes it back, without a lock; several tabs and relying parties
 * do that at once. Three things would go wrong, and each has its remedy here:
 *
 * - two relying parties sign in together and the later write forgets the earlier party, whose code is then
 *   useless and whose logout is missed → writes are merged (three ways: what was read, what stands, what is
 *   wanted) under compare-and-set;
 * - a step-up gives the session a new id while another tab still carries the old one → the old id leads to the
 *   session for a few seconds more, if somebody was signed in under it (an id from before the login never does,
 *   which is the defence against fixation);
 * - a tab writes the session back after another one has signed out → a tombstone stands in its place; and one
 *   that began before somebody signed in writes nothing over the login.
 *
 * The body lies under the session's stable `uid`, because tokens refer to that; a pointer leads from the id in
 * the cookie to it.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Adapter, type AdapterPayload, Provider, errors } from 'oidc-provider';
import { type Change, type Store, update } from '../store/store.ts';
import type { AccountSessions } from './account-sessions.ts';
import { read, seen, tombstone, tombstoneSeconds } from './records.ts';

const rotationGraceSeconds = 15;

type Authorizations = NonNullable<AdapterPayload['authorizations']>;

const bodyKey = (uid: string): string => `Session:${uid}`;
const pointerKey = (id: string): string => `SessionId:${id}`;

export function readSession(store: Store, uid: string): Promise<AdapterPayload | undefined> {
  return read(store, bodyKey(uid));
}

export function createSessionAdapter(store: Store, accountSessions: AccountSessions): Adapter {
  async function find(id: string): Promise<AdapterPayload | undefined> {
    const pointer = await store.get(pointerKey(id));
    if (!pointer) return undefined;
    seen().set(pointerKey(id), pointer);
    return read(store, bodyKey(pointer.value));
  }

  async function upsert(
    id: string,
    payload: AdapterPayload,
    expiresIn: number,
  ): Promise<undefined> {
    const uid = payload.uid;
    if (uid === undefined) throw new Error('a session without uid');
    const known = seen().get(bodyKey(uid));
    const base = known && (JSON.parse(known.value) as AdapterPayload);
    const pointing = Promise.all([point(id, uid, expiresIn), noteSignIn(uid, base, payload)]);
    if (!known) {
      // A session that this request began: as a rule nothing stands there yet.
      const value = JSON.stringify(payload);
      const options = { ttlSeconds: expiresIn, ifAbsent: true };
      const [written] = await Promise.all([store.put(bodyKey(uid), value, options), pointing]);
      if (written) return undefined;
    }
    await Promise.all([
      update<undefined>(
        store,
        bodyKey(uid),
        (current) => mergeInto(current, base, payload, expiresIn),
        known,
      ),
      pointing,
    ]);
    return undefined;
  }

  /**
   * A session is noted when somebody signs in, and again when it is prolonged by a new proof: their own page shows
   * it, and relying parties are told of its end.
   */
  async function noteSignIn(
    uid: string,
    base: AdapterPayload | undefined,
    { accountId, loginTs }: AdapterPayload,
  ): Promise<void> {
    const isKnown = base?.accountId === accountId && base?.loginTs === loginTs;
    if (accountId !== undefined && !isKnown) await accountSessions.note(accountId, uid);
  }

  /**
   * An id that this request came with is prolonged only if nobody has touched it since: a login that gave the
   * session another id has deleted it, and it must not lead to what was proven after.
   */
  async function point(id: string, uid: string, ttlSeconds: number): Promise<void> {
    const condition = { ifVersion: seen().get(pointerKey(id))?.version };
    await store.put(pointerKey(id), uid, { ttlSeconds, ...condition });
  }

  async function destroy(id: string): Promise<undefined> {
    const uid = seen().get(pointerKey(id))?.value ?? (await store.get(pointerKey(id)))?.value;
    if (uid === undefined) return undefined;
    if (isRotation(id)) {
      const body = seen().get(bodyKey(uid))?.value;
      const signedIn = body !== undefined && 'accountId' in (JSON.parse(body) as object);
      if (signedIn) await store.put(pointerKey(id), uid, { ttlSeconds: rotationGraceSeconds });
      else await store.delete(pointerKey(id));
      return undefined;
    }
    await Promise.all([
      store.put(bodyKey(uid), tombstone, { ttlSeconds: tombstoneSeconds }),
      store.delete(pointerKey(id)),
    ]);
    return undefined;
  }

  return {
    find,
    findByUid: (uid) => read(store, bodyKey(uid)),
    upsert,
    destroy,
    findByUserCode: () => Promise.resolve(undefined),
    consume: () => Promise.resolve(undefined),
    revokeByGrantId: () => Promise.resolve(undefined),
  };
}

/** The library destroys the old id when it gives a session a new one; `oldId` is not in its types. */
function isRotation(id: string): boolean {
  const session = (Provider.ctx?.oidc as { session?: { oldId?: string } } | undefined)?.session;
  return session?.oldId === id;
}

function mergeInto(
  current: string | undefined,
  base: AdapterPayload | undefined,
  wanted: AdapterPayload,
  ttlSeconds: number,
): Change<undefined> {
  if (current === tombstone) {
    throw new errors.LoginRequired('the session ended while this request was under way');
  }
  const standing = current === undefined ? undefined : (JSON.parse(current) as AdapterPayload);
  const signedInElsewhere = standing?.accountId !== base?.accountId;
  if (standing && base && signedInElsewhere && wanted.accountId === base.accountId) {
    // Somebody signed in meanwhile, and not by this request: it has nothing to say about that.
    return { result: undefined };
  }
  if (!standing || !base || standing.accountId !== wanted.accountId) {
    return { value: JSON.stringify(wanted), ttlSeconds, result: undefined };
  }
  const merged = { ...wanted, authorizations: mergeAuthorizations(standing, base, wanted) };
  if (standing.jti !== base.jti && wanted.jti === base.jti) {
    // The other tab proved somebody anew and gave the session its id; what it proved stands.
    const { jti, acr, amr, loginTs } = standing as AdapterPayload & { loginTs?: number };
    Object.assign(merged, { jti, acr, amr, loginTs });
  }
  return { value: JSON.stringify(merged), ttlSeconds, result: undefined };
}

/** Each relying party's entry: whoever changed it since it was read wins; where both did, this request. */
function mergeAuthorizations(
  standing: AdapterPayload,
  base: AdapterPayload,
  wanted: AdapterPayload,
): Authorizations {
  const [theirs, before, ours] = [standing, base, wanted].map((p) => p.authorizations ?? {}) as [
    Authorizations,
    Authorizations,
    Authorizations,
  ];
  const merged: Authorizations = {};
  for (const client of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
    const untouched = isDeepStrictEqual(ours[client], before[client]);
    const entry = untouched ? theirs[client] : ours[client];
    if (entry) merged[client] = entry;
  }
  return merged;
}
