/**
 * One Didit session for this attempt and nobody else, for the browser that takes the selfie: as a rule the one that
 * asked, or the phone that it was handed off to.
 */
import type { RouterContext } from '@koa/router';
import { type CreatedDiditSession, DiditError } from '../didit/port.ts';
import { type Attempt, type Capture, isEnrolling } from '../domain/attempt.ts';
import { isOver } from '../domain/standing.ts';
import type { Holder } from '../domain/turn.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import type { Admitted, Asker } from '../store/limits.ts';
import type { Metered } from '../store/meter.ts';
import { thisAsker } from './asker.ts';
import { describeCapture } from './expectation.ts';
import { type LoginTools, clearCapture, propose, recordFor, thisPlace } from './room.ts';
import { type Subject, findSubject } from './subject.ts';

/** Ours; Didit's own links live for an hour or more. */
const captureTtlMs = 5 * 60_000;
const enrolmentTtlMs = 15 * 60_000;
/** Didit hands back an unfinished session instead of a new one; that one is deleted and asked for once more. */
const maximumTries = 3;

/** What the browser that takes the selfie brings along. */
type Here = Pick<Capture, 'isShared' | 'handoff'> & {
  /** Where Didit sends it afterwards: a path of ours. */
  callbackFor: (nonce: string) => string;
};
type Asked = Here & Pick<Asker, 'device' | 'deviceClass'>;

/** The link is a bearer secret: it stands in this header and nowhere else, not even in koa's usual text. */
export function toDidit(ctx: RouterContext, captureUrl: string): void {
  ctx.status = 303;
  ctx.redirect(captureUrl);
  ctx.body = '';
}

/** A document takes longer than a face. */
function captureEndsMs(attempt: Attempt, { clock }: Pick<LoginTools, 'clock'>): number {
  const ttlMs = isEnrolling(attempt) ? enrolmentTtlMs : captureTtlMs;
  return Math.min(clock() + ttlMs, attempt.expiresAtMs);
}

export type Identified = LoadedAttempt & { attempt: Extract<Attempt, { phase: 'identified' }> };

/** @returns Didit's link, or undefined when there is none; the attempt then says why. */
export async function beginCapture(
  ctx: RouterContext,
  tools: LoginTools,
  loaded: Identified,
  here: Here,
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
    const charge = tools.spending.chargeFor(attempt);
    const admitted = await tools.limits.admit({ ...asker, enrolmentId: counted, charge });
    const { refusedBy } = admitted;
    if (refusedBy !== undefined) {
      await tools.turns.end(enrolmentId, own, 'left');
      await refuse(tools, attempt, admitted);
      return undefined;
    }
    let captureUrl: string | undefined;
    try {
      captureUrl = await capture(ctx, tools, loaded, subject, { ...asker, ...here });
    } finally {
      if (captureUrl === undefined) await tools.spending.giveBack(charge);
    }
    return captureUrl;
  } catch (error) {
    await tools.turns.end(enrolmentId, own, 'left').catch(() => undefined);
    if (!(error instanceof DiditError)) throw error;
    const reason = error.failure === 'rate_limited' ? 'limited' : 'unavailable';
    await giveUp(tools, attempt, reason, `didit_${error.failure}`);
    return undefined;
  }
}

async function refuse(
  tools: LoginTools,
  attempt: Attempt,
  { refusedBy = 'everybody', full }: Admitted,
): Promise<void> {
  if (!full) return giveUp(tools, attempt, 'limited', `limit_${refusedBy}`);
  tools.spending.reached(full, attempt.client.id);
  await giveUp(tools, attempt, 'paused', `budget_${full.whose}_${full.span}`);
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
  { device, deviceClass, isShared, handoff, callbackFor }: Asked,
): Promise<string | undefined> {
  const { attempt } = loaded;
  const planned = describeCapture(tools, attempt, subject, {
    place: thisPlace(ctx, tools),
    device: { id: device, deviceClass },
    expiresAtMs: captureEndsMs(attempt, tools),
    callbackFor,
    hints: {
      device: `${ctx.get('user-agent')}\n${ctx.get('accept-language')}`,
      address: ctx.ip,
    },
  });
  if (!subject.face) throw new DiditError('not_enrolled', 'there is no face to compare with');
  const portraitImage = typeof subject.face === 'string' ? undefined : subject.face.portraitImage;
  const cost = tools.spending.costOf(attempt, {
    ...planned.capture,
    ...(handoff ? { handoff } : {}),
  });
  const created = await createFresh(tools, attempt, { ...planned.request, portraitImage }, cost);
  const { diditSessionId, workflowVersion } = created;
  const event = {
    type: 'captured',
    capture: {
      ...planned.capture,
      expectation: { ...planned.capture.expectation, diditSessionId, workflowVersion },
      diditSessionId,
      ...(isShared ? { isShared } : {}),
      ...(handoff ? { handoff } : {}),
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
  tools.spending.began(cost);
  return created.url;
}

/** A session that was begun earlier may be known to others: only one that is new and unknown is used. */
async function createFresh(
  tools: LoginTools,
  attempt: Attempt,
  request: Parameters<LoginTools['didit']['createSession']>[0],
  cost: Metered,
): Promise<CreatedDiditSession> {
  for (let tries = 1; tries <= maximumTries; tries += 1) {
    const created = await tools.didit.createSession(request);
    const isNew =
      created.status === 'Not Started' &&
      (await tools.claimDiditSession(created.diditSessionId, attempt, cost));
    if (isNew) return created;
    await tools.didit.deleteSession(created.diditSessionId);
  }
  throw new DiditError('unavailable', 'Didit hands back sessions that are not new');
}

async function giveUp(
  tools: LoginTools,
  attempt: Attempt,
  reason: 'unavailable' | 'limited' | 'paused',
  detail: string,
): Promise<void> {
  await propose(tools, attempt, { type: 'gave_up', reason });
  recordFor(tools, attempt, 'login.denied', detail);
}
