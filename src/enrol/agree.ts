/**
 * The consent to having one's face taken and compared: by itself, unticked, and with another way of equal weight. It
 * is asked again whenever the text has changed. What was agreed to, and when, stands in the account.
 */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import { ownAttempt, pathOf, propose, recordFor, shownFor, toDispatcher } from '../login/room.ts';
import type { Account } from '../store/accounts.ts';
import { type EnrolTools, ownEnrolling } from './room.ts';

/** Of the texts `agree.…`. A test fails when they are changed and this is not. */
export const consentVersion = '2026-11-25';

export function hasAgreed({ consent }: Account): boolean {
  return consent?.version === consentVersion;
}

export function showAgree(
  ctx: RouterContext,
  { show }: EnrolTools,
  attempt: Attempt,
  error?: 'not_ticked',
): void {
  const { interactionUid, client, kind } = attempt;
  const page = {
    page: 'agree',
    client,
    version: consentVersion,
    ...(error ? { error } : {}),
    actions: {
      agree: pathOf(interactionUid, 'agree'),
      withoutFace: kind === 'enrol' ? pathOf(interactionUid, 'without-face') : undefined,
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  show(ctx, error ? 400 : 200, page, shownFor(attempt));
}

export async function agree(
  ctx: RouterContext,
  tools: EnrolTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const { attempt, account } = await ownEnrolling(ctx, tools);
  // The version comes back with the form: what was read is what was agreed to.
  if (form.get('agreed') !== consentVersion) {
    showAgree(ctx, tools, attempt, 'not_ticked');
    return;
  }
  const consent = { version: consentVersion, atMs: tools.clock() };
  await tools.accounts.change(account.id, (current) => ({ ...current, consent }));
  recordFor(tools, attempt, 'enrol.consented', consentVersion);
  toDispatcher(ctx);
}

export async function withoutFace(ctx: RouterContext, tools: EnrolTools): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  await propose(tools, loaded.attempt, { type: 'face_refused' }, loaded);
  toDispatcher(ctx);
}
