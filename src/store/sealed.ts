/**
 * Seals any store: a stolen dump holds no usable id, token or face. Names become keyed hashes
 * (sealed-names.ts), values are encrypted (keyring.ts), bound to their name, with the plain key
 * inside so that a scan can give it back. In the open stay kinds, counters, scores, times of expiry
 * and lengths.
 *
 * Rotating a key: 1. put the new one into STORE_ENCRYPTION_KEYS everywhere, to be used from a moment on at which
 * every process knows it (domain/dated.ts); 2. seal anew what lies there (reseal.ts); 3. drop the old key.
 */
import { randomBytes } from 'node:crypto';
import { createKeyring, type Keyring } from './keyring.ts';
import { createNames, kindOf } from './sealed-names.ts';
import type { Store, Stored } from './store.ts';

/** The one record whose name is not hashed, since the secret inside is what hashes the others. */
export const secretKey = 'sealed:secret';

/** What a sealed text is bound to, by the name of its record. */
export const boundTo = (hidden: string): string =>
  hidden === secretKey ? secretKey : `record ${hidden}`;

/** @throws when the store was sealed with keys that are not among these. */
export async function sealStore(inner: Store, encryptionKeys: readonly string[]): Promise<Store> {
  const keyring = createKeyring(encryptionKeys);
  const secret = await loadSecret(inner, keyring);
  const { name, sealMember, openMember } = createNames(secret);

  function openRecord(hidden: string, { value, version }: Stored): Stored & { key: string } {
    const text = opened(hidden, () => keyring.open(value, boundTo(hidden)));
    const keyStart = text.indexOf(':') + 1;
    const valueStart = keyStart + Number(text.slice(0, keyStart - 1));
    return { key: text.slice(keyStart, valueStart), value: text.slice(valueStart), version };
  }

  return {
    async get(key) {
      const hidden = name(key);
      const stored = await inner.get(hidden);
      return stored && withoutKey(openRecord(hidden, stored));
    },
    async getMany(keys) {
      const hidden = keys.map(name);
      const found = await inner.getMany(hidden);
      return found.map((stored, at) => stored && withoutKey(openRecord(hidden[at] ?? '', stored)));
    },
    put(key, value, options) {
      const hidden = name(key);
      const sealed = keyring.seal(`${key.length}:${key}${value}`, boundTo(hidden));
      return inner.put(hidden, sealed, options);
    },
    async take(key) {
      const hidden = name(key);
      const value = await inner.take(hidden);
      return value === undefined ? undefined : openRecord(hidden, { value, version: '' }).value;
    },
    delete: (key) => inner.delete(name(key)),
    increment: (key, options) => inner.increment(name(key), options),
    spend: (key, windows, ttlSeconds) => inner.spend(name(key), windows, ttlSeconds),
    refund: (key, windows) => inner.refund(name(key), windows),
    indexAdd(index, member, score, ttlSeconds) {
      const hidden = name(index);
      return inner.indexAdd(hidden, sealMember(hidden, member), score, ttlSeconds);
    },
    indexRemove(index, member) {
      const hidden = name(index);
      return inner.indexRemove(hidden, sealMember(hidden, member));
    },
    async indexRange(index, range) {
      const hidden = name(index);
      const entries = await inner.indexRange(hidden, range);
      return entries.map(({ member, score }) => ({
        member: opened(hidden, () => openMember(hidden, member)),
        score,
      }));
    },
    async *scan(kind, unreadable) {
      for await (const { key: hidden, ...stored } of inner.scan(kind)) {
        const record = openedOr(unreadable, () => openRecord(hidden, stored));
        if (record) yield record;
      }
    },
    publish(channel, message) {
      const hidden = name(channel);
      return inner.publish(hidden, keyring.seal(message, `message ${hidden}`));
    },
    subscribe(channel, listener) {
      const hidden = name(channel);
      return inner.subscribe(hidden, (sealed) => {
        // Whoever can write to the database can send anything; a message that is not ours is no
        // message.
        const message = openedOr(ignore, () => keyring.open(sealed, `message ${hidden}`));
        if (message !== undefined) listener(message);
      });
    },
    async ping() {
      await inner.ping();
      await keepSecret(inner, keyring, secret);
    },
    close: () => inner.close(),
  };
}

/** Reads the store's secret, makes it when the store is new, and seals it anew after a rotation. */
async function loadSecret(inner: Store, keyring: Keyring): Promise<string> {
  let stored = await inner.get(secretKey);
  if (!stored) {
    const fresh = keyring.seal(randomBytes(32).toString('base64url'), secretKey);
    await inner.put(secretKey, fresh, { ifAbsent: true });
    stored = await inner.get(secretKey); // Of several processes that start at once, one was first.
  }
  if (!stored) throw new Error('the store forgot its secret while it was being opened');
  const { value, version } = stored;
  const secret = opened(secretKey, () => keyring.open(value, secretKey));
  if (keyring.isOutdated(value)) {
    await inner.put(secretKey, keyring.seal(secret, secretKey), { ifVersion: version });
  }
  return secret;
}

/**
 * A database that lost its memory lost the secret too. The processes that still know it put it
 * back; one that finds another secret there would write what nobody else finds, and must not call
 * itself ready.
 */
async function keepSecret(inner: Store, keyring: Keyring, secret: string): Promise<void> {
  const stored = await inner.get(secretKey);
  if (!stored) {
    await inner.put(secretKey, keyring.seal(secret, secretKey), { ifAbsent: true });
  } else if (opened(secretKey, () => keyring.open(stored.value, secretKey)) !== secret) {
    throw new Error('the store was replaced by another one: restart');
  }
}

/** An error about a record names its kind and nothing else of it. */
function opened<T>(hidden: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const reason = (error as Error).message;
    throw new Error(`what the store holds of kind "${kindOf(hidden)}" ${reason}`, { cause: error });
  }
}

const ignore = (): void => undefined;

/** @throws where nobody wants to hear of it. */
function openedOr<T>(told: ((error: unknown) => void) | undefined, open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (!told) throw error;
    told(error);
    return undefined;
  }
}

function withoutKey({ value, version }: Stored): Stored {
  return { value, version };
}
