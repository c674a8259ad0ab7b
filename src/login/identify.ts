/** Who are you? Whatever is typed, the answer looks the same; whether it names somebody is known to us alone. */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import type { LoadedAttempt } from '../store/attempts.ts';
import { decideOn } from './decide.ts';
import { provingTask } from './device-key.ts';
import { passkeyAction } from './passkey.ts';
import {
  type LoginTools,
  ownAttempt,
  pathOf,
  propose,
  recordFor,
  shownFor,
  toDispatcher,
} from './room.ts';

/** An e-mail address is at most this long (RFC 5321). */
const maximumLength = 254;

export function showIdentify(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  error?: 'empty' | 'too_long',
): void {
  const { interactionUid, client, request } = attempt;
  const page = {
    page: 'identify',
    client,
    identifier: request.loginHint,
    deviceKey: provingTask(tools, attempt),
    ...(error ? { error } : {}),
    actions: {
      identify: pathOf(interactionUid, 'identify'),
      passkey: passkeyAction(tools, attempt),
      otherWay: pathOf(interactionUid, 'other-way'),
      signUp: tools.enrolment?.isOpen ? pathOf(interactionUid, 'sign-up') : undefined,
      cancel: pathOf(interactionUid, 'cancel'),
    },
  } as const;
  tools.show(ctx, error ? 400 : 200, page, shownFor(attempt));
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
  const identifier = typedIdentifier(form);
  if (identifier === '') {
    showIdentify(ctx, tools, loaded.attempt, 'empty');
    return;
  }
  if (identifier.length > maximumLength) {
    showIdentify(ctx, tools, loaded.attempt, 'too_long');
    return;
  }
  const accountId = await tools.accounts.idOf(identifier);
  const naming = { type: 'identified', identity: { identifier, accountId } } as const;
  await decideOn(ctx, tools, loaded, form, naming);
  toDispatcher(ctx);
}

/** "Another way" of the first page takes along what was typed there: the next page then offers the ways. */
export async function nameBeforeLeaving(
  tools: LoginTools,
  loaded: LoadedAttempt,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const identifier = typedIdentifier(form);
  const isName = identifier !== '' && identifier.length <= maximumLength;
  if (loaded.attempt.phase !== 'new' || !isName) return;
  const accountId = await tools.accounts.idOf(identifier);
  const event = { type: 'identified', identity: { identifier, accountId } } as const;
  const { attempt, refused } = await propose(tools, loaded.attempt, event, loaded);
  if (!refused) recordFor(tools, attempt, 'login.decided', 'other_way');
}

function typedIdentifier(form: ReadonlyMap<string, string>): string {
  return form.get('identifier')?.trim() ?? '';
}
