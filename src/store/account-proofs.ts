/**
 * Proofs that count no more. A session, a code and a token carry the second of the proof that they hang on
 * (`auth_time`); an account says which seconds are void, and so ends them all without knowing any of them. Relying
 * parties are told by whoever works off the list of endings (endings.ts).
 */
import type { Clock } from '../domain/environment.ts';
import type { Account, Notice } from './accounts.ts';
import { askForEnding } from './endings.ts';
import type { Store } from './store.ts';

const noticesAtMost = 5;
/** Far more than can happen before the sessions that they are about are over. */
const revokedAtMost = 100;

interface Records {
  store: Store;
  find: (id: string) => Promise<Account | undefined>;
  change: (id: string, next: (account: Account) => Account) => Promise<boolean>;
  clock: Clock;
}

export function proofsOf({ store, find, change, clock }: Records) {
  return {
    async isRevoked(id: string, authTime: number): Promise<boolean> {
      const { revokedProofs = [], voidUntil = 0 } = (await find(id)) ?? {};
      return authTime <= voidUntil || revokedProofs.includes(authTime);
    },

    /** Keeps a notice for the person, and takes back a proof that had been accepted, at once and in every process. */
    async warn(id: string, notice: Notice, revoked?: number): Promise<void> {
      await change(id, (account) => {
        const others = (account.notices ?? []).filter(({ attempt }) => attempt !== notice.attempt);
        const notices = [...others, notice].slice(-noticesAtMost);
        return { ...withoutProof(account, revoked), notices };
      });
      if (revoked === undefined) return;
      const ending = { accountId: id, fromSeconds: revoked, untilSeconds: revoked };
      await askForEnding(store, clock, ending);
    },

    /** The person has read them. */
    async clearNotices(id: string): Promise<void> {
      await change(id, ({ notices: _, ...account }) => account);
    },
  };
}

function withoutProof(account: Account, authTime: number | undefined): Account {
  if (authTime === undefined) return account;
  // Each once: who comes back a hundred times must not push out what was taken back before.
  const revokedProofs = [...new Set([...(account.revokedProofs ?? []), authTime])];
  return { ...account, revokedProofs: revokedProofs.slice(-revokedAtMost) };
}
