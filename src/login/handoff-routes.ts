/**
 * The hand-off as the phone sees it, below `/h/:code`. The code is only how the phone finds its way here: a GET explains
 * and changes nothing, since programs that look at links open them too. A POST claims, and gives the phone a cookie of
 * its own; from then on nothing counts here but that cookie, and it counts nowhere else.
 */
import { Router, type RouterContext } from '@koa/router';
import type { Middleware } from 'koa';
import { type Handoff, compareHandoff, handoffOf } from '../domain/handoff.ts';
import { Problem } from '../domain/problem.ts';
import { type Standing, standing } from '../domain/standing.ts';
import { readForm, requireSameOrigin } from '../web/forms.ts';
import { beginCapture, toDidit } from './begin-capture.ts';
import { endedAsForeign, noteForeign } from './foreign.ts';
import { thisSide } from './handoff.ts';
import { type Found, back, find, keepCookie, pathOf, showOver, shown, tokenOf } from './phone.ts';
import { isOnlyLooking, isSane } from './returned.ts';
import { type LoginTools, clearCapture, propose, recordFor, thisPlace } from './room.ts';
import { type OpenStreams, createOpenStream, screenOf, showWaiting } from './waiting.ts';

type Step = (ctx: RouterContext, tools: LoginTools, found: Found) => Promise<void> | void;

const cookieBytes = 32;
const steps: Readonly<Record<string, Step>> = { claim, selfie: takeSelfie, 'not-me': notMe };

export function createHandoffRoutes(tools: LoginTools, streams: OpenStreams): Middleware {
  const router = new Router({ prefix: '/h/:code' });
  const issuerOrigin = new URL(tools.settings.issuer).origin;
  const open = createOpenStream(tools, streams);

  router.get('/', async (ctx) => {
    const found = await find(ctx, tools);
    if (found) await dispatch(ctx, tools, found);
    else showOver(ctx, tools, 'over');
  });
  router.get('/didit/:nonce', (ctx) => returned(ctx, tools));
  router.get('/events', async (ctx) => {
    const found = await find(ctx, tools);
    if (!found?.isMine) throw new Problem('not_found');
    const { interactionUid } = found.attempt;
    await open(ctx, interactionUid, `${interactionUid} phone`);
  });
  for (const [name, step] of Object.entries(steps)) {
    router.post(`/${name}`, async (ctx) => {
      requireSameOrigin(ctx, issuerOrigin);
      const form = await readForm(ctx);
      const found = await find(ctx, tools);
      if (!found) {
        showOver(ctx, tools, 'over');
        return;
      }
      tools.formTokens.require(tokenOf(found), form);
      await step(ctx, tools, found);
    });
  }
  return router.routes() as unknown as Middleware;
}

async function dispatch(ctx: RouterContext, tools: LoginTools, found: Found): Promise<void> {
  const { formTokens, clock } = tools;
  ctx.state.formToken = formTokens.of(tokenOf(found));
  const where = standing(found.attempt, clock());
  if (!found.isMine) {
    showClaim(ctx, tools, found, where);
    return;
  }
  switch (where.at) {
    case 'handed_off': {
      showSelfie(ctx, tools, found);
      return;
    }
    case 'waiting':
      return showWaiting(ctx, tools, found.attempt, onPhone(found, where));
    case 'type_code':
      return showCode(ctx, tools, found);
    case 'ready':
    case 'consumed': {
      showOver(ctx, tools, 'done', found);
      return;
    }
    default:
      showOver(ctx, tools, 'over', found);
  }
}

/** Who asks, from where and since when; the same to a browser that comes second, so that it can end it. */
function showClaim(ctx: RouterContext, tools: LoginTools, found: Found, where: Standing): void {
  const handoff = handoffOf(found.attempt);
  const isUnderWay = ['handed_off', 'waiting', 'type_code'].includes(where.at);
  if (!handoff || !isUnderWay) {
    showOver(ctx, tools, 'over', found);
    return;
  }
  const page = {
    page: 'phone',
    client: found.attempt.client,
    asking: askingFor(ctx, tools, handoff),
    actions: { claim: pathOf(found, 'claim'), notMe: pathOf(found, 'not-me') },
  } as const;
  tools.show(ctx, 200, page, shown(found));
}

function askingFor(ctx: RouterContext, tools: LoginTools, { from, offeredAtMs }: Handoff) {
  const { browser, system } = from.place;
  return {
    ...{ browser, system, country: from.country },
    relation: compareHandoff(from, thisSide(ctx, tools)),
    secondsAgo: Math.max(0, Math.round((tools.clock() - offeredAtMs) / 1000)),
  };
}

async function claim(ctx: RouterContext, tools: LoginTools, found: Found): Promise<void> {
  const { codeHash } = found;
  const cookie = found.cookie ?? tools.random(cookieBytes);
  const place = thisPlace(ctx, tools);
  const event = { type: 'claimed', codeHash, cookieHash: tools.hash(cookie), place } as const;
  const { attempt, refused, changed } = await propose(tools, found.attempt, event, found);
  if (!refused && attempt.phase === 'foreign') {
    await endedAsForeign(tools, attempt, 'second_claim');
    tools.show(ctx, 403, { page: 'foreign' }, shown(found));
    return;
  }
  if (changed && !refused) {
    recordFor(tools, attempt, 'handoff.claimed');
    await tools.bell.ring(attempt.interactionUid);
  }
  if (!refused) keepCookie(ctx, tools, found, cookie);
  back(ctx, found);
}

