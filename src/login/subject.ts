/**
 * Whom a selfie will be compared with. A name that leads to nobody gets a subject as well: ids that are the same
 * each time, the operator's decoy picture, and a verdict that is always no. Whoever tries names sees the same
 * pages, waits the same turn and meets the same limits.
 */
import { type Attempt, type Identity, isEnrolling } from '../domain/attempt.ts';
import { normaliseIdentifier } from '../store/account-names.ts';
import type { LoginTools } from './room.ts';

export interface Subject {
  enrolmentId: string;
  vendorData: string;
  decoy: boolean;
  /**
   * The face to compare with, base64; `stored`: Didit's own; `document`: the one in the document that is shown;
   * undefined: there is none, and nothing to ask.
   */
  face: { portraitImage: string } | 'stored' | 'document' | undefined;
}

type Tools = Pick<LoginTools, 'settings' | 'accounts' | 'portraits' | 'decoy' | 'random'>;

const idBytes = 16;

export async function findSubject(
  attempt: Extract<Attempt, { phase: 'identified' }>,
  tools: Tools,
): Promise<Subject> {
  if (isEnrolling(attempt)) return newSubject(tools);
  return knownSubject(attempt, tools);
}

/** A face that is enrolled gets names that nothing else had, at Didit neither. */
function newSubject({ random }: Tools): Subject {
  const ids = { enrolmentId: random(idBytes), vendorData: random(idBytes) };
  return { ...ids, decoy: false, face: 'document' };
}

async function knownSubject(
  attempt: Extract<Attempt, { phase: 'identified' }>,
  tools: Tools,
): Promise<Subject> {
  const { accountId, identifier } = attempt.identity;
  const account = accountId === undefined ? undefined : await tools.accounts.find(accountId);
  const mayTry = account?.status === 'active' && !account.selfieOff;
  const enrolment = mayTry ? account.enrolment : undefined;
  if (!account || !enrolment) return decoyFor(accountId ?? normaliseIdentifier(identifier), tools);

  const { id: enrolmentId, vendorData } = enrolment;
  if (tools.settings.faceReference === 'stored') {
    return { enrolmentId, vendorData, decoy: false, face: 'stored' };
  }
  const portraitImage = await tools.portraits.load(account.id, enrolment, 'sign_in', attempt);
  if (portraitImage === undefined) return decoyFor(enrolmentId, tools);
  return { enrolmentId, vendorData, decoy: false, face: { portraitImage } };
}

function decoyFor(name: string, { decoy: { nameFor, portraitImage } }: Tools): Subject {
  return {
    enrolmentId: nameFor(`enrolment ${name}`),
    vendorData: nameFor(`vendor data ${name}`),
    decoy: true,
    face: portraitImage === undefined ? undefined : { portraitImage },
  };
}

/** The same as the subject's, for who needs no more than to count by it. */
export async function enrolmentIdOf(
  { accountId, identifier }: Identity,
  { accounts, decoy }: Pick<LoginTools, 'accounts' | 'decoy'>,
): Promise<string> {
  const account = accountId === undefined ? undefined : await accounts.find(accountId);
  const isThere = account?.status === 'active' && !account.selfieOff;
  const name = accountId ?? normaliseIdentifier(identifier);
  return (isThere ? account.enrolment?.id : undefined) ?? decoy.nameFor(`enrolment ${name}`);
}
