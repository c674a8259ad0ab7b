/** What a login leaves behind for the next one: where it was, and the key of its browser. */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import {
  type DeviceKey,
  type Familiar,
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
    const known = isShared(attempt)
      ? withoutKeys(before, ({ id }) => id === device?.id)
      : withUsedKey(before, made, device && { id: device.id, usedAtMs: nowMs, actedAtMs: proof });
    if (proof === undefined) return known;
    return withProof(known, placeNames(tools, accountId, here), here.location, nowMs);
  });
  return made;
}

/** Whoever sits there next may find the browser's half of its key still. */
const isShared = (attempt: Attempt): boolean =>
  attempt.phase === 'captured' && attempt.capture.isShared === true;

/** @param used the key that was proven; `actedAtMs` where its person did more than be there. */
function withUsedKey(
  familiar: Familiar,
  made: DeviceKey | undefined,
  used: { id: string; usedAtMs: number; actedAtMs: number | undefined } | undefined,
): Familiar {
  if (made) return withKey(familiar, made);
  const key = familiar.keys.find(({ id }) => id === used?.id);
  if (!key || !used) return familiar;
  const { usedAtMs, actedAtMs = key.actedAtMs } = used;
  return withKey(familiar, { ...key, usedAtMs, actedAtMs });
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
