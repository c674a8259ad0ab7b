/** So many requests in so many seconds from one source, as this process sees it: a brake, not a budget. */
import type { Context } from 'koa';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from '../domain/problem.ts';

/**
 * @param usedUp is told of a source that had enough, once in its time.
 * @returns a function that counts a request, and throws when its source had enough.
 */
export function createAllowance({
  points,
  seconds,
  usedUp,
}: {
  points: number;
  seconds: number;
  usedUp?: (source: string) => void;
}) {
  const limiter = new RateLimiterMemory({ points, duration: seconds });
  return async function spend(ctx: Context, source: string): Promise<void> {
    try {
      await limiter.consume(source);
    } catch (refused) {
      const { msBeforeNext, consumedPoints } = refused as RateLimiterRes;
      if (consumedPoints === points + 1) usedUp?.(source);
      ctx.set('retry-after', String(Math.max(1, Math.ceil(msBeforeNext / 1000))));
      throw new Problem('too_many_requests');
    }
  };
}
