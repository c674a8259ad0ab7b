/**
 * The key of this browser (fallback/device-keys.ts) in a login: it is proven with the form that says who is there or
 * asks for a selfie, and made with the last form of a login whose selfie was surely taken here. Without JavaScript
 * there is none, and nothing but a selfie less spared.
 */
import type { RouterContext } from '@koa/router';
import type { Attempt } from '../domain/attempt.ts';
import type { DeviceProof } from '../domain/deciding.ts';
import { type DeviceKey, type Familiar, isRested, usableKey } from '../domain/familiar.ts';
import { deviceKeyMessage, isSignedBy, readNewKey } from '../fallback/device-keys.ts';
import { type LoginTools, recordFor, thisPlace } from './room.ts';

type Form = ReadonlyMap<string, string>;

/** What a page hands to its script. */
export interface DeviceKeyTask {
  use: 'prove' | 'make' | 'forget';
  message: string;
  /** Under which the browser keeps it: the name that the person typed. It stays there. */
  name: string | undefined;
}

/** Known to whoever was shown the page of this attempt; good for this attempt, which it is proven to but once. */
function messageFor(
  { settings, hash }: Pick<LoginTools, 'settings' | 'hash'>,
  { id }: Attempt,
  use: 'prove' | 'make',
): string {
  return deviceKeyMessage(settings.issuer, use, hash(`device key ${id}`));
}

export function provingTask(
  tools: Pick<LoginTools, 'settings' | 'hash'>,
  attempt: Attempt,
): DeviceKeyTask {
  const name = 'identity' in attempt ? attempt.identity.identifier : undefined;
  return { use: 'prove', message: messageFor(tools, attempt, 'prove'), name };
}

/** After the selfie: a browser that has no key yet makes one, and a shared one forgets. */
export function keepingTask(
  tools: Pick<LoginTools, 'settings' | 'hash'>,
  attempt: Attempt,
): DeviceKeyTask | undefined {
  if (attempt.phase !== 'captured') return undefined;
  const name = attempt.identity.identifier;
  if (attempt.capture.isShared) return { use: 'forget', message: '', name };
  if (!mayMakeKey(attempt)) return undefined;
  return { use: 'make', message: messageFor(tools, attempt, 'make'), name };
}

/** Only by a selfie that was surely taken in this browser, and never as part of getting back in. */
function mayMakeKey(attempt: Attempt): attempt is Attempt & { phase: 'captured' } {
  if (attempt.phase !== 'captured' || attempt.capture.isShared || attempt.device) return false;
  if (attempt.capture.handoff) return false;
  const isOfKind = ['login', 'step_up', 'enrol'].includes(attempt.kind);
  return isOfKind && attempt.verdict?.locality === 'agrees';
}

/** A key that does not hold is no more than none: the browser is new then, and is told nothing. */
export async function provenDevice(
  tools: LoginTools,
  attempt: Attempt,
  accountId: string,
  form: Form,
): Promise<{ device?: DeviceProof; isRested?: boolean; familiar: Familiar }> {
  const nowMs = tools.clock();
  const familiar = await tools.familiar.load(accountId);
  const policy = tools.policies.forClient(attempt.client);
  const idleMs = policy.deviceKeyIdleSeconds * 1000;
  const key = usableKey(familiar, form.get('device_key') ?? '', idleMs, nowMs);
  const message = messageFor(tools, attempt, 'prove');
  if (!key || !isSignedBy(key, message, form.get('device_signature'))) {
    recordFor(tools, attempt, 'factor.refused', 'device_key');
    return { familiar };
  }
  recordFor(tools, attempt, 'factor.proven', 'device_key');
  const { id, actedAtMs } = key;
  const isOld = isRested(familiar, key, policy.deviceKeyRestSeconds * 1000, nowMs);
  const mayStand = isOld && (await mayStandForSelfie(tools, accountId, actedAtMs));
  return { device: { id, kind: 'key', actedAtMs }, isRested: mayStand, familiar };
}

/** Only where the selfie itself would let in, and as long as the last one that was taken here counts. */
async function mayStandForSelfie(
  { accounts }: Pick<LoginTools, 'accounts'>,
  accountId: string,
  actedAtMs: number,
): Promise<boolean> {
  const account = await accounts.find(accountId);
  if (!account?.enrolment || account.selfieOff) return false;
  // What was taken back, here or by the person on their page, stands for nothing any more.
  return !(await accounts.isRevoked(accountId, Math.floor(actedAtMs / 1000)));
}

/** @param attempt as it was when the door opened. @returns the key that its last form brought. */
export function madeKey(
  ctx: RouterContext,
  tools: LoginTools,
  attempt: Attempt,
  form: Form,
): DeviceKey | undefined {
  if (!mayMakeKey(attempt) || !attempt.verdict) return undefined;
  const made = readNewKey(form, messageFor(tools, attempt, 'make'));
  if (!made) return undefined;
  const { browser = '', system = '' } = thisPlace(ctx, tools);
  const nowMs = tools.clock();
  const times = { addedAtMs: nowMs, usedAtMs: nowMs, actedAtMs: attempt.verdict.decidedAtMs };
  return { ...made, name: [browser, system].filter(Boolean).join(', '), ...times };
}
