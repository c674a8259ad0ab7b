/**
 * The hand-off as the asking browser sees it: a square code with our own address for the phone, never Didit's, and at
 * the end the field for the code that the phone shows. What the phone sees is handoff-routes.ts.
 */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import { type Side, handoffOf, mayBeHandedOff } from '../domain/handoff.ts';
import { Problem } from '../domain/problem.ts';
import { type Standing, standing } from '../domain/standing.ts';
import { allowsHandoff } from '../oidc/prompts.ts';
import { createAllowance } from '../web/allowance.ts';
import { typed } from '../web/forms.ts';
import { qrPicture } from '../web/qr.ts';
import { thisAsker } from './asker.ts';
import { decideOn } from './decide.ts';
import type { Step } from './enrolment.ts';
import { beginAgain } from './leave.ts';
import { passkeyAction } from './passkey.ts';
import {
  type LoginTools,
  ownAttempt,
  pathOf,
  propose,
  recordFor,
  shownFor,
  thisPlace,
  toDispatcher,
} from './room.ts';
import { expectLate, screenOf } from './waiting.ts';

type Form = ReadonlyMap<string, string>;

const saltBytes = 16;

/** The address of the button; none where the app does not allow it or would take no such sign-in. */
export async function handoffAction(
  tools: LoginTools,
  attempt: Attempt,
): Promise<string | undefined> {
  const isAllowed = await mayHandOff(tools, attempt);
  return isAllowed ? pathOf(attempt.interactionUid, 'handoff') : undefined;
}

async function mayHandOff({ provider, settings }: LoginTools, attempt: Attempt): Promise<boolean> {
  if (!mayBeHandedOff(attempt, settings.environment)) return false;
  return allowsHandoff(await provider.Client.find(attempt.client.id));
}

/** This browser, and where it is as far as we know. */
export function thisSide(ctx: RouterContext, tools: LoginTools): Side {
  return { place: thisPlace(ctx, tools), country: tools.whereabouts.of(ctx.ip).country };
}

/** Each offer leaves a record behind until its time is up, so there are only so many. */
export function createOfferHandoff(): Step<LoginTools> {
  const spend = createAllowance({ points: 10, seconds: 60 });
  return async (ctx, tools, form) => {
    await spend(ctx, String(ctx.params.uid));
    await offerHandoff(ctx, tools, form);
  };
}

/** Also after a selfie that did not count, because it was taken on another device. */
async function offerHandoff(ctx: RouterContext, tools: LoginTools, form: Form): Promise<void> {
  const before = await ownAttempt(ctx, tools);
  if (!(await mayHandOff(tools, before.attempt))) {
    throw new Problem('malformed', 'no hand-off of this sign-in');
  }
  const { at } = standing(before.attempt, tools.clock());
  const isOver = ['denied', 'foreign', 'expired'].includes(at);
  const begun = isOver ? await beginAgain(ctx, tools, 'identity') : before;
  const { attempt, stored } = await decideOn(ctx, tools, begun, form);
  const salt = tools.random(saltBytes);
  const code = tools.handoffCodes.there(attempt.id, salt);
  // First whom it leads to, so that no code is shown that leads nowhere.
  await tools.handoffs.add(code, attempt.interactionUid);
  const { environment } = tools.settings;
  const event = {
    type: 'handed_off' as const,
    ...{ codeHash: tools.hash(code), salt, from: thisSide(ctx, tools), environment },
    deviceClass: thisAsker(ctx, tools, attempt).deviceClass,
  };
  const { refused } = await propose(tools, attempt, event, { attempt, stored });
  if (!refused) recordFor(tools, attempt, 'handoff.offered');
  toDispatcher(ctx);
}

/** The code for the phone; once a phone has it, no more than that it goes on there. */
export async function showHandoff(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  where: Extract<Standing, { at: 'handed_off' | 'waiting' }>,
): Promise<void> {
  await expectLate(tools, attempt);
  const { interactionUid, client } = attempt;
  const untilMs = where.at === 'handed_off' ? where.untilMs : undefined;
  const events = pathOf(interactionUid, `events?seen=${screenOf(attempt, where)}`);
  const page = {
    page: 'handoff',
    client,
    code: untilMs === undefined ? undefined : codeOf(tools, attempt, untilMs),
    links: { events, checkAgain: pathOf(interactionUid) },
    actions: {
      passkey: passkeyAction(tools, attempt),
      again: pathOf(interactionUid, 'try-again'),
      otherWay: pathOf(interactionUid, 'other-way'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, 200, page, shownFor(attempt));
}

function codeOf({ handoffCodes, settings, clock }: LoginTools, attempt: Attempt, untilMs: number) {
  const salt = handoffOf(attempt)?.salt ?? '';
  const address = `${settings.issuer}/h/${handoffCodes.there(attempt.id, salt)}`;
  const secondsLeft = Math.max(0, Math.ceil((untilMs - clock()) / 1000));
  return { address, qr: qrPicture(address), secondsLeft };
}

export function showTypeCode(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  error?: 'wrong',
): void {
  const { interactionUid, client } = attempt;
  const page = {
    page: 'handoffCode',
    client,
    ...(error ? { error } : {}),
    actions: {
      answer: pathOf(interactionUid, 'handoff-code'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, error ? 400 : 200, page, shownFor(attempt));
}

export async function typeCode(ctx: RouterContext, tools: LoginTools, form: Form): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  const hash = tools.handoffCodes.hashOf(loaded.attempt.id, typed(form, 'answer'));
  const event = { type: 'code_typed', hash } as const;
  const { attempt, refused, changed } = await propose(tools, loaded.attempt, event, loaded);
  if (changed) await tools.bell.ring(attempt.interactionUid);
  if (changed && attempt.phase === 'denied') {
    recordFor(tools, attempt, 'login.denied', attempt.reason);
  }
  if (changed && !refused) recordFor(tools, attempt, 'factor.proven', 'handoff_code');
  if (refused !== 'wrong_code') {
    toDispatcher(ctx);
    return;
  }
  recordFor(tools, attempt, 'factor.refused', 'handoff_code');
  showTypeCode(ctx, tools, attempt, 'wrong');
}
