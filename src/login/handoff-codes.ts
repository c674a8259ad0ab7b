/**
 * The two codes of a hand-off. Both are made from the attempt with a key of ours, so that none of them is written down
 * anywhere: a page that is loaded again shows the same one, and whoever reads the store or the log cannot make it.
 */
import { createHmac } from 'node:crypto';

export interface HandoffCodes {
  /** Of 128 bits, for the address that the phone opens. @param salt another one for each offer. */
  there(attemptId: string, salt: string): string;
  /** Short, for a person to type. */
  back(attemptId: string): string;
  /** What is kept of it, and held against what was typed. */
  hashOf(attemptId: string, typed: string): string;
}

const thereLength = 22;
const backLength = 6;
/** Nothing in it is taken for something else, as it is read or as it is typed. */
const alphabet = '23456789ABCDEFGHJKMNPQRSTVWXYZ';

export function createHandoffCodes(secret: string): HandoffCodes {
  const keyed = (...parts: string[]): Buffer =>
    createHmac('sha256', secret).update(parts.join('\0')).digest();
  return {
    there: (attemptId, salt) =>
      keyed('there', attemptId, salt).toString('base64url').slice(0, thereLength),
    back(attemptId) {
      const bytes = keyed('back', attemptId);
      // Four bytes a letter: none of them is noticeably likelier than another.
      const letterAt = (at: number): string =>
        alphabet[bytes.readUInt32BE(at * 4) % alphabet.length] ?? '';
      return Array.from({ length: backLength }, (_, at) => letterAt(at)).join('');
    },
    hashOf(attemptId, typed) {
      const code = typed.toUpperCase().replace(/[\s-]/g, '');
      return keyed('typed', attemptId, code).toString('base64url');
    },
  };
}
