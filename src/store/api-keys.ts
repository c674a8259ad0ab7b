/**
 * Keys of operators' programs. What is kept is a hash of 256 random bits; the key's id is computed from it, so that one
 * record is read and compared, whoever asks.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Clock, Hash, Random } from '../domain/environment.ts';
import { indexPage } from './index-page.ts';
import { membersSince } from './index-pages.ts';
import { type Store, update } from './store.ts';

export interface ApiKey {
  schema: 1;
  id: string;
  name: string;
  scopes: readonly string[];
  createdAtMs: number;
  createdBy: string;
  expiresAtMs?: number;
  /** The day, UTC: when exactly is nobody's business, and would be a write with each request. */
  usedOn?: string;
}

const named = 'key:';
/** What its program is called where it is told who did something; nobody else has a colon in their name. */
export const apiKeyName = ({ id }: Pick<ApiKey, 'id'>): string => named + id;
export const isApiKeyName = (name: string): boolean => name.startsWith(named);

/** What the audit log keeps of it once it is gone: what could be done by it. */
export const apiKeyInWords = ({ name, scopes }: Pick<ApiKey, 'name' | 'scopes'>): string =>
  `${name}: ${scopes.join(' ')}`;

export type ApiKeys = ReturnType<typeof createApiKeys>;

type Kept = ApiKey & { hash: string };

const prefix = 'dok_';
const secretBytes = 32;
const form = /^dok_[\w-]{43}$/;
const index = 'api-keys-by-time';
const keyOf = (id: string): string => `api-key:${id}`;

export function createApiKeys(
  store: Store,
  { clock, random, hash }: { clock: Clock; random: Random; hash: Hash },
) {
  const idOf = (hashed: string): string =>
    Buffer.from(hashed, 'base64url').subarray(0, 8).toString('hex');

  async function load(id: string): Promise<Kept | undefined> {
    const stored = await store.get(keyOf(id));
    return stored && (JSON.parse(stored.value) as Kept);
  }

  /**
   * It counts no more, in every process at once, and neither do those that were made with it. Where a try before broke
   * off, this does the rest. @returns what was revoked.
   */
  async function revoke(id: string): Promise<ApiKey[]> {
    const kept = await load(id);
    const isGone = await store.delete(keyOf(id));
    await store.indexRemove(index, id);
    // Listed once it is gone: whoever makes one with it meanwhile looks again afterwards, see isMakerThere.
    const made = await revokeMadeBy(apiKeyName({ id }));
    return kept && isGone ? [withoutHash(kept), ...made] : made;
  }

  /**
   * Those that somebody made, and those that were made with these; also those whose maker is a key that is gone, which
   * a try before has left. @returns what was revoked.
   */
  async function revokeMadeBy(createdBy: string): Promise<ApiKey[]> {
    const ids = await Array.fromAsync(membersSince(store, index, 0));
    const all = (await Promise.all(ids.map(load))).filter((key) => key !== undefined);
    const there = new Set(all.map(apiKeyName));
    const gone: ApiKey[] = [];
    for (const { id, createdBy: maker } of all) {
      const isLeft = isApiKeyName(maker) && !there.has(maker);
      if (maker === createdBy || isLeft) gone.push(...(await revoke(id)));
    }
    return gone;
  }

  return {
    ...{ revoke, revokeMadeBy },

    /** Is the key still there with which this one was made? To be asked when it was made. */
    isMakerThere: async ({ createdBy }: ApiKey): Promise<boolean> =>
      !isApiKeyName(createdBy) || (await load(createdBy.slice(named.length))) !== undefined,

    /** @returns the key itself, which stands nowhere else. */
    async add(
      fields: Pick<ApiKey, 'name' | 'scopes' | 'createdBy'> & { expiresAtMs?: number },
    ): Promise<{ key: ApiKey; token: string }> {
      const token = `${prefix}${random(secretBytes)}`;
      const hashed = hash(token);
      const key: ApiKey = { schema: 1, id: idOf(hashed), ...fields, createdAtMs: clock() };
      await store.indexAdd(index, key.id, key.createdAtMs);
      await store.put(keyOf(key.id), JSON.stringify({ ...key, hash: hashed }));
      return { key, token };
    },

    /** @returns undefined for whatever is no key, or none any more. */
    async check(token: string): Promise<ApiKey | undefined> {
      if (!form.test(token)) return undefined;
      const given = hash(token);
      const kept = await load(idOf(given));
      const expected = Buffer.from(kept?.hash ?? '');
      const isRight =
        expected.length === given.length && timingSafeEqual(expected, Buffer.from(given));
      if (!kept || !isRight || clock() >= (kept.expiresAtMs ?? Infinity)) return undefined;
      const today = new Date(clock()).toISOString().slice(0, 10);
      if (kept.usedOn !== today) {
        await update(store, keyOf(kept.id), (current) => {
          // It may have been revoked meanwhile, and must not come back by this.
          if (current === undefined) return { result: undefined };
          const now = JSON.parse(current) as Kept;
          return { value: JSON.stringify({ ...now, usedOn: today }), result: undefined };
        });
      }
      return withoutHash(kept);
    },

    async find(id: string): Promise<ApiKey | undefined> {
      const kept = await load(id);
      return kept && withoutHash(kept);
    },

    /** The oldest first. @returns undefined when the mark is none of ours. */
    async page(of: {
      limit: number;
      after?: string | undefined;
    }): Promise<{ keys: ApiKey[]; next?: string } | undefined> {
      const listed = await indexPage(store, index, of);
      if (!listed) return undefined;
      const { members, ...rest } = listed;
      const stored = await store.getMany(members.map(keyOf));
      const keys = stored.flatMap((one) => (one ? [JSON.parse(one.value) as Kept] : []));
      return { keys: keys.map(withoutHash), ...rest };
    },
  };
}

const withoutHash = ({ hash: _, ...key }: Kept): ApiKey => key;
