/**
 * Didit sends the browser that took the selfie here. If it is the browser that asked, it is back; if not, somebody
 * else's selfie was being borrowed, and the attempt ends.
 *
 * A GET, since Didit makes it, so it does no more than note who came: what the query says is decoration.
 */
import type { RouterContext } from '@koa/router';
import { Problem } from '../domain/problem.ts';
import {
  type LoginTools,
  clearCapture,
  holdsInteraction,
  propose,
  recordFor,
  toDispatcher,
} from './room.ts';

export async function returned(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const uid = String(ctx.params.uid);
  const nonceHash = tools.hash(String(ctx.params.nonce));
  const loaded = await tools.attempts.load(uid);
  const isOwn = holdsInteraction(ctx, tools.provider);
  if (!loaded) throw new Problem(isOwn ? 'interaction_over' : 'interaction_not_yours');

  if (!isOwn) {
    const event = { type: 'arrived_elsewhere', nonceHash } as const;
    const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
    if (!refused) {
      recordFor(tools, attempt, 'login.foreign');
      await tools.bell.ring(uid);
      await clearCapture(tools, attempt);
    }
    const isLate = attempt.phase === 'consumed' && attempt.capture?.callbackNonceHash === nonceHash;
    // Whom it let in stays in: that is for an operator to know.
    if (isLate) recordFor(tools, attempt, 'login.foreign', 'after_the_end');
    // The same page for a right and a wrong nonce: who guesses learns nothing.
    tools.show(ctx, 403, { page: 'foreign' });
    return;
  }

  const event = { type: 'returned', nonceHash } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (refused === 'wrong_nonce') throw new Problem('malformed', 'a wrong nonce came back');
  if (!refused) recordFor(tools, attempt, 'browser.returned');
  toDispatcher(ctx);
}
