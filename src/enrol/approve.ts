/**
 * An enrolment that a person at Didit approved: what a machine would not say by itself becomes a face only after a
 * day, and when a second operator says so here. Until then it signs nobody in, and it never ends the visit in which it
 * was made.
 */
import type { DiditPeople } from '../didit/port.ts';
import { judgeReviewed } from '../domain/enrolment.ts';
import type { Account } from '../store/accounts.ts';
import { mayEnrol } from './complete.ts';
import { type KeepTools, keepFace } from './keep.ts';
import { type KeptTools, tellOfFace } from './kept.ts';
import { isAnyOf, namesOfOperator } from './operator-names.ts';

const holdMs = 86_400_000;

export type ApproveTools = KeepTools &
  KeptTools & {
    didit: Pick<DiditPeople, 'readEnrolment' | 'fetchPortrait'>;
    otherWays: Parameters<typeof mayEnrol>[2]['otherWays'];
    /** Whether it takes two operators here, besides the one at Didit. */
    twoPeople: boolean;
  };

/**
 * @param operators who say so here.
 * @param wanted the Didit session that they looked at; another one may have come after it.
 * @throws with the reason for the operator; nothing is changed then.
 */
export async function approveEnrolment(
  account: Account,
  operators: readonly string[],
  tools: ApproveTools,
  wanted?: string,
): Promise<void> {
  const { id: accountId, status } = account;
  if (status !== 'active') throw new Error(`${accountId} is ${status}`);
  const held = await tools.held.find(accountId);
  if (!held) throw new Error(`no enrolment of ${accountId} waits for anybody`);
  const { kind, diditSessionId, enrolmentId, expectation } = held;
  if (wanted !== undefined && wanted !== diditSessionId) {
    throw new Error('another enrolment came after this one: decline it');
  }
  if (tools.twoPeople && operators.length < 2) {
    throw new Error('it takes two operators (REVIEWS_TWO_PEOPLE), and there is no open case');
  }
  const nowMs = tools.clock();
  const { decision, ...approved } = await tools.didit.readEnrolment(diditSessionId);
  const { outcome, reason } = judgeReviewed(decision, expectation, nowMs);
  if (outcome !== 'approved') throw new Error(`Didit's decision is no enrolment: ${reason}`);
  const { reviewers = [], lastReviewAtMs } = decision;
  for (const operator of operators) {
    const names = await namesOfOperator(operator, tools);
    if (names.includes(accountId)) throw new Error(`${operator} decides nothing about themself`);
    if (reviewers.some((reviewer) => isAnyOf(names, reviewer))) {
      throw new Error(`${operator} approved it at Didit: it takes another operator`);
    }
  }
  if (lastReviewAtMs === undefined) throw new Error('Didit does not say when it was approved');
  const readyAtMs = lastReviewAtMs + holdMs;
  if (nowMs < readyAtMs) {
    throw new Error(
      `it was approved by hand, and waits until ${new Date(readyAtMs).toISOString()}`,
    );
  }
  if (!(await mayEnrol(account, { kind }, tools))) {
    throw new Error('what was asked for before the face was taken does not hold any more');
  }
  // Didit may have taken its time.
  if ((await tools.held.find(accountId))?.diditSessionId !== diditSessionId) {
    throw new Error(`the enrolment of ${accountId} was declined meanwhile`);
  }
  const ids = { id: enrolmentId, vendorData: expectation.vendorData, diditSessionId };
  const refused = await keepFace(account, kind, ids, approved, tools);
  if (refused !== undefined) throw new Error(`the face was not kept: ${refused}`);
  await tellOfFace(account, tools, { operators });
}
