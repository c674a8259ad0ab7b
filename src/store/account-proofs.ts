/**
 * Proofs that count no more. A session, a code and a token carry the second of the proof that they hang on
 * (`auth_time`); an account says which seconds are void, and so ends them all without knowing any of them.
 */
import type { Clock } from '../domain/environment.ts';
import type { Account, Notice } from './accounts.ts';

const noticesAtMost = 5;
/** Far more than can happen before the sessions that they are about are over. */
const revokedAtMost = 100;

interface Records {
  find: (id: string) => Promise<Account | undefined>;
  change: (id: string, next: (account: Account) => Account) => Promise<boolean>;
  clock: Clock;
}

export function proofsOf({ find, change, clock }: Records) {
  function withoutProof(account: Account, authTime: number | undefined): Account {
    if (authTime === undefined) return account;
    const revokedProofs = [...(account.revokedProofs ?? []), authTime].slice(-revokedAtMost);
    return { ...account, revokedProofs };
  }

  return {
    async isRevoked(id: string, authTime: number): Promise<boolean> {
      const { revokedProofs = [], signedOutUntil = 0 } = (await find(id)) ?? {};
      return authTime <= signedOutUntil || revokedProofs.includes(authTime);
    },

    /** Takes back one sign-in, at once and in every process. */
    async revokeProof(id: string, authTime: number): Promise<void> {
      await change(id, (account) => withoutProof(account, authTime));
    },

    /** Takes back every sign-in up to now. */
    async signOutEverywhere(id: string): Promise<void> {
      const signedOutUntil = Math.floor(clock() / 1000);
      await change(id, (account) => ({ ...account, signedOutUntil }));
    },

    /** Keeps a notice for the person, and takes back a proof that had been accepted. */
    async warn(id: string, notice: Notice, revoked?: number): Promise<void> {
      await change(id, (account) => ({
        ...withoutProof(account, revoked),
        notices: [...(account.notices ?? []), notice].slice(-noticesAtMost),
      }));
    },

    /** The person has read them. */
    async clearNotices(id: string): Promise<void> {
      await change(id, ({ notices: _, ...account }) => account);
    },
  };
}
