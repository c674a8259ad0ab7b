/**
 * From a check that was approved to the face of an account, whoever asks for it: the person who was just checked
 * (complete.ts), an operator who was given it by a partner (import-shared.ts), or one who confirms what people at
 * Didit approved (approve.ts).
 */
import type { DiditEnrolment, DiditPeople } from '../didit/port.ts';
import type { AttemptKind } from '../domain/attempt.ts';
import type { Clock } from '../domain/environment.ts';
import type { Account, Accounts, Enrolment } from '../store/accounts.ts';
import type { HeldEnrolments } from '../store/held-enrolments.ts';
import type { Portraits } from '../store/portraits.ts';
import { identityHashes, isSamePerson } from './identity.ts';
import { preparePortrait } from './portrait.ts';
import { lastVoid } from './kept.ts';
import { isProvable } from './recovery.ts';

export interface KeepTools {
  settings: { faceReference: 'portrait' | 'stored' };
  didit: Pick<DiditPeople, 'fetchPortrait'>;
  accounts: Accounts;
  portraits: Portraits;
  held: HeldEnrolments;
  /** For telling whether two documents are the same person's; see identity.ts. */
  identitySecret: string;
  clock: Clock;
}

interface Ids {
  id: string;
  vendorData: string;
  diditSessionId: string;
}

type Approved = Pick<DiditEnrolment, 'facts' | 'portraitUrl'>;

/** Why an approved check is not kept: it is another person's, it has no picture, or it was called off meanwhile. */
export type Unkept = 'other_person' | 'no_portrait' | 'called_off';

/** @returns why not; undefined when the face is the account's from now on. */
export async function keepFace(
  account: Account,
  kind: AttemptKind,
  ids: Ids,
  approved: Approved,
  tools: KeepTools & { consent?: Account['consent']; provenAtMs?: number | undefined },
): Promise<Unkept | undefined> {
  const { accounts, portraits, clock, consent, provenAtMs = clock() } = tools;
  const enrolment = await toEnrolment(account, ids, approved, tools);
  if (typeof enrolment === 'string') return enrolment;
  const { givenName, familyName } = approved.facts;
  const meanwhile = { isWanted: false };
  await accounts.change(account.id, (current) => {
    meanwhile.isWanted = isStillWanted(current, account, kind, clock());
    if (!meanwhile.isWanted) return current;
    return {
      ...current,
      ...{ enrolment, updatedAtMs: clock() },
      ...(givenName === undefined ? {} : { givenName }),
      ...(familyName === undefined ? {} : { familyName }),
      ...(consent === undefined ? {} : { consent }),
      ...(kind === 'recovery' ? withProof(current, clock()) : {}),
      // In one write with the face: whoever dies here has not left anybody signed in by the earlier one.
      ...(account.enrolment
        ? { voidUntil: Math.max(lastVoid(provenAtMs), current.voidUntil ?? 0) }
        : {}),
    };
  });
  if (meanwhile.isWanted) {
    await tools.held.forget(account.id);
    return undefined;
  }
  await portraits.erase(enrolment.id);
  return 'called_off';
}

/** Between the look at the account and this write somebody may have blocked it, enrolled, or called it off. */
function isStillWanted(
  { status, enrolment, recovery }: Account,
  before: Account,
  kind: AttemptKind,
  nowMs: number,
): boolean {
  if (status !== 'active' || enrolment?.id !== before.enrolment?.id) return false;
  return kind !== 'recovery' || isProvable(recovery, nowMs);
}

function withProof({ recovery }: Account, nowMs: number): Pick<Account, 'recovery'> {
  return recovery && 'readyAtMs' in recovery
    ? { recovery: { ...recovery, provenAtMs: nowMs } }
    : {};
}

async function toEnrolment(
  account: Account,
  { diditSessionId, ...ids }: Ids,
  { facts, portraitUrl }: Approved,
  { settings, didit, portraits, identitySecret, clock }: KeepTools,
): Promise<Enrolment | Unkept> {
  const identity = identityHashes(facts, identitySecret);
  if (account.enrolment && !isSamePerson(account.enrolment.identity ?? {}, identity)) {
    return 'other_person';
  }
  const enrolment: Enrolment = {
    ...{ ...ids, identity, diditSessionId, enrolledAtMs: clock() },
    ...(account.enrolment ? { isReplacement: true } : {}),
  };
  if (settings.faceReference === 'stored') return enrolment;
  if (portraitUrl === undefined) return 'no_portrait';
  const picture = await preparePortrait(await didit.fetchPortrait(portraitUrl));
  return { ...enrolment, ...(await portraits.save(account.id, ids, picture)) };
}
