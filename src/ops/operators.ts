/**
 * How somebody becomes an operator, by a link that can be used once, and how they cease
 * to be one. The same for the command line and the console.
 */
import type { Clock } from '../domain/environment.ts';
import type { Record as RecordEvent } from '../domain/event.ts';
import type { Role } from '../domain/operator.ts';
import { waitFor } from '../enrol/invitation.ts';
import type { Account, Accounts } from '../store/accounts.ts';
import { type ApiKey, apiKeyInWords } from '../store/api-keys.ts';
import {
  type OperatorLink,
  type OperatorLinks,
  operatorLinkSeconds,
} from '../store/operator-links.ts';
import type { Changed, Operators } from '../store/operators.ts';

export interface LinkTools {
  /** Absent where there is no console to lead to. */
  consoleOrigin: string | undefined;
  /** Can somebody who is not here yet be enrolled? Registration may be off: an operator's word is enough. */
  canEnrol: boolean;
  accounts: Accounts;
  operatorLinks: OperatorLinks;
  clock: Clock;
  record: RecordEvent;
}

export interface MadeLink {
  link: string;
  untilMs: number;
  role: Role;
  /** Absent: it is for whoever follows it. */
  account?: Account;
}

/** @throws with the reason, in words for whoever asked; nothing was made then. */
export async function linkForOperator(
  { email, ...asked }: Pick<OperatorLink, 'role' | 'by' | 'maker'> & { email?: string | undefined },
  tools: LinkTools,
): Promise<MadeLink> {
  const { consoleOrigin, operatorLinks, clock, record } = tools;
  const { role, by } = asked;
  if (consoleOrigin === undefined) {
    throw new Error('there is no console: name its address (MANAGEMENT_ORIGIN)');
  }
  const account = email === undefined ? undefined : await accountOf(email, tools);
  const whose = account ? { accountId: account.id } : {};
  const secret = await operatorLinks.issue({ ...whose, ...asked });
  const about = account ? { account: account.id, object: account.id } : {};
  record({ event: 'operator.invited', atMs: clock(), ...about, reason: role, operators: [by] });
  return {
    link: `${consoleOrigin}/console/welcome/${secret}`,
    untilMs: clock() + operatorLinkSeconds * 1000,
    role,
    ...(account ? { account } : {}),
  };
}

async function accountOf(email: string, tools: LinkTools): Promise<Account> {
  const { accounts, canEnrol } = tools;
  const id = await accounts.idOf(email);
  const known = id === undefined ? undefined : await accounts.find(id);
  if (known?.status === 'active') return known;
  if (known && known.status !== 'invited') throw new Error(`${known.id} is ${known.status}`);
  if (!canEnrol) {
    const needs = 'a workflow for documents (DIDIT_WORKFLOW_KYC) and a mail server (SMTP_URL)';
    throw new Error(`nobody signs in as "${email}", and to enrol somebody takes ${needs}`);
  }
  const waiting = await waitFor({ email, groups: [] }, known, tools);
  if (!waiting) throw new Error(`"${email}" was taken by somebody meanwhile`);
  return waiting.account;
}

export interface ChangeTools {
  operators: Operators;
  operatorLinks: OperatorLinks;
  clock: Clock;
  record: RecordEvent;
}

/** @param role absent: they run the service no longer. Nothing leads back that was given out before. */
export async function changeOperator(
  id: string,
  { role, by }: { role?: Role; by: string },
  { operators, operatorLinks, clock, record }: ChangeTools,
): Promise<Changed> {
  const done = role === undefined ? await operators.remove(id) : await operators.setRole(id, role);
  const isUnknown = done.change === 'unknown';
  if (done.change === 'last_admin' || (isUnknown && role !== undefined)) return done;
  await operatorLinks.end(id);
  if (done.change === 'done') {
    const about = { account: id, object: id, operators: [by], ...(role ? { reason: role } : {}) };
    record({ event: role ? 'operator.changed' : 'operator.removed', atMs: clock(), ...about });
  }
  tellOfRevoked(done.revoked, by, { record, clock });
  return done;
}

/** Of keys that ended with something else: what could be done by them. */
export function tellOfRevoked(
  keys: readonly ApiKey[],
  by: string,
  { record, clock }: Pick<ChangeTools, 'record' | 'clock'>,
): void {
  for (const key of keys) {
    const what = { act: 'api-keys.revoke', object: key.id, reason: apiKeyInWords(key) };
    record({ event: 'operator.acted', atMs: clock(), ...what, operators: [by] });
  }
}
