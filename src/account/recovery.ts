/**
 * For whoever has lost the ways in that they would need to change them: two things that are left (a code by mail, and
 * another one, which is how they signed in), and a time of waiting in which the person whose account it really is hears
 * of it and can call it off, from any sign-in of theirs or by the link in the mail. A recovery opens nothing by itself:
 * after the wait, a new sign-in may set up new ways, for a quarter of an hour.
 */
import type { RouterContext } from '@koa/router';
import { Router } from '@koa/router';
import type { Middleware } from 'koa';
import { Problem } from '../domain/problem.ts';
import type { Accounts } from '../store/accounts.ts';
import type { Tickets } from '../store/tickets.ts';
import { readForm, requireSameOrigin } from '../web/forms.ts';
import { freshForMs, hasShownTwo } from './proof.ts';
import { type Action, type AccountTools, done, shownBy, tell } from './room.ts';
import type { Visitor } from './session.ts';

/** After the wait: whoever began it should come back, and not months later. */
const openForSeconds = 7 * 86_400;

export const beginRecovery: Action = async (ctx, tools, visitor) => {
  const { account } = visitor;
  if (account.recovery) {
    done(ctx, 'recovery_runs');
    return;
  }
  if (hasShownTwo(shownBy(visitor, tools))) await begin(ctx, tools, visitor);
  else await askForCode(ctx, tools, visitor);
};

const codeKey = ({ id }: Visitor): string => `recovery ${id}`;

/** Past the limit nothing is sent, and nothing is said about it. */
async function askForCode(
  ctx: RouterContext,
  { limits, mailCodes, placeOf, show }: AccountTools,
  visitor: Visitor,
): Promise<void> {
  const { account } = visitor;
  const { email: address, locale } = account;
  if (address === undefined || !mailCodes) {
    done(ctx, 'no_second_thing');
    return;
  }
  const agent = ctx.get('user-agent');
  const { network } = placeOf(ctx.ip, { browser: agent, system: agent });
  if (await limits.sendMessage({ person: account.id, network })) {
    await mailCodes.send({ key: codeKey(visitor), address, locale, purpose: 'recover' });
  }
  show(ctx, 200, { page: 'recover', address });
}

export const recoverByCode: Action = async (ctx, tools, visitor, form) => {
  const { account } = visitor;
  const code = (form.get('code') ?? '').trim().slice(0, 64);
  const mayTry = await tools.limits.tryFactor({ person: account.id, deviceClass: 'unknown' });
  const isRight = mayTry && (await tools.mailCodes?.verify(codeKey(visitor), code)) === true;
  if (isRight && !account.recovery) await begin(ctx, tools, visitor);
  else if (isRight) done(ctx, 'recovery_runs');
  else {
    const { email: address = '' } = account;
    tools.show(ctx, 400, { page: 'recover', address, error: 'wrong_code' });
  }
};

async function begin(ctx: RouterContext, tools: AccountTools, visitor: Visitor): Promise<void> {
  const { account } = visitor;
  const atMs = tools.clock();
  const readyAtMs = atMs + tools.recoveryHoldSeconds * 1000;
  await tools.accounts.change(account.id, (current) => ({
    ...current,
    recovery: { beganAtMs: atMs, readyAtMs },
  }));
  const ttlSeconds = tools.recoveryHoldSeconds + openForSeconds;
  const secret = await tools.tickets.issue(
    'recovery_cancel',
    { accountId: account.id },
    ttlSeconds,
  );
  const agent = ctx.get('user-agent');
  const { browser, system } = tools.placeOf(ctx.ip, { browser: agent, system: agent });
  const link = `${tools.issuer}/account/stop/${secret}`;
  const entry = { event: 'recovery_began', atMs } as const;
  const message = { kind: 'recovery_began', link, readyAtMs, atMs, browser, system } as const;
  await tell(tools, visitor, 'account.recovery_began', entry, message);
  done(ctx, 'recovery_began');
}

/** The wait is over: a sign-in from just now may change what it has to. */
export const finishRecovery: Action = async (ctx, tools, visitor) => {
  const { account, session } = visitor;
  const nowMs = tools.clock();
  const { recovery } = account;
  const isOpen =
    recovery !== undefined &&
    nowMs >= recovery.readyAtMs &&
    nowMs < recovery.readyAtMs + openForSeconds * 1000;
  if (!isOpen) throw new Problem('step_missing', 'no recovery is ready');
  if (nowMs - session.authTime * 1000 > freshForMs) {
    tools.sessions.begin(ctx, { prompt: 'login' });
    return;
  }
  await tools.accounts.change(account.id, ({ recovery: _, ...current }) => current);
  await tools.sessions.recovered(visitor);
  const entry = { event: 'recovery_done', atMs: nowMs } as const;
  const message = { kind: 'recovery_done', atMs: nowMs } as const;
  await tell(tools, visitor, 'account.recovery_done', entry, message);
  done(ctx, 'recovery_done');
};

export const cancelRecovery: Action = async (ctx, tools, visitor) => {
  await stop(visitor.account.id, tools);
  done(ctx, 'recovery_cancelled');
};

async function stop(
  accountId: string,
  tools: Pick<AccountTools, 'accounts' | 'history' | 'clock' | 'record' | 'mail'>,
): Promise<void> {
  const account = await tools.accounts.find(accountId);
  if (!account?.recovery) return;
  await tools.accounts.change(accountId, ({ recovery: _, ...current }) => current);
  // Whoever began it was signed in for it.
  await tools.accounts.signOutEverywhere(accountId);
  const atMs = tools.clock();
  tools.record({ event: 'account.recovery_cancelled', atMs, account: accountId });
  await tools.history.add(accountId, { event: 'recovery_cancelled', atMs });
  if (account.email === undefined) return;
  const to = { address: account.email, locale: account.locale };
  await tools.mail?.(to, { kind: 'recovery_cancelled', atMs });
}

/** The link in the mail: looking does nothing, the button does. */
export function createStopRoutes(
  tools: Pick<
    AccountTools,
    'issuer' | 'accounts' | 'history' | 'clock' | 'record' | 'mail' | 'formTokens' | 'show'
  > & { tickets: Tickets; accounts: Accounts },
): Middleware {
  const { issuer, tickets, formTokens, show } = tools;
  const router = new Router({ prefix: '/account/stop/:secret' });
  router.get('/', async (ctx) => {
    const secret = String(ctx.params.secret);
    const ticket = await tickets.read('recovery_cancel', secret);
    if (!ticket) throw new Problem('not_found', 'a link that is used up or over');
    ctx.state.formToken = formTokens.of(`stop ${secret}`);
    show(ctx, 200, { page: 'stop', actions: { stop: ctx.path } });
  });
  router.post('/', async (ctx) => {
    requireSameOrigin(ctx, new URL(issuer).origin);
    const secret = String(ctx.params.secret);
    formTokens.require(`stop ${secret}`, await readForm(ctx));
    const ticket = await tickets.take('recovery_cancel', secret);
    if (!ticket) throw new Problem('not_found', 'a link that is used up or over');
    await stop(ticket.accountId, tools);
    show(ctx, 200, { page: 'stopped' });
  });
  return router.routes() as unknown as Middleware;
}
