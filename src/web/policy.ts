/** What happens to faces here, for anybody to read before they give theirs: no sign-in, no cookie. */
import type { Middleware } from 'koa';
import type { ShowPage } from './respond.ts';

const policyPath = '/privacy/biometrics';

export function createPolicyRoute(
  show: ShowPage,
  periods: { diditSessionsKeptSeconds: number; inactiveSeconds: number },
): Middleware {
  const days = (seconds: number): number => Math.ceil(seconds / 86_400);
  return async function policy(ctx, next) {
    if (ctx.path !== policyPath || !['GET', 'HEAD'].includes(ctx.method)) {
      await next();
      return;
    }
    const { diditSessionsKeptSeconds, inactiveSeconds } = periods;
    const kept = { atDiditDays: days(diditSessionsKeptSeconds), unusedDays: days(inactiveSeconds) };
    show(ctx, 200, { page: 'biometrics', kept });
  };
}
