/** The selfie: who asks and what will happen, then one Didit session for this attempt and nobody else. */
import type { RouterContext } from '@koa/router';
import { type CreatedDiditSession, DiditError } from '../didit/port.ts';
import { acr, acrName } from '../domain/assurance.ts';
import { type Attempt, type Identity, isEnrolling } from '../domain/attempt.ts';
import { isOver, standing } from '../domain/standing.ts';
import type { Holder } from '../domain/turn.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import type { Asker } from '../store/limits.ts';
import { mayEndWith, classOf } from '../domain/deciding.ts';
import { thisAsker } from './asker.ts';
import { decideOn, reachOf } from './decide.ts';
import { provingTask } from './device-key.ts';
import { describeCapture } from './expectation.ts';
import { endUnmet } from './leave.ts';
import { passkeyAction } from './passkey.ts';
import {
  type LoginTools,
  clearCapture,
  ownAttempt,
  pathOf,
  propose,
  recordFor,
  shownFor,
  thisPlace,
  toDispatcher,
} from './room.ts';
import { type Subject, findSubject } from './subject.ts';
import { firstWays } from './ways.ts';

/** Ours; Didit's own links live for an hour or more. */
const captureTtlMs = 5 * 60_000;
const enrolmentTtlMs = 15 * 60_000;
/** Didit hands back an unfinished session instead of a new one; that one is deleted and asked for once more. */
const maximumTries = 3;

export function showCapture(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  { identifier }: Identity,
): void {
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
      factor: pathOf(interactionUid, 'factor'),
      otherWay: pathOf(interactionUid, 'other-way'),
      startOver: pathOf(interactionUid, 'start-over'),
      notMe: pathOf(interactionUid, 'not-me'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, 200, page, shownFor(attempt));
}

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
  if (attempt.phase === 'identified' && isOutOfReach(attempt, tools)) {
    await endUnmet(ctx, tools);
    return;
  }
  const isAsked = attempt.phase === 'identified' && isSelfieDecided(attempt);
  // Where the time is up nothing is asked of Didit any more.
  if (!isAsked || standing(attempt, tools.clock()).at === 'expired') {
    toDispatcher(ctx);
    return;
  }
  // Whether a name is known must not show in how soon the answer comes.
  const floor = tools.sleep(tools.settings.createFloorMs);
  const captureUrl = await takeTurn(ctx, tools, { attempt, stored }, form.has('shared'));
  await floor;
  if (captureUrl === undefined) {
    toDispatcher(ctx);
    return;
  }
  // The link is a bearer secret: it stands in this header and nowhere else, not even in koa's usual text.
  ctx.status = 303;
  ctx.redirect(captureUrl);
  ctx.body = '';
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

/** A document takes longer than a face. */
function captureEndsMs(attempt: Attempt, { clock }: Pick<LoginTools, 'clock'>): number {
  const ttlMs = isEnrolling(attempt) ? enrolmentTtlMs : captureTtlMs;
  return Math.min(clock() + ttlMs, attempt.expiresAtMs);
}

type Identified = LoadedAttempt & { attempt: Extract<Attempt, { phase: 'identified' }> };

/** @returns Didit's link, or undefined when there is none; the attempt then says why. */
async function takeTurn(
  ctx: RouterContext,
  tools: LoginTools,
  loaded: Identified,
  isShared: boolean,
): Promise<string | undefined> {
  const { attempt } = loaded;
  const subject = await findSubject(attempt, tools);
  const { enrolmentId } = subject;
  const asker = thisAsker(ctx, tools, attempt);
  const own = { attemptId: attempt.id, deviceClass: asker.deviceClass };
  const taken = await tools.turns.take(enrolmentId, {
    ...own,
    ...{ interactionUid: attempt.interactionUid, device: asker.device },
    untilMs: captureEndsMs(attempt, tools),
  });
  if (taken.turn === undefined) {
    if (!taken.isMine) await giveUp(tools, attempt, 'limited', `turn_${taken.refused}`);
    return undefined;
  }
  try {
    if (taken.putAside) await putAside(tools, taken.putAside);
    // Each enrolment has a new id; what counts then is whose it is.
    const counted = isEnrolling(attempt)
      ? (attempt.identity.accountId ?? enrolmentId)
      : enrolmentId;
    const { refusedBy } = await tools.limits.admit({ ...asker, enrolmentId: counted });
    if (refusedBy !== undefined) {
      await tools.turns.end(enrolmentId, own, 'left');
      await giveUp(tools, attempt, 'limited', `limit_${refusedBy}`);
      return undefined;
    }
    return await capture(ctx, tools, loaded, subject, { ...asker, isShared });
  } catch (error) {
    await tools.turns.end(enrolmentId, own, 'left').catch(() => undefined);
    if (!(error instanceof DiditError)) throw error;
    const reason = error.failure === 'rate_limited' ? 'limited' : 'unavailable';
    await giveUp(tools, attempt, reason, `didit_${error.failure}`);
    return undefined;
  }
}

