/**
 * People: one record an account under its opaque `sub`, and one index entry for each name by which somebody may
 * sign in. The reference face lies apart, see portraits.ts.
 */
import type { Clock, Random } from '../domain/environment.ts';
import { createNames } from './account-names.ts';
import { proofsOf } from './account-proofs.ts';
import { askForEnding } from './endings.ts';
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
  /** Whatever was proven at this second (`auth_time`) or before is void, and all that hangs on it. */
  voidUntil?: number;
  /** What strangers tried, and the person has not been told yet; at most five. */
  notices?: readonly Notice[];
  /** Times of proofs (`auth_time`, seconds) that turned out to be borrowed: nothing that hangs on them is honoured. */
  revokedProofs?: readonly number[];
}

/** Somebody else's selfie link ended in this person's browser, before (`stopped`) or after it let in (`ended`). */
export interface Notice {
  kind: 'stopped' | 'ended';
  /** Which try to get in it is about; of each the person is told once. */
  attempt: string;
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

/** How long a process may believe what it has read, should the word of a change not reach it. */
const believedForMs = 10_000;
const believedAtMost = 10_000;
const channel = 'accounts';

const keyOf = (id: string): string => `account:${id}`;

export function createAccounts(store: Store, { clock, random }: { clock: Clock; random: Random }) {
  const names = createNames(store);
  const { find, forget } = createMemory(store, clock);

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
    if (!(await names.claim(account.id, account))) return undefined;
    await store.put(keyOf(account.id), JSON.stringify(account));
    return account;
  }

  /** A blocked account is nobody, at once and in every process. @returns false when there is no such account. */
  async function setStatus(id: string, status: Account['status']): Promise<boolean> {
    const untilSeconds = Math.floor(clock() / 1000);
    const isBlocked = status === 'blocked';
    // In one write: whoever is blocked must not come back to what they had, wherever this breaks off.
    const isThere = await change(id, (account) => ({
      ...account,
      ...{ status, updatedAtMs: clock() },
      ...(isBlocked ? { voidUntil: untilSeconds } : {}),
    }));
    if (isThere && isBlocked) {
      await askForEnding(store, clock, { accountId: id, fromSeconds: 0, untilSeconds });
    }
    return isThere;
  }

  /** Its id is never given to anybody again; its names may be. @returns false when there is no such account. */
  async function remove(id: string): Promise<boolean> {
    // Blocked first: should this break off, nobody has come back to life.
    if (!(await setStatus(id, 'blocked'))) return false;
    const account = await find(id);
    if (account) await names.release(id, account);
    await store.delete(keyOf(id));
    forget(id);
    await store.publish(channel, id);
    return true;
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

  return {
    ...{ find, idOf: names.idOf, add, setStatus, remove },
    ...proofsOf({ store, find, change, clock }),
    /** Hears of changes that other processes make. @returns a function that stops listening. */
    listen: (): Promise<() => Promise<void>> => store.subscribe(channel, forget),
  };
}

/** One login asks for the same account several times within seconds. */
function createMemory(store: Store, clock: Clock) {
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

  return { find, forget };
}
