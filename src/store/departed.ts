/**
 * The names of people who were erased, as keyed hashes: a file of people that still lists one of them must not bring
 * them back by itself. Whoever comes back of their own accord is not kept out.
 */
import { createHmac } from 'node:crypto';
import type { Random } from '../domain/environment.ts';
import { normaliseIdentifier } from './account-names.ts';
import { keptSecret } from './secrets.ts';
import type { Store } from './store.ts';

const keptSeconds = 400 * 86_400;

export type Departed = ReturnType<typeof createDeparted>;

export function createDeparted(store: Store, random: Random) {
  let secret: string | undefined;

  async function keyOf(name: string): Promise<string> {
    secret ??= await keptSecret(store, 'departed', random);
    const hash = createHmac('sha256', secret).update(normaliseIdentifier(name));
    return `departed:${hash.digest('base64url')}`;
  }

  return {
    async remember(name: string): Promise<void> {
      await store.put(await keyOf(name), '', { ttlSeconds: keptSeconds });
    },

    has: async (name: string): Promise<boolean> =>
      (await store.get(await keyOf(name))) !== undefined,
  };
}
