/** A document takes longer than a selfie: whoever has shown something gets more time, up to an hour in all. */
import type { RouterContext } from '@koa/router';
import { type Attempt, attemptAtMostMs } from '../domain/attempt.ts';
import { propose } from '../login/room.ts';
import { readInteraction } from '../login/start.ts';
import { prolongInteraction } from '../oidc/prolong.ts';
import type { EnrolTools } from './room.ts';

const moreMs = 30 * 60_000;

export async function giveMoreTime(
  ctx: RouterContext,
  tools: EnrolTools,
  attempt: Attempt,
): Promise<void> {
  const nowMs = tools.clock();
  const untilMs = Math.min(nowMs + moreMs, attempt.createdAtMs + attemptAtMostMs);
  const interaction = await readInteraction(ctx, tools);
  await prolongInteraction(ctx, tools.provider, interaction, { untilMs, nowMs });
  await propose(tools, attempt, { type: 'prolonged', untilMs });
}
