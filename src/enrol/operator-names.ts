/** Operators are named by their `sub` at the console, and by what they say of themselves at the machine and at Didit. */
import type { Accounts } from '../store/accounts.ts';

/** @returns all names of the account that goes by this one, or just this one. */
export async function namesOfOperator(
  operator: string,
  { accounts }: { accounts: Pick<Accounts, 'find' | 'idOf'> },
): Promise<readonly string[]> {
  const account = await accounts.find((await accounts.idOf(operator)) ?? operator);
  const names = account ? [account.id, account.email, account.username] : [];
  return [operator, ...names.filter((name) => name !== undefined)];
}

export const isAnyOf = (names: readonly string[], one: string): boolean =>
  names.some((name) => isSameOperator(name, one));

function isSameOperator(one: string, other: string): boolean {
  const [a, b] = [one, other].map((name) => name.normalize('NFKC').trim().toLowerCase());
  return a === b;
}
