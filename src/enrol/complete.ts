/**
 * The check is approved, and the browser that began it is back: only now is anything kept of it. The decision is read
 * once more, the picture is fetched by its short-lived link, made small and plain, and sealed. Whoever presses the
 * button twice, or whose process died in between, gets the same enrolment again, not another one.
 */
import { DiditError } from '../didit/port.ts';
import type { Attempt, Captured } from '../domain/attempt.ts';
import { judgeEnrolment } from '../domain/enrolment.ts';
import { recordFor } from '../login/room.ts';
import type { Account } from '../store/accounts.ts';
import { hasOtherWay } from '../store/factors.ts';
import { hasAgreed } from './agree.ts';
import { keepFace } from './keep.ts';
import { tellOfFace } from './kept.ts';
import { PortraitRefused } from './portrait.ts';
import { isProvable } from './recovery.ts';
import { type EnrolTools, enrollingAccount } from './room.ts';

const underWaySeconds = 60;

/** `under_way`: another press of the button is at it; who asks again hears what came of it. */
export type Completed = 'kept' | 'refused' | 'under_way';

export async function complete(attempt: Attempt, tools: EnrolTools): Promise<Completed> {
  // Two pictures under one name, each with a key of its own, would be one that nobody can open; and of two browsers
  // that enrol one person, the second has to find the first one's face.
  const { accountId = '' } = 'identity' in attempt ? (attempt.identity ?? {}) : {};
  const underWay = `completing:${accountId}`;
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
  const refused = await keepApproved(account, attempt, tools).catch(refusalOf);
  if (refused !== undefined) {
    recordFor(tools, attempt, 'enrol.refused', refused);
    return false;
  }
  const { id, reference, client, verdict } = attempt;
  const about = { attempt: id, reference, client: client.id };
  await tellOfFace(account, tools, about, { decidedAtMs: verdict.decidedAtMs });
  return true;
}

/** What was asked for before the face was taken must still hold. */
export async function mayEnrol(
  account: Account,
  { kind }: Pick<Attempt, 'kind'>,
  {
    otherWays,
    clock,
  }: Pick<EnrolTools, 'clock'> & { otherWays: Pick<EnrolTools['otherWays'], 'records'> },
): Promise<boolean> {
  const isFirst = kind === 'enrol';
  if (isFirst !== (account.enrolment === undefined) || !hasAgreed(account)) return false;
  // Who recovers has lost their other ways, and sets up new ones afterwards.
  if (kind === 'recovery') return isProvable(account.recovery, clock());
  return hasOtherWay(await otherWays.records.load(account.id));
}

/** Didit is silent, or what its link led to is no picture that may be kept: not a defect of ours. */
function refusalOf(cause: unknown): string {
  if (cause instanceof DiditError) return `didit_${cause.failure}`;
  if (cause instanceof PortraitRefused) return 'portrait_refused';
  throw cause;
}

/** @returns why it is not kept. */
async function keepApproved(
  account: Account,
  { kind, capture, verdict }: Attempt & Captured,
  tools: EnrolTools,
): Promise<string | undefined> {
  const { diditSessionId, enrolmentId: id, expectation } = capture;
  const { decision, ...approved } = await tools.didit.readEnrolment(diditSessionId);
  const { outcome, reason } = judgeEnrolment(decision, expectation, tools.clock());
  if (outcome !== 'approved') return reason;
  const ids = { id, vendorData: expectation.vendorData, diditSessionId };
  return keepFace(account, kind, ids, approved, { ...tools, provenAtMs: verdict?.decidedAtMs });
}
