/** An app that is not of the house asks first: which claims it wants, in words, with yes and no of equal weight. */
import type { RouterContext } from '@koa/router';
import type { Interaction } from 'oidc-provider';
import { type LoginTools, ownInteraction, pathOf } from './room.ts';
import { seeOther } from './resume.ts';
import { describeClient, findClient, readInteraction } from './start.ts';

export async function showConsent(
  ctx: RouterContext,
  tools: LoginTools,
  interaction: Interaction,
): Promise<void> {
  const { params, uid } = interaction;
  const client = await findClient(interaction, tools);
  const asking = describeClient(interaction, client);
  const page = {
    page: 'consent',
    client: { ...asking, privacyUrl: client?.policyUri, termsUrl: client?.tosUri },
    scopes: (typeof params.scope === 'string' ? params.scope : 'openid').split(' '),
    actions: { allow: pathOf(uid, 'allow'), deny: pathOf(uid, 'deny') },
  } as const;
  const uiLocales = typeof params.ui_locales === 'string' ? params.ui_locales : undefined;
  tools.show(ctx, 200, page, { uiLocales });
}

export async function allow(ctx: RouterContext, tools: LoginTools): Promise<void> {
  ownInteraction(ctx, tools.provider);
  const interaction = await readInteraction(ctx, tools);
  const { prompt, session, params, grantId } = interaction;
  if (prompt.name !== 'consent' || !session) {
    seeOther(ctx, interaction.returnTo);
    return;
  }
  const { Grant } = tools.provider;
  const found = grantId === undefined ? undefined : await Grant.find(grantId);
  const grant =
    found ?? new Grant({ accountId: session.accountId, clientId: String(params.client_id) });
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  for (const [indicator, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(indicator, scopes.join(' '));
  }
  interaction.result = { ...interaction.lastSubmission, consent: { grantId: await grant.save() } };
  await interaction.persist();
  seeOther(ctx, interaction.returnTo);
}

export async function deny(ctx: RouterContext, tools: LoginTools): Promise<void> {
  ownInteraction(ctx, tools.provider);
  const interaction = await readInteraction(ctx, tools);
  interaction.result = { error: 'access_denied', error_description: 'End-User denied consent' };
  await interaction.persist();
  seeOther(ctx, interaction.returnTo);
}
