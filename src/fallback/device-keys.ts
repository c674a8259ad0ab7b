/**
 * A key that a browser made and cannot give away (WebCrypto, P-256, not extractable): it proves that this is the same
 * browser, where a cookie only says so. What it signs names this provider, the use, and one attempt.
 */
import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';

/** A coordinate of a point on P-256, 32 bytes; also what names a key. */
const bytes32 = /^[\w-]{43}$/;
/** r and s, one after the other (RFC 7518 section 3.4). */
const signature = /^[\w-]{86}$/;

export type PublicKey = { x: string; y: string };

const newKey = z.object({ x: z.string().regex(bytes32), y: z.string().regex(bytes32) });

/** What a browser is to sign, as text. @param challenge of this attempt and no other. */
export function deviceKeyMessage(issuer: string, use: 'make' | 'prove', challenge: string): string {
  return `didit-oidc device key\n${issuer}\n${use}\n${challenge}`;
}

/** The fields of a form, in which a key introduces itself; undefined where they do not hold together. */
export function readNewKey(
  form: ReadonlyMap<string, string>,
  message: string,
): (PublicKey & { id: string }) | undefined {
  const id = form.get('device_key') ?? '';
  const parsed = newKey.safeParse({ x: form.get('device_key_x'), y: form.get('device_key_y') });
  if (!bytes32.test(id) || !parsed.success) return undefined;
  return isSignedBy(parsed.data, message, form.get('device_signature'))
    ? { id, ...parsed.data }
    : undefined;
}

export function isSignedBy(
  { x, y }: PublicKey,
  message: string,
  given: string | undefined,
): boolean {
  if (given === undefined || !signature.test(given)) return false;
  try {
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
    const bytes = Buffer.from(given, 'base64url');
    return verify('sha256', Buffer.from(message), { key, dsaEncoding: 'ieee-p1363' }, bytes);
  } catch {
    // Not a point of the curve.
    return false;
  }
}
