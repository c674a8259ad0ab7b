/**
 * fallback/ is every way in that is not a selfie. A login offers the same list to everybody, whether there is an
 * account behind the name or not, and asks for one factor at a time.
 */
import type { Account } from '../store/accounts.ts';

export interface Factor {
  /** As it stands in forms, in the log and in the texts of the pages (`factor.NAME.…`). */
  name: string;
  /** What a right answer proves (RFC 8176). */
  amr: readonly string[];
  /** Gets the question to the person, by mail for instance. Called only for accounts that are there. */
  begin(account: Account): Promise<void>;
  /** Whether this is the answer. An answer is right once. */
  verify(account: Account, answer: string): Promise<boolean>;
}
