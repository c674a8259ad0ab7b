/**
 * People: one record an account under its opaque `sub`, and one index entry for each name by which somebody may
 * sign in. The reference face lies apart, see portraits.ts.
 */
import type { Clock, Random } from '../domain/environment.ts';
import type { Store } from './store.ts';

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
}

/** One enrolled face. A new enrolment is a new record with new ids. */
export interface Enrolment {
  id: string;
  /** What Didit knows this enrolment by: opaque, and neither `sub` nor address. */
  vendorData: string;
  /** The key under which the portrait is sealed; erasing it erases the face. Absent: Didit alone has a face. */
  portraitKey?: string;
}

export type NewAccount = Pick<Account, 'email' | 'username' | 'name' | 'groups'>;

export type Accounts = ReturnType<typeof createAccounts>;

/** One spelling for all that a person may mean by the same name: Unicode form, case and space around it. */
export function normaliseIdentifier(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}

export function createAccounts(store: Store, { clock, random }: { clock: Clock; random: Random }) {
  const keyOf = (id: string): string => `account:${id}`;
  const indexKeyOf = (identifier: string): string =>
    `identifier:${normaliseIdentifier(identifier)}`;

  async function find(id: string): Promise<Account | undefined> {
    const stored = await store.get(keyOf(id));
    return stored && (JSON.parse(stored.value) as Account);
  }

  async function idOf(identifier: string): Promise<string | undefined> {
    return (await store.get(indexKeyOf(identifier)))?.value;
  }

  async function save(account: Account): Promise<void> {
    await store.put(keyOf(account.id), JSON.stringify(account));
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
    // An address that is also the user name is one name.
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
    await save(account);
    return account;
  }

  return { find, idOf, add };
}
