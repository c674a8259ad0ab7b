/**
 * An invitation: a link that was mailed, so that whoever follows it has shown that the address is theirs. Looking at
 * it does nothing, since mail scanners look at every link; the button on its page uses it up.
 */
import { Router, type RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import type { SendMail } from '../domain/message.ts';
import { Problem } from '../domain/problem.ts';
import type { Clock } from '../domain/environment.ts';
import type { Account, Accounts, NewAccount } from '../store/accounts.ts';
import type { Tickets } from '../store/tickets.ts';
import type { FormTokens } from '../web/forms.ts';
import { readForm, requireSameOrigin } from '../web/forms.ts';
import type { ShowPage } from '../web/respond.ts';
import type { Admissions } from './admission.ts';

const goodForSeconds = 7 * 86_400;

export interface InvitationTools {
  issuer: string;
  accounts: Accounts;
  tickets: Tickets;
  clock: Clock;
}

/**
 * Invites somebody who is not here yet, or once more somebody who has not come.
 * @returns undefined when the address is that of somebody who has.
 */
export async function invite(
  person: NewAccount & { email: string },
  tools: InvitationTools & { mail: SendMail },
): Promise<{ account: Account; link: string } | undefined> {
  const { accounts, tickets, issuer, clock, mail } = tools;
  const id = await accounts.idOf(person.email);
  const known = id === undefined ? undefined : await accounts.find(id);
  const account =
    known ?? (await accounts.add({ ...person, status: 'invited', emailVerified: false }));
  if (account?.status !== 'invited') return undefined;
  const secret = await tickets.issue('invitation', { accountId: account.id }, goodForSeconds);
  const link = `${issuer}/enrol/${secret}`;
  const untilMs = clock() + goodForSeconds * 1000;
  await mail(
    { address: person.email, locale: account.locale },
    { kind: 'invitation', link, untilMs },
  );
  return { account, link };
}

export function createInvitationRoutes(
  tools: InvitationTools & { admissions: Admissions; formTokens: FormTokens; show: ShowPage },
): Middleware {
  const { issuer, accounts, tickets, admissions, formTokens, show } = tools;
  const router = new Router({ prefix: '/enrol/:secret' });
  const secretOf = (ctx: RouterContext): string => String(ctx.params.secret);

  router.get('/', async (ctx) => {
    const ticket = await tickets.read('invitation', secretOf(ctx));
    if (!ticket) throw new Problem('not_found', 'an invitation that is used up or over');
    ctx.state.formToken = formTokens.of(`invitation ${secretOf(ctx)}`);
    show(ctx, 200, { page: 'invitation', actions: { accept: ctx.path } });
  });

  router.post('/', async (ctx) => {
    requireSameOrigin(ctx, new URL(issuer).origin);
    formTokens.require(`invitation ${secretOf(ctx)}`, await readForm(ctx));
    const ticket = await tickets.take('invitation', secretOf(ctx));
    if (!ticket) throw new Problem('not_found', 'an invitation that is used up or over');
    const { accountId } = ticket;
    await accounts.change(accountId, (account) =>
      account.status === 'invited'
        ? { ...account, status: 'active', emailVerified: true }
        : account,
    );
    await admissions.grant(ctx, { kind: 'enrol', accountId });
    ctx.status = 303;
    ctx.redirect('/account/sign-in');
  });

  return router.routes() as unknown as Middleware;
}
