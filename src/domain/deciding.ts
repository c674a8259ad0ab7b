/**
 * What an attempt takes: the policy decides by its signals (policy.ts), and the app by what it asked for. The policy
 * may spare somebody a selfie; the app may ask for more proof than the policy would, and never for less.
 */
import { acr, acrName, deviceProof, satisfies } from './assurance.ts';
import type { Attempt, AttemptEvent, Transition } from './attempt.ts';
import { end } from './end.ts';
import { isEnrolling } from './joining.ts';
import type { Action, Decision } from './policy.ts';

/** A key of this browser that signed this attempt's challenge, or a passkey of the same person. */
export interface DeviceProof {
  id: string;
  kind: 'key' | 'passkey';
  /** When its person last did more here than be there: a selfie, in this browser. */
  actedAtMs: number;
}

/** What was decided, as it is kept. `rule` says why, unless it is the app that made it more, or less of it was possible. */
export type DecisionOnRecord = Decision & { atMs: number; instead?: Action };

/** What an app asks of a sign-in: how strong, how new. */
export interface AssuranceRequest {
  /** One of these it must be. */
  essentialAcr?: readonly string[];
  /** The operator's least for this app. */
  minimumAcr?: string;
  /** One of these it would like, most wanted first. */
  wantedAcr?: readonly string[];
  /** `prompt=login`, or a sign-in that is older than `max_age` allows: something has to be done anew. */
  isNewActAsked?: true;
  maxAgeSeconds?: number;
}

/** May the request end with this class? */
export function mayEndWith(request: AssuranceRequest, name: string): boolean {
  const { essentialAcr = [], minimumAcr } = request;
  if (minimumAcr !== undefined && !satisfies(name, minimumAcr)) return false;
  return essentialAcr.length === 0 || essentialAcr.some((want) => satisfies(name, want));
}

function answers(request: AssuranceRequest, name: string): boolean {
  const { wantedAcr = [] } = request;
  const isWanted = wantedAcr.length === 0 || wantedAcr.some((want) => satisfies(name, want));
  return isWanted && mayEndWith(request, name);
}

export interface Reach {
  environment: 'live' | 'sandbox';
  /** Is there a workflow for active liveness? */
  hasActive: boolean;
}

/** The class that an action would end with, in this browser. */
export function classOf(action: Action, hasDevice: boolean, reach: Reach): string | undefined {
  const named = (name: string): string => acrName(name, reach.environment);
  switch (action) {
    case 'skip':
      return hasDevice ? named(acr.device) : undefined;
    case 'selfie':
      return named(hasDevice ? acr.selfieDevice : acr.selfie);
    case 'selfie_active':
      if (!reach.hasActive) return undefined;
      return named(hasDevice ? acr.selfieActive : acr.selfie);
    default:
      return undefined;
  }
}

/** @returns the policy's action, or a stronger one where the app asked for more. */
export function settleOn(
  decided: Action,
  { request, device }: { request: AssuranceRequest; device?: DeviceProof | undefined },
  reach: Reach,
  nowMs: number,
): Action {
  const hasDevice = device !== undefined;
  const isAnswer = (action: Action): boolean => {
    const name = classOf(action, hasDevice, reach);
    return name !== undefined && answers(request, name);
  };
  if (decided === 'skip') {
    if (isAnswer('skip') && maySkip(request, device, nowMs)) return 'skip';
    return settleOn('selfie', { request, device }, reach, nowMs);
  }
  if (decided === 'selfie' && !isAnswer('selfie') && isAnswer('selfie_active')) {
    return 'selfie_active';
  }
  // Where nothing can look more closely, nobody is let in by looking less closely.
  return decided === 'selfie_active' && !reach.hasActive ? 'fallback' : decided;
}

/** Only a key may stand for a selfie, and only one that was taken here; whoever asks for something new gets it. */
function maySkip(
  request: AssuranceRequest,
  device: DeviceProof | undefined,
  nowMs: number,
): boolean {
  if (device?.kind !== 'key' || request.isNewActAsked) return false;
  return isNewEnough(request, device.actedAtMs, nowMs);
}

/** As the app will reckon it, from the whole second that `auth_time` is. */
export function isNewEnough(
  { maxAgeSeconds = Infinity }: AssuranceRequest,
  provenAtMs: number,
  nowMs: number,
): boolean {
  return nowMs - Math.floor(provenAtMs / 1000) * 1000 <= maxAgeSeconds * 1000;
}

/** Only for the person who was named. */
export function takeDevice(
  attempt: Attempt,
  { accountId, device }: Extract<AttemptEvent, { type: 'device_proven' }>,
): Transition {
  if (attempt.phase !== 'identified' || isEnrolling(attempt)) {
    return { attempt, refused: 'out_of_order' };
  }
  if (accountId !== attempt.identity.accountId) return { attempt, refused: 'other_account' };
  const { decision: _, handoff: __, ...undecided } = attempt;
  return { attempt: { ...undecided, device } };
}

export function takeDecision(
  attempt: Attempt,
  { decision, reach }: Extract<AttemptEvent, { type: 'decided' }>,
  nowMs: number,
): Transition {
  if (attempt.phase !== 'identified' || isEnrolling(attempt)) {
    return { attempt, refused: 'out_of_order' };
  }
  const { device, request, identity } = attempt;
  const action = settleOn(decision.action, { request, device }, reach, nowMs);
  const instead = action === decision.action ? {} : { instead: decision.action };
  const decided = { ...attempt, decision: { ...decision, action, ...instead, atMs: nowMs } };
  switch (action) {
    case 'selfie':
    case 'selfie_active':
    case 'fallback':
      return { attempt: decided };
    case 'skip': {
      if (!device || identity.accountId === undefined) return { attempt, refused: 'out_of_order' };
      const { factor: _, legs: __, handoff: ___, ...rest } = decided;
      const proof = deviceProof(identity.accountId, device.actedAtMs, reach.environment);
      return { attempt: { ...rest, phase: 'proven', proof, skippedAtMs: nowMs } };
    }
    case 'deny':
      return { attempt: end(decided, { phase: 'denied', reason: 'refused' }, nowMs) };
    case 'review':
      return { attempt: end(decided, { phase: 'denied', reason: 'in_review' }, nowMs) };
  }
}
