/** What a login leaves behind for the next one: where it was, and the key of its browser. */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import {
  type DeviceKey,
  type FamiliarPlace,
  withKey,
  withProof,
  withoutKeys,
} from '../domain/familiar.ts';
import type { Whereabouts } from '../domain/whereabouts.ts';
import { madeKey } from './device-key.ts';
import type { LoginTools } from './room.ts';

/** Hashed for this account: it is only ever compared, and tells nothing about anybody else's. */
export function placeNames(
  { hash }: Pick<LoginTools, 'hash'>,
  accountId: string,
  { network, country, autonomousSystem }: Whereabouts,
): Omit<FamiliarPlace, 'atMs'> {
  const named = (kind: string, name: string | number | undefined) =>
    name === undefined ? undefined : hash(`${kind} ${accountId} ${name}`);
  return {
    network: named('network', network),
    country: named('country', country),
    autonomous_system: named('as', autonomousSystem),
  };
}

/**
 * @param attempt as it was when the door opened.
 * @returns the key that this login made, if it did.
 */
export async function becomeFamiliar(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  form: ReadonlyMap<string, string>,
): Promise<DeviceKey | undefined> {
  if (!('identity' in attempt) || attempt.identity.accountId === undefined) return undefined;
  const { accountId } = attempt.identity;
  const proof = proofHere(attempt);
  const device = 'device' in attempt && attempt.device.kind === 'key' ? attempt.device : undefined;
  if (proof === undefined && !device) return undefined;

  const made = madeKey(ctx, tools, attempt, form);
  const here = tools.whereabouts.of(ctx.ip);
  const nowMs = tools.clock();
  await tools.familiar.change(accountId, (before) => {
    const used = before.keys.find(({ id }) => id === device?.id);
    const key = made ?? (used && { ...used, usedAtMs: nowMs, actedAtMs: proof ?? used.actedAtMs });
    // Whoever sits there next may find the browser's half of it still.
    const isShared = attempt.phase === 'captured' && attempt.capture.isShared === true;
    const withIt = isShared
      ? withoutKeys(before, ({ id }) => id === device?.id)
      : key
        ? withKey(before, key)
        : before;
    if (proof === undefined) return withIt;
    return withProof(withIt, placeNames(tools, accountId, here), here.location, nowMs);
  });
  return made;
}

/** When a selfie or a passkey was shown that surely was shown here; undefined: none was. */
function proofHere(attempt: Attempt): number | undefined {
  if (attempt.phase === 'captured') {
    const isHere = attempt.verdict?.locality === 'agrees' && !attempt.capture.handoff;
    return isHere ? attempt.verdict?.decidedAtMs : undefined;
  }
  const isPasskey = attempt.phase === 'proven' && !attempt.legs && !attempt.skippedAtMs;
  return isPasskey ? attempt.proof.provenAtMs : undefined;
}
