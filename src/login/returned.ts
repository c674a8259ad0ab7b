/**
 * Didit sends the browser that took the selfie here. If it is the browser that asked, it is back; if not, somebody
 * else's selfie was being borrowed, and the attempt ends. Should it have let somebody in by then, that is undone.
 *
 * A GET, since Didit makes it, so it does no more than note who came: what the query says is decoration.
 */
import type { RouterContext } from '@koa/router';
import type { Attempt, Capture } from '../domain/attempt.ts';
import { isMadeBy, withoutKeys } from '../domain/familiar.ts';
import { Problem } from '../domain/problem.ts';
import {
  type LoginTools,
  clearCapture,
  holdsInteraction,
  propose,
  recordFor,
  toDispatcher,
} from './room.ts';

const longestQuery = 2_048;

export async function returned(ctx: RouterContext, tools: LoginTools): Promise<void> {
  if (isOnlyLooking(ctx)) {
    ctx.status = 204;
    return;
  }
  const nonceHash = tools.hash(String(ctx.params.nonce));
  if (!holdsInteraction(ctx, tools.provider)) {
    await noteForeign(ctx, tools, nonceHash);
    // With the cookie of another sign-in it is no person who followed a link.
    if (hasInteraction(ctx, tools)) throw new Problem('malformed', 'the cookie of another sign-in');
    // The same page for a right and a wrong nonce: who guesses learns nothing.
    tools.show(ctx, 403, { page: 'foreign' });
    return;
  }
  if (!isSane(ctx.querystring)) throw new Problem('malformed', 'a query that Didit does not send');
  const loaded = await tools.attempts.load(String(ctx.params.uid));
  if (!loaded) throw new Problem('interaction_over');
  const event = { type: 'returned', nonceHash } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (refused === 'wrong_nonce') throw new Problem('malformed', 'a wrong nonce came back');
  if (!refused) recordFor(tools, attempt, 'browser.returned');
  toDispatcher(ctx);
}

/** Another browser than the one that asked. With the right nonce it was sent a link, and that ends what it was for. */
async function noteForeign(
  ctx: RouterContext,
  tools: LoginTools,
  nonceHash: string,
): Promise<void> {
  const uid = String(ctx.params.uid);
  const loaded = await tools.attempts.load(uid);
  if (!loaded) return;
  const event = { type: 'arrived_elsewhere', nonceHash } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (!refused) {
    recordFor(tools, attempt, 'login.foreign');
    await tools.bell.ring(uid);
    await clearCapture(tools, attempt);
    await warnPerson(tools, attempt, 'stopped');
  } else if ('capture' in attempt && attempt.capture.callbackNonceHash === nonceHash) {
    await noteLate(tools, attempt, attempt.capture);
  }
}

/** After the end: what the proof opened is closed, or the decision had told of the other browser before it came. */
async function noteLate(
  tools: LoginTools,
  attempt: Attempt,
  { enrolmentId, device }: Capture,
): Promise<void> {
  const { phase } = attempt;
  if (phase === 'consumed') {
    const { accountId } = attempt.proof;
    const authTime = Math.floor(attempt.proof.provenAtMs / 1000);
    await warnPerson(tools, attempt, 'ended', authTime);
    // The browser that was let in may have made one, and would keep it.
    await tools.familiar.change(accountId, (before) =>
      withoutKeys(before, (key) => isMadeBy(key, authTime)),
    );
  } else if (phase === 'denied' && attempt.reason === 'elsewhere') {
    await warnPerson(tools, attempt, 'stopped');
  } else {
    return;
  }
  await tools.turns.end(enrolmentId, { attemptId: attempt.id, ...device }, 'foreign');
  recordFor(tools, attempt, 'login.foreign', 'after_the_end');
}

async function warnPerson(
  tools: LoginTools,
  attempt: Attempt,
  kind: 'stopped' | 'ended',
  revokedProof?: number,
): Promise<void> {
  const { accounts, clock, mail } = tools;
  const accountId = 'identity' in attempt ? attempt.identity.accountId : undefined;
  if (accountId === undefined || !('capture' in attempt)) return;
  const { browser, system } = attempt.capture.place;
  const seen = { client: attempt.client.name, atMs: clock(), browser, system };
  const before = await accounts.find(accountId);
  // The link may be opened again and again; the first time is news.
  const isKnown =
    (before?.notices ?? []).some((one) => one.attempt === attempt.id && one.kind === kind) ||
    (revokedProof !== undefined && (await accounts.isRevoked(accountId, revokedProof)));
  await accounts.warn(accountId, { kind, attempt: attempt.id, ...seen }, revokedProof);
  if (isKnown || !mail || !before?.email || !before.emailVerified) return;
  const to = { address: before.email, locale: before.locale, account: accountId };
  await mail(to, { kind: 'borrowed_selfie', ended: kind === 'ended', ...seen });
}

/** Scanners and browsers that look ahead are nobody's arrival. */
function isOnlyLooking(ctx: RouterContext): boolean {
  const purposes = ['sec-purpose', 'purpose', 'x-moz'].map((name) => ctx.get(name));
  return ctx.method === 'HEAD' || purposes.some((purpose) => /\bprefetch\b/i.test(purpose));
}

function hasInteraction(ctx: RouterContext, { provider }: LoginTools): boolean {
  return ctx.cookies.get(provider.cookieName('interaction'), { signed: true }) !== undefined;
}

/** Nothing in it is used; but what Didit never sends, somebody else does. */
function isSane(query: string): boolean {
  const names = [...new URLSearchParams(query).keys()];
  const hasControls = /%(0[0-9a-f]|1[0-9a-f]|7f)/i.test(query);
  return query.length <= longestQuery && new Set(names).size === names.length && !hasControls;
}
