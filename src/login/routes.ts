/**
 * The dispatcher: `GET /interaction/:uid` is the one place that decides what is next and shows it. Every step is
 * a POST (or Didit's return) that saves the attempt and leads back here, so that reloading, the back button and a
 * second tab all show where the attempt really stands.
 */
import { Router, type RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import { type Attempt, type DenialReason, isEnrolling } from '../domain/attempt.ts';
import { standing } from '../domain/standing.ts';
import { readForm, requireSameOrigin } from '../web/forms.ts';
import { selfieNext, showCapture, takeSelfie } from './capture.ts';
import { allow, deny, showConsent } from './consent.ts';
import { thisDevice } from './device.ts';
import type { Step } from './enrolment.ts';
import {
  createOfferHandoff,
  handoffAction,
  showHandoff,
  showTypeCode,
  typeCode,
} from './handoff.ts';
import { answerFactor, chooseFactor, showFactor, showSecondLeg } from './factor.ts';
import { identify, showIdentify } from './identify.ts';
import { cancel, notMe, otherWay, startOver, tryAgain } from './leave.ts';
import { answerPasskey, askPasskey, isForPasskey, offerPasskey, passkeyAction } from './passkey.ts';
import { resume, showContinue } from './resume.ts';
import { returned } from './returned.ts';
import { type LoginTools, ownInteraction, pathOf, shownFor } from './room.ts';
import { readInteraction, startAttempt } from './start.ts';
import { moreTime } from './time.ts';
import { type OpenStreams, createEvents, showWaiting } from './waiting.ts';
import { firstWays, permitsSelfie } from './ways.ts';

const steps: Readonly<Record<string, Step<LoginTools>>> = {
  identify,
  selfie: takeSelfie,
  'selfie-next': selfieNext,
  'handoff-code': typeCode,
  resume,
  factor: chooseFactor,
  answer: answerFactor,
  passkey: askPasskey,
  'passkey-answer': answerPasskey,
  'other-way': otherWay,
  'try-again': tryAgain,
  'start-over': startOver,
  cancel,
  'not-me': notMe,
  'more-time': moreTime,
  allow,
  deny,
};

export function createLoginRoutes(tools: LoginTools, streams: OpenStreams): Middleware {
  const router = new Router({ prefix: '/interaction/:uid' });
  const issuerOrigin = new URL(tools.settings.issuer).origin;

  router.get('/', (ctx) => dispatch(ctx, tools));
  router.get('/didit/:nonce', (ctx) => returned(ctx, tools));
  router.get('/events', createEvents(tools, streams));
  const enrolling = Object.entries(tools.enrolment?.steps ?? {}).map(
    ([name, step]): [string, Step<LoginTools>] => [name, (ctx, _tools, form) => step(ctx, form)],
  );
  const own = Object.entries({ ...steps, handoff: createOfferHandoff() });
  for (const [name, step] of [...own, ...enrolling]) {
    router.post(`/${name}`, async (ctx) => {
      requireSameOrigin(ctx, issuerOrigin);
      const uid = ownInteraction(ctx, tools.provider);
      const form = await readForm(ctx);
      tools.formTokens.require(uid, form);
      ctx.state.formToken = tools.formTokens.of(uid);
      await step(ctx, tools, form);
    });
  }
  return router.routes() as unknown as Middleware;
}

async function dispatch(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const uid = ownInteraction(ctx, tools.provider);
  ctx.state.formToken = tools.formTokens.of(uid);
  thisDevice(ctx, tools);
  const isFirst = ctx.query.begin !== undefined;
  const loaded = isFirst ? undefined : await tools.attempts.load(uid);
  if (loaded) {
    await showStanding(ctx, tools, loaded.attempt);
    return;
  }
  const interaction = await readInteraction(ctx, tools);
  if (interaction.prompt.name === 'consent') return showConsent(ctx, tools, interaction);
  await showStanding(ctx, tools, await startAttempt(ctx, interaction, tools));
}

async function showStanding(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
): Promise<void> {
  if (isForPasskey(attempt, tools)) {
    offerPasskey(ctx, tools, attempt);
    return;
  }
  const where = standing(attempt, tools.clock());
  const { client } = attempt;
  const request = shownFor(attempt);
  switch (where.at) {
    case 'joining':
      return tools.enrolment?.show(ctx, attempt);
    case 'identify': {
      if (isEnrolling(attempt)) return tools.enrolment?.show(ctx, attempt);
      showIdentify(ctx, tools, attempt);
      return;
    }
    case 'capture': {
      if (isEnrolling(attempt)) return tools.enrolment?.show(ctx, attempt);
      return showCapture(ctx, tools, attempt, where.identity);
    }
    case 'ways':
      return showFallback(ctx, tools, attempt, 'other_first');
    case 'factor':
      return showFactor(ctx, tools, attempt, where.factor);
    case 'second_leg':
      return showSecondLeg(ctx, tools, attempt);
    case 'handed_off':
      return showHandoff(ctx, tools, attempt, where);
    case 'waiting':
      if ('capture' in attempt && attempt.capture.handoff) {
        return showHandoff(ctx, tools, attempt, where);
      }
      return showWaiting(ctx, tools, attempt);
    case 'type_code': {
      showTypeCode(ctx, tools, attempt);
      return;
    }
    case 'ready':
      return showContinue(ctx, tools, attempt);
    case 'denied':
      return showFallback(ctx, tools, attempt, where.reason);
    case 'foreign':
      return showFallback(ctx, tools, attempt, 'elsewhere');
    case 'expired':
      if (tools.clock() < attempt.expiresAtMs) {
        return showFallback(ctx, tools, attempt, 'expired');
      }
      {
        tools.show(ctx, 410, { page: 'finished', client }, request);
        return;
      }
    case 'consumed':
    case 'superseded': {
      tools.show(ctx, 410, { page: 'finished', client }, request);
      return;
    }
  }
}

/** Every dead end is this one: what happened, and what can be done now. */
async function showFallback(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  reason: DenialReason | 'expired' | 'other_first',
): Promise<void> {
  const { show } = tools;
  const { interactionUid, client } = attempt;
  const back = pathOf(interactionUid, 'cancel');
  // Whom the policy keeps out, or holds, it keeps out by every way.
  const { decision } = 'decision' in attempt ? attempt : {};
  const isKeptOut = decision?.action === 'deny' || decision?.action === 'review';
  // Whom a person has to look at may come again: then it is decided anew.
  const isDenied = decision?.action === 'deny';
  const maySelfie = !isDenied && reason !== 'other_first' && reason !== 'unmet';
  const again =
    maySelfie && permitsSelfie(attempt, tools) ? pathOf(interactionUid, 'try-again') : undefined;
  // The same list for everybody; it takes a name to use one.
  const hasWays = 'identity' in attempt && !isKeptOut;
  const ways = hasWays ? firstWays(attempt, tools).map(({ name }) => name) : [];
  const shown = shownFor(attempt);
  if (reason === 'cancelled') {
    show(ctx, 410, { page: 'finished', client }, shown);
    return;
  }
  const passkey = isKeptOut ? undefined : passkeyAction(tools, attempt);
  // Where Didit's own page sent somebody to a phone, the selfie was taken elsewhere, and ours is the way that counts.
  const handoff = reason === 'elsewhere' ? await handoffAction(tools, attempt) : undefined;
  const factor = pathOf(interactionUid, 'factor');
  const actions = { tryAgain: again, passkey, handoff, factor, back };
  if (reason === 'in_review') {
    show(ctx, 200, { page: 'review', client, ways, actions }, shown);
    return;
  }
  show(ctx, 200, { page: 'fallback', client, reason, ways, actions }, shown);
}
