/** So many requests in so many seconds from one source, as this process sees it: a brake, not a budget. */
import type { Context } from 'koa';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from '../domain/problem.ts';

/** @returns a function that counts a request, and throws when its source had enough. */
export function createAllowance({ points, seconds }: { points: number; seconds: number }) {
  const limiter = new RateLimiterMemory({ points, duration: seconds });
  return async function spend(ctx: Context, source: string): Promise<void> {
    try {
      await limiter.consume(source);
    } catch (refused) {
      const { msBeforeNext } = refused as RateLimiterRes;
      ctx.set('retry-after', String(Math.max(1, Math.ceil(msBeforeNext / 1000))));
      throw new Problem('too_many_requests');
    }
  };
}
