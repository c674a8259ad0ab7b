/**
 * One answer of an authenticator (Web Authentication, Level 3): its size, its shape, and what it says once the library
 * has verified it. Nothing is looked up or remembered here, see passkeys.ts. Whatever is wrong with an answer, it is
 * `undefined`: why is of no use to those who send it.
 */
import { z } from 'zod';
import type { Passkey } from '../store/factors.ts';

/** Who asks: a passkey is made for one host, and used from one origin. */
export interface RelyingParty {
  id: string;
  origin: string;
  name: string;
}

/** ES256 is what nearly all make, RS256 what older Windows machines do (RFC 9053, RFC 8812). */
export const algorithms: readonly number[] = [-8, -7, -257];

/** Of the answer as JSON text: the largest that an authenticator makes of these algorithms has half of it. */
const longestAnswer = 12_288;
const base64url = z.string().regex(/^[\w-]+$/);
const credential = { id: base64url, rawId: base64url, type: z.literal('public-key') };

const registration = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string()).catch([]),
  }),
});
const assertion = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish(),
  }),
});

export type Registration = z.infer<typeof registration>;
export type Assertion = z.infer<typeof assertion>;

/** @param text what stood in the form's field. */
export const readRegistration = (text: unknown): Registration | undefined =>
  read(registration, text);
export const readAssertion = (text: unknown): Assertion | undefined => read(assertion, text);

function read<T>(shape: z.ZodType<T>, text: unknown): T | undefined {
  if (typeof text !== 'string' || text.length > longestAnswer) return undefined;
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export type NewCredential = Omit<Passkey, 'name' | 'createdAtMs' | 'usedAtMs'>;

/** @returns the credential that was made for this challenge. */
export async function verifyRegistration(
  { response, ...rest }: Registration,
  challenge: string,
  { id, origin }: RelyingParty,
): Promise<NewCredential | undefined> {
  const { verifyRegistrationResponse } = await loadLibrary();
  const mayVerify = (await isOnOurPage(response)) && (await isWithoutCertificates(response));
  if (!mayVerify) return undefined;
  const { registrationInfo } = await orNothing(
    verifyRegistrationResponse({
      response: { ...rest, response, clientExtensionResults: {} },
      ...{ expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: id },
      requireUserVerification: true,
      supportedAlgorithmIDs: [...algorithms],
    }),
  );
  if (!registrationInfo) return undefined;
  const { credential: made, credentialDeviceType } = registrationInfo;
  return {
    id: made.id,
    publicKey: Buffer.from(made.publicKey).toString('base64url'),
    counter: made.counter,
    transports: response.transports.filter((name) => /^[a-z-]{1,16}$/.test(name)).slice(0, 8),
    isSynced: credentialDeviceType === 'multiDevice',
  };
}

/** @returns the authenticator's count of signatures, which is for the caller to judge. */
export async function verifyAssertion(
  { response: { userHandle: _, ...response }, ...rest }: Assertion,
  { id: credentialId, publicKey }: Passkey,
  challenge: string,
  { id, origin }: RelyingParty,
): Promise<number | undefined> {
  const { verifyAuthenticationResponse } = await loadLibrary();
  if (!(await isOnOurPage(response))) return undefined;
  const { verified, authenticationInfo } = await orNothing(
    verifyAuthenticationResponse({
      response: { ...rest, response, clientExtensionResults: {} },
      ...{ expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: id },
      // With its own count at 0 the library leaves ours alone: it would compare before it knows who signed.
      credential: {
        ...{ id: credentialId, counter: 0 },
        publicKey: new Uint8Array(Buffer.from(publicKey, 'base64url')),
      },
      requireUserVerification: true,
    }),
  );
  return verified ? authenticationInfo?.newCounter : undefined;
}

/** A third of a second's worth of packages, for those who have a passkey. */
export const loadLibrary = () => import('@simplewebauthn/server');
const loadHelpers = () => import('@simplewebauthn/server/helpers');

/** The library throws for each thing that it finds wrong. */
async function orNothing<T extends object>(verified: Promise<T>): Promise<Partial<T>> {
  return verified.catch(() => ({}));
}

/** Our pages stand in no other site's frame, so no answer comes from one. */
async function isOnOurPage({ clientDataJSON }: { clientDataJSON: string }): Promise<boolean> {
  const { decodeClientDataJSON } = await loadHelpers();
  try {
    return decodeClientDataJSON(clientDataJSON).crossOrigin !== true;
  } catch {
    return false;
  }
}

/**
 * We ask for no attestation, so browsers send none, or one that the new key itself signed. Certificates are nothing that
 * we would believe, so they are not read either, nor the lists called that they name.
 */
async function isWithoutCertificates(response: Registration['response']): Promise<boolean> {
  const { decodeAttestationObject } = await loadHelpers();
  try {
    const bytes = new Uint8Array(Buffer.from(response.attestationObject, 'base64url'));
    const attestation = decodeAttestationObject(bytes);
    const format = attestation.get('fmt');
    const statement = attestation.get('attStmt');
    return format === 'none' || (format === 'packed' && statement.get('x5c') === undefined);
  } catch {
    return false;
  }
}
