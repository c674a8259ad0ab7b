/**
 * A way in that needs no face, before a face is taken: a passkey, an app that shows codes, or recovery codes. Set up
 * once, since whoever confirmed an address may add the first one and no other.
 */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import type { FactorName } from '../domain/message.ts';
import { Problem } from '../domain/problem.ts';
import { beginAgain } from '../login/leave.ts';
import { pathOf, recordFor, shownFor, toDispatcher } from '../login/room.ts';
import type { Account } from '../store/accounts.ts';
import { hasOtherWay } from '../store/factors.ts';
import { typed } from '../web/forms.ts';
import { hasAgreed } from './agree.ts';
import { passkeyName, passkeyPage, totpPage } from './making.ts';
import { type EnrolTools, type Enrolling, ownEnrolling } from './room.ts';

export function showProtect(
  ctx: RouterContext,
  { show, otherWays }: EnrolTools,
  attempt: Extract<Attempt, { phase: 'identified' }>,
): void {
  const { interactionUid, client } = attempt;
  const page = {
    page: 'protect',
    client,
    withoutFace: attempt.withoutFace === true,
    actions: {
      passkey: otherWays.passkeys.isPossible
        ? pathOf(interactionUid, 'protect-passkey')
        : undefined,
      totp: pathOf(interactionUid, 'protect-totp'),
      recovery: pathOf(interactionUid, 'protect-recovery'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  show(ctx, 200, page, shownFor(attempt));
}

/**
 * By a recovery nobody sets anything up before they have shown that they are the same person.
 * @throws Problem `step_missing` unless it is this person's turn to set up the first other way.
 */
async function ownUnprotected(ctx: RouterContext, tools: EnrolTools): Promise<Enrolling> {
  const own = await ownEnrolling(ctx, tools);
  const { kind, withoutFace } = own.attempt;
  const mayProtect = kind !== 'recovery' && (hasAgreed(own.account) || withoutFace === true);
  const isProtected = hasOtherWay(await tools.otherWays.records.load(own.account.id));
  if (!mayProtect || isProtected) throw new Problem('step_missing', 'no other way is due');
  return own;
}

export async function protectByCodes(ctx: RouterContext, tools: EnrolTools): Promise<void> {
  const { attempt, account } = await ownUnprotected(ctx, tools);
  const codes = await tools.otherWays.recoveryCodes.make(account.id);
  await noteAdded(tools, attempt, account, 'recovery');
  const links = { next: pathOf(attempt.interactionUid) };
  tools.show(ctx, 200, { page: 'codes', client: attempt.client, codes, links }, shownFor(attempt));
}

export async function protectByTotp(ctx: RouterContext, tools: EnrolTools): Promise<void> {
  const { attempt, account } = await ownUnprotected(ctx, tools);
  await showTotp(ctx, tools, attempt, account);
}

export async function confirmTotp(
  ctx: RouterContext,
  tools: EnrolTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const { attempt, account } = await ownUnprotected(ctx, tools);
  if (!(await tools.otherWays.totp.confirm(account.id, typed(form, 'code')))) {
    await showTotp(ctx, tools, attempt, account, 'wrong_code');
    return;
  }
  await noteAdded(tools, attempt, account, 'totp');
  toDispatcher(ctx);
}

async function showTotp(
  ctx: RouterContext,
  { show, otherWays }: EnrolTools,
  attempt: Attempt,
  account: Account,
  error?: 'wrong_code',
): Promise<void> {
  const actions = {
    confirm: pathOf(attempt.interactionUid, 'protect-totp-code'),
    back: pathOf(attempt.interactionUid, 'protect'),
  };
  const page = await totpPage(otherWays, account, actions, error);
  show(ctx, error ? 400 : 200, { ...page, client: attempt.client }, shownFor(attempt));
}

export async function protectByPasskey(ctx: RouterContext, tools: EnrolTools): Promise<void> {
  const { attempt, account } = await ownUnprotected(ctx, tools);
  await showPasskey(ctx, tools, attempt, account);
}

export async function keepPasskey(
  ctx: RouterContext,
  tools: EnrolTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const { attempt, account } = await ownUnprotected(ctx, tools);
  const name = passkeyName(ctx, tools);
  const { passkeys } = tools.otherWays;
  const made = await passkeys.register(account, attempt.id, form.get('credential'), name);
  if (!made) {
    await showPasskey(ctx, tools, attempt, account, 'not_made');
    return;
  }
  await noteAdded(tools, attempt, account, 'passkey');
  toDispatcher(ctx);
}

async function showPasskey(
  ctx: RouterContext,
  { show, otherWays }: EnrolTools,
  attempt: Attempt,
  account: Account,
  error?: 'not_made',
): Promise<void> {
  const actions = {
    answer: pathOf(attempt.interactionUid, 'protect-passkey-answer'),
    back: pathOf(attempt.interactionUid, 'protect'),
  };
  const page = await passkeyPage(otherWays, account, attempt.id, actions, error);
  show(ctx, error ? 400 : 200, { ...page, client: attempt.client }, shownFor(attempt));
}

async function noteAdded(
  tools: EnrolTools,
  attempt: Attempt,
  account: Account,
  factor: FactorName,
): Promise<void> {
  const atMs = tools.clock();
  recordFor(tools, attempt, 'factor.added', factor);
  await tools.history.add(account.id, { event: 'factor_added', factor, atMs });
  if (account.email === undefined) return;
  await tools.mail(
    { address: account.email, locale: account.locale },
    { kind: 'factor_added', factor, atMs },
  );
}

/** Back from one of them to the choice. */
export function protectAgain(ctx: RouterContext): Promise<void> {
  toDispatcher(ctx);
  return Promise.resolve();
}

/** Somebody without a face signs in by what they have just set up. */
export async function signInWithout(ctx: RouterContext, tools: EnrolTools): Promise<void> {
  const { attempt } = await ownEnrolling(ctx, tools);
  if (attempt.withoutFace !== true) throw new Problem('step_missing');
  await beginAgain(ctx, tools, 'identity', 'login');
  toDispatcher(ctx);
}
