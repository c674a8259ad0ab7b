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
  async function endSince(accountId: string, fromSeconds: number, untilSeconds: number) {
    await askForEnding(store, clock, { accountId, fromSeconds, untilSeconds });
  }

  return {
    async isRevoked(id: string, authTime: number, clientId?: string): Promise<boolean> {
      const { revokedProofs = [], voidUntil = 0, revokedApps = {} } = (await find(id)) ?? {};
      // An app may be called like something that every object has.
      const isNamed = clientId !== undefined && Object.hasOwn(revokedApps, clientId);
      const appUntil = isNamed ? (revokedApps[clientId] ?? 0) : 0;
      return authTime <= Math.max(voidUntil, appUntil) || revokedProofs.includes(authTime);
    },

    /** Takes back what this app has got up to now; it may ask again. */
    async revokeApp(id: string, clientId: string): Promise<void> {
      const untilSeconds = Math.floor(clock() / 1000);
      await change(id, (account) => ({
        ...account,
        revokedApps: { ...account.revokedApps, [clientId]: untilSeconds },
      }));
    },

    /**
     * Takes back one sign-in, at once and in every process.
     * @returns whether it was this call that did: of many at once exactly one is told true.
     */
    async revokeProof(id: string, authTime: number): Promise<boolean> {
      const meanwhile = { isNews: false };
      await change(id, (account) => {
        meanwhile.isNews = account.revokedProofs?.includes(authTime) !== true;
        return withoutProof(account, authTime);
      });
      await endSince(id, authTime, authTime);
      return meanwhile.isNews;
    },

    /**
     * Takes back every sign-in up to now, and writes what else changes with it.
     * @param until the last second whose sign-ins are void, if not this one.
     * @returns false when there is no such account.
     */
    async signOutEverywhere(
      id: string,
      changes: Partial<Account> = {},
      until = Math.floor(clock() / 1000),
    ): Promise<boolean> {
      const isThere = await change(id, (now) => {
        const voidUntil = Math.max(until, now.voidUntil ?? 0);
        return { ...now, ...changes, voidUntil, updatedAtMs: clock() };
      });
      // Also of an account that was erased a moment ago: its apps have yet to hear.
      await endSince(id, 0, until);
      return isThere;
    },

    /** Keeps a notice for the person, and takes back a proof that had been accepted. */
    async warn(id: string, notice: Notice, revoked?: number): Promise<void> {
      await change(id, (account) => {
        const others = (account.notices ?? []).filter(({ attempt }) => attempt !== notice.attempt);
        const notices = [...others, notice].slice(-noticesAtMost);
        return { ...withoutProof(account, revoked), notices };
      });
      if (revoked !== undefined) await endSince(id, revoked, revoked);
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
