/** From the library's interaction to our attempt, once, when the dispatcher first sees it. */
import type { RouterContext } from '@koa/router';
import { type Client, type Interaction, errors } from 'oidc-provider';
import {
  type Attempt,
  type AttemptKind,
  isEnrolling,
  newAttempt,
  transition,
} from '../domain/attempt.ts';
import { Problem } from '../domain/problem.ts';
import { createPrompt, minimumOf, requestedAssurance } from '../oidc/prompts.ts';
import type { Account } from '../store/accounts.ts';
import { wantedLanguages } from '../web/language.ts';
import { newReference } from '../web/respond.ts';
import type { Admission } from './enrolment.ts';
import { type LoginTools, recordFor } from './room.ts';

export async function readInteraction(
  ctx: RouterContext,
  { provider }: Pick<LoginTools, 'provider'>,
): Promise<Interaction> {
  try {
    return await provider.interactionDetails(ctx.req, ctx.res);
  } catch (cause) {
    if (cause instanceof errors.SessionNotFound) {
      throw new Problem('interaction_over', undefined, { cause });
    }
    throw cause;
  }
}

export async function startAttempt(
  ctx: RouterContext,
  interaction: Interaction,
  tools: LoginTools,
): Promise<Attempt> {
  const { accounts, attempts, clock, random } = tools;
  // Another person than the one of the session was asked for: who it is has to be said.
  const isOther = interaction.prompt.reasons.includes('subject');
  const accountId = isOther ? undefined : interaction.session?.accountId;
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  const admission = await tools.enrolment?.admit(ctx, interaction);
  const client = await findClient(interaction, tools);
  const minimumAcr = client && minimumOf(client, tools.settings.environment);
  const attempt = newAttempt({
    id: random(16),
    kind: admission?.kind ?? kindOf(interaction, tools, account),
    interactionUid: interaction.uid,
    reference: newReference(random),
    client: describeClient(interaction, client),
    request: {
      loginHint: text(interaction.params.login_hint),
      uiLocales: wantedLanguages(ctx, text(interaction.params.ui_locales)).join(' ') || undefined,
      ...requestedAssurance(interaction, minimumAcr),
    },
    createdAtMs: clock(),
    expiresAtMs: interaction.exp * 1000,
  });
  const begun = begin(attempt, admission, account, clock());
  const saved = await attempts.start(begun);
  if (saved.id === attempt.id) recordFor(tools, saved, 'login.started');
  return saved;
}

function kindOf(
  { prompt }: Interaction,
  { enrolment }: LoginTools,
  account: Account | undefined,
): AttemptKind {
  if (prompt.name === createPrompt && enrolment?.isOpen) return 'enrol';
  return account ? 'step_up' : 'login';
}

/** Somebody is signed in here: it is they who have to prove it anew, unless they say otherwise. */
function begin(
  attempt: Attempt,
  admission: Admission | undefined,
  account: Account | undefined,
  nowMs: number,
): Attempt {
  if (admission) {
    return transition(attempt, { type: 'admitted', identity: admission.identity }, nowMs).attempt;
  }
  const identifier = account && (account.email ?? account.username);
  if (identifier === undefined || isEnrolling(attempt)) return attempt;
  const identity = { identifier, accountId: account?.id };
  return transition(attempt, { type: 'identified', identity }, nowMs).attempt;
}

/** The same request, asked again: another try, by the same person or by another. */
export function nextAttempt(
  old: Attempt,
  keep: 'identity' | 'nothing',
  { clock, random }: Pick<LoginTools, 'clock' | 'random'>,
  newKind?: AttemptKind,
): Attempt {
  const { kind, interactionUid, reference, client, request, expiresAtMs } = old;
  const fresh = newAttempt({
    ...{ interactionUid, reference, client, request, expiresAtMs },
    kind: newKind ?? (keep === 'identity' ? kind : 'login'),
    id: random(16),
    createdAtMs: clock(),
  });
  const identity = 'identity' in old ? old.identity : undefined;
  if (keep === 'nothing' || !identity) return fresh;
  const type = isEnrolling(fresh) ? 'admitted' : 'identified';
  return transition(fresh, { type, identity }, clock()).attempt;
}

/** The app that asks; one that registered itself is read from the store. */
export const findClient = (
  { params }: Interaction,
  { provider }: Pick<LoginTools, 'provider'>,
): Promise<Client | undefined> => provider.Client.find(String(params.client_id));

/** Who asks: the name that the client gave itself, and the host that it really is. */
export function describeClient(
  { params }: Interaction,
  client: Client | undefined,
): Attempt['client'] {
  const id = String(params.client_id);
  const redirectUri = text(params.redirect_uri) ?? client?.redirectUris?.[0] ?? '';
  const policy = text((client as { policy?: unknown } | undefined)?.policy);
  return {
    ...{ id, name: client?.clientName ?? id, host: URL.parse(redirectUri)?.host ?? id },
    ...(policy === undefined ? {} : { policy }),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, 256) : undefined;
}
