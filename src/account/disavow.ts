/**
 * "That was not me": by a button of the person's page, or by the link in the mail about it. Everything of every sign-in
 * ends, the keys that could have come with it are gone, and the next sign-in needs more than a face.
 */
import type { Middleware } from 'koa';
import { withoutKeys } from '../domain/familiar.ts';
import { stopRecovery } from '../enrol/recovery.ts';
import { type TicketRouteTools, createTicketRoutes } from '../enrol/ticket-routes.ts';
import { hasOtherWay } from '../store/factors.ts';
import type { AccountTools } from './room.ts';

type Tools = Pick<
  AccountTools,
  'accounts' | 'otherWays' | 'familiar' | 'history' | 'record' | 'clock' | 'mail'
> &
  Parameters<typeof stopRecovery>[1];

/** @param deviceKey the key that the sign-in made, where that is known. */
export async function disavowSignIn(
  { accountId, authTime, deviceKey }: { accountId: string; authTime: number; deviceKey?: string },
  tools: Tools,
): Promise<void> {
  const { accounts, familiar, otherWays, history, record, clock } = tools;
  const account = await accounts.find(accountId);
  if (!account) return;
  // Whoever has no other way in would be kept out themselves.
  const byMail = tools.mail !== undefined && account.email !== undefined;
  const selfieOff = hasOtherWay(await otherWays.records.load(accountId), { byMail });
  await stopRecovery(accountId, tools);
  await accounts.signOutEverywhere(accountId, selfieOff ? { selfieOff } : {});
  // Made or used by that sign-in or after it: by whoever it was.
  await familiar.change(accountId, (before) =>
    withoutKeys(before, ({ id, usedAtMs }) => id === deviceKey || usedAtMs >= authTime * 1000),
  );
  const atMs = clock();
  await history.add(accountId, { event: 'disavowed', authTime, atMs });
  record({ event: 'account.disavowed', atMs, account: accountId, reason: 'disavowed' });
  record({ event: 'review.opened', atMs, account: accountId, reason: 'disavowed' });
}

export function createDisavowRoutes(tools: TicketRouteTools & Tools): Middleware {
  return createTicketRoutes(tools, {
    ...{ kind: 'disavow', below: '/account/not-me' },
    page: (stop) => ({ page: 'disavow', actions: { stop } }),
    async taken(ctx, disavowed) {
      await disavowSignIn(disavowed, tools);
      tools.show(ctx, 200, { page: 'disavowed' });
    },
  });
}
