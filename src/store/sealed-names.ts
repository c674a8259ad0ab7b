/**
 * How a sealed store calls things. Names must be found again, so they do not change when keys are
 * rotated: they come from a secret of the store's own, made at its first start, which lies in the
 * store sealed by the keyring. Rotation seals that secret anew and leaves every name as it is; no
 * key of the keyring is special.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { decrypt, encrypt, nonceBytes } from './keyring.ts';

const namesAtMost = 2_000;

export function createNames(secret: string) {
  const nameKey = derive(secret, 'names');
  const memberKey = derive(secret, 'members');
  const memberNonceKey = derive(secret, 'member nonces');
  // What is written is as a rule read again within seconds, by the same name.
  const names = new Map<string, string>();

  /**
   * `kind:` stays readable, so that a kind can be scanned and an operator sees what fills the
   * store.
   */
  function name(key: string): string {
    const known = names.get(key);
    if (known !== undefined) return known;
    const hashed = createHmac('sha256', nameKey).update(key).digest('base64url');
    if (names.size >= namesAtMost) names.clear();
    const made = `${kindOf(key)}:${hashed}`;
    names.set(key, made);
    return made;
  }

  /**
   * Members of an index are ids too. The same member must give the same text, else it could not be
   * removed again, and so its nonce is a keyed hash of it: alike only for what is alike altogether.
   */
  function sealMember(index: string, member: string): string {
    const whole = createHmac('sha256', memberNonceKey).update(`${index}\0${member}`).digest();
    return encrypt(memberKey, whole.subarray(0, nonceBytes), member, index).toString('base64url');
  }

  function openMember(index: string, sealed: string): string {
    return decrypt(memberKey, Buffer.from(sealed, 'base64url'), index);
  }

  return { name, sealMember, openMember };
}

/** What stands before the first colon: `attempt` of `attempt:Zk3…`. */
export function kindOf(key: string): string {
  return key.split(':', 1)[0] ?? '';
}

function derive(secret: string, purpose: string): KeyObject {
  const key = hkdfSync('sha256', secret, '', `didit-oidc store ${purpose}`, 32);
  return createSecretKey(Buffer.from(key));
}
