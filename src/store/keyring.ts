/**
 * The keys that seal the store (STORE_ENCRYPTION_KEYS, newest first): the newest seals, any of them
 * opens.
 *
 * A sealed text reads `1.kid.base64url(nonce ciphertext tag)`; AES-256-GCM, and the front part and
 * what the text belongs to are authenticated with it. Nonces are random, which is safe for 2^32
 * texts a key: at forty a login that is a hundred million logins, after which a new key is due.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import { smallRandom } from './random.ts';

const format = '1';
const algorithm = 'aes-256-gcm';
export const nonceBytes = 12;
const tagBytes = 16;

export interface Keyring {
  seal(text: string, belongsTo: string): string;
  /** @throws when the key is unknown, or when anything was altered or moved. */
  open(sealed: string, belongsTo: string): string;
  /** Whether the newest key would have to seal it anew. */
  isOutdated(sealed: string): boolean;
  /** The names of its keys, the newest first. */
  ids: readonly string[];
}

export function createKeyring(encoded: readonly string[]): Keyring {
  const keys = new Map(encoded.map((text, at) => identify(decodeKey(text, at))));
  const [newest] = keys;
  if (!newest) throw new Error('STORE_ENCRYPTION_KEYS is empty');
  const [newestId, newestKey] = newest;
  const front = `${format}.${newestId}.`;

  return {
    seal(text, belongsTo) {
      const nonce = smallRandom(nonceBytes);
      return front + encrypt(newestKey, nonce, text, front + belongsTo).toString('base64url');
    },
    open(sealed, belongsTo) {
      const [version, kid, body, ...rest] = sealed.split('.');
      if (version !== format || !kid || !body || rest.length > 0) throw new Error('is not sealed');
      const key = keys.get(kid);
      if (!key) throw new Error(`is sealed with the key "${kid}", which is not configured`);
      return decrypt(key, Buffer.from(body, 'base64url'), `${format}.${kid}.${belongsTo}`);
    },
    isOutdated: (sealed) => !sealed.startsWith(front),
    ids: [...keys.keys()],
  };
}

/** The name of a key, as it stands in what it sealed. */
export function keyIdOf(encoded: string): string {
  return identify(decodeKey(encoded, 0))[0];
}

/** Which key sealed it; undefined when nothing did. */
export function sealedBy(sealed: string): string | undefined {
  const [version, kid, body, ...rest] = sealed.split('.');
  return version === format && kid && body && rest.length === 0 ? kid : undefined;
}

/** @returns nonce, ciphertext and tag in one piece. */
export function encrypt(key: KeyObject, nonce: Buffer, text: string, belongsTo: string): Buffer {
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(belongsTo));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

export function decrypt(key: KeyObject, sealed: Buffer, belongsTo: string): string {
  if (sealed.length < nonceBytes + tagBytes) throw new Error('is cut short');
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(belongsTo))
    .setAuthTag(sealed.subarray(-tagBytes));
  const body = decipher.update(sealed.subarray(nonceBytes, -tagBytes));
  try {
    return Buffer.concat([body, decipher.final()]).toString('utf8');
  } catch (error) {
    throw new Error('was altered or moved', { cause: error });
  }
}

/** The id tells keys apart; it is a hash and gives nothing of the key away. */
function identify(key: Buffer): [kid: string, key: KeyObject] {
  const kid = createHash('sha256').update('didit-oidc kid').update(key).digest('base64url');
  return [kid.slice(0, 8), createSecretKey(key)];
}

function decodeKey(text: string, at: number): Buffer {
  const key = Buffer.from(text, 'base64'); // Node reads base64url as well.
  if (key.length !== 32 || !/^[\w+/-]{43}=?$/.test(text)) {
    throw new Error(`STORE_ENCRYPTION_KEYS: the key no. ${at + 1} is not 32 bytes in base64`);
  }
  return key;
}
