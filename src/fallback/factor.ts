/**
 * fallback/ is every way in that is not a selfie. A login offers the same list to everybody, whether there is an
 * account behind the name or not; after the first right answer it offers what this person has besides.
 *
 * A typed factor is one leg. Which of them are enough together is said in domain/assurance.ts.
 */
import type { LegName } from '../domain/assurance.ts';
import type { Account } from '../store/accounts.ts';

/** Which sign-in it is for, and whose. For a name without an account there is an id that nobody has. */
export interface Asked {
  attemptId: string;
  accountId: string;
}

export interface Factor {
  /** As it stands in forms, in the log and in the texts of the pages (`factor.NAME.…`). */
  name: LegName;
  /** Can this person use it? Asked only once they have shown another one. */
  has(account: Account): Promise<boolean>;
  /** Gets the question to the person; absent where they have it with them. Called only for accounts that are there. */
  begin?(account: Account, attemptId: string, locale: string | undefined): Promise<void>;
  /** Whether this is the answer. An answer is right once. */
  verify(of: Asked, answer: string): Promise<boolean>;
}
