/** Signing keys: a JWK Set with private keys, the first of each algorithm being the one that signs. */
import type { JWK } from 'jose';

/** What the provider signs with: ES256 for those who can, RS256 because relying parties assume it. */
export const signingAlgorithms = ['RS256', 'ES256'] as const;

/** @throws with the reason when the text is not a JWK Set that this provider can sign with. */
export function parseJwks(text: string): { keys: JWK[] } {
  const parsed = JSON.parse(text) as { keys?: JWK[] };
  if (!Array.isArray(parsed.keys)) throw new Error('the key set has no "keys"');
  for (const alg of signingAlgorithms) {
    if (!parsed.keys.some((key) => key.alg === alg && key.d !== undefined)) {
      throw new Error(`the key set has no private key for ${alg}`);
    }
  }
  const kids = parsed.keys.map((key) => key.kid);
  if (kids.includes(undefined) || new Set(kids).size !== kids.length) {
    throw new Error('every key needs a "kid" of its own');
  }
  return { keys: parsed.keys };
}
