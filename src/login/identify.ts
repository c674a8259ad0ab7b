/** Who are you? Whatever is typed, the answer looks the same; whether it names somebody is known to us alone. */
import type { RouterContext } from '@koa/router';
import { type LoginTools, ownAttempt, pathOf, propose, recordFor, toDispatcher } from './room.ts';
import type { Attempt } from '../domain/attempt.ts';

/** An e-mail address is at most this long (RFC 5321). */
const maximumLength = 254;

export function showIdentify(
  ctx: RouterContext,
  { show }: LoginTools,
  attempt: Attempt,
  error?: 'empty' | 'too_long',
): void {
  const { interactionUid, client, request, reference } = attempt;
  const page = {
    page: 'identify',
    client,
    identifier: request.loginHint,
    ...(error ? { error } : {}),
    actions: {
      identify: pathOf(interactionUid, 'identify'),
      otherWay: pathOf(interactionUid, 'other-way'),
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  show(ctx, error ? 400 : 200, page, { uiLocales: request.uiLocales, reference });
}

export async function identify(
  ctx: RouterContext,
  tools: LoginTools,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const loaded = await ownAttempt(ctx, tools);
  if (loaded.attempt.phase !== 'new') {
    toDispatcher(ctx);
    return;
  }
  const identifier = form.get('identifier')?.trim() ?? '';
  if (identifier === '') {
    showIdentify(ctx, tools, loaded.attempt, 'empty');
    return;
  }
  if (identifier.length > maximumLength) {
    showIdentify(ctx, tools, loaded.attempt, 'too_long');
    return;
  }
  const accountId = await tools.accounts.idOf(identifier);
  const event = { type: 'identified', identity: { identifier, accountId } } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (!refused) recordFor(tools, attempt, 'login.decided', 'selfie');
  toDispatcher(ctx);
}
