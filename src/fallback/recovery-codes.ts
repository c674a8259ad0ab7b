/**
 * Ten codes on paper, for the day on which there is neither a camera nor a phone. Each signs in once, together with
 * another way; they are shown when they are made, and never again.
 */
import type { Clock, Random } from '../domain/environment.ts';
import type { FactorRecords } from '../store/factors.ts';
import { isSameHash, keyedHash, typedCode } from './codes.ts';

const codes = 10;
/** Crockford's base 32 has no I, L, O or U. Sixteen of its letters are 80 bits. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const letters = 16;

export type RecoveryCodes = ReturnType<typeof createRecoveryCodes>;

export function createRecoveryCodes({
  records,
  random,
  secret,
  clock,
}: {
  records: FactorRecords;
  random: Random;
  secret: string;
  clock: Clock;
}) {
  const hashOf = (accountId: string, code: string): string =>
    keyedHash(secret, 'recovery', accountId, normalise(code));

  return {
    /** A new set ends the one before it. @returns the codes, which are kept nowhere. */
    async make(accountId: string): Promise<string[]> {
      const made = Array.from({ length: codes }, () => newCode(random));
      const hashes = made.map((code) => hashOf(accountId, code));
      await records.change(accountId, (factors) => ({
        factors: { ...factors, recoveryCodes: { hashes, createdAtMs: clock() } },
        result: undefined,
      }));
      return made;
    },

    /** Whether it was one of them. It is none any more. */
    use(accountId: string, code: string): Promise<boolean> {
      const used = hashOf(accountId, code);
      return records.change(accountId, (factors) => {
        const { recoveryCodes } = factors;
        const hashes = recoveryCodes?.hashes.filter((hash) => !isSameHash(hash, used)) ?? [];
        if (!recoveryCodes || hashes.length === recoveryCodes.hashes.length) {
          return { factors, result: false };
        }
        const left = { ...recoveryCodes, hashes };
        return { factors: { ...factors, recoveryCodes: left }, result: true };
      });
    },

    async left(accountId: string): Promise<number> {
      return (await records.load(accountId)).recoveryCodes?.hashes.length ?? 0;
    },
  };
}

/** A power of two divides a byte without a rest, so each letter is as likely as any other. */
function newCode(random: Random): string {
  const bytes = Buffer.from(random(letters), 'base64url');
  const text = Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join('');
  return (text.match(/.{4}/g) ?? []).join('-');
}

/** Case, separators, and letters that are read as digits are forgiven. */
function normalise(code: string): string {
  return typedCode(code).toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
}
