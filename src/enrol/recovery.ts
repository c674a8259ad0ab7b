/**
 * Recovery, whoever began it: the person themself, with two things that are left (account/recovery.ts), or two
 * operators for somebody who has nothing left to show. Either way it waits, the person hears of it at once, and any
 * sign-in of theirs or the link in the mail calls it off. One that operators opened gives nobody anything by itself:
 * after the wait they get a link for the person, who has to show a document and a face of the same person by it.
 */
import type { Clock } from '../domain/environment.ts';
import type { Record } from '../domain/event.ts';
import type { SeenIn, SendMail } from '../domain/message.ts';
import type { Account, Accounts, RunningRecovery } from '../store/accounts.ts';
import type { History } from '../store/history.ts';
import type { Tickets } from '../store/tickets.ts';
import { isSamePerson } from './identity.ts';
import { isAnyOf, namesOfOperator } from './operator-names.ts';

export interface RecoveryTools {
  issuer: string;
  accounts: Accounts;
  tickets: Tickets;
  history: History;
  mail: SendMail | undefined;
  record: Record;
  clock: Clock;
  recoveryHoldSeconds: number;
}

/** After the wait: whoever began it should come back, and not months later. */
const openForSeconds = 7 * 86_400;
/** A second operator who comes later than that would not know any more what the first one saw. */
const askGoodForMs = 86_400_000;
const linkGoodForSeconds = 900;

/** @returns undefined also when its time is over. */
export function runningRecovery(
  { recovery }: Pick<Account, 'recovery'>,
  nowMs: number,
): RunningRecovery | undefined {
  if (!recovery || !('readyAtMs' in recovery)) return undefined;
  return nowMs < recovery.readyAtMs + openForSeconds * 1000 ? recovery : undefined;
}

/** One operator asked for it, and another one may open it: a day long. */
export function askedRecovery(
  { recovery }: Pick<Account, 'recovery'>,
  nowMs: number,
): { askedBy: string; askedAtMs: number } | undefined {
  if (!recovery || !('askedBy' in recovery)) return undefined;
  return nowMs < recovery.askedAtMs + askGoodForMs ? recovery : undefined;
}

/** May a document be shown for it now? */
export function isProvable(recovery: Account['recovery'], nowMs: number): boolean {
  const running = runningRecovery({ ...(recovery ? { recovery } : {}) }, nowMs);
  if (!running?.openedBy || running.provenAtMs !== undefined) return false;
  return nowMs >= running.readyAtMs;
}

/** `by_link`: the wait is over, and the document has yet to be shown. */
export type RecoveryState = 'waits' | 'by_link' | 'ready';

export function stateOf(running: RunningRecovery, nowMs: number): RecoveryState {
  if (nowMs < running.readyAtMs) return 'waits';
  return running.openedBy && running.provenAtMs === undefined ? 'by_link' : 'ready';
}

/** The wait begins; the person is told, and how to call it off. */
export async function tellOfRecovery(
  { id, email, locale }: Account,
  { beganAtMs: atMs, readyAtMs, openedBy }: RunningRecovery,
  tools: RecoveryTools,
  by: SeenIn | { byOperators: true },
): Promise<void> {
  const ttlSeconds = Math.ceil((readyAtMs - atMs) / 1000) + openForSeconds;
  const secret = await tools.tickets.issue(
    'recovery_cancel',
    { accountId: id, beganAtMs: atMs },
    ttlSeconds,
  );
  const link = `${tools.issuer}/account/stop/${secret}`;
  const operators = openedBy ? { operators: openedBy } : {};
  tools.record({ event: 'account.recovery_began', atMs, account: id, ...operators });
  await tools.history.add(id, { event: 'recovery_began', atMs });
  if (email === undefined) return;
  const message = { kind: 'recovery_began', link, readyAtMs, atMs, ...by } as const;
  await tools.mail?.({ address: email, locale }, message);
}

export const withoutRecovery = ({ recovery: _, ...account }: Account): Account => account;

/** Which recovery it is, as its links say it. */
export function beganAt({ recovery }: Pick<Account, 'recovery'>): number | undefined {
  return recovery && 'beganAtMs' in recovery ? recovery.beganAtMs : undefined;
}

