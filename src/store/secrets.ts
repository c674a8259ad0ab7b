/**
 * Keys that the store makes for itself, once, and keeps with the records that hang on them: whoever restores those
 * restores them too. In a dump they lie sealed like anything else.
 */
import type { Random } from '../domain/environment.ts';
import type { Store } from './store.ts';

const keyBytes = 32;

/** @param use each gets a key of its own. */
export async function keptSecret(store: Store, use: string, random: Random): Promise<string> {
  const key = `secret:${use}`;
  await store.put(key, random(keyBytes), { ifAbsent: true });
  const secret = (await store.get(key))?.value;
  if (secret === undefined) throw new Error(`the key for ${use} cannot be kept`);
  return secret;
}
