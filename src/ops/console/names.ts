/** What people are called. Of operators that is looked up where a page has only their `sub`: there are few of them. */
import type { Account, Accounts } from '../../store/accounts.ts';
import type { Operators } from '../../store/operators.ts';

/** @param ids also of others, who have no name then: programs, people at the command line, operators of old. */
export type NamesOf = (
  ids: Iterable<string | undefined>,
) => Promise<Readonly<Record<string, string>>>;

type Called = { [K in 'name' | 'email' | 'username']?: Account[K] | undefined };

export const nameOf = ({ name, email, username }: Called): string | undefined =>
  name ?? email ?? username;

export function createNamesOf({
  operators,
  accounts,
}: {
  operators: Operators;
  accounts: Accounts;
}): NamesOf {
  return async function namesOf(ids) {
    const wanted = new Set(ids);
    wanted.delete(undefined);
    if (wanted.size === 0) return {};
    const all = await operators.list();
    const found = await Promise.all(
      all
        .filter(({ accountId }) => wanted.has(accountId))
        .map(({ accountId }) => accounts.find(accountId)),
    );
    return Object.fromEntries(
      found.flatMap((account) => {
        const name = account && nameOf(account);
        return name === undefined ? [] : [[account?.id ?? '', name]];
      }),
    );
  };
}
