/** Who asks, as far as limits and turns care: which browser, from where, known to this account or not. */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import { handoffOf } from '../domain/handoff.ts';
import type { Asker } from '../store/limits.ts';
import { thisDevice } from './device.ts';
import { type LoginTools, thisPlace } from './room.ts';

export function thisAsker(
  ctx: RouterContext,
  tools: Omit<LoginTools, 'enrolment'>,
  attempt: Attempt,
): Omit<Asker, 'enrolmentId'> {
  const device = thisDevice(ctx, tools);
  const accountId = 'identity' in attempt ? attempt.identity.accountId : undefined;
  // Somebody who is signed in here, and proves it anew, is no stranger either.
  const isKnown =
    accountId !== undefined &&
    (attempt.kind === 'step_up' || hasShownKey(attempt) || device.knows(accountId));
  return {
    device: device.id,
    // A phone that is known does not make the browser known that it helps.
    deviceClass: handoffOf(attempt)?.deviceClass ?? (isKnown ? 'known' : 'unknown'),
    network: thisPlace(ctx, tools).network,
    clientId: attempt.client.id,
  };
}

const hasShownKey = (attempt: Attempt): boolean => 'device' in attempt;
