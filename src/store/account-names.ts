/** By which names somebody may sign in: one index for all of them, one entry a name, each at most one person's. */
import type { Account } from './accounts.ts';
import type { Store } from './store.ts';

type Named = Pick<Account, 'email' | 'username'>;

/** One spelling for all that a person may mean by the same name: Unicode form, case and space around it. */
export function normaliseIdentifier(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}

function spellings({ email, username }: Named): Set<string> {
  const given = [email, username].filter((name) => name !== undefined);
  return new Set(given.map(normaliseIdentifier));
}

export function createNames(store: Store) {
  const keyOf = (spelling: string): string => `identifier:${spelling}`;

  async function idOf(identifier: string): Promise<string | undefined> {
    return (await store.get(keyOf(normaliseIdentifier(identifier))))?.value;
  }

  async function free(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => store.delete(keyOf(name))));
  }

  return {
    idOf,

    /** Takes all of these names, or none of them when one is somebody else's. */
    async claim(id: string, named: Named): Promise<boolean> {
      const taken: string[] = [];
      for (const name of spellings(named)) {
        if (await store.put(keyOf(name), id, { ifAbsent: true })) taken.push(name);
        else if ((await idOf(name)) !== id) {
          await free(taken);
          return false;
        }
      }
      return true;
    },

    /** Gives back all of these names that are still this person's. */
    giveUp: async (id: string, named: Named): Promise<void> => {
      for (const name of spellings(named)) {
        const stored = await store.get(keyOf(name));
        if (stored?.value !== id) continue;
        // Deleting would hit whoever took the name in between; this only ever writes over what was read.
        const gone = { ifVersion: stored.version, ttlSeconds: 1 };
        await store.put(keyOf(name), id, gone);
      }
    },

    /** Gives back the names that are no longer used. */
    async release(before: Named, after: Named): Promise<void> {
      const kept = spellings(after);
      await free([...spellings(before)].filter((name) => !kept.has(name)));
    },
  };
}
