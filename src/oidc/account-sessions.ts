/**
 * Which sessions of an account somebody has to be told of when they end (endings.ts). A list for each month, so that
 * the old ones go by themselves.
 */
import type { Clock } from '../domain/environment.ts';
import type { Store } from '../store/store.ts';

export interface AccountSessions {
  note(accountId: string, sessionUid: string): Promise<void>;
  /** Some of them may be over by now. */
  of(accountId: string): Promise<string[]>;
}

const monthSeconds = 30 * 24 * 3600;
/** Far more than the limits on selfies let anybody have in a month. */
const readAtMost = 10_000;

/** @param maxAgeSeconds no session lasts longer after its login. */
export function createAccountSessions(
  store: Store,
  clock: Clock,
  maxAgeSeconds: number,
): AccountSessions {
  const month = (): number => Math.floor(clock() / 1000 / monthSeconds);
  const indexOf = (accountId: string, at: number): string => `sessions:${accountId} ${at}`;

  return {
    note: (accountId, sessionUid) =>
      store.indexAdd(indexOf(accountId, month()), sessionUid, clock(), maxAgeSeconds),

    async of(accountId) {
      const months = Math.ceil(maxAgeSeconds / monthSeconds) + 1;
      const range = { min: 0, max: Number.MAX_SAFE_INTEGER, limit: readAtMost };
      const lists = await Promise.all(
        Array.from({ length: months }, (_, ago) =>
          store.indexRange(indexOf(accountId, month() - ago), range),
        ),
      );
      return lists.flat().map(({ member }) => member);
    },
  };
}
