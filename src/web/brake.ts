/** Anybody may begin an authorization, and each takes a record: one network begins so many a minute. */
import type { Middleware } from 'koa';
import { createAllowance } from './allowance.ts';
import { networkOf } from './place.ts';

export function brakeAuthorizations(perMinute: number): Middleware {
  const spend = createAllowance({ points: perMinute, seconds: 60 });
  return async function brake(ctx, next) {
    if (ctx.path === '/auth') {
      await spend(ctx, networkOf(ctx.ip) ?? 'unknown');
    }
    await next();
  };
}
