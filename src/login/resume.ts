/** The door opens: the attempt is consumed, once, and the library is told what was proven. */
import type { RouterContext } from '@koa/router';
import type Provider from 'oidc-provider';
import type { Attempt } from '../domain/attempt.ts';
import type { Proof } from '../domain/assurance.ts';
import { isFirstParty } from '../oidc/prompts.ts';
import { type LoginTools, ownAttempt, pathOf, recordFor, toDispatcher } from './room.ts';
import { readInteraction } from './start.ts';

export function showContinue(ctx: RouterContext, { show }: LoginTools, attempt: Attempt): void {
  const { interactionUid, client, request, reference } = attempt;
  const actions = { continue: pathOf(interactionUid, 'resume') };
  show(
    ctx,
    200,
    { page: 'continue', client, actions },
    { uiLocales: request.uiLocales, reference },
  );
}

export async function resume(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  const of = { interactionUid: loaded.attempt.interactionUid, id: loaded.attempt.id };
  const { attempt, refused } = await tools.attempts.propose(of, { type: 'finished' }, loaded);
  if (attempt.phase !== 'consumed') {
    toDispatcher(ctx);
    return;
  }
  // A second press of the button: the first one's answer was lost on the way, but not what it did.
  if (refused) return resumeAgain(ctx, tools);
  const returnTo = await finishInteraction(ctx, tools.provider, attempt.proof);
  recordFor(tools, attempt, 'login.completed', attempt.proof.acr);
  seeOther(ctx, returnTo);
}

async function finishInteraction(
  ctx: RouterContext,
  provider: Provider,
  { accountId, acr, amr, provenAtMs }: Proof,
): Promise<string> {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  const client = await provider.Client.find(String(interaction.params.client_id));
  interaction.result = {
    login: { accountId, acr, amr: [...amr], ts: Math.floor(provenAtMs / 1000), remember: true },
    ...(isFirstParty(client) ? { consent: {} } : {}),
  };
  await interaction.persist();
  return interaction.returnTo;
}

/** The library takes a result once; until it has, this browser may be sent to it again. */
async function resumeAgain(ctx: RouterContext, tools: LoginTools): Promise<void> {
  const interaction = await readInteraction(ctx, tools);
  if (!interaction.result?.login) {
    toDispatcher(ctx);
    return;
  }
  seeOther(ctx, interaction.returnTo);
}

export function seeOther(ctx: RouterContext, address: string): void {
  ctx.status = 303;
  ctx.redirect(address);
}
