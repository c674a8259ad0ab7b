/** The selfie: who asks and what will happen, then one Didit session for this attempt and nobody else. */
import type { RouterContext } from '@koa/router';
import { type CreatedDiditSession, DiditError } from '../didit/port.ts';
import type { Attempt, Identity } from '../domain/attempt.ts';
import type { Account, Enrolment } from '../store/accounts.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import {
  type LoginTools,
  ownAttempt,
  pathOf,
  propose,
  recordFor,
  thisPlace,
  toDispatcher,
} from './room.ts';
import { describeCapture } from './expectation.ts';

/** Ours; Didit's own links live for an hour or more. */
const captureTtlMs = 5 * 60_000;
/** Didit hands back an unfinished session instead of a new one; that one is deleted and asked for once more. */
const maximumTries = 3;

export function showCapture(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  { identifier }: Identity,
): void {
  const { interactionUid, client, request, reference } = attempt;
  const { browser, system } = thisPlace(ctx, tools);
  const page = {
    page: 'capture',
    client,
    identifier,
    device: { browser, system },
    actions: {
      selfie: pathOf(interactionUid, 'selfie'),
      otherWay: pathOf(interactionUid, 'other-way'),
      startOver: pathOf(interactionUid, 'start-over'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, 200, page, { uiLocales: request.uiLocales, reference });
}

export async function takeSelfie(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  const { attempt } = loaded;
  if (attempt.phase !== 'identified') {
    toDispatcher(ctx);
    return;
  }
  const enrolled = await findEnrolled(attempt.identity, tools);
  if (!enrolled) return giveUp(ctx, tools, attempt, 'unavailable', 'not_enrolled');

  const holder = { interactionUid: attempt.interactionUid, attemptId: attempt.id };
  const slot = await tools.slots.take(enrolled.enrolment.id, holder, captureTtlMs / 1000);
  if (slot.receipt === undefined) {
    if (slot.heldBy === 'this_attempt') {
      toDispatcher(ctx);
      return;
    }
    return giveUp(ctx, tools, attempt, 'limited', 'slot_held');
  }
  const captureUrl = await capture(ctx, tools, loaded, enrolled, slot.receipt);
  if (captureUrl === undefined) {
    toDispatcher(ctx);
    return;
  }
  // The link is a bearer secret: it stands in this header and nowhere else, not even in koa's usual text.
  ctx.status = 303;
  ctx.redirect(captureUrl);
  ctx.body = '';
}

interface Enrolled {
  account: Account;
  enrolment: Enrolment;
}

async function findEnrolled(
  { accountId }: Identity,
  { accounts }: LoginTools,
): Promise<Enrolled | undefined> {
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  if (account?.status !== 'active' || !account.enrolment) return undefined;
  return { account, enrolment: account.enrolment };
}

/** @returns Didit's link, or undefined when there is none; the attempt then says why. */
async function capture(
  ctx: RouterContext,
  tools: LoginTools,
  loaded: LoadedAttempt,
  { enrolment }: Enrolled,
  slotReceipt: string,
): Promise<string | undefined> {
  const { attempt } = loaded;
  const planned = describeCapture(tools, attempt, enrolment, {
    place: thisPlace(ctx, tools),
    expiresAtMs: Math.min(tools.clock() + captureTtlMs, attempt.expiresAtMs),
    hints: {
      device: `${ctx.get('user-agent')}\n${ctx.get('accept-language')}`,
      address: ctx.ip,
    },
  });
  let created: CreatedDiditSession;
  try {
    const isPinned = tools.settings.faceReference === 'portrait';
    const portraitImage = isPinned ? await tools.portraits.load(enrolment) : undefined;
    if (isPinned && portraitImage === undefined) {
      throw new DiditError('not_enrolled', 'the enrolment has no portrait');
    }
    created = await createFresh(tools, attempt, { ...planned.request, portraitImage });
  } catch (error) {
    await tools.slots.release(enrolment.id, slotReceipt);
    if (!(error instanceof DiditError)) throw error;
    const reason = error.failure === 'rate_limited' ? 'limited' : 'unavailable';
    await propose(tools, attempt, { type: 'gave_up', reason });
    recordFor(tools, attempt, 'login.denied', `didit_${error.failure}`);
    return undefined;
  }
  const { diditSessionId, workflowVersion } = created;
  const event = {
    type: 'captured',
    capture: {
      ...planned.capture,
      expectation: { ...planned.capture.expectation, diditSessionId },
      ...{ diditSessionId, workflowVersion, slotReceipt },
    },
  } as const;
  const giveBack = async (): Promise<void> => {
    await tools.didit.deleteSession(diditSessionId).catch(() => undefined);
    await tools.slots.release(enrolment.id, slotReceipt);
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
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  reason: 'unavailable' | 'limited',
  detail: string,
): Promise<void> {
  await propose(tools, attempt, { type: 'gave_up', reason });
  recordFor(tools, attempt, 'login.denied', detail);
  toDispatcher(ctx);
}
