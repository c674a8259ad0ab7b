/**
 * Reference faces at rest. Each is sealed under a key of its own that lies in the enrolment, so that forgetting
 * the key is enough to erase every copy of the picture that is kept here. This holds below whatever sealing the
 * store itself does, and nobody opens one without its being told.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Enrolment } from './accounts.ts';
import type { Store } from './store.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Didit's oldest documented limit is 1 MB of base64; this many bytes stay below it. */
export const maximumPortraitBytes = 700 * 1024;

/** Whose picture was opened, which, and what for. */
export interface PortraitOpening {
  accountId: string;
  enrolmentId: string;
  purpose: PortraitPurpose;
  /** The sign-in that it was for. */
  attempt?: OpenedFor;
}

interface OpenedFor {
  id: string;
  reference: string;
  client: { id: string };
}

/** `sign_in`: to compare a selfie with it. `export`: for the person who asked for all that is held about them. */
export type PortraitPurpose = 'sign_in' | 'export';

export type Portraits = ReturnType<typeof createPortraits>;

/** @param opened hears of each picture that was opened, before anybody gets it. */
export function createPortraits(store: Store, opened: (opening: PortraitOpening) => void) {
  const keyOf = (enrolmentId: string): string => `portrait:${enrolmentId}`;

  /** Seals and saves a picture. @returns what opens it and tells it from any other, for the enrolment to keep. */
  async function save(
    accountId: string,
    enrolment: Pick<Enrolment, 'id' | 'vendorData'>,
    image: Buffer,
  ): Promise<Required<Pick<Enrolment, 'portraitKey' | 'portraitHash'>>> {
    const key = randomBytes(32);
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, key, nonce).setAAD(boundTo(accountId, enrolment));
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
  async function load(
    accountId: string,
    enrolment: Enrolment,
    purpose: PortraitPurpose,
    attempt?: OpenedFor,
  ): Promise<string | undefined> {
    if (enrolment.portraitKey === undefined) return undefined;
    const stored = await store.get(keyOf(enrolment.id));
    if (!stored) return undefined;
    const sealed = Buffer.from(stored.value, 'base64');
    const nonce = sealed.subarray(0, nonceBytes);
    const key = Buffer.from(enrolment.portraitKey, 'base64');
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      .setAAD(boundTo(accountId, enrolment))
      .setAuthTag(sealed.subarray(-tagBytes));
    const body = sealed.subarray(nonceBytes, -tagBytes);
    const image = Buffer.concat([decipher.update(body), decipher.final()]);
    const isPinned = enrolment.portraitHash !== undefined;
    if (isPinned && hashOf(image) !== enrolment.portraitHash) {
      throw new Error('the portrait is not the one that was enrolled');
    }
    const what = { accountId, enrolmentId: enrolment.id, purpose };
    opened(attempt ? { ...what, attempt } : what);
    return image.toString('base64');
  }

  /** The picture. Its key goes with the enrolment, and should go first. */
  const erase = (enrolmentId: string): Promise<boolean> => store.delete(keyOf(enrolmentId));

  return { save, load, erase };
}

function hashOf(image: Buffer): string {
  return createHash('sha256').update(image).digest('base64url');
}

/** Moved to another account or enrolment, or taken for another kind or version of record, it does not open. */
function boundTo(
  accountId: string,
  { id, vendorData }: Pick<Enrolment, 'id' | 'vendorData'>,
): Buffer {
  return Buffer.from(JSON.stringify(['didit-oidc reference face', 2, accountId, id, vendorData]));
}
