/** Every key of the configuration and of the store, by an id that gives nothing away, and where it is in its life. */
import { createHash } from 'node:crypto';
import type { Config } from '../../config/schema.ts';
import { inOrder, parseDated } from '../../domain/dated.ts';
import { type SigningKey, statesOf } from '../../domain/signing-keys.ts';
import type { RotatingSecret } from '../../store/rotating-secret.ts';
import { keyIdOf } from '../../store/keyring.ts';
import type { KeyEntry, KeyUse } from './uses.ts';

export interface KeysNow {
  config: Config;
  jwks: readonly SigningKey[];
  nonces: RotatingSecret;
  nowMs: number;
}

export function listKeys({ config, jwks, nonces, nowMs }: KeysNow): KeyEntry[] {
  return [
    ...signingEntries(jwks, nowMs),
    ...datedEntries('cookies', config.cookies.keys, nowMs),
    ...datedEntries('store', config.store.encryptionKeys, nowMs, keyIdOf),
    ...datedEntries('webhook', config.didit.webhookSecrets, nowMs),
    { use: 'didit', id: shortId(config.didit.apiKey), state: 'current' },
    {
      ...{ use: 'dpop', id: shortId(nonces.secret), state: 'current' },
      ...(nonces.sinceMs === undefined ? {} : { sinceMs: nonces.sinceMs }),
      ...(nonces.nextMs === undefined ? {} : { nextMs: nonces.nextMs }),
    },
  ];
}

function signingEntries(keys: readonly SigningKey[], nowMs: number): KeyEntry[] {
  const states = statesOf(keys, nowMs / 1000);
  return keys.map((key, at): KeyEntry => {
    const state = states[at] ?? 'retired';
    const { published_at: published, signs_from: signs, retires_at: retires } = key;
    const since = { published, signing: signs, retiring: undefined, retired: retires }[state];
    const next = { published: signs, signing: undefined, retiring: retires, retired: undefined };
    return {
      ...{ use: 'signing', id: key.kid ?? '', state },
      ...(key.alg === undefined ? {} : { alg: key.alg }),
      ...(since === undefined ? {} : { sinceMs: since * 1000 }),
      ...(next[state] === undefined ? {} : { nextMs: next[state] * 1000 }),
    };
  });
}

function datedEntries(
  use: KeyUse,
  list: readonly string[],
  nowMs: number,
  idOf: (secret: string) => string = shortId,
): KeyEntry[] {
  const [current] = inOrder(list, nowMs);
  return list.map((text): KeyEntry => {
    const { secret, fromMs, untilMs } = parseDated(text) ?? {
      ...{ secret: text, fromMs: -Infinity, untilMs: Infinity },
    };
    const isToCome = fromMs > nowMs;
    const nextMs = isToCome ? fromMs : untilMs;
    return {
      ...{ use, id: idOf(secret) },
      state: secret === current ? 'current' : isToCome ? 'published' : 'old',
      ...(Number.isFinite(fromMs) && !isToCome ? { sinceMs: fromMs } : {}),
      ...(Number.isFinite(nextMs) ? { nextMs } : {}),
    };
  });
}

/** Secrets are long and random, so that nobody finds one by its hash. */
export function shortId(secret: string): string {
  const hash = createHash('sha256').update('didit-oidc key id').update(secret).digest('base64url');
  return hash.slice(0, 8);
}
