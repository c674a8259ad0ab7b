/** What the actions of a person's own page have in common: their tools, who is there, and what must have been shown. */
import type { RouterContext } from '@koa/router';
import type { Clock } from '../domain/environment.ts';
import type { AuditEvent, Record as RecordEvent } from '../domain/event.ts';
import type { Place } from '../domain/locality.ts';
import type { Message, SendMail } from '../domain/message.ts';
import { Problem } from '../domain/problem.ts';
import type { MailCodes } from '../fallback/mail-code.ts';
import type { OtherWays } from '../fallback/factors.ts';
import type { removeFactor } from '../fallback/remove.ts';
import type { SignIns } from '../oidc/sign-ins.ts';
import type { Accounts } from '../store/accounts.ts';
import type { Factors } from '../store/factors.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import type { History, HistoryEntry } from '../store/history.ts';
import type { Limits } from '../store/limits.ts';
import type { Store } from '../store/store.ts';
import type { Tickets } from '../store/tickets.ts';
import type { FormTokens } from '../web/forms.ts';
import type { ShowPage } from '../web/respond.ts';
import { type Shown, mayChange, mayErase } from './proof.ts';
import type { AccountSessions, Visitor } from './session.ts';

export interface Erasure {
  /** Begins at `readyAtMs`, and until then can be called off. */
  plan(accountId: string, what: 'face' | 'account', readyAtMs: number): Promise<void>;
  cancel(accountId: string): Promise<boolean>;
  planned(accountId: string): Promise<{ what: 'face' | 'account'; readyAtMs: number } | undefined>;
}

export interface AccountTools {
  issuer: string;
  environment: 'live' | 'sandbox';
  erasureDelaySeconds: number;
  recoveryHoldSeconds: number;
  cooldownSeconds: number;
  tickets: Tickets;
  canEnrol: boolean;
  sessions: AccountSessions;
  accounts: Accounts;
  store: Store;
  history: History;
  familiar: FamiliarRecords;
  limits: Limits;
  otherWays: Pick<OtherWays, 'records' | 'totp' | 'recoveryCodes' | 'passkeys'> & {
    remove(
      accountId: string,
      which: Parameters<typeof removeFactor>[2],
      options: { byMail: boolean },
    ): ReturnType<typeof removeFactor>;
  };
  mail: SendMail | undefined;
  /** Absent where nobody can be written to. */
  mailCodes: MailCodes | undefined;
  signIns: SignIns;
  erasure: Erasure;
  exportOf(accountId: string): Promise<object | undefined>;
  /** Lets this browser begin an attempt of this kind; see enrol/admission.ts. */
  admit(
    ctx: RouterContext,
    admission: { kind: 're_enrol' | 'enrol'; accountId: string },
  ): Promise<void>;
  placeOf: (address: string, described: { browser: string; system: string }) => Place;
  clientName: (clientId: string) => Promise<string>;
  formTokens: FormTokens;
  show: ShowPage;
  record: RecordEvent;
  clock: Clock;
}

export type Action = (
  ctx: RouterContext,
  tools: AccountTools,
  visitor: Visitor,
  form: ReadonlyMap<string, string>,
) => Promise<void>;

/** @throws Problem `step_missing` where nobody can be written to; no page leads there then. */
export function requireMail({ mailCodes }: AccountTools): MailCodes {
  if (!mailCodes) throw new Problem('step_missing', 'nobody can be written to');
  return mailCodes;
}

/** A mail is a way in only for whoever can be written to. */
export function ownWays({ mail }: AccountTools, { account }: Visitor): { byMail: boolean } {
  return { byMail: mail !== undefined && account.email !== undefined };
}

/** Wrong codes are limited, right ones are not; and apart from those of strangers at the door, who lock nobody out. */
export async function tryCode(
  { limits }: AccountTools,
  { account }: Visitor,
  verify: () => Promise<boolean>,
): Promise<boolean> {
  const typist = { person: account.id, deviceClass: 'known' } as const;
  if (!(await limits.tryFactor(typist)) || !(await verify())) return false;
  await limits.factorWasRight(typist);
  return true;
}

/** Back to the sheet, which says what was done. */
export function done(ctx: RouterContext, what: string): void {
  ctx.status = 303;
  ctx.redirect(`/account?done=${what}`);
}

export function shownBy(
  { session, account }: Visitor,
  { clock, environment, cooldownSeconds }: AccountTools,
): Shown {
  return { session, account, cooldownSeconds, nowMs: clock(), environment };
}

/** An action that needs a proof from just now; without one, nothing is done and the person is asked for it. */
export function proven(what: 'change' | 'erase', action: Action): Action {
  return async function provenAction(ctx, tools, visitor, form) {
    const factors = await tools.otherWays.records.load(visitor.account.id);
    const shown = shownBy(visitor, tools);
    const isEnough = what === 'change' ? mayChange(shown) : mayErase(shown, factors);
    if (isEnough) return action(ctx, tools, visitor, form);
    showProve(ctx, tools, visitor, factors, what);
  };
}

export function showProve(
  ctx: RouterContext,
  tools: AccountTools,
  { account }: Visitor,
  factors: Factors,
  what: 'change' | 'erase',
  error?: 'wrong_code',
): void {
  const hasCodes = factors.totp !== undefined || !!factors.recoveryCodes?.hashes.length;
  tools.show(ctx, 403, {
    page: 'prove',
    what,
    hasPasskey: factors.passkeys.length > 0,
    hasCodes,
    hasFace: account.enrolment !== undefined && !account.selfieOff,
    ...(error ? { error } : {}),
  });
}

/** Into the log and the person's history, and to the person by mail where one is written for it. */
export async function tell(
  tools: AccountTools,
  { account }: Visitor,
  event: AuditEvent['event'],
  entry: HistoryEntry,
  message?: Message,
): Promise<void> {
  tools.record({ event, atMs: tools.clock(), account: account.id, reason: entry.event });
  await tools.history.add(account.id, entry);
  if (message && account.email !== undefined) {
    await tools.mail?.({ address: account.email, locale: account.locale }, message);
  }
}
