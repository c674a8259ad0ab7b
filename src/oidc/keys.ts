/** Signing keys: a JWK Set with private keys, whose life is told by domain/signing-keys.ts. */
import { type JWK, CompactSign, compactVerify, importJWK } from 'jose';
import { type KeyLife, lifeMembers, publishedKeys, statesOf } from '../domain/signing-keys.ts';

/** What the provider signs with: ES256 for those who can, RS256 because relying parties assume it. */
export const signingAlgorithms = ['RS256', 'ES256'] as const;

export type LivingKey = JWK & KeyLife;

/** @throws with the reason when the text is not a JWK Set that this provider can sign with. */
export function parseJwks(text: string): { keys: LivingKey[] } {
  const parsed = parseJson(text) as { keys?: LivingKey[] } | null;
  if (!Array.isArray(parsed?.keys)) throw new Error('the key set has no "keys"');
  const { keys } = parsed;
  for (const alg of signingAlgorithms) {
    if (!keys.some((key) => key.alg === alg && key.d !== undefined)) {
      throw new Error(`the key set has no private key for ${alg}`);
    }
  }
  const kids = keys.map((key) => key.kid);
  if (kids.includes(undefined) || new Set(kids).size !== kids.length) {
    throw new Error('every key needs a "kid" of its own');
  }
  for (const key of keys) checkLife(key);
  return { keys };
}

/**
 * What is published now, without the members that are for us alone, each algorithm's signing key first.
 * @throws unless there is a key for each that signs what it verifies: nobody should find out at the end of a login.
 */
export async function keysInUse(
  { keys }: { keys: readonly LivingKey[] },
  nowMs: number,
): Promise<{ keys: JWK[] }> {
  const nowSeconds = nowMs / 1000;
  const states = statesOf(keys, nowSeconds);
  for (const alg of signingAlgorithms) {
    const signer = keys.find((key, at) => key.alg === alg && states[at] === 'signing');
    if (!signer) throw new Error(`of the signing keys for ${alg} all are retired`);
  }
  const published = publishedKeys(keys, nowSeconds);
  for (const key of published) await prove(key);
  return { keys: published.map(withoutLife) };
}

/** @throws when it is broken, or its halves belong to two keys. */
async function prove(key: JWK): Promise<void> {
  const { d, p, q, dp, dq, qi, oth, ...open } = key;
  const alg = key.alg ?? 'RS256';
  try {
    const signed = await new CompactSign(Buffer.from('didit-oidc'))
      .setProtectedHeader({ alg })
      .sign(await importJWK(key, alg));
    await compactVerify(signed, await importJWK(open, alg));
  } catch (cause) {
    throw new Error(`the signing key "${key.kid ?? ''}" does not work`, { cause });
  }
}

function withoutLife(key: LivingKey): JWK {
  const members = Object.entries(key).filter(([name]) => !isLifeMember(name));
  return Object.fromEntries(members);
}

const isLifeMember = (name: string): boolean => lifeMembers.some((member) => member === name);

function checkLife(key: LivingKey): void {
  for (const member of lifeMembers) {
    const value = key[member];
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new Error(`"${member}" of the key "${key.kid ?? ''}" is not a time in seconds`);
    }
  }
}

/** The library's own message would quote the text, and with it a key. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the key set is not JSON');
  }
}
