/** The door opens: the attempt is consumed, once, and the library is told what was proven. */
import type { RouterContext } from '@koa/router';
import type { Interaction } from 'oidc-provider';
import { type Attempt, type CurrentAccount, isEnrolling } from '../domain/attempt.ts';
import { standing } from '../domain/standing.ts';
import type { Proof } from '../domain/assurance.ts';
import { createPrompt, isFirstParty } from '../oidc/prompts.ts';
import { isAbout, wantedSubject } from '../oidc/requested-subject.ts';
import { rememberDevice } from './device.ts';
import { keepingTask } from './device-key.ts';
import { becomeFamiliar } from './familiar.ts';
import {
  type LoginTools,
  ownAttempt,
  pathOf,
  propose,
  recordFor,
  shownFor,
  toDispatcher,
} from './room.ts';
import { readInteraction } from './start.ts';
import { noteLikeness, noteSignIn, writeOfSignIn } from './told.ts';

/** The only ones who are told what strangers tried are those who have just shown who they are. */
export async function showContinue(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
): Promise<void> {
  const { show, accounts } = tools;
  const { interactionUid, client } = attempt;
  const accountId = 'identity' in attempt ? attempt.identity.accountId : undefined;
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  const notices = account?.notices ?? [];
  const actions = { continue: pathOf(interactionUid, 'resume') };
  const deviceKey = keepingTask(tools, attempt);
  show(ctx, 200, { page: 'continue', client, notices, deviceKey, actions }, shownFor(attempt));
}

export async function resume(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  const { at } = standing(loaded.attempt, tools.clock());
  // Read before the proof is spent: an interaction that is gone must not cost it.
  const mayResume = at === 'ready' || at === 'consumed';
  const interaction = mayResume ? await readInteraction(ctx, tools) : undefined;
  if (at === 'ready' && isEnrolling(loaded.attempt)) {
    const completed = await tools.enrolment?.complete(loaded.attempt);
    if (completed === 'under_way') {
      toDispatcher(ctx);
      return;
    }
    if (completed !== 'kept') return endUnkept(ctx, tools, loaded.attempt);
    // With the earlier face went the sessions that it began, also the one from which this sign-in was asked for. The
    // library would look for it; that this is the browser is known by its cookies.
    if (loaded.attempt.kind !== 'enrol') delete interaction?.session;
  }
  const account = await currentAccount(loaded.attempt, tools);
  const proposed = await propose(tools, loaded.attempt, { type: 'finished', account }, loaded);
  const { attempt, changed, refused } = proposed;
  if (changed && attempt.phase === 'denied') {
    recordFor(tools, attempt, 'login.denied', attempt.reason);
  }
  if (!interaction || attempt.phase !== 'consumed') {
    toDispatcher(ctx);
  } else if (refused) {
    resumeAgain(ctx, interaction);
  } else {
    // First, so that no sign-in is missing there.
    await noteSignIn(ctx, tools, attempt, attempt.proof);
    // Another face has just ended the sign-ins from before it: the library must not wait for the one that asked.
    if (attempt.kind === 're_enrol') delete interaction.session;
    const isRight = await finishInteraction(interaction, tools, attempt.proof);
    if (isRight) {
      const made = await becomeFamiliar(ctx, tools, loaded.attempt, form);
      if (made) recordFor(tools, attempt, 'factor.added', 'device_key');
      await writeOfSignIn(ctx, tools, loaded.attempt, attempt.proof, made);
    }
    await noteLikeness(tools, loaded.attempt);
    rememberPlace(ctx, tools, loaded.attempt);
    if (account?.hasNotices) await tools.accounts.clearNotices(attempt.proof.accountId);
    if (isRight) recordFor(tools, attempt, 'login.completed', attempt.proof.acr);
    else recordFor(tools, attempt, 'login.denied', 'other_person');
    seeOther(ctx, interaction.returnTo);
  }
}

/** The face could not be kept: nobody is signed in by it. */
async function endUnkept(ctx: RouterContext, tools: LoginTools, attempt: Attempt): Promise<void> {
  await propose(tools, attempt, { type: 'gave_up', reason: 'unavailable' });
  recordFor(tools, attempt, 'login.denied', 'enrolment_not_kept');
  toDispatcher(ctx);
}

/** What the account is now; what it was when the selfie began may be over. */
async function currentAccount(
  attempt: Attempt,
  { accounts }: LoginTools,
): Promise<(CurrentAccount & { hasNotices: boolean }) | undefined> {
  const accountId = 'identity' in attempt ? attempt.identity.accountId : undefined;
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  if (account?.status !== 'active') return undefined;
  return { enrolmentId: account.enrolment?.id, hasNotices: (account.notices ?? []).length > 0 };
}

/** This browser is no stranger to the account any more, if the selfie was surely taken here, or the passkey used. */
function rememberPlace(ctx: RouterContext, tools: LoginTools, attempt: Attempt): void {
  if (!('identity' in attempt) || attempt.identity.accountId === undefined) return;
  const isSelfieOfHere =
    attempt.phase === 'captured' &&
    attempt.verdict?.locality === 'agrees' &&
    !attempt.capture.isShared &&
    !attempt.capture.handoff;
  // Codes can be read out to another browser; what a passkey signs is of no use to one.
  const isPasskey = attempt.phase === 'proven' && !attempt.legs;
  if (isSelfieOfHere || isPasskey) rememberDevice(ctx, tools, attempt.identity.accountId);
}

/**
 * A request that was about one person is not answered with another. It is refused here already: the library would
 * first sign out whoever has the session, and that may well be the one who was asked for.
 * @returns whether it was the right person.
 */
async function finishInteraction(
  interaction: Interaction,
  { provider, subjectFor }: LoginTools,
  { accountId, acr, amr, provenAtMs }: Proof,
): Promise<boolean> {
  const client = await provider.Client.find(String(interaction.params.client_id));
  const subject = client && subjectFor(client, accountId);
  const isRight = isAbout(wantedSubject(interaction.params), subject);
  const login = { accountId, acr, amr: [...amr], ts: Math.floor(provenAtMs / 1000) };
  interaction.result = isRight
    ? {
        login: { ...login, remember: true },
        ...(isFirstParty(client) ? { consent: {} } : {}),
        // Whether the account is new or was there before: who asked for one has got one.
        ...(interaction.prompt.name === createPrompt ? { [createPrompt]: {} } : {}),
      }
    : {
        error: 'login_required',
        error_description: 'somebody else was asked for than signed in',
      };
  await interaction.persist();
  return isRight;
}

/**
 * A second press of the button: the first one's answer was lost on the way, but not what it did. The library takes
 * a result once; until it has, this browser may be sent to it again.
 */
function resumeAgain(ctx: RouterContext, interaction: Interaction): void {
  if (interaction.result) seeOther(ctx, interaction.returnTo);
  else toDispatcher(ctx);
}

export function seeOther(ctx: RouterContext, address: string): void {
  ctx.status = 303;
  ctx.redirect(address);
}
