/**
 * Pairwise subjects (OpenID Connect Core 8.1): a client that asks for them gets names that no other sector's client
 * gets, so that two apps cannot tell that they have the same person. They must never change, so the key is made once
 * and kept with the accounts: whoever restores those restores it, and a restored name is the same name.
 */
import { createHmac } from 'node:crypto';
import type { Configuration } from 'oidc-provider';
import type { Store } from '../store/store.ts';

export type Pairwise = NonNullable<Configuration['pairwiseIdentifier']>;

const key = 'secret:pairwise';
const keyBytes = 32;

export async function createPairwise(
  store: Store,
  random: (bytes: number) => string,
): Promise<Pairwise> {
  await store.put(key, random(keyBytes), { ifAbsent: true });
  const secret = (await store.get(key))?.value;
  if (secret === undefined) throw new Error('the key of pairwise subjects cannot be kept');
  return (_ctx, accountId, client) => {
    // The host of its redirect addresses, or of the list that `sector_identifier_uri` leads to.
    const { sectorIdentifier } = client as { sectorIdentifier?: string };
    if (!sectorIdentifier) throw new Error('a client with pairwise subjects has no sector');
    return createHmac('sha256', secret)
      .update(`${sectorIdentifier}\0${accountId}`)
      .digest('base64url');
  };
}