/** @param beganAtMs ends this one and no other. @returns whether there was one to end. */
export async function stopRecovery(
  accountId: string,
  tools: Pick<RecoveryTools, 'accounts' | 'history' | 'clock' | 'record' | 'mail'>,
  beganAtMs?: number,
): Promise<boolean> {
  const stopped = { is: false };
  await tools.accounts.change(accountId, (current) => {
    const isThis = beganAtMs === undefined || beganAt(current) === beganAtMs;
    stopped.is = current.recovery !== undefined && isThis;
    return stopped.is ? withoutRecovery(current) : current;
  });
  const account = await tools.accounts.find(accountId);
  if (!stopped.is || !account) return false;
  // Whoever began it was signed in for it.
  await tools.accounts.signOutEverywhere(accountId);
  const atMs = tools.clock();
  tools.record({ event: 'account.recovery_cancelled', atMs, account: accountId });
  await tools.history.add(accountId, { event: 'recovery_cancelled', atMs });
  if (account.email !== undefined) {
    const to = { address: account.email, locale: account.locale };
    await tools.mail?.(to, { kind: 'recovery_cancelled', atMs });
  }
  return true;
}

export type Opened = { state: 'asked' } | { state: 'began'; readyAtMs: number };

/**
 * The first operator asks for it; when another one does within a day, the wait begins.
 * @throws with the reason for the operator.
 */
export async function openRecovery(
  account: Account,
  operator: string,
  tools: RecoveryTools,
): Promise<Opened> {
  requireRecoverable(account, tools);
  const names = await namesOfOperator(operator, tools);
  if (names.includes(account.id)) throw new Error(`${operator} opens nothing for themself`);
  const nowMs = tools.clock();
  let next: Account['recovery'];
  let problem: string | undefined;
  await tools.accounts.change(account.id, (current) => {
    [next, problem] = [undefined, undefined];
    if (runningRecovery(current, nowMs)) problem = 'a recovery runs already';
    else {
      next = nextStep(current, operator, names, tools);
      if (!next) problem = `${operator} has asked for it already: it takes another operator`;
    }
    return next ? { ...current, recovery: next } : current;
  });
  if (problem !== undefined || !next) throw new Error(problem ?? 'nobody is there any more');
  if (!('readyAtMs' in next)) {
    const about = { atMs: nowMs, account: account.id, operators: [operator] };
    tools.record({ event: 'account.recovery_asked', ...about });
    return { state: 'asked' };
  }
  await tellOfRecovery(account, next, tools, { byOperators: true });
  return { state: 'began', readyAtMs: next.readyAtMs };
}

/** @returns undefined when this operator has asked already. */
function nextStep(
  current: Pick<Account, 'recovery'>,
  operator: string,
  names: readonly string[],
  { clock, recoveryHoldSeconds }: RecoveryTools,
): Account['recovery'] {
  const nowMs = clock();
  const asked = askedRecovery(current, nowMs);
  if (!asked) return { askedBy: operator, askedAtMs: nowMs };
  if (isAnyOf(names, asked.askedBy)) return undefined;
  const readyAtMs = nowMs + recoveryHoldSeconds * 1000;
  return { beganAtMs: nowMs, readyAtMs, openedBy: [asked.askedBy, operator] };
}

function requireRecoverable(account: Account, { mail }: Pick<RecoveryTools, 'mail'>): void {
  const { id, status, email, enrolment } = account;
  if (status !== 'active') throw new Error(`${id} is ${status}`);
  if (!mail || email === undefined) {
    throw new Error(`${id} cannot be written to, and could not call it off`);
  }
  const identity = enrolment?.identity ?? {};
  if (!isSamePerson(identity, identity)) {
    throw new Error(`${id} has shown no document that another one could be compared with`);
  }
}

/**
 * After the wait, for the operator to hand over. It is no way in: it leads to the check of a document and a face.
 * @throws with the reason for the operator.
 */
export async function recoveryLink(
  account: Account,
  tools: Pick<RecoveryTools, 'issuer' | 'tickets' | 'record' | 'clock'>,
): Promise<{ link: string; untilMs: number }> {
  const { id: accountId } = account;
  const nowMs = tools.clock();
  const running = runningRecovery(account, nowMs);
  if (!running?.openedBy) throw new Error('two operators have to open the recovery first');
  if (nowMs < running.readyAtMs) {
    throw new Error(`the recovery waits until ${new Date(running.readyAtMs).toISOString()}`);
  }
  if (!isProvable(running, nowMs)) throw new Error('the document has been shown already');
  const { beganAtMs } = running;
  const secret = await tools.tickets.issue(
    'recovery',
    { accountId, beganAtMs },
    linkGoodForSeconds,
  );
  tools.record({ event: 'account.recovery_linked', atMs: nowMs, account: accountId });
  const link = `${tools.issuer}/enrol/recovery/${secret}`;
  return { link, untilMs: nowMs + linkGoodForSeconds * 1000 };
}
