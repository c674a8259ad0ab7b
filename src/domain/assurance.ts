/**
 * Authentication context classes: what this provider can say about how somebody signed in.
 *
 * The order is partial. It is written out pairwise, not computed from ranks, so that a reader can check each
 * claim by itself and so that `phr` (phishing-resistant, a passkey) stays apart: no selfie, however well
 * guarded, satisfies a request for it, and a passkey does not satisfy a request for a face.
 */
import type { FactorName } from './message.ts';

const urn = 'urn:didit-oidc:acr:';

export const acr = {
  device: `${urn}device`,
  fallback: `${urn}fallback`,
  selfieHandoff: `${urn}selfie-handoff`,
  selfie: `${urn}selfie`,
  selfieDevice: `${urn}selfie-device`,
  selfieActive: `${urn}selfie-active`,
  passkey: 'phr',
} as const;

/** For each class, the classes that it also satisfies, besides itself. */
const satisfiedBy: ReadonlyMap<string, readonly string[]> = new Map([
  [acr.selfieActive, [acr.selfieDevice, acr.selfie, acr.device, acr.selfieHandoff, acr.fallback]],
  [acr.selfieDevice, [acr.selfie, acr.device, acr.selfieHandoff, acr.fallback]],
  [acr.selfie, [acr.device, acr.selfieHandoff, acr.fallback]],
  [acr.selfieHandoff, [acr.fallback]],
]);

const sandboxSuffix = ':test';

/** In a sandbox nobody looked at a face, and every class says so. */
export function acrName(name: string, environment: 'live' | 'sandbox'): string {
  return environment === 'sandbox' ? name + sandboxSuffix : name;
}

/** Does a sign-in of class `have` answer a request for `want`? A live class never answers a test one, or back. */
export function satisfies(have: string, want: string): boolean {
  if (have === want) return true;
  const haveTest = have.endsWith(sandboxSuffix);
  if (haveTest !== want.endsWith(sandboxSuffix)) return false;
  const bare = (name: string): string => (haveTest ? name.slice(0, -sandboxSuffix.length) : name);
  return satisfiedBy.get(bare(have))?.includes(bare(want)) ?? false;
}

/** What was proven, by which methods (RFC 8176), and when. The only source of acr, amr and auth_time. */
export interface Proof {
  accountId: string;
  acr: string;
  amr: readonly string[];
  /** Milliseconds since the epoch: when the decision was read or the last code typed, never when the door opened. */
  provenAtMs: number;
}

/** A way in that is typed. One alone signs nobody in: it takes two, as it takes two legs to stand. */
export type LegName = Exclude<FactorName, 'passkey'>;

/** Which legs are enough together. All of them are codes, so what makes them two is where each of them lies. */
const enough: readonly (readonly LegName[])[] = [
  ['mail', 'totp'],
  ['mail', 'recovery'],
  ['totp', 'recovery'],
];

export function suffices(legs: readonly LegName[]): boolean {
  return enough.some((set) => set.every((leg) => legs.includes(leg)));
}

/** Codes, and nothing of a face: `mca` where one came over another channel than the rest. */
export function legsProof(
  accountId: string,
  legs: readonly LegName[],
  provenAtMs: number,
  environment: 'live' | 'sandbox',
): Proof {
  const amr = legs.includes('mail') ? ['otp', 'mca'] : ['otp'];
  return { accountId, acr: acrName(acr.fallback, environment), amr, provenAtMs };
}

/**
 * A passkey, with the PIN or the finger that it took: two factors in one act. Nobody attests here that the key is in
 * hardware, so none of it says so.
 */
export function passkeyProof(
  accountId: string,
  provenAtMs: number,
  environment: 'live' | 'sandbox',
): Proof {
  const amr = ['swk', 'user', 'pop', 'mfa'];
  return { accountId, acr: acrName(acr.passkey, environment), amr, provenAtMs };
}

/** A key of this browser signed, and nothing was done anew: `auth_time` stays that of the last act. */
export function deviceProof(
  accountId: string,
  actedAtMs: number,
  environment: 'live' | 'sandbox',
): Proof {
  return {
    ...{ accountId, acr: acrName(acr.device, environment), amr: ['swk', 'pop'] },
    provenAtMs: actedAtMs,
  };
}

/** What is known of an accepted selfie besides whose it is. */
export interface SelfieTaken {
  decidedAtMs: number;
  /** See isActive. */
  livenessMethods: readonly string[];
  /** A device key, or a passkey, was shown in the same attempt. */
  hasDevice: boolean;
}

/** Liveness by a movement that the person was asked for, and by nothing less. */
export function isActive(livenessMethods: readonly string[]): boolean {
  return livenessMethods.every((method) => method === 'ACTIVE_3D') && livenessMethods.length > 0;
}

/** One accepted selfie in the browser that asked for it, and a second factor only where one was shown. */
export function selfieProof(
  accountId: string,
  { decidedAtMs, livenessMethods, hasDevice }: SelfieTaken,
  environment: 'live' | 'sandbox',
): Proof {
  const withDevice = isActive(livenessMethods) ? acr.selfieActive : acr.selfieDevice;
  return {
    accountId,
    acr: acrName(hasDevice ? withDevice : acr.selfie, environment),
    amr: hasDevice ? ['face', 'swk', 'pop', 'mfa'] : ['face'],
    provenAtMs: decidedAtMs,
  };
}

/**
 * A selfie on a phone, for another browser. What was shown before in that browser raises nothing: nobody looked whether
 * the two are one person's.
 */
export function handoffProof(
  accountId: string,
  decidedAtMs: number,
  environment: 'live' | 'sandbox',
): Proof {
  const amr = ['face', 'mca'];
  return { accountId, acr: acrName(acr.selfieHandoff, environment), amr, provenAtMs: decidedAtMs };
}
