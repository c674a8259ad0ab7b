/**
 * A decision that had let somebody in, read again later. Nothing that it says now opens a door: it can only leave a
 * sign-in as it is, put it in doubt, or take it back.
 */
import {
  type About,
  type Decision,
  type OwnSession,
  blockingFlaw,
  foreignToOwn,
} from './decision.ts';

/** What the decision must still be about. */
export type AcceptedAs = About & Pick<OwnSession, 'nonceHash'>;

export type Afterwards =
  | { now: 'stands' }
  /** People at Didit want to look at it once more, and have not said anything yet. */
  | { now: 'in_doubt' }
  | { now: 'withdrawn'; reason: string }
  /** Not what we asked about, or in words that we do not know: no reason to end anything. */
  | { now: 'unclear'; reason: string };

const doubtful = new Set(['In Review', 'Resubmitted']);
/** Of an approval, these say that its time went by or that it is being taken anew, not that it was wrong. */
const harmless = new Set([
  ...['Approved', 'Not Started', 'In Progress', 'Awaiting User'],
  ...['Expired', 'Kyc Expired', 'Abandoned', 'Not Finished'],
]);

export function judgeAfterwards(decision: Decision, accepted: AcceptedAs): Afterwards {
  const foreign = foreignToOwn(decision, accepted);
  if (foreign) return { now: 'unclear', reason: foreign };
  const { status } = decision;
  if (status === 'Declined') return { now: 'withdrawn', reason: 'declined' };
  // Whatever the session as a whole says: somebody turned it down, or the face is on a list.
  if (decision.wasDeclinedByHand) return { now: 'withdrawn', reason: 'declined_by_hand' };
  const blocked = blockingFlaw(decision);
  if (blocked) return { now: 'withdrawn', reason: blocked };
  if (doubtful.has(status)) return { now: 'in_doubt' };
  return harmless.has(status) ? { now: 'stands' } : { now: 'unclear', reason: 'unknown_status' };
}
