/** The composition root's piece that knows which keys change by themselves, as time goes on. */
import type { Configured } from './app-doors.ts';
import { inOrder } from './domain/dated.ts';
import { statesOf } from './domain/signing-keys.ts';
import { nonceSecretOf } from './oidc/nonce-secret.ts';
import { smallRandom } from './store/random.ts';
import type { Store } from './store/store.ts';

/** The same text as long as every key does what it does. It holds keys: it is compared, and never shown. */
export async function markOf(
  { config, jwks }: Configured,
  store: Store,
  nowMs: number,
): Promise<string> {
  const random = (bytes: number): string => smallRandom(bytes).toString('base64url');
  const nonces = await nonceSecretOf(store, { clock: () => nowMs, random }).load();
  return JSON.stringify([
    statesOf(jwks.keys, nowMs / 1000),
    inOrder(config.cookies.keys, nowMs),
    inOrder(config.store.encryptionKeys, nowMs),
    nonces.secret,
  ]);
}
