/**
 * People: one record an account under its opaque `sub`, and one index entry for each name by which somebody may
 * sign in. The reference face lies apart, see portraits.ts.
 */
import type { Clock, Random } from '../domain/environment.ts';
import { createNames } from './account-names.ts';
import { proofsOf } from './account-proofs.ts';
import { indexPage } from './index-page.ts';
import { type Store, update } from './store.ts';

export interface Account {
  schema: 1;
  /** Opaque, random, never reused: the `sub` of every token. */
  id: string;
  status: AccountStatus;
  email?: string;
  emailVerified: boolean;
  username?: string;
  name?: string;
  givenName?: string;
  familyName?: string;
  /** The language in which the person enrolled, for mails (BCP 47). */
  locale?: string;
  groups: readonly string[];
  enrolment?: Enrolment;
  /** The person wants no selfie any more, though a face is enrolled. */
  selfieOff?: boolean;
  /** The text that they agreed to before their face was taken, and when; gone once they withdrew it. */
  consent?: { version: string; atMs: number };
  recovery?: Recovery;
  /** As long as nobody has come: until then they may, by their invitation, and after that they are forgotten. */
  invitedUntilMs?: number;
  createdAtMs: number;
  updatedAtMs: number;
  /** Whatever was proven at this second (`auth_time`) or before is void, and all that hangs on it. */
  voidUntil?: number;
  /** The same for single apps, by client id. */
  revokedApps?: Readonly<Record<string, number>>;
  /** What strangers tried, and the person has not been told yet; at most five. */
  notices?: readonly Notice[];
  /** Times of proofs (`auth_time`, seconds) that turned out to be borrowed: nothing that hangs on them is honoured. */
  revokedProofs?: readonly number[];
}

/**
 * `invited`: known by name, nobody has come yet. `held`: for a time nobody gets in, for instance while a recovery is
 * under way. `erased`: nothing is left but the id, which is never given again.
 */
export type AccountStatus = 'invited' | 'active' | 'held' | 'blocked' | 'erased';

export type Recovery =
  /** One operator asked for it, and another has to. */
  { askedBy: string; askedAtMs: number } | RunningRecovery;

/** Somebody with two proofs wants to set up new ways in, and waits; or two operators opened it for them. */
export interface RunningRecovery {
  beganAtMs: number;
  readyAtMs: number;
  /** Then it takes the operators' link after the wait, and a document of the same person. */
  openedBy?: readonly string[];
  /** When that was shown. */
  provenAtMs?: number;
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
  /** Of the check that it came from, for erasing it at Didit. */
  diditSessionId?: string;
  enrolledAtMs?: number;
  /** Whose document it was: the next enrolment has to be the same person's. */
  identity?: IdentityHashes;
  /** It took the place of another face: for a while it counts for less, see account/proof.ts. */
  isReplacement?: true;
  /** How many selfies in a row were only just alike enough; absent after a better one. */
  nearInARow?: number;
}

/** Keyed, so that nobody without the key can try names: of name and date of birth, and of the document. */
export interface IdentityHashes {
  person?: string;
  document?: string;
}

/** With an `id` (16 random bytes) when something had to be bound to the account before it is there. */
export type NewAccount = Pick<Account, 'email' | 'username' | 'name' | 'groups'> &
  Partial<
    Pick<
      Account,
      'id' | 'status' | 'emailVerified' | 'givenName' | 'familyName' | 'locale' | 'invitedUntilMs'
    >
  >;

export type Accounts = ReturnType<typeof createAccounts>;

/** How long a process may believe what it has read, should the word of a change not reach it. */
const believedForMs = 10_000;
const believedAtMost = 10_000;
const channel = 'accounts';
/** Everybody, for a list that is read a page at a time. */
const index = 'accounts-by-time';
/** The store reads an index from its lowest score on. */
const newestFirst = (atMs: number): number => Number.MAX_SAFE_INTEGER - atMs;

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
      createdAtMs: clock(),
      updatedAtMs: clock(),
    };
    if (!(await names.claim(account.id, account))) return undefined;
    await store.put(keyOf(account.id), JSON.stringify(account));
    await store.indexAdd(index, account.id, newestFirst(account.createdAtMs));
    return account;
  }

  /**
   * Gives the account another address or user name.
   * @returns false when it is somebody else's; nothing is changed then.
   */
  async function rename(id: string, to: { email?: string; username?: string }): Promise<boolean> {
    const account = await find(id);
    if (!account || !(await names.claim(id, { ...account, ...to }))) return false;
    const isThere = await change(id, (now) => ({ ...now, ...to, updatedAtMs: clock() }));
    const [before, after] = [account, { ...account, ...to }];
    await (isThere ? names.release(before, after) : names.release(after, before));
    return isThere;
  }

  /** A blocked account is nobody, at once and in every process. @returns false when there is no such account. */
  async function setStatus(id: string, status: AccountStatus): Promise<boolean> {
    if (status === 'active') return change(id, (now) => ({ ...now, status, updatedAtMs: clock() }));
    // In one write: whoever is blocked must not come back to what they had, wherever this breaks off.
    return proofs.signOutEverywhere(id, { status });
  }

  /**
   * Changes an account under compare-and-set, for every process at once. Its names are changed by `rename` alone.
   * @returns false when there is no such account, or no longer: what was erased is not changed by anybody.
   */
  async function change(id: string, next: (account: Account) => Account): Promise<boolean> {
    const isThere = await update<boolean>(store, keyOf(id), (current) => {
      const account = current === undefined ? undefined : (JSON.parse(current) as Account);
      if (!account || account.status === 'erased') return { result: false };
      return { value: JSON.stringify(next(account)), result: true };
    });
    forget(id);
    // Whoever does not hear of it believes what they have read for `believedForMs` at most. The change is made, and its
    // caller has to go on with what hangs on it: names to give up, apps to tell.
    await store.publish(channel, id).catch(() => undefined);
    return isThere;
  }

  async function* list(): AsyncIterable<Account> {
    for await (const { value } of store.scan('account')) yield JSON.parse(value) as Account;
  }

  /**
   * A page of everybody, the newest first. Who was erased leaves the list when it is looked at.
   * @returns undefined when the mark is none of ours.
   */
  async function page(of: {
    limit: number;
    after?: string | undefined;
  }): Promise<{ accounts: Account[]; next?: string } | undefined> {
    const listed = await indexPage(store, index, of);
    if (!listed) return undefined;
    const { members, ...rest } = listed;
    const stored = await store.getMany(members.map(keyOf));
    const all = stored.flatMap((one) => (one ? [JSON.parse(one.value) as Account] : []));
    const [gone, there] = [true, false].map((isGone) =>
      all.filter(({ status }) => (status === 'erased') === isGone),
    );
    await Promise.all((gone ?? []).map(({ id }) => store.indexRemove(index, id)));
    return { accounts: there ?? [], ...rest };
  }

  const proofs = proofsOf({ store, find, change, clock });
  return {
    ...{
      find,
      idOf: names.idOf,
      giveUpNames: names.giveUp,
      list,
      page,
      add,
      change,
      rename,
      setStatus,
    },
    ...proofs,
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
