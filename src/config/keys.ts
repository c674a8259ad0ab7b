/** Fresh keys, for `didit-oidc init`, for the demo, and for development without any. */
import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

/** Text of `bytes` random bytes in base64url: a cookie key, an encryption key, a token. */
export function randomKey(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/**
 * Private signing keys. ES256 comes first and so signs; RS256 is what every client must
 * understand.
 */
export async function generateJwks(): Promise<{ keys: JWK[] }> {
  const keys = await Promise.all(['ES256', 'RS256'].map(generateSigningKey));
  return { keys };
}

export async function generateSigningKey(alg: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid: randomKey(9), use: 'sig', alg, ...(await exportJWK(privateKey)) };
}
