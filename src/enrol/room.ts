/**
 * enrol/ is how people and their reference faces come in, and how they leave. What a person does here happens below
 * `/interaction/:uid`, as steps of an attempt that enrols (login/enrolment.ts): the address is confirmed, then the
 * consent, then a way in that needs no face, then a document and a selfie at Didit.
 *
 * This file is what the steps have in common: their tools, and the check that they are done in their order.
 */
import type { RouterContext } from '@koa/router';
import type { DiditApi } from '../didit/port.ts';
import type { Attempt } from '../domain/attempt.ts';
import type { SendMail } from '../domain/message.ts';
import { Problem } from '../domain/problem.ts';
import { type LoginTools, ownAttempt } from '../login/room.ts';
import type { Account, Enrolment } from '../store/accounts.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import type { FactorRecords } from '../store/factors.ts';
import type { History } from '../store/history.ts';
import type { Tickets } from '../store/tickets.ts';

/** The ways in that can be set up (fallback/ has them). */
export interface OtherWays {
  records: FactorRecords;
  recoveryCodes: { make(accountId: string): Promise<string[]> };
  totp: {
    begin(accountId: string, label: string): Promise<{ secret: string; uri: string }>;
    confirm(accountId: string, code: string): Promise<boolean>;
  };
  passkeys: {
    registrationOptions(account: Account, boundTo: string): Promise<object>;
    register(
      account: Account,
      boundTo: string,
      response: unknown,
      name: string,
    ): Promise<object | undefined>;
  };
}

export interface MailCodes {
  send(of: {
    key: string;
    address: string;
    locale?: string | undefined;
    purpose: 'confirm_address';
  }): Promise<void>;
  verify(key: string, code: string): Promise<boolean>;
}

export interface EnrolTools extends Omit<LoginTools, 'enrolment'> {
  registration: 'off' | 'invite' | 'open';
  didit: DiditApi;
  mail: SendMail;
  mailCodes: MailCodes;
  otherWays: OtherWays;
  tickets: Tickets;
  history: History;
  /** For telling whether two documents are the same person's; see identity.ts. */
  identitySecret: string;
  /** Of an account's earlier face, once another one has taken its place. */
  eraseReplaced: (accountId: string, face: Enrolment) => Promise<void>;
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
