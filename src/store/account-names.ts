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

  return {
    idOf,

    /** Takes all of these names, or none of them when one is somebody else's. */
    async claim(id: string, named: Named): Promise<boolean> {
      const taken: string[] = [];
      for (const name of spellings(named)) {
        if (!(await store.put(keyOf(name), id, { ifAbsent: true }))) {
          await Promise.all(taken.map((mine) => store.delete(keyOf(mine))));
          return false;
        }
        taken.push(name);
      }
      return true;
    },

    /** Gives back those of these names that are this account's. */
    async release(id: string, named: Named): Promise<void> {
      for (const name of spellings(named)) {
        if ((await idOf(name)) === id) await store.delete(keyOf(name));
      }
    },
  };
}
