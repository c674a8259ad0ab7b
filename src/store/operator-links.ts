/**
 * One-time links that make somebody an operator. They open the whole house, so they are good for an hour, of those for
 * one person only the latest is, and what is kept is a hash. One that an admin made is good as long as they are one:
 * else whoever is removed would leave themselves a way back.
 */
import type { Random } from '../domain/environment.ts';
import type { Role } from '../domain/operator.ts';
import type { Operators } from './operators.ts';
import type { Store } from './store.ts';
import type { TicketContents, Tickets } from './tickets.ts';

export const operatorLinkSeconds = 3_600;

export interface OperatorLink {
  /** Absent: for whoever follows it and has an account. */
  accountId?: string;
  role: Role;
  /** Who made the link, as the audit log names them. */
  by: string;
  /** The account of the operator who made it; absent: it was made at the machine itself. */
  maker?: string;
}

export type OperatorLinks = ReturnType<typeof createOperatorLinks>;

export function createOperatorLinks(
  store: Store,
  { tickets, operators, random }: { tickets: Tickets; operators: Operators; random: Random },
) {
  const latestOf = (accountId: string | undefined): string =>
    `operator-link:${accountId ?? 'anybody'}`;

  async function ifLatest(
    contents: TicketContents['operator'] | undefined,
  ): Promise<OperatorLink | undefined> {
    if (!contents) return undefined;
    const { number, maker, ...link } = contents;
    const isLatest = (await store.get(latestOf(link.accountId)))?.value === number;
    if (!isLatest || (maker && !(await isStillAdmin(maker)))) return undefined;
    return { ...link, ...(maker ? { maker: maker.accountId } : {}) };
  }

  /** And has been ever since: what was taken away and given back is not what it was. */
  async function isStillAdmin(maker: { accountId: string; sinceMs: number }): Promise<boolean> {
    const { sinceMs } = (await operators.find(maker.accountId)) ?? {};
    return sinceMs === maker.sinceMs && operators.isActiveAdmin(maker.accountId);
  }

  async function noteOf(accountId: string | undefined) {
    if (accountId === undefined) return {};
    const found = await operators.find(accountId);
    if (!found) throw new Error(`${accountId} is no operator`);
    return { maker: { accountId, sinceMs: found.sinceMs } };
  }

  return {
    /** @returns the secret of the link; whatever was made for the same person before leads nowhere now. */
    async issue({ maker, ...link }: OperatorLink): Promise<string> {
      const number = random(16);
      const made = await noteOf(maker);
      const ttlSeconds = operatorLinkSeconds;
      const secret = await tickets.issue('operator', { ...link, ...made, number }, ttlSeconds);
      await store.put(latestOf(link.accountId), number, { ttlSeconds });
      return secret;
    },

    /** Whatever was made for this person leads nowhere now. */
    async end(accountId: string): Promise<void> {
      await store.delete(latestOf(accountId));
    },

    /** What the link is for; it stays good. */
    read: async (secret: string): Promise<OperatorLink | undefined> =>
      ifLatest(await tickets.read('operator', secret)),

    /** Uses the link up: of many callers at once exactly one gets what it is for. */
    take: async (secret: string): Promise<OperatorLink | undefined> =>
      ifLatest(await tickets.take('operator', secret)),
  };
}