/** Whoever had the turn loses what was begun with it, before anything new is asked of Didit. */
async function putAside(tools: LoginTools, holder: Holder): Promise<void> {
  const loaded = await tools.attempts.load(holder.interactionUid);
  if (loaded?.attempt.id !== holder.attemptId || isOver(loaded.attempt)) return;
  const { attempt, refused } = await propose(tools, loaded.attempt, { type: 'superseded' }, loaded);
  if (refused) return;
  await clearCapture(tools, attempt);
  await tools.bell.ring(holder.interactionUid);
}

async function capture(
  ctx: RouterContext,
  tools: LoginTools,
  loaded: Identified,
  subject: Subject,
  { device, deviceClass, isShared }: Pick<Asker, 'device' | 'deviceClass'> & { isShared: boolean },
): Promise<string | undefined> {
  const { attempt } = loaded;
  const planned = describeCapture(tools, attempt, subject, {
    place: thisPlace(ctx, tools),
    device: { id: device, deviceClass },
    expiresAtMs: captureEndsMs(attempt, tools),
    hints: {
      device: `${ctx.get('user-agent')}\n${ctx.get('accept-language')}`,
      address: ctx.ip,
    },
  });
  if (!subject.face) throw new DiditError('not_enrolled', 'there is no face to compare with');
  const portraitImage = typeof subject.face === 'string' ? undefined : subject.face.portraitImage;
  const created = await createFresh(tools, attempt, { ...planned.request, portraitImage });
  const { diditSessionId, workflowVersion } = created;
  const event = {
    type: 'captured',
    capture: {
      ...planned.capture,
      expectation: { ...planned.capture.expectation, diditSessionId, workflowVersion },
      diditSessionId,
      ...(isShared ? { isShared } : {}),
    },
  } as const;
  const giveBack = async (): Promise<void> => {
    await tools.didit.deleteSession(diditSessionId).catch(() => undefined);
    await tools.turns.end(subject.enrolmentId, { attemptId: attempt.id, deviceClass }, 'left');
  };
  const proposed = await propose(tools, attempt, event, loaded).catch(async (error: unknown) => {
    await giveBack().catch(() => undefined);
    throw error;
  });
  const { attempt: saved, refused } = proposed;
  if (refused) {
    await giveBack();
    return undefined;
  }
  recordFor(tools, saved, 'capture.created');
  return created.url;
}

/** A session that was begun earlier may be known to others: only one that is new and unknown is used. */
async function createFresh(
  tools: LoginTools,
  attempt: Attempt,
  request: Parameters<LoginTools['didit']['createSession']>[0],
): Promise<CreatedDiditSession> {
  for (let tries = 1; tries <= maximumTries; tries += 1) {
    const created = await tools.didit.createSession(request);
    const isNew =
      created.status === 'Not Started' &&
      (await tools.claimDiditSession(created.diditSessionId, attempt));
    if (isNew) return created;
    await tools.didit.deleteSession(created.diditSessionId);
  }
  throw new DiditError('unavailable', 'Didit hands back sessions that are not new');
}

async function giveUp(
  tools: LoginTools,
  attempt: Attempt,
  reason: 'unavailable' | 'limited',
  detail: string,
): Promise<void> {
  await propose(tools, attempt, { type: 'gave_up', reason });
  recordFor(tools, attempt, 'login.denied', detail);
}
