/**
 * The check is approved, and the browser that began it is back: only now is anything kept of it. The decision is read
 * once more, the picture is fetched by its short-lived link, made small and plain, and sealed. Whoever presses the
 * button twice, or whose process died in between, gets the same enrolment again, not another one.
 */
import type { Attempt, Captured } from '../domain/attempt.ts';
import { judgeEnrolment } from '../domain/enrolment.ts';
import { hasOtherWay } from '../store/factors.ts';
import type { Account, Enrolment } from '../store/accounts.ts';
import { recordFor } from '../login/room.ts';
import { hasAgreed } from './agree.ts';
import { identityHashes, isSamePerson } from './identity.ts';
import { preparePortrait } from './portrait.ts';
import { type EnrolTools, enrollingAccount } from './room.ts';

const underWaySeconds = 60;

/** `under_way`: another press of the button is at it; who asks again hears what came of it. */
export type Completed = 'kept' | 'refused' | 'under_way';

export async function complete(attempt: Attempt, tools: EnrolTools): Promise<Completed> {
  // Two pictures under one name, each with a key of its own, would be one that nobody can open.
  const underWay = `completing:${attempt.id}`;
  const claim = { ifAbsent: true, ttlSeconds: underWaySeconds };
  if ((await tools.store.put(underWay, '', claim)) === undefined) return 'under_way';
  try {
    return (await keep(attempt, tools)) ? 'kept' : 'refused';
  } finally {
    await tools.store.delete(underWay);
  }
}

async function keep(attempt: Attempt, tools: EnrolTools): Promise<boolean> {
  const account = await enrollingAccount(attempt, tools);
  if (!account || attempt.phase !== 'captured' || !attempt.verdict) return false;
  if (account.enrolment?.id === attempt.capture.enrolmentId) return true;
  if (!(await mayEnrol(account, attempt, tools))) return false;
  const read = await readEnrolment(account, attempt, tools);
  if (!read) return false;
  const replaced = account.enrolment;
  const { givenName, familyName } = read.facts;
  await tools.accounts.change(account.id, (current) => ({
    ...current,
    enrolment: read.enrolment,
    ...(givenName === undefined ? {} : { givenName }),
    ...(familyName === undefined ? {} : { familyName }),
    updatedAtMs: tools.clock(),
  }));
  await afterwards(account, attempt, tools, replaced);
  return true;
}

/** What was asked for before the face was taken must still hold. */
export async function mayEnrol(
  account: Account,
  { kind }: Pick<Attempt, 'kind'>,
  { otherWays }: Pick<EnrolTools, 'otherWays'>,
): Promise<boolean> {
  const isFirst = kind === 'enrol';
  if (isFirst !== (account.enrolment === undefined)) return false;
  return hasAgreed(account) && hasOtherWay(await otherWays.records.load(account.id));
}

async function readEnrolment(account: Account, attempt: Attempt & Captured, tools: EnrolTools) {
  const { capture } = attempt;
  const { didit, portraits, identitySecret, settings } = tools;
  const { decision, facts, portraitUrl } = await didit.readEnrolment(capture.diditSessionId);
  const { outcome, reason } = judgeEnrolment(decision, capture.expectation, tools.clock());
  if (outcome !== 'approved') {
    recordFor(tools, attempt, 'enrol.refused', reason);
    return undefined;
  }
  const identity = identityHashes(facts, identitySecret);
  if (account.enrolment && !isSamePerson(account.enrolment.identity ?? {}, identity)) {
    recordFor(tools, attempt, 'enrol.refused', 'other_person');
    return undefined;
  }
  const ids = { id: capture.enrolmentId, vendorData: capture.expectation.vendorData };
  let enrolment: Enrolment = {
    ...ids,
    ...{ identity, diditSessionId: capture.diditSessionId, enrolledAtMs: tools.clock() },
    ...(account.enrolment ? { isReplacement: true } : {}),
  };
  if (settings.faceReference === 'portrait') {
    if (portraitUrl === undefined) {
      recordFor(tools, attempt, 'enrol.refused', 'no_portrait');
      return undefined;
    }
    const picture = await preparePortrait(await didit.fetchPortrait(portraitUrl));
    enrolment = { ...enrolment, ...(await portraits.save(account.id, ids, picture)) };
  }
  return { facts, enrolment };
}

async function afterwards(
  account: Account,
  attempt: Attempt & Captured,
  tools: EnrolTools,
  replaced: Enrolment | undefined,
): Promise<void> {
  const atMs = tools.clock();
  const event = replaced ? 'face_replaced' : 'face_enrolled';
  recordFor(tools, attempt, 'enrol.completed', event);
  await tools.history.add(account.id, { event, atMs });
  if (replaced) {
    // Whoever signed in by the earlier face, or broke in with it, has to come again; not who has just shown the new one.
    const { decidedAtMs = 0 } = attempt.verdict ?? {};
    await tools.accounts.signOutEverywhere(account.id, {}, Math.floor(decidedAtMs / 1000) - 1);
    await tools.eraseReplaced(account.id, replaced);
  }
  if (account.email === undefined) return;
  await tools.mail({ address: account.email, locale: account.locale }, { kind: event, atMs });
}
