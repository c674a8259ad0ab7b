/**
 * What is held about people, in words that can be read elsewhere: a line an account for the operator, and all of it
 * for the person. Neither has a secret in it, nor anything about anybody else.
 */
import type { Clock } from '../domain/environment.ts';
import type { Familiar } from '../domain/familiar.ts';
import type { Account, Accounts, Enrolment } from '../store/accounts.ts';
import type { DiditTraces } from '../store/didit-traces.ts';
import type { FactorRecords, Factors } from '../store/factors.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import { type History, historyKeptSeconds } from '../store/history.ts';
import type { Portraits } from '../store/portraits.ts';
import type { ReviewCase, Reviews } from '../store/reviews.ts';
import type { ErasureRequests } from './erasure-requests.ts';

/** Named as in a file of people, as far as such a file has it. */
export function describeAccount(account: Account) {
  const { id, status, email, emailVerified, username, name, groups, enrolment, consent } = account;
  return withoutUndefined({
    ...{ sub: id, status },
    ...{ email, email_verified: email === undefined ? undefined : emailVerified },
    ...{ username, name, given_name: account.givenName, family_name: account.familyName },
    ...{ locale: account.locale, groups },
    enrolled: enrolment !== undefined,
    enrolled_at: isoTime(enrolment?.enrolledAtMs),
    vendor_data: enrolment?.vendorData,
    selfie_off: account.selfieOff,
    consent: consent && { version: consent.version, at: isoTime(consent.atMs) },
    created_at: isoTime(account.createdAtMs),
    updated_at: isoTime(account.updatedAtMs),
  });
}

export async function* exportPeople({
  accounts,
  factors,
}: {
  accounts: Accounts;
  factors: FactorRecords;
}) {
  for await (const account of accounts.list()) {
    const { passkeys, totp, recovery_codes } = describeFactors(await factors.load(account.id));
    yield {
      ...describeAccount(account),
      factors: {
        passkeys: passkeys.length,
        totp: totp !== undefined,
        recovery_codes: recovery_codes?.left ?? 0,
      },
    };
  }
}

export interface ExportTools {
  accounts: Accounts;
  factors: FactorRecords;
  familiar: FamiliarRecords;
  history: History;
  portraits: Portraits;
  traces: DiditTraces;
  reviews: Pick<Reviews, 'list'>;
  erasure: Pick<ErasureRequests, 'planned'>;
  clock: Clock;
}

/** For the person. @returns undefined when there is no such account. */
export function createExportOf(tools: ExportTools) {
  const { accounts, factors, familiar, history, portraits, traces, reviews, erasure, clock } =
    tools;

  async function describeFace(accountId: string, enrolment: Enrolment) {
    const portrait = await portraits.load(accountId, enrolment, 'export');
    return withoutUndefined({
      portrait_base64: portrait,
      // Didit has one of its own then, or the operator has not given us any.
      kept_at_didit: portrait === undefined,
      didit_session_of_enrolment: enrolment.diditSessionId,
      only_just_alike_in_a_row: enrolment.nearInARow,
    });
  }

  return async function exportOf(accountId: string) {
    const account = await accounts.find(accountId);
    if (!account || account.status === 'erased') return undefined;
    const { enrolment, notices = [] } = account;
    const sinceMs = clock() - historyKeptSeconds * 1000;
    const [face, ways, known, entries, selfies, cases, planned] = await Promise.all([
      enrolment && describeFace(accountId, enrolment),
      factors.load(accountId),
      familiar.load(accountId),
      Array.fromAsync(history.since(accountId, sinceMs)),
      traces.list(accountId),
      Array.fromAsync(reviews.list({ account: accountId })),
      erasure.planned(accountId),
    ]);
    return withoutUndefined({
      exported_at: isoTime(clock()),
      account: describeAccount(account),
      face,
      factors: describeFactors(ways),
      ...describeFamiliar(known),
      history: entries.map(({ atMs, ...entry }) => ({ at: isoTime(atMs), ...entry })),
      not_yet_shown: notices.map(({ atMs, ...notice }) => ({ at: isoTime(atMs), ...notice })),
      selfies_at_didit: selfies.map(({ diditSessionId, atMs }) => ({
        ...{ session: diditSessionId, begun_at: isoTime(atMs) },
      })),
      looked_at_by_people: cases.map(describeReview),
      erasure: planned && { what: planned.what, at: isoTime(planned.readyAtMs) },
    });
  };
}

function describeFamiliar({ keys, places, lastProof, signedOutAtMs }: Familiar) {
  return {
    devices: keys.map(({ name, addedAtMs, usedAtMs }) => ({
      ...{ name, added_at: isoTime(addedAtMs), used_at: isoTime(usedAtMs) },
    })),
    // Kept as hashes, which can be compared and not read.
    familiar_places: places.length,
    last_shown: lastProof && { at: isoTime(lastProof.atMs), where: lastProof.location },
    signed_out_at: isoTime(signedOutAtMs),
  };
}

/** Not by whom: that is about somebody else. */
function describeReview(found: ReviewCase) {
  const { reference, client, diditSessionId, status, openedAtMs, closedReason, closedAtMs } = found;
  return withoutUndefined({
    ...{ reference, client: client.name, session: diditSessionId, status },
    ...{ opened_at: isoTime(openedAtMs), closed_at: isoTime(closedAtMs), reason: closedReason },
  });
}

/** Public keys, secrets and hashes stay out: whoever has them is closer to being this person. */
export function describeFactors({ passkeys, totp, recoveryCodes }: Factors) {
  return {
    passkeys: passkeys.map(({ name, isSynced, createdAtMs, usedAtMs }) =>
      withoutUndefined({
        ...{ name, synced: isSynced, created_at: isoTime(createdAtMs) },
        used_at: isoTime(usedAtMs),
      }),
    ),
    ...(totp ? { totp: { created_at: isoTime(totp.createdAtMs) } } : {}),
    ...(recoveryCodes
      ? {
          recovery_codes: {
            left: recoveryCodes.hashes.length,
            created_at: isoTime(recoveryCodes.createdAtMs),
          },
        }
      : {}),
  };
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function withoutUndefined<T extends object>(fields: T): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}
