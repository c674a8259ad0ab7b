/**
 * The secrets of a client. There may be several at once, so that a new one is in use before the old one goes: each has
 * an id by which operators speak of it, and perhaps an end.
 */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface KeptSecret {
  id: string;
  /** `sha256:` and the base64url digest. */
  hash: string;
  /** Absent for those of the clients file. */
  createdAtMs?: number;
  expiresAtMs?: number;
}

/** The word in a client's metadata; who registers a client has no such word. */
export const secretsWord = 'kept_secrets';

/** Secrets are long and random, so a fast hash is the right one. */
export function hashSecret(secret: string): string {
  return `sha256:${createHash('sha256').update(secret).digest('base64url')}`;
}

/** For those of the clients file, which have no other name. */
export const secretIdOf = (hash: string): string => hash.slice('sha256:'.length).slice(0, 12);

export function secretsOf(client: object): readonly KeptSecret[] {
  const { [secretsWord]: kept } = client as { [secretsWord]?: readonly KeptSecret[] };
  return kept ?? [];
}

/** Looks at all of them, whichever it is, so that the time it takes tells nothing. */
export function isAmongSecrets(
  given: string,
  secrets: readonly Pick<KeptSecret, 'hash' | 'expiresAtMs'>[],
  nowMs: number,
): boolean {
  const actual = Buffer.from(hashSecret(given));
  let isRight = false;
  for (const { hash, expiresAtMs = Infinity } of secrets) {
    const expected = Buffer.from(hash);
    const isSame = expected.length === actual.length && timingSafeEqual(expected, actual);
    isRight = (isSame && nowMs < expiresAtMs) || isRight;
  }
  return isRight;
}
