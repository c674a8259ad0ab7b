/**
 * For whoever has lost the ways in that they would need to change them: two things that are left (a code by mail, and
 * another one, which is how they signed in), and a time of waiting in which the person whose account it really is hears
 * of it and can call it off, from any sign-in of theirs or by the link in the mail. A recovery opens nothing by itself:
 * after the wait, a new sign-in may set up new ways, for a quarter of an hour.
 */
import type { RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import { Problem } from '../domain/problem.ts';
import {
  beganAt,
  runningRecovery,
  stateOf,
  stopRecovery,
  tellOfRecovery,
  withoutRecovery,
} from '../enrol/recovery.ts';
import { type TicketRouteTools, createTicketRoutes } from '../enrol/ticket-routes.ts';
import type { Account } from '../store/accounts.ts';
import { typed } from '../web/forms.ts';
import { freshForMs, hasShownTwo } from './proof.ts';
import {
  type Action,
  type AccountTools,
  done,
  requireMail,
  shownBy,
  tell,
  tryCode,
} from './room.ts';
import type { Visitor } from './session.ts';

export const beginRecovery: Action = async (ctx, tools, visitor) => {
  if (runningRecovery(visitor.account, tools.clock())) {
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
  const mailCodes = requireMail(tools);
  const code = typed(form, 'code');
  if (await tryCode(tools, visitor, () => mailCodes.verify(codeKey(visitor), code))) {
    await begin(ctx, tools, visitor);
    return;
  }
  const { email: address = '' } = visitor.account;
  tools.show(ctx, 400, { page: 'recover', address, error: 'wrong_code' });
};

async function begin(ctx: RouterContext, tools: AccountTools, visitor: Visitor): Promise<void> {
  const { account } = visitor;
  const beganAtMs = tools.clock();
  const recovery = { beganAtMs, readyAtMs: beganAtMs + tools.recoveryHoldSeconds * 1000 };
  const began = { isFirst: false };
  await tools.accounts.change(account.id, (current) => {
    began.isFirst = runningRecovery(current, beganAtMs) === undefined;
    return began.isFirst ? { ...current, recovery } : current;
  });
  if (!began.isFirst) {
    done(ctx, 'recovery_runs');
    return;
  }
  const agent = ctx.get('user-agent');
  const { browser, system } = tools.placeOf(ctx.ip, { browser: agent, system: agent });
  await tellOfRecovery(account, recovery, tools, { browser, system });
  done(ctx, 'recovery_began');
}

function isReady(account: Account, nowMs: number): boolean {
  const running = runningRecovery(account, nowMs);
  return running !== undefined && stateOf(running, nowMs) === 'ready';
}

/**
 * The wait is over: a sign-in from just now may change what it has to. One that operators opened was for somebody who
 * had nothing to show: a sign-in counts for it once a document and a face were shown by their link.
 */
export const finishRecovery: Action = async (ctx, tools, visitor) => {
  const { account, session } = visitor;
  const nowMs = tools.clock();
  if (!isReady(account, nowMs)) {
    throw new Problem('step_missing', 'no recovery is ready');
  }
  if (nowMs - session.authTime * 1000 > freshForMs) {
    tools.sessions.begin(ctx, { prompt: 'login' });
    return;
  }
  const finished = { isMine: false };
  await tools.accounts.change(account.id, (current) => {
    finished.isMine = isReady(current, nowMs);
    return finished.isMine ? withoutRecovery(current) : current;
  });
  // It was called off, or finished, in another process a moment ago.
  if (!finished.isMine) throw new Problem('step_missing', 'no recovery is ready any more');
  await tools.sessions.recovered(visitor);
  const entry = { event: 'recovery_done', atMs: nowMs } as const;
  const message = { kind: 'recovery_done', atMs: nowMs } as const;
  await tell(tools, visitor, 'account.recovery_done', entry, message);
  done(ctx, 'recovery_done');
};

export const cancelRecovery: Action = async (ctx, tools, visitor) => {
  const isStopped = await stopRecovery(visitor.account.id, tools);
  done(ctx, isStopped ? 'recovery_cancelled' : 'nothing');
};

/** The link in the mail, for the recovery that it was written about. */
export function createStopRoutes(
  tools: TicketRouteTools & Parameters<typeof stopRecovery>[1],
): Middleware {
  return createTicketRoutes(tools, {
    ...{ kind: 'recovery_cancel', below: '/account/stop' },
    async isGood({ accountId, beganAtMs }) {
      const account = await tools.accounts.find(accountId);
      return account !== undefined && beganAt(account) === beganAtMs;
    },
    page: (stop) => ({ page: 'stop', actions: { stop } }),
    async taken(ctx, { accountId, beganAtMs }) {
      await stopRecovery(accountId, tools, beganAtMs);
      tools.show(ctx, 200, { page: 'stopped' });
    },
  });
}