function showSelfie(ctx: RouterContext, tools: LoginTools, found: Found): void {
  const { attempt } = found;
  const { identifier = '' } = attempt.phase === 'identified' ? attempt.identity : {};
  const page = {
    page: 'phoneSelfie',
    client: attempt.client,
    identifier,
    actions: { selfie: pathOf(found, 'selfie'), notMe: pathOf(found, 'not-me') },
  } as const;
  tools.show(ctx, 200, page, shown(found));
}

async function takeSelfie(ctx: RouterContext, tools: LoginTools, found: Found): Promise<void> {
  const { attempt, stored, isMine, codeHash } = found;
  const handoff = attempt.phase === 'identified' ? attempt.handoff : undefined;
  const isNext = standing(attempt, tools.clock()).at === 'handed_off';
  if (attempt.phase !== 'identified' || !isMine || !handoff?.claim || !isNext) {
    back(ctx, found);
    return;
  }
  const { from, claim: mine } = handoff;
  // Whether a name is known must not show in how soon the answer comes.
  const floor = tools.sleep(tools.settings.createFloorMs);
  const captureUrl = await beginCapture(
    ctx,
    tools,
    { attempt, stored },
    {
      callbackFor: (nonce) => pathOf(found, `didit/${nonce}`),
      handoff: {
        ...{ codeHash, cookieHash: mine.cookieHash, from },
        relation: compareHandoff(from, thisSide(ctx, tools)),
      },
    },
  );
  await floor;
  await tools.bell.ring(attempt.interactionUid);
  if (captureUrl === undefined) back(ctx, found);
  else toDidit(ctx, captureUrl);
}

function onPhone(found: Found, where: Standing) {
  const events = pathOf(found, `events?seen=${screenOf(found.attempt, where)}`);
  return {
    page: {
      links: { events, checkAgain: pathOf(found) },
      actions: { notMe: pathOf(found, 'not-me') },
    },
    shown: shown(found),
  };
}

/** As returned.ts, for the phone. */
async function returned(ctx: RouterContext, tools: LoginTools): Promise<void> {
  if (isOnlyLooking(ctx)) {
    ctx.status = 204;
    return;
  }
  const nonceHash = tools.hash(String(ctx.params.nonce));
  const found = await find(ctx, tools);
  if (!found?.isMine || found.cookie === undefined) {
    if (found) await noteForeign(tools, found.attempt.interactionUid, nonceHash);
    // The same page for a right and a wrong nonce: who guesses learns nothing.
    tools.show(ctx, 403, { page: 'foreign' });
    return;
  }
  if (!isSane(ctx.querystring)) throw new Problem('malformed', 'a query that Didit does not send');
  const cookieHash = tools.hash(found.cookie);
  const event = { type: 'returned', nonceHash, cookieHash } as const;
  const { attempt, refused } = await propose(tools, found.attempt, event, found);
  if (refused === 'wrong_nonce') throw new Problem('malformed', 'a wrong nonce came back');
  if (!refused) {
    recordFor(tools, attempt, 'browser.returned');
    await tools.bell.ring(attempt.interactionUid);
  }
  back(ctx, found);
}

/** The code for the other screen, from now on for a minute. */
async function showCode(ctx: RouterContext, tools: LoginTools, found: Found): Promise<void> {
  const { handoffCodes, clock } = tools;
  const { id, client } = found.attempt;
  const code = handoffCodes.back(id);
  const event = { type: 'code_shown', hash: handoffCodes.hashOf(id, code) } as const;
  const { attempt, changed } = await propose(tools, found.attempt, event, found);
  if (changed) await tools.bell.ring(attempt.interactionUid);
  const where = standing(attempt, clock());
  if (where.at !== 'type_code' || where.untilMs === undefined) {
    showOver(ctx, tools, 'over', found);
    return;
  }
  const page = {
    page: 'phoneCode',
    client,
    code,
    secondsLeft: Math.max(0, Math.ceil((where.untilMs - clock()) / 1000)),
    links: { events: pathOf(found, 'events?seen=type_code') },
    actions: { notMe: pathOf(found, 'not-me') },
  } as const;
  tools.show(ctx, 200, page, shown(found));
}

/** Whoever holds the code may end it, claimed or not: it is over at once, and the operator hears of it. */
async function notMe(ctx: RouterContext, tools: LoginTools, found: Found): Promise<void> {
  const event = { type: 'gave_up', reason: 'cancelled' } as const;
  const { attempt, refused } = await propose(tools, found.attempt, event, found);
  if (refused) {
    back(ctx, found);
    return;
  }
  recordFor(tools, attempt, 'login.denied', 'cancelled');
  recordFor(tools, attempt, 'login.disowned');
  await tools.bell.ring(attempt.interactionUid);
  await clearCapture(tools, attempt);
  showOver(ctx, tools, 'stopped', found);
}
