/**
 * Reference faces at rest. Each is sealed under a key of its own that lies in the enrolment, so that forgetting
 * the key is enough to erase the face, backups included. This holds below whatever sealing the store itself does.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Enrolment } from './accounts.ts';
import type { Store } from './store.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Didit's oldest documented limit is 1 MB of base64; this many bytes stay below it. */
export const maximumPortraitBytes = 700 * 1024;

export type Portraits = ReturnType<typeof createPortraits>;

export function createPortraits(store: Store) {
  const keyOf = (enrolmentId: string): string => `portrait:${enrolmentId}`;

  /** Seals and saves a picture. @returns what opens it and tells it from any other, for the enrolment to keep. */
  async function save(
    enrolment: Pick<Enrolment, 'id' | 'vendorData'>,
    image: Buffer,
  ): Promise<Required<Pick<Enrolment, 'portraitKey' | 'portraitHash'>>> {
    const key = randomBytes(32);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, key, nonce).setAAD(boundTo(enrolment));
    const sealed = Buffer.concat([
      nonce,
      cipher.update(image),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    await store.put(keyOf(enrolment.id), sealed.toString('base64'));
    return { portraitKey: key.toString('base64'), portraitHash: hashOf(image) };
  }

  /**
   * @returns the picture as base64, the form in which Didit takes it; undefined when there is none.
   * @throws when it is not the one that was enrolled.
   */
  async function load(enrolment: Enrolment): Promise<string | undefined> {
    if (enrolment.portraitKey === undefined) return undefined;
    const stored = await store.get(keyOf(enrolment.id));
    if (!stored) return undefined;
    const sealed = Buffer.from(stored.value, 'base64');
    const nonce = sealed.subarray(0, nonceBytes);
    const key = Buffer.from(enrolment.portraitKey, 'base64');
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      .setAAD(boundTo(enrolment))
      .setAuthTag(sealed.subarray(-tagBytes));
    const body = sealed.subarray(nonceBytes, -tagBytes);
    const image = Buffer.concat([decipher.update(body), decipher.final()]);
    const isPinned = enrolment.portraitHash !== undefined;
    if (isPinned && hashOf(image) !== enrolment.portraitHash) {
      throw new Error('the portrait is not the one that was enrolled');
    }
    return image.toString('base64');
  }

  /** For tidiness: without its key, which goes with the enrolment, it was no face any more. */
  async function remove(enrolmentId: string): Promise<void> {
    await store.delete(keyOf(enrolmentId));
  }

  return { save, load, remove };
}

function hashOf(image: Buffer): string {
  return createHash('sha256').update(image).digest('base64url');
}

/** A portrait moved to another enrolment, or used for another purpose, does not open. */
function boundTo({ id, vendorData }: Pick<Enrolment, 'id' | 'vendorData'>): Buffer {
  return Buffer.from(['didit-oidc portrait 1', id, vendorData].join('\0'));
}
