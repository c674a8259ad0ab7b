/**
 * Another way in, and one that needs no name: the passkey itself says whose it is. A person who gave a name before has
 * to have a passkey of that account; whether that account has one, the page says to nobody.
 */
import type { RouterContext } from '@koa/router';
import { acr, passkeyProof } from '../domain/assurance.ts';
import type { Attempt } from '../domain/attempt.ts';
import type { FactorName } from '../domain/message.ts';
import { Problem } from '../domain/problem.ts';
import { standing } from '../domain/standing.ts';
import type { Account } from '../store/accounts.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import { thisAsker } from './asker.ts';
import { decideOn } from './decide.ts';
import { beginAgain } from './leave.ts';
import {
  type LoginTools,
  ownAttempt,
  pathOf,
  propose,
  recordFor,
  shownFor,
  toDispatcher,
} from './room.ts';
import { activeAccount, permits, permitsSelfie } from './ways.ts';

export const passkeyFactor: FactorName = 'passkey';

/** The address of the button that stands beside the other ways; none where no passkey can work, or help. */
export function passkeyAction(tools: LoginTools, attempt: Attempt): string | undefined {
  return mayHelp(attempt, tools) ? pathOf(attempt.interactionUid, 'passkey') : undefined;
}

function mayHelp(attempt: Attempt, tools: LoginTools): boolean {
  return tools.passkeys.isPossible && permits(attempt, acr.passkey, tools);
}

/** The page before the question, for those who can do nothing else: nothing is asked of the browser yet. */
export function offerPasskey(ctx: RouterContext, tools: LoginTools, attempt: Attempt): void {
  show(ctx, tools, attempt, {});
}

export async function askPasskey(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const loaded = await ownAttemptForPasskey(ctx, tools);
  const isOpen = mayProve(loaded.attempt, tools);
  const { attempt } = isOpen ? loaded : await beginAgain(ctx, tools, 'identity');
  recordFor(tools, attempt, 'factor.asked', passkeyFactor);
  await ask(ctx, tools, attempt);
}

export async function answerPasskey(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const loaded = await ownAttemptForPasskey(ctx, tools);
  const { attempt } = loaded;
  if (!mayProve(attempt, tools)) {
    toDispatcher(ctx);
    return;
  }
  const account = await verify(ctx, tools, attempt, form.get('credential'));
  if (!account) {
    recordFor(tools, attempt, 'factor.refused', passkeyFactor);
    await ask(ctx, tools, attempt, 'wrong');
    return;
  }
  await prove(ctx, tools, loaded, account);
  toDispatcher(ctx);
}

async function ownAttemptForPasskey(ctx: RouterContext, tools: LoginTools): Promise<LoadedAttempt> {
  const loaded = await ownAttempt(ctx, tools);
  if (!mayHelp(loaded.attempt, tools)) throw new Problem('malformed', 'no passkey helps here');
  return loaded;
}

/** Somebody is being asked who they are, and no selfie of theirs is under way. */
function mayProve(attempt: Attempt, { clock }: LoginTools): boolean {
  return ['identify', 'capture', 'factor', 'second_leg'].includes(standing(attempt, clock()).at);
}

/** The app takes nothing else: whatever codes prove, a selfie does too. */
function isOnlyWay(attempt: Attempt, tools: LoginTools): boolean {
  return !permitsSelfie(attempt, tools);
}

/** Is a passkey what the dispatcher has to show: because nothing else will do, or it was about to be taken? */
export function isForPasskey(attempt: Attempt, tools: LoginTools): boolean {
  if (!mayProve(attempt, tools)) return false;
  const isUnderWay = 'factor' in attempt && attempt.factor === passkeyFactor;
  return isUnderWay || isOnlyWay(attempt, tools);
}

/**
 * A try counts before it is looked at, for this sign-in: a passkey cannot be guessed, so that strangers who try need
 * not cost its owner anything.
 * @returns who showed a passkey, if it is who was asked and may come in.
 */
async function verify(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  credential: string | undefined,
): Promise<Account | undefined> {
  const { interactionUid } = attempt;
  const { deviceClass } = thisAsker(ctx, tools, attempt);
  const person = `${passkeyFactor} ${interactionUid}`;
  if (!(await tools.limits.tryFactor({ person, deviceClass }))) return undefined;
  const shown = await tools.passkeys.authenticate(interactionUid, credential);
  const isOther = 'identity' in attempt && attempt.identity.accountId !== shown?.accountId;
  if (!shown || isOther) return undefined;
  return activeAccount(shown, tools);
}

async function prove(
  ctx: RouterContext,
  tools: LoginTools,
  shown: LoadedAttempt,
  account: Account,
): Promise<void> {
  const { id: accountId, email, username } = account;
  const identity = { identifier: email ?? username ?? accountId, accountId };
  const naming =
    shown.attempt.phase === 'new' ? ({ type: 'identified', identity } as const) : undefined;
  // Whom the policy keeps out, it keeps out by every way.
  const loaded = await decideOn(ctx, tools, shown, new Map(), naming);
  const { attempt } = loaded;
  if (attempt.phase !== 'identified') return;
  const proof = passkeyProof(accountId, tools.clock(), tools.settings.environment);
  const { attempt: proven, refused } = await propose(
    tools,
    attempt,
    [
      { type: 'factor_chosen', factor: passkeyFactor },
      { type: 'proven', proof },
    ],
    loaded,
  );
  if (refused) return;
  recordFor(tools, proven, 'factor.proven', passkeyFactor);
  // The person is there after all: what strangers did no longer keeps a new device out.
  if (account.enrolment) await tools.turns.reopen(account.enrolment.id);
}

async function ask(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  error?: 'wrong',
): Promise<void> {
  const account = await whoIsHere(attempt, tools);
  const asked = await tools.passkeys.authenticationOptions(attempt.interactionUid, account);
  show(ctx, tools, attempt, { options: JSON.stringify(asked), ...(error ? { error } : {}) });
}

/** Only somebody who is signed in here already is told which passkeys they have: by their browser, which names them. */
async function whoIsHere(attempt: Attempt, { accounts }: LoginTools): Promise<Account | undefined> {
  if (attempt.kind !== 'step_up' || !('identity' in attempt)) return undefined;
  const accountId = attempt.identity.accountId;
  return accountId === undefined ? undefined : accounts.find(accountId);
}

function show(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  asked: { options?: string; error?: 'wrong' },
): void {
  const { interactionUid, client } = attempt;
  const onlyPasskey = isOnlyWay(attempt, tools);
  const page = {
    page: 'passkey',
    ...{ client, onlyPasskey, ...asked },
    actions: {
      begin: pathOf(interactionUid, 'passkey'),
      answer: pathOf(interactionUid, 'passkey-answer'),
      otherWay: onlyPasskey ? undefined : pathOf(interactionUid, 'other-way'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  const status = asked.error ? 400 : 200;
  tools.show(ctx, status, page, shownFor(attempt));
}
