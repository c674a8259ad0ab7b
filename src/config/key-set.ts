/** What a file with signing keys must not hold. */
import { createHash } from 'node:crypto';

/** The keys of `jwksFile`, or `unreadable` when the file holds something else. */
export type KeySet = Record<string, unknown>[] | 'unreadable';

export function parseKeySet(jwksText: string): KeySet {
  try {
    const { keys } = JSON.parse(jwksText) as { keys: unknown };
    const isKeySet = Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key);
    return isKeySet ? (keys as Record<string, unknown>[]) : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

export function isPublicKey(key: Record<string, unknown>): boolean {
  return typeof key['d'] !== 'string';
}

/** The thumbprint (RFC 7638) of the key that oidc-provider signs with when it is given none. */
const publishedThumbprint = 'r1LkbBo3925Rb2ZFFrKyU3MVex9T2817Kx0vbi6i_Kc';

export function isPublishedKey(key: Record<string, unknown>): boolean {
  const { e, kty, n, kid } = key;
  const thumbprint = createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
  return thumbprint === publishedThumbprint || kid === 'keystore-CHANGE-ME';
}
