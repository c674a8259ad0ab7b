/**
 * A face that a partner of the operator's had checked (Didit's Reusable KYC), for an account that has none. It says
 * that somebody was once checked, not that anybody is here: nobody is signed in by it, and no sign-in is written down.
 */
import type { DiditApi, DiditPeople } from '../didit/port.ts';
import { type SharedExpectation, judgeShared } from '../domain/enrolment.ts';
import type { Random } from '../domain/environment.ts';
import type { Account } from '../store/accounts.ts';
import type { DiditTraces } from '../store/didit-traces.ts';
import { type KeepTools, keepFace } from './keep.ts';
import { type KeptTools, tellOfFace } from './kept.ts';

export type ImportTools = KeepTools &
  KeptTools & {
    didit: Pick<DiditApi, 'deleteSession'> & DiditPeople;
    traces: DiditTraces;
    /** The rest of what the decision is held against. */
    expected: Omit<SharedExpectation, 'diditSessionId' | 'vendorData' | 'workflowVersion'>;
    random: Random;
  };

/**
 * @param consentVersion of the text that the person agreed to elsewhere.
 * @returns why it was refused: nothing is changed then. undefined when the face is the account's.
 * @throws with the reason when it is not even asked for.
 */
export async function importShared(
  account: Account,
  { shareToken, consentVersion }: { shareToken: string; consentVersion: string },
  tools: ImportTools,
): Promise<string | undefined> {
  const { id, status, enrolment } = account;
  if (status !== 'active') throw new Error(`${id} is ${status}`);
  if (enrolment) throw new Error(`${id} has a face already; another one is for the person to show`);
  const { didit, traces, expected, random, clock } = tools;
  const ids = { id: random(16), vendorData: random(16) };
  const { workflowId } = expected;
  const request = { shareToken, workflowId, vendorData: ids.vendorData };
  const { diditSessionId } = await didit.importShared(request);
  // From here on something of this person lies at Didit, whatever comes of it.
  await traces.add(id, diditSessionId);
  const about = { diditSessionId, vendorData: ids.vendorData, workflowVersion: undefined };
  const { decision, ...approved } = await didit.readEnrolment(diditSessionId);
  const { outcome, reason } = judgeShared(decision, { ...expected, ...about });
  const consent = { version: consentVersion, atMs: clock() };
  const refused =
    outcome === 'approved'
      ? await keepFace(account, 'enrol', { ...ids, diditSessionId }, approved, {
          ...{ ...tools, consent },
        })
      : reason;
  if (refused === undefined) {
    await tellOfFace(account, tools, {}, { consent: consentVersion });
    return undefined;
  }
  tools.record({ event: 'enrol.refused', atMs: clock(), account: id, reason: refused });
  await didit.deleteSession(diditSessionId, 'erasure');
  await traces.remove(id, diditSessionId);
  return refused;
}
