/** The selfie: who asks and what will happen; then it is decided once more, and begun (begin-capture.ts). */
import type { RouterContext } from '@koa/router';
import { acr, acrName } from '../domain/assurance.ts';
import { type Attempt, type Identity, isEnrolling } from '../domain/attempt.ts';
import { classOf, mayEndWith } from '../domain/deciding.ts';
import { standing } from '../domain/standing.ts';
import { type Identified, beginCapture, toDidit } from './begin-capture.ts';
import { decideOn, reachOf } from './decide.ts';
import { provingTask } from './device-key.ts';
import { handoffAction } from './handoff.ts';
import { endUnmet } from './leave.ts';
import { passkeyAction } from './passkey.ts';
import { type LoginTools, ownAttempt, pathOf, shownFor, thisPlace, toDispatcher } from './room.ts';
import { firstWays, permitsSelfie } from './ways.ts';

export async function showCapture(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  { identifier }: Identity,
): Promise<void> {
  const { interactionUid, client } = attempt;
  const { browser, system } = thisPlace(ctx, tools);
  const page = {
    page: 'capture',
    client,
    identifier,
    device: { browser, system },
    deviceKey: provingTask(tools, attempt),
    ways: firstWays(attempt, tools).map(({ name }) => name),
    actions: {
      selfie: pathOf(interactionUid, 'selfie'),
      passkey: passkeyAction(tools, attempt),
      handoff: isPhone(system) ? undefined : await handoffAction(tools, attempt),
      factor: pathOf(interactionUid, 'factor'),
      otherWay: pathOf(interactionUid, 'other-way'),
      startOver: pathOf(interactionUid, 'start-over'),
      notMe: pathOf(interactionUid, 'not-me'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, 200, page, shownFor(attempt));
}

const isPhone = (system: string | undefined): boolean => system === 'iOS' || system === 'Android';

/** Something else was shown first: does the policy want a selfie now? */
export async function selfieNext(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  await decideOn(ctx, tools, await ownAttempt(ctx, tools), form);
  toDispatcher(ctx);
}

export async function takeSelfie(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const { attempt, stored } = await decideOn(ctx, tools, await ownAttempt(ctx, tools), form);
  const isBefore = ['new', 'joining', 'identified'].includes(attempt.phase);
  if (isEnrolling(attempt) && isBefore) await tools.enrolment?.require(attempt);
  // No page leads here where no selfie of any kind could help.
  const mayHelp = permitsSelfie(attempt, tools);
  if (mayHelp && attempt.phase === 'identified' && isOutOfReach(attempt, tools)) {
    await endUnmet(ctx, tools);
    return;
  }
  const isAsked = mayHelp && attempt.phase === 'identified' && isSelfieDecided(attempt);
  // Where the time is up nothing is asked of Didit any more.
  if (!isAsked || standing(attempt, tools.clock()).at === 'expired') {
    toDispatcher(ctx);
    return;
  }
  // Whether a name is known must not show in how soon the answer comes.
  const floor = tools.sleep(tools.settings.createFloorMs);
  const { interactionUid: uid } = attempt;
  const captureUrl = await beginCapture(
    ctx,
    tools,
    { attempt, stored },
    {
      ...(form.has('shared') ? { isShared: true } : {}),
      callbackFor: (nonce) => pathOf(uid, `didit/${nonce}`),
    },
  );
  await floor;
  if (captureUrl === undefined) {
    toDispatcher(ctx);
    return;
  }
  toDidit(ctx, captureUrl);
}

function isSelfieDecided(attempt: Identified['attempt']): boolean {
  if (isEnrolling(attempt)) return true;
  return attempt.decision?.action === 'selfie' || attempt.decision?.action === 'selfie_active';
}

/** Would the selfie that was decided on end with less than the app insists on? */
function isOutOfReach(attempt: Identified['attempt'], tools: LoginTools): boolean {
  const { decision, device, request } = attempt;
  if (isEnrolling(attempt))
    return !mayEndWith(request, acrName(acr.selfie, tools.settings.environment));
  const name = decision && classOf(decision.action, device !== undefined, reachOf(tools));
  return name !== undefined && !mayEndWith(request, name);
}
