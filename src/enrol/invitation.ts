/**
 * An invitation: a link that was mailed, so that whoever follows it has shown that the address is theirs. Where an
 * operator is shown a link as well, it is another one, and following that shows nothing. Whom nobody comes for while it
 * is good is forgotten (retention.ts): an account that waits is nobody's to begin with.
 */
import type { Middleware } from 'koa';
import type { Clock } from '../domain/environment.ts';
import type { SendMail } from '../domain/message.ts';
import type { LoginTools } from '../login/room.ts';
import type { Account, Accounts, NewAccount } from '../store/accounts.ts';
import type { Limits } from '../store/limits.ts';
import type { TicketContents, Tickets } from '../store/tickets.ts';
import { wantedLanguages } from '../web/language.ts';
import type { Admissions } from './admission.ts';
import { type TicketRouteTools, createTicketRoutes } from './ticket-routes.ts';

const goodForSeconds = 7 * 86_400;

export interface InvitationTools {
  issuer: string;
  accounts: Accounts;
  tickets: Tickets;
  limits: Pick<Limits, 'invite'>;
  mail: SendMail;
  clock: Clock;
}

export interface Invited {
  account: Account;
  untilMs: number;
}

/**
 * Invites somebody who is not here yet, or once more somebody who has not come: then the links before lead nowhere.
 * @throws with the reason for the operator; nobody was written to then.
 */
export async function invite(
  person: NewAccount & { email: string },
  tools: InvitationTools,
): Promise<Invited> {
  const { accounts, tickets, limits, mail } = tools;
  const { email } = person;
  const id = await accounts.idOf(email);
  const known = id === undefined ? undefined : await accounts.find(id);
  const taken = `${email} is somebody's who is here`;
  if (known && known.status !== 'invited') throw new Error(taken);
  if (known && !(await limits.invite(known.id))) {
    throw new Error(`${email} was invited several times today: try again tomorrow`);
  }
  const waiting = await waitFor(person, known, tools);
  if (!waiting) throw new Error(taken);
  const { account, untilMs } = waiting;
  // The first one counts as well.
  if (!known) await limits.invite(account.id);
  await tickets.eraseKind('invitation', account.id);
  const link = await linkFor({ accountId: account.id }, tools);
  await mail({ address: email, locale: account.locale }, { kind: 'invitation', link, untilMs });
  return { account, untilMs };
}

/**
 * From now on somebody is waited for, for a time: who has not come yet (`known`), or who is added by it. Both in one
 * write: without an end they would be waited for for good, and the address be nobody else's.
 * @returns undefined when the address was taken, or they came, meanwhile.
 */
export async function waitFor(
  person: NewAccount & { email: string },
  known: Account | undefined,
  { accounts, clock }: Pick<InvitationTools, 'accounts' | 'clock'>,
): Promise<Invited | undefined> {
  const untilMs = clock() + goodForSeconds * 1000;
  const end = { invitedUntilMs: untilMs };
  if (!known) {
    const added = { ...person, ...end, status: 'invited', emailVerified: false } as const;
    const account = await accounts.add(added);
    return account && { account, untilMs };
  }
  // They may have come since they were looked at.
  const still = { isInvited: false };
  await accounts.change(known.id, (now) => {
    still.isInvited = now.status === 'invited';
    return still.isInvited ? { ...now, ...end } : now;
  });
  return still.isInvited ? { account: known, untilMs } : undefined;
}

/** A second link to the same, for an operator to hand over: who comes by it has yet to show that the address is theirs. */
export const shownLink = (
  { account }: Invited,
  tools: Pick<InvitationTools, 'issuer' | 'tickets'>,
): Promise<string> => linkFor({ accountId: account.id, isShown: true }, tools);

async function linkFor(
  contents: TicketContents['invitation'],
  { issuer, tickets }: Pick<InvitationTools, 'issuer' | 'tickets'>,
): Promise<string> {
  return `${issuer}/enrol/${await tickets.issue('invitation', contents, goodForSeconds)}`;
}

/** Whoever comes by what was only mailed has shown that the address is theirs. */
export function asArrived(
  { invitedUntilMs: _, ...account }: Account,
  { isShown = false } = {},
): Account {
  return { ...account, status: 'active', emailVerified: !isShown };
}

/** Of who was blocked while invited: the address was never shown to be theirs. */
export const hasYetToArrive = ({ email, emailVerified, enrolment }: Account): boolean =>
  email !== undefined && !emailVerified && enrolment === undefined;

/** Nobody has come for it, and nobody can any more. */
export function isUncollected(
  { status, invitedUntilMs = Infinity }: Account,
  nowMs: number,
): boolean {
  return (status === 'invited' || status === 'held') && nowMs >= invitedUntilMs;
}

export function createInvitationRoutes(
  tools: TicketRouteTools &
    Pick<LoginTools, 'languageFor' | 'record' | 'clock'> & {
      accounts: Accounts;
      admissions: Admissions;
      /** Absent where there is no console. */
      consoleOrigin?: string | undefined;
    },
): Middleware {
  const { accounts, admissions, languageFor, record, clock, consoleOrigin } = tools;
  const leadsTo = ({ to }: TicketContents['invitation']): string | undefined =>
    to === 'console' ? consoleOrigin : undefined;
  return createTicketRoutes(tools, {
    ...{ kind: 'invitation', below: '/enrol' },
    page: (accept) => ({ page: 'invitation', actions: { accept } }),
    leadsTo,
    async taken(ctx, invitation) {
      const { accountId } = invitation;
      const spoken = languageFor(wantedLanguages(ctx, undefined).join(' '));
      const here = { hasArrived: false };
      await accounts.change(accountId, ({ locale = spoken, ...account }) => {
        here.hasArrived = account.status === 'invited';
        return { ...(here.hasArrived ? asArrived(account, invitation) : account), locale };
      });
      // Of several links the first counts: by another one nobody enrols as who has come.
      if (here.hasArrived) {
        await tools.tickets.eraseKind('invitation', accountId);
        record({ event: 'account.arrived', atMs: clock(), account: accountId });
        await admissions.grant(ctx, { kind: 'enrol', accountId });
      }
      ctx.status = 303;
      const origin = leadsTo(invitation);
      ctx.redirect(origin === undefined ? '/account/sign-in' : `${origin}/console/enter`);
    },
  });
}
