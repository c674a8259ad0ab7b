/**
 * What has to outlast a redirect and must not stand in an address: what somebody had typed when they were asked to sign
 * in again, and what is shown once. Sealed like everything, for the same operator, and gone when it was read.
 */
import type { Random } from '../../domain/environment.ts';
import type { Store } from '../../store/store.ts';

export type Drafts = ReturnType<typeof createDrafts>;

const ttlSeconds = 900;

export function createDrafts(store: Store, random: Random) {
  const keyOf = (accountId: string, id: string): string => `console-draft:${accountId} ${id}`;
  return {
    async keep(accountId: string, what: object): Promise<string> {
      const id = random(16);
      await store.put(keyOf(accountId, id), JSON.stringify(what), { ttlSeconds });
      return id;
    },
    async read(accountId: string, id: string | undefined): Promise<unknown> {
      const stored = id === undefined ? undefined : await store.get(keyOf(accountId, id));
      return stored && JSON.parse(stored.value);
    },
    async end(accountId: string, id: string | undefined): Promise<void> {
      if (id !== undefined) await store.delete(keyOf(accountId, id));
    },
    async take(accountId: string, id: string | undefined): Promise<unknown> {
      const value = id === undefined ? undefined : await store.take(keyOf(accountId, id));
      return value === undefined ? undefined : JSON.parse(value);
    },
  };
}
