/**
 * Authentication context classes: what this provider can say about how somebody signed in.
 *
 * The order is partial. It is written out pairwise, not computed from ranks, so that a reader can check each
 * claim by itself and so that `phr` (phishing-resistant, a passkey) stays apart: no selfie, however well
 * guarded, satisfies a request for it, and a passkey does not satisfy a request for a face.
 */
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
  /** Milliseconds since the epoch: when Didit's decision was read, never when the browser came back. */
  provenAtMs: number;
}

/** Another factor than a selfie: nothing is said of a face. */
export function factorProof(
  accountId: string,
  amr: readonly string[],
  provenAtMs: number,
  environment: 'live' | 'sandbox',
): Proof {
  return { accountId, acr: acrName(acr.fallback, environment), amr, provenAtMs };
}

/** One accepted selfie in the browser that asked for it, and nothing besides. */
export function selfieProof(
  accountId: string,
  decidedAtMs: number,
  environment: 'live' | 'sandbox',
): Proof {
  return {
    accountId,
    acr: acrName(acr.selfie, environment),
    amr: ['face'],
    provenAtMs: decidedAtMs,
  };
}
