/**
 * Which accounts run the service, and in which role. They are few, so they are one record: that nobody takes the last
 * admin away is then one compare-and-set.
 */
import type { Clock } from '../domain/environment.ts';
import { type Role, hasRole, operatorsGroup } from '../domain/operator.ts';
import type { Accounts } from './accounts.ts';
import type { ApiKey, ApiKeys } from './api-keys.ts';
import { type Store, update } from './store.ts';

export interface Operator {
  accountId: string;
  role: Role;
  /** Since when they have this role. */
  sinceMs: number;
  /** Who made them one, as the audit log names them. */
  by: string;
}

/** `last_admin`: nothing was changed, since nobody would be left who may change it back. */
export type OperatorChange = 'done' | 'unknown' | 'last_admin';

export interface Changed {
  change: OperatorChange;
  /** Keys of programs that ended with it. */
  revoked: readonly ApiKey[];
}

export type Operators = ReturnType<typeof createOperators>;

type Listed = Readonly<Record<string, Omit<Operator, 'accountId'>>>;

const key = 'operators:all';

export function createOperators(
  store: Store,
  { accounts, apiKeys, clock }: { accounts: Accounts; apiKeys: ApiKeys; clock: Clock },
) {
  async function load(): Promise<Listed> {
    return parse((await store.get(key))?.value);
  }

  /** An admin who cannot sign in is none that could be left. */
  async function activeAdmins(): Promise<ReadonlySet<string>> {
    const admins = Object.entries(await load()).filter(([, { role }]) => role === 'admin');
    const found = await Promise.all(admins.map(([id]) => accounts.find(id)));
    return new Set(found.flatMap((one) => (one?.status === 'active' ? [one.id] : [])));
  }

  /** @param next what is to stand for this account; undefined: nothing. */
  async function write(
    accountId: string,
    next: (before: Listed[string] | undefined) => Listed[string] | undefined,
    { mayBeUnknown, mayBeLast }: { mayBeUnknown: boolean; mayBeLast: boolean },
  ): Promise<OperatorChange> {
    const active = await activeAdmins();
    return update<OperatorChange>(store, key, (current) => {
      const { all: others, found: before } = without(parse(current), accountId);
      if (!before && !mayBeUnknown) return { result: 'unknown' };
      const after = next(before);
      const isLost = before?.role === 'admin' && after?.role !== 'admin';
      const isLeft = Object.entries(others).some(
        ([id, { role }]) => role === 'admin' && active.has(id),
      );
      if (isLost && !isLeft && !mayBeLast) return { result: 'last_admin' };
      const all = after ? { ...others, [accountId]: after } : others;
      return { value: JSON.stringify(all), result: 'done' };
    });
  }

  /** For relying parties; an account that is erased has no groups. */
  async function showGroup(accountId: string, isOperator: boolean): Promise<void> {
    await accounts.change(accountId, ({ groups, ...account }) => {
      const others = groups.filter((name) => name !== operatorsGroup);
      return { ...account, groups: isOperator ? [...others, operatorsGroup] : others };
    });
  }

  /** Whoever is none any more may be what a try before left half done: what is left of it is done now. */
  async function remove(accountId: string, mayBeLast: boolean): Promise<Changed> {
    const limits = { mayBeUnknown: false, mayBeLast };
    const change = await write(accountId, () => undefined, limits);
    if (change === 'last_admin') return { change, revoked: [] };
    const revoked = await apiKeys.revokeMadeBy(accountId);
    const { groups } = (await accounts.find(accountId)) ?? {};
    // The group goes last: while it is there, the try before did not get to its end.
    if (!groups?.includes(operatorsGroup)) return { change, revoked };
    await showGroup(accountId, false);
    return { change: 'done', revoked };
  }

  async function find(accountId: string): Promise<Operator | undefined> {
    const { found } = without(await load(), accountId);
    return found && { accountId, ...found };
  }

  return {
    find,

    /** May this person let others in now? Whoever is kept out themselves may not. */
    async isActiveAdmin(accountId: string): Promise<boolean> {
      const isAdmin = (await find(accountId))?.role === 'admin';
      return isAdmin && (await accounts.find(accountId))?.status === 'active';
    },

    hasActiveAdmin: async (): Promise<boolean> => (await activeAdmins()).size > 0,

    /** Would nobody be left who may do everything, if this account were no more? */
    async isLastAdmin(accountId: string): Promise<boolean> {
      const active = await activeAdmins();
      return active.has(accountId) && active.size === 1;
    },

    async list(): Promise<Operator[]> {
      return Object.entries(await load())
        .map(([accountId, rest]) => ({ accountId, ...rest }))
        .sort((one, other) => one.sinceMs - other.sinceMs);
    },

    /** Makes somebody an operator. Whoever is one gets this role, unless it is less: a link takes nothing away. */
    async add(accountId: string, role: Role, by: string): Promise<void> {
      const fresh = { role, sinceMs: clock(), by };
      await write(accountId, (before) => (before && hasRole(before.role, role) ? before : fresh), {
        ...{ mayBeUnknown: true, mayBeLast: true },
      });
      await showGroup(accountId, true);
    },

    /** Whoever is no admin any more has no keys left that do what only an admin gives. */
    async setRole(accountId: string, role: Role): Promise<Changed> {
      const change = await write(
        accountId,
        (before) => before && { ...before, role, sinceMs: clock() },
        { mayBeUnknown: false, mayBeLast: false },
      );
      const isOver = change === 'done' && role !== 'admin';
      return { change, revoked: isOver ? await apiKeys.revokeMadeBy(accountId) : [] };
    },

    remove: (accountId: string): Promise<Changed> => remove(accountId, false),

    /** The account is erased, and with it whatever it was. */
    forget: (accountId: string): Promise<Changed> => remove(accountId, true),
  };
}

/** An id may be called like something that every object has. */
function without(listed: Listed, accountId: string): { all: Listed; found?: Listed[string] } {
  if (!Object.hasOwn(listed, accountId)) return { all: listed };
  const { [accountId]: found, ...all } = listed;
  return found ? { all, found } : { all };
}

function parse(value: string | undefined): Listed {
  return value === undefined ? {} : (JSON.parse(value) as Listed);
}
