/**
 * Under which name a client knows an account. Public subjects are the account's own opaque id. A client that asks for
 * pairwise ones (OpenID Connect Core 8.1) gets names that no other sector's client gets, so that two apps cannot tell
 * that they have the same person. They must never change, so the key is made once and kept with the accounts: whoever
 * restores those restores it, and a restored name is the same name.
 */
import { createHmac } from 'node:crypto';
import type { Client } from 'oidc-provider';
import { keptSecret } from '../store/secrets.ts';
import type { Store } from '../store/store.ts';

export type SubjectFor = (client: Client, accountId: string) => string;

export async function createSubjects(
  store: Store,
  random: (bytes: number) => string,
): Promise<SubjectFor> {
  const secret = await keptSecret(store, 'pairwise', random);
  return (client, accountId) => {
    if (client.subjectType !== 'pairwise') return accountId;
    // The host of its redirect addresses, or of the list that `sector_identifier_uri` leads to.
    const { sectorIdentifier } = client as { sectorIdentifier?: string };
    if (!sectorIdentifier) throw new Error('a client with pairwise subjects has no sector');
    return createHmac('sha256', secret)
      .update(`${sectorIdentifier}\0${accountId}`)
      .digest('base64url');
  };
}
