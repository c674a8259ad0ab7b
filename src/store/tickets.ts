/**
 * Single-use links: an invitation, an operator's recovery link, "cancel this" in a mail. What is kept is the hash of
 * a secret of 256 bits; a GET may read what a link is for, only a POST takes it.
 */
import type { Hash, Random } from '../domain/environment.ts';
import type { Role } from '../domain/operator.ts';
import type { Store } from './store.ts';

const secretBytes = 32;
const pageOf = 100;

/** What each kind of link leads to. */
export interface TicketContents {
  /**
   * `to`: where they go on besides, once they have signed in for the first time. `isShown`: an operator has seen the
   * link, so that following it shows nothing about the address.
   */
  invitation: { accountId: string; to?: 'console'; isShown?: true };
  /** Printed for an operator, to be given to the person; good for the recovery that began then and for no other. */
  recovery: { accountId: string; beganAtMs: number };
  /** Of the recovery that began then: a later one is not ended by the link of an earlier one. */
  recovery_cancel: { accountId: string; beganAtMs: number };
  erasure_cancel: { accountId: string };
  /** "That was not me": of the sign-in that was proven then, and of the key that it made. */
  disavow: { accountId: string; authTime: number; deviceKey?: string };
  /** Makes an operator of this account, or of whoever follows it. Of the links for one person the latest counts. */
  operator: OperatorTicket;
}

interface OperatorTicket {
  accountId?: string;
  role: Role;
  by: string;
  number: string;
  /** See operator-links.ts. */
  maker?: { accountId: string; sinceMs: number };
}

export type TicketKind = keyof TicketContents;
export type Tickets = ReturnType<typeof createTickets>;

export function createTickets(store: Store, { random, hash }: { random: Random; hash: Hash }) {
  const prefixOf = (kind: TicketKind): string => `ticket:${kind}:`;
  const keyOf = (kind: TicketKind, secret: string): string => prefixOf(kind) + hash(secret);
  const indexOf = (accountId: string): string => `tickets:${accountId}`;

  /** @returns the secret, which stands in the link and nowhere else. */
  async function issue<K extends TicketKind>(
    kind: K,
    contents: TicketContents[K],
    ttlSeconds: number,
  ): Promise<string> {
    const secret = random(secretBytes);
    const key = keyOf(kind, secret);
    const { accountId } = contents;
    if (accountId !== undefined) await store.indexAdd(indexOf(accountId), key, 0, ttlSeconds);
    await store.put(key, JSON.stringify(contents), { ttlSeconds });
    return secret;
  }

  /** All links of this person lead nowhere any more. */
  async function erase(accountId: string): Promise<void> {
    const index = indexOf(accountId);
    for (;;) {
      const found = await store.indexRange(index, { min: 0, max: 0, limit: pageOf });
      for (const { member: key } of found) await forget(index, key);
      if (found.length < pageOf) return;
    }
  }

  /** The same of one kind, of which a person never has many. */
  async function eraseKind(kind: TicketKind, accountId: string): Promise<void> {
    const index = indexOf(accountId);
    const found = await store.indexRange(index, { min: 0, max: 0, limit: pageOf });
    for (const { member: key } of found) {
      if (key.startsWith(prefixOf(kind))) await forget(index, key);
    }
  }

  async function forget(index: string, key: string): Promise<void> {
    await store.delete(key);
    await store.indexRemove(index, key);
  }

  /** What the link is for, while it is good; it stays good. */
  async function read<K extends TicketKind>(
    kind: K,
    secret: string,
  ): Promise<TicketContents[K] | undefined> {
    const stored = await store.get(keyOf(kind, secret));
    return stored && (JSON.parse(stored.value) as TicketContents[K]);
  }

  /** Uses the link up: of many callers at once exactly one gets what it is for. */
  async function take<K extends TicketKind>(
    kind: K,
    secret: string,
  ): Promise<TicketContents[K] | undefined> {
    const value = await store.take(keyOf(kind, secret));
    return value === undefined ? undefined : (JSON.parse(value) as TicketContents[K]);
  }

  return { issue, read, take, erase, eraseKind };
}
