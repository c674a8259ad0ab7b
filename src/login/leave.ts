/** The ways out of an attempt, each a button: another way, try again, not me, back to the app. */
import type { RouterContext } from '@koa/router';
import type { Attempt, AttemptKind } from '../domain/attempt.ts';
import { isOver } from '../domain/standing.ts';
import { Problem } from '../domain/problem.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import { nameBeforeLeaving } from './identify.ts';
import {
  type LoginTools,
  clearCapture,
  ownAttempt,
  propose,
  recordFor,
  toDispatcher,
} from './room.ts';
import { seeOther } from './resume.ts';
import { nextAttempt, readInteraction } from './start.ts';

type Reason = 'other_way' | 'cancelled' | 'unmet';

/** Ends what is under way. @returns the attempt as it then is: perhaps it had ended, or succeeded, before. */
async function giveUp(ctx: RouterContext, tools: LoginTools, reason: Reason): Promise<Attempt> {
  const loaded = await ownAttempt(ctx, tools);
  const event = { type: 'gave_up', reason } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (!refused) {
    recordFor(tools, attempt, 'login.denied', reason);
    await clearCapture(tools, loaded.attempt);
  }
  return attempt;
}

export async function otherWay(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  await nameBeforeLeaving(tools, await ownAttempt(ctx, tools), form);
  await giveUp(ctx, tools, 'other_way');
  toDispatcher(ctx);
}

/**
 * Back to the relying party, which is told no more than that it was denied (RFC 6749 section 4.1.2.1), or that what it
 * asked for was not reached (OpenID Connect Core Unmet Authentication Requirements 1.0).
 */
export async function cancel(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const attempt = await giveUp(ctx, tools, 'cancelled');
  if (attempt.phase === 'consumed') {
    toDispatcher(ctx);
    return;
  }
  const wasTried = attempt.phase === 'denied' && attempt.reason !== 'cancelled';
  await endWith(ctx, tools, wasTried && isMoreAsked(attempt) ? 'unmet' : 'denied');
}

/** Somebody else began this, or made the person begin it: it is over at once, and the operator hears of it. */
export async function notMe(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const attempt = await giveUp(ctx, tools, 'cancelled');
  if (attempt.phase === 'denied') recordFor(tools, attempt, 'login.disowned');
  toDispatcher(ctx);
}

/** What the app insists on cannot be shown in this browser: it is told at once, before anything is asked of Didit. */
export async function endUnmet(ctx: RouterContext, tools: LoginTools): Promise<void> {
  await giveUp(ctx, tools, 'unmet');
  await endWith(ctx, tools, 'unmet');
}

const isMoreAsked = ({ request: { essentialAcr = [], minimumAcr } }: Attempt): boolean =>
  essentialAcr.length > 0 || minimumAcr !== undefined;

const errors = {
  denied: { error: 'access_denied', error_description: 'End-User ended the sign-in' },
  unmet: {
    error: 'unmet_authentication_requirements',
    error_description: 'the requested authentication context was not reached',
  },
} as const;

async function endWith(
  ctx: RouterContext,
  tools: LoginTools,
  how: keyof typeof errors,
): Promise<void> {
  const interaction = await readInteraction(ctx, tools);
  interaction.result = errors[how];
  await interaction.persist();
  seeOther(ctx, interaction.returnTo);
}

/** Another selfie by the same person: a new attempt in the place of one that is over. */
export async function tryAgain(ctx: RouterContext, tools: LoginTools): Promise<void> {
  await beginAgain(ctx, tools, 'identity');
  toDispatcher(ctx);
}

/** "Not you?": nothing of the attempt is kept. */
export async function startOver(ctx: RouterContext, tools: LoginTools): Promise<void> {
  await beginAgain(ctx, tools, 'nothing');
  toDispatcher(ctx);
}

/**
 * Ends what is under way and puts a new attempt in its place, of another kind where one is given.
 * @returns the one that is there then.
 */
export async function beginAgain(
  ctx: RouterContext,
  tools: Omit<LoginTools, 'enrolment'>,
  keep: 'identity' | 'nothing',
  kind?: AttemptKind,
): Promise<LoadedAttempt> {
  let loaded = await ownAttempt(ctx, tools);
  if (!isOver(loaded.attempt)) {
    const { changed, refused } = await propose(
      tools,
      loaded.attempt,
      { type: 'superseded' },
      loaded,
    );
    if (changed && !refused) await clearCapture(tools, loaded.attempt);
    loaded = await ownAttempt(ctx, tools);
  }
  const { attempt } = loaded;
  if (attempt.phase === 'consumed' || tools.clock() >= attempt.expiresAtMs) {
    throw new Problem('interaction_over');
  }
  const next = nextAttempt(attempt, keep, tools, kind);
  if (await tools.attempts.replace(loaded, next)) recordFor(tools, next, 'login.started', 'again');
  return ownAttempt(ctx, tools);
}
