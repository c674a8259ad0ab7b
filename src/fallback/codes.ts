/** How codes are typed, and how they are kept. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What somebody meant who put spaces into it, or typed it with the keyboard of another script. */
export function typedCode(text: string): string {
  return text.normalize('NFKC').replace(/[\s\p{Pd}]/gu, '');
}

/**
 * An HMAC under a key of the store's own: a list of such hashes cannot be tried out without it.
 * @param parts what the code is for, and the code: one for somebody else has another hash.
 */
export function keyedHash(secret: string, ...parts: readonly string[]): string {
  return createHmac('sha256', secret).update(JSON.stringify(parts)).digest('base64url');
}

/** In constant time. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
