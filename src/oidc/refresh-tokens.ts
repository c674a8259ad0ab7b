/**
 * Refresh tokens, one record a family: the token that is valid now, under the name that all of its family share.
 *
 * Rotation then is one compare-and-set: of many callers one puts its successor there, and the token that was used
 * is spent by the same write. Whoever comes with an older one meets its successor, which is how a stolen token is
 * noticed. Nothing of the family stays behind but this record.
 */
import { randomBytes } from 'node:crypto';
import { type Adapter, type AdapterPayload, Provider, errors } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import type { Store } from '../store/store.ts';
import { lifetime, read, seen } from './records.ts';

const familyBytes = 16;
const tokenBytes = 32;

/** A token reads `family.secret`; a rotated token's successor is of its family. */
export function nameByFamily(provider: Provider): void {
  // Not in the library's types.
  const tokens = provider.RefreshToken.prototype as { generateTokenId?: () => string };
  tokens.generateTokenId = function generateTokenId() {
    const rotated = Provider.ctx?.oidc.entities.RotatedRefreshToken?.jti;
    const family = rotated ? familyOf(rotated) : randomBytes(familyBytes).toString('base64url');
    return `${family}.${randomBytes(tokenBytes).toString('base64url')}`;
  };
}

function familyOf(token: string): string {
  return token.split('.', 1)[0] ?? '';
}

export function createRefreshTokens(store: Store, clock: Clock): Partial<Adapter> {
  const keyOf = (token: string): string => `RefreshToken:${familyOf(token)}`;

  return {
    async find(token) {
      const valid = await read(store, keyOf(token));
      if (!valid || valid.jti === token) return valid;
      // Spent before, by its owner or by a thief: the library ends the family.
      return { ...valid, jti: token, consumed: Math.floor(clock() / 1000) };
    },

    /** The write that spends it is its successor's. */
    consume: () => Promise.resolve(undefined),

    async upsert(token, payload: AdapterPayload, expiresIn) {
      const predecessor = seen().get(keyOf(token));
      const condition = predecessor ? { ifVersion: predecessor.version } : { ifAbsent: true };
      const options = { ttlSeconds: lifetime(expiresIn), ...condition };
      if (!(await store.put(keyOf(token), JSON.stringify(payload), options))) {
        throw new errors.InvalidGrant('already used');
      }
      return undefined;
    },

    async destroy(token) {
      await store.delete(keyOf(token));
      return undefined;
    },
  };
}
