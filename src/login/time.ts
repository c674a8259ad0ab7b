/** More time for whoever needs it, by one press, and for whoever has a document to show: up to an hour in all. */
import type { RouterContext } from '@koa/router';
import { type Attempt, attemptAtMostMs } from '../domain/attempt.ts';
import { isOver } from '../domain/standing.ts';
import { prolongInteraction } from '../oidc/prolong.ts';
import { type LoginTools, ownAttempt, propose, toDispatcher } from './room.ts';
import { readInteraction } from './start.ts';

type Tools = Pick<LoginTools, 'provider' | 'clock'> & Parameters<typeof propose>[0];

const moreMs = 30 * 60_000;

export async function giveMoreTime(
  ctx: RouterContext,
  tools: Tools,
  attempt: Attempt,
): Promise<void> {
  const nowMs = tools.clock();
  const untilMs = Math.min(nowMs + moreMs, attempt.createdAtMs + attemptAtMostMs);
  const interaction = await readInteraction(ctx, tools);
  await prolongInteraction(ctx, tools.provider, interaction, { untilMs, nowMs });
  await propose(tools, attempt, { type: 'prolonged', untilMs });
}

export async function moreTime(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const { attempt } = await ownAttempt(ctx, tools);
  if (!isOver(attempt)) await giveMoreTime(ctx, tools, attempt);
  toDispatcher(ctx);
}
