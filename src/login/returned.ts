/**
 * Didit sends the browser that took the selfie here. If it is the browser that asked, it is back; if not, somebody
 * else's selfie was being borrowed, and the attempt ends. Should it have let somebody in by then, that is undone.
 *
 * A GET, since Didit makes it, so it does no more than note who came: what the query says is decoration.
 */
import type { RouterContext } from '@koa/router';
import { Problem } from '../domain/problem.ts';
import { noteForeign } from './foreign.ts';
import { type LoginTools, holdsInteraction, propose, recordFor, toDispatcher } from './room.ts';

const longestQuery = 2_048;

export async function returned(ctx: RouterContext, tools: LoginTools): Promise<void> {
  if (isOnlyLooking(ctx)) {
    ctx.status = 204;
    return;
  }
  const nonceHash = tools.hash(String(ctx.params.nonce));
  if (!holdsInteraction(ctx, tools.provider)) {
    await noteForeign(tools, String(ctx.params.uid), nonceHash);
    // With the cookie of another sign-in it is no person who followed a link.
    if (hasInteraction(ctx, tools)) throw new Problem('malformed', 'the cookie of another sign-in');
    // The same page for a right and a wrong nonce: who guesses learns nothing.
    tools.show(ctx, 403, { page: 'foreign' });
    return;
  }
  if (!isSane(ctx.querystring)) throw new Problem('malformed', 'a query that Didit does not send');
  const loaded = await tools.attempts.load(String(ctx.params.uid));
  if (!loaded) throw new Problem('interaction_over');
  if ('capture' in loaded.attempt && loaded.attempt.capture.handoff) {
    // A phone's selfie: Didit sends nobody here, so whoever knows the nonce has it from the phone.
    await noteForeign(tools, loaded.attempt.interactionUid, nonceHash);
    tools.show(ctx, 403, { page: 'foreign' });
    return;
  }
  const event = { type: 'returned', nonceHash } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (refused === 'wrong_nonce') throw new Problem('malformed', 'a wrong nonce came back');
  if (!refused) recordFor(tools, attempt, 'browser.returned');
  toDispatcher(ctx);
}

/** Scanners and browsers that look ahead are nobody's arrival. */
export function isOnlyLooking(ctx: RouterContext): boolean {
  const purposes = ['sec-purpose', 'purpose', 'x-moz'].map((name) => ctx.get(name));
  return ctx.method === 'HEAD' || purposes.some((purpose) => /\bprefetch\b/i.test(purpose));
}

function hasInteraction(ctx: RouterContext, { provider }: LoginTools): boolean {
  return ctx.cookies.get(provider.cookieName('interaction'), { signed: true }) !== undefined;
}

/** Nothing in it is used; but what Didit never sends, somebody else does. */
export function isSane(query: string): boolean {
  const names = [...new URLSearchParams(query).keys()];
  const hasControls = /%(0[0-9a-f]|1[0-9a-f]|7f)/i.test(query);
  return query.length <= longestQuery && new Set(names).size === names.length && !hasControls;
}
