/**
 * enrol/ is how people and their reference faces come in, and how they leave. What a person does here happens below
 * `/interaction/:uid`, as steps of an attempt that enrols (login/enrolment.ts): the address is confirmed, then the
 * consent, then a way in that needs no face, then a document and a selfie at Didit.
 *
 * This file is what the steps have in common: their tools, and the check that they are done in their order.
 */
import type { RouterContext } from '@koa/router';
import type { DiditApi, DiditPeople } from '../didit/port.ts';
import type { Attempt } from '../domain/attempt.ts';
import type { SendMail } from '../domain/message.ts';
import { standing } from '../domain/standing.ts';
import { Problem } from '../domain/problem.ts';
import type { OtherWays } from '../fallback/factors.ts';
import type { MailCodes } from '../fallback/mail-code.ts';
import { type LoginTools, ownAttempt } from '../login/room.ts';
import type { Account } from '../store/accounts.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import type { HeldEnrolments } from '../store/held-enrolments.ts';
import type { History } from '../store/history.ts';
import type { Store } from '../store/store.ts';
import type { Tickets } from '../store/tickets.ts';
import type { KeepTools } from './keep.ts';
import type { KeptTools } from './kept.ts';

export interface EnrolTools extends Omit<LoginTools, 'enrolment'> {
  registration: 'off' | 'invite' | 'open';
  didit: DiditApi & DiditPeople;
  mail: SendMail;
  mailCodes: MailCodes;
  otherWays: Pick<OtherWays, 'records' | 'totp' | 'recoveryCodes' | 'passkeys'>;
  store: Store;
  tickets: Tickets;
  history: History;
  held: HeldEnrolments;
  identitySecret: KeepTools['identitySecret'];
  eraseReplaced: KeptTools['eraseReplaced'];
}

type Identified = Extract<Attempt, { phase: 'identified' }>;

/** Somebody whose address was confirmed, or who was let in otherwise, in this very interaction. */
export interface Enrolling {
  loaded: LoadedAttempt;
  attempt: Identified;
  account: Account;
}

/** @throws Problem `step_missing` when this browser is not enrolling anybody. */
export async function ownEnrolling(ctx: RouterContext, tools: EnrolTools): Promise<Enrolling> {
  const loaded = await ownAttempt(ctx, tools);
  const { attempt } = loaded;
  if (standing(attempt, tools.clock()).at === 'expired') throw new Problem('interaction_over');
  const account = await enrollingAccount(attempt, tools);
  if (!account || attempt.phase !== 'identified') throw new Problem('step_missing');
  return { loaded, attempt, account };
}

/** Read afresh: each step relies on what the one before has written. */
export async function enrollingAccount(
  attempt: Attempt,
  { accounts }: Pick<EnrolTools, 'accounts'>,
): Promise<Account | undefined> {
  const isEnrolled = ['enrol', 're_enrol', 'recovery'].includes(attempt.kind);
  if (!isEnrolled || !('identity' in attempt)) return undefined;
  const { accountId } = attempt.identity ?? {};
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  return account?.status === 'active' ? account : undefined;
}
