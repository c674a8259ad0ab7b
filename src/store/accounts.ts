/**
 * People: one record an account under its opaque `sub`, and one index entry for each name by which somebody may
 * sign in. The reference face lies apart, see portraits.ts.
 */
import type { Clock, Random } from '../domain/environment.ts';
import { type Store, update } from './store.ts';

export interface Account {
  schema: 1;
  /** Opaque, random, never reused: the `sub` of every token. */
  id: string;
  status: 'active' | 'blocked';
  email?: string;
  emailVerified: boolean;
  username?: string;
  name?: string;
  groups: readonly string[];
  enrolment?: Enrolment;
  updatedAtMs: number;
  /** What strangers tried, and the person has not been told yet; at most five. */
  notices?: readonly Notice[];
  /** Times of proofs (`auth_time`, seconds) that turned out to be borrowed: nothing that hangs on them is honoured. */
  revokedProofs?: readonly number[];
}

/** Somebody else's selfie link ended in this person's browser, before (`stopped`) or after it let in (`ended`). */
export interface Notice {
  kind: 'stopped' | 'ended';
  atMs: number;
  client: string;
  browser: string | undefined;
  system: string | undefined;
}

/** One enrolled face. A new enrolment is a new record with new ids. */
export interface Enrolment {
  id: string;
  /** What Didit knows this enrolment by: opaque, and neither `sub` nor address. */
  vendorData: string;
  /** The key under which the portrait is sealed; erasing it erases the face. Absent: Didit alone has a face. */
  portraitKey?: string;
  /** Of the picture as it was enrolled, SHA-256 in base64url: another one in its place is not sent. */
  portraitHash?: string;
}

export type NewAccount = Pick<Account, 'email' | 'username' | 'name' | 'groups'>;

export type Accounts = ReturnType<typeof createAccounts>;

/** One spelling for all that a person may mean by the same name: Unicode form, case and space around it. */
export function normaliseIdentifier(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}

/** How long a process may believe what it has read, should the word of a change not reach it. */
const believedForMs = 10_000;
const believedAtMost = 10_000;
const noticesAtMost = 5;
/** Far more than can happen before the sessions that they are about are over. */
const revokedAtMost = 100;
const channel = 'accounts';

export function createAccounts(store: Store, { clock, random }: { clock: Clock; random: Random }) {
  const keyOf = (id: string): string => `account:${id}`;
  const indexKeyOf = (identifier: string): string =>
    `identifier:${normaliseIdentifier(identifier)}`;
  // One login asks for the same account several times within seconds.
  const believed = new Map<string, { account: Account; untilMs: number }>();
  // A reading that a change overtook is not to be believed.
  let changes = 0;

  function forget(id: string): void {
    changes += 1;
    believed.delete(id);
  }

  async function find(id: string): Promise<Account | undefined> {
    const known = believed.get(id);
    if (known && clock() < known.untilMs) return known.account;
    const changesBefore = changes;
    const stored = await store.get(keyOf(id));
    if (!stored) return undefined;
    const account = JSON.parse(stored.value) as Account;
    if (changes !== changesBefore) return account;
    if (believed.size >= believedAtMost) believed.clear();
    believed.set(id, { account, untilMs: clock() + believedForMs });
    return account;
  }

  async function idOf(identifier: string): Promise<string | undefined> {
    return (await store.get(indexKeyOf(identifier)))?.value;
  }

  /**
   * Adds an account under all its identifiers.
   * @returns undefined when one of them is already somebody's; nothing was added then.
   */
  async function add(fields: NewAccount, enrolment?: Enrolment): Promise<Account | undefined> {
    const account: Account = {
      schema: 1,
      id: random(16),
      status: 'active',
      emailVerified: fields.email !== undefined,
      ...fields,
      ...(enrolment ? { enrolment } : {}),
      updatedAtMs: clock(),
    };
    const given = [fields.email, fields.username].filter((name) => name !== undefined);
    const names = new Set(given.map(normaliseIdentifier));
    const taken: string[] = [];
    for (const name of names) {
      if (!(await store.put(indexKeyOf(name), account.id, { ifAbsent: true }))) {
        await Promise.all(taken.map((mine) => store.delete(indexKeyOf(mine))));
        return undefined;
      }
      taken.push(name);
    }
    await store.put(keyOf(account.id), JSON.stringify(account));
    return account;
  }

  /** A blocked account is nobody, at once and in every process. @returns false when there is no such account. */
  function setStatus(id: string, status: Account['status']): Promise<boolean> {
    return change(id, (account) => ({ ...account, status, updatedAtMs: clock() }));
  }

  async function change(id: string, next: (account: Account) => Account): Promise<boolean> {
    const isThere = await update<boolean>(store, keyOf(id), (current) => {
      if (current === undefined) return { result: false };
      return { value: JSON.stringify(next(JSON.parse(current) as Account)), result: true };
    });
    forget(id);
    await store.publish(channel, id);
    return isThere;
  }

  /** Keeps a notice for the person, and takes back a proof that had been accepted, at once and in every process. */
  async function warn(id: string, notice: Notice, revoked?: number): Promise<void> {
    await change(id, (account) => ({
      ...account,
      notices: [...(account.notices ?? []), notice].slice(-noticesAtMost),
      revokedProofs: [
        ...(account.revokedProofs ?? []),
        ...(revoked === undefined ? [] : [revoked]),
      ].slice(-revokedAtMost),
    }));
  }

  /** The person has read them. */
  async function clearNotices(id: string): Promise<void> {
    await change(id, ({ notices: _, ...account }) => account);
  }

  async function isRevoked(id: string, authTime: number): Promise<boolean> {
    return (await find(id))?.revokedProofs?.includes(authTime) ?? false;
  }

  /** Hears of changes that other processes make. @returns a function that stops listening. */
  function listen(): Promise<() => Promise<void>> {
    return store.subscribe(channel, forget);
  }

  return { find, idOf, add, setStatus, warn, clearNotices, isRevoked, listen };
}
