/** The link that operators hand over once a recovery has waited; see recovery.ts. */
import type { Middleware } from 'koa';
import { Problem } from '../domain/problem.ts';
import type { Clock } from '../domain/environment.ts';
import type { Accounts } from '../store/accounts.ts';
import type { Admissions } from './admission.ts';
import { isProvable, runningRecovery } from './recovery.ts';
import { type TicketRouteTools, createTicketRoutes } from './ticket-routes.ts';

export function createRecoveryRoutes(
  tools: TicketRouteTools & { accounts: Accounts; admissions: Admissions; clock: Clock },
): Middleware {
  const { accounts, admissions, clock } = tools;
  return createTicketRoutes(tools, {
    ...{ kind: 'recovery', below: '/enrol/recovery' },
    page: (check) => ({ page: 'recovery', actions: { check } }),
    async taken(ctx, { accountId, beganAtMs }) {
      const account = await accounts.find(accountId);
      const running = account && runningRecovery(account, clock());
      // Called off since, or another one by now.
      if (running?.beganAtMs !== beganAtMs || !isProvable(running, clock())) {
        throw new Problem('not_found', 'a recovery that is over');
      }
      await admissions.grant(ctx, { kind: 'recovery', accountId });
      ctx.status = 303;
      ctx.redirect('/account/sign-in');
    },
  });
}
