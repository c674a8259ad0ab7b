/**
 * What the nonces of DPoP proofs come from. It lies in the store and not in the configuration, so that it is the same for
 * all processes, nobody has to think of it, and rotating anything else fails no proof. The library knows one secret at
 * a time: after a rotation a client is told once to use a new nonce, which RFC 9449 (section 8) has it do anyway.
 */
import type { Clock, Random } from '../domain/environment.ts';
import { createRotatingSecret } from '../store/rotating-secret.ts';
import type { Store } from '../store/store.ts';

export const nonceSecretOf = (
  store: Pick<Store, 'get' | 'put'>,
  tools: { clock: Clock; random: Random },
) => createRotatingSecret(store, 'dpop', tools);
