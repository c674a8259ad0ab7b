/**
 * An invitation: a link that was mailed, so that whoever follows it has shown that the address is theirs. Whom nobody
 * comes for while it is good is forgotten (retention.ts): an account that waits is nobody's to begin with.
 */
import type { Middleware } from 'koa';
import type { Clock } from '../domain/environment.ts';
import type { SendMail } from '../domain/message.ts';
import type { LoginTools } from '../login/room.ts';
import type { Account, Accounts, NewAccount } from '../store/accounts.ts';
import type { Tickets } from '../store/tickets.ts';
import { wantedLanguages } from '../web/language.ts';
import type { Admissions } from './admission.ts';
import { type TicketRouteTools, createTicketRoutes } from './ticket-routes.ts';

const goodForSeconds = 7 * 86_400;

export interface InvitationTools {
  issuer: string;
  accounts: Accounts;
  tickets: Tickets;
  clock: Clock;
}

export interface Invited {
  account: Account;
  link: string;
  untilMs: number;
}

/**
 * Invites somebody who is not here yet, or once more somebody who has not come.
 * @returns undefined when the address is that of somebody who has.
 */
export async function invite(
  person: NewAccount & { email: string },
  tools: InvitationTools & { mail: SendMail },
): Promise<Invited | undefined> {
  const { accounts, tickets, issuer, clock, mail } = tools;
  const id = await accounts.idOf(person.email);
  const known = id === undefined ? undefined : await accounts.find(id);
  const account =
    known ?? (await accounts.add({ ...person, status: 'invited', emailVerified: false }));
  if (account?.status !== 'invited') return undefined;
  const untilMs = clock() + goodForSeconds * 1000;
  await accounts.change(account.id, (current) => ({ ...current, invitedUntilMs: untilMs }));
  const secret = await tickets.issue('invitation', { accountId: account.id }, goodForSeconds);
  const link = `${issuer}/enrol/${secret}`;
  await mail(
    { address: person.email, locale: account.locale },
    { kind: 'invitation', link, untilMs },
  );
  return { account, link, untilMs };
}

/** Whoever was invited has shown that the address is theirs. */
export function asArrived({ invitedUntilMs: _, ...account }: Account): Account {
  return { ...account, status: 'active', emailVerified: true };
}

/** Nobody has come for it, and nobody can any more. */
export function isUncollected(
  { status, invitedUntilMs = Infinity }: Account,
  nowMs: number,
): boolean {
  return (status === 'invited' || status === 'held') && nowMs >= invitedUntilMs;
}

export function createInvitationRoutes(
  tools: TicketRouteTools &
    Pick<LoginTools, 'languageFor'> & { accounts: Accounts; admissions: Admissions },
): Middleware {
  const { accounts, admissions, languageFor } = tools;
  return createTicketRoutes(tools, {
    ...{ kind: 'invitation', below: '/enrol' },
    page: (accept) => ({ page: 'invitation', actions: { accept } }),
    async taken(ctx, { accountId }) {
      const spoken = languageFor(wantedLanguages(ctx, undefined).join(' '));
      await accounts.change(accountId, ({ locale = spoken, ...account }) => ({
        ...(account.status === 'invited' ? asArrived(account) : account),
        locale,
      }));
      await admissions.grant(ctx, { kind: 'enrol', accountId });
      ctx.status = 303;
      ctx.redirect('/account/sign-in');
    },
  });
}
