/** What accounts of operators take besides: nobody who may do less shuts one out, and what one said may count no more. */
import { type Role, hasRole } from '../../domain/operator.ts';
import type { Actor } from './act.ts';
import { Refusal } from './refusal.ts';
import type { ActTools } from './tools.ts';

type Tools = Pick<ActTools, 'accounts' | 'operators'>;

/** @throws Refusal where this is an operator's account, and whoever asks is no admin or a program. */
export async function requireAdminOver(
  accountId: string,
  by: Actor,
  { operators }: Pick<Tools, 'operators'>,
): Promise<void> {
  if (!(await operators.find(accountId))) return;
  if (by.kind === 'key') throw new Refusal('forbidden', 'it is an operator, and a key is nobody');
  if (by.role === undefined || !hasRole(by.role, 'admin')) {
    throw new Refusal('forbidden', 'it is an operator: it takes the role admin');
  }
}

/** @throws Refusal when nobody would be left who may do everything. */
export async function requireOtherAdmin(
  accountId: string,
  { operators }: Pick<Tools, 'operators'>,
): Promise<void> {
  if (await operators.isLastAdmin(accountId)) {
    throw new Refusal('conflict', `${accountId} is the last admin, and stays`);
  }
}

/** Is whoever goes by this name an operator now, who may do at least this? */
export async function isOperatorNow(
  name: string,
  role: Role,
  { operators, accounts }: Tools,
): Promise<boolean> {
  const operator = await operators.find(name);
  if (!operator || !hasRole(operator.role, role)) return false;
  return (await accounts.find(name))?.status === 'active';
}
