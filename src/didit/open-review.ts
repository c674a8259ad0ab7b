/** A check that people have to look at is put before the operators, once; of an enrolment, what it takes to let it count. */
import { type Attempt, isEnrolling } from '../domain/attempt.ts';
import type { Clock } from '../domain/environment.ts';
import type { Record } from '../domain/event.ts';
import type { Locality } from '../domain/locality.ts';
import type { HeldEnrolments } from '../store/held-enrolments.ts';
import type { NewReviewCase, Reviews } from '../store/reviews.ts';

export type OpenReview = (about: NewReviewCase) => Promise<void>;

export function createOpenReview(tools: {
  reviews: Pick<Reviews, 'open'>;
  record: Record;
  clock: Clock;
}): OpenReview {
  return async function openReview(about) {
    if (!(await tools.reviews.open(about))) return;
    const { attempt, reference, account, client, reason } = about;
    const atMs = tools.clock();
    tools.record({
      ...{ event: 'review.opened', atMs, attempt, reference, account, client: client.id, reason },
    });
  };
}

export interface PeopleTools {
  held: Pick<HeldEnrolments, 'hold'>;
  openReview: OpenReview;
  clock: Clock;
}

export function createPutBeforePeople({ held, openReview, clock }: PeopleTools) {
  return async function putBeforePeople(attempt: Attempt, locality: Locality): Promise<void> {
    if (!('capture' in attempt)) return;
    const { id, reference, kind, client, identity, capture } = attempt;
    const account = identity?.accountId;
    // Nobody stands behind the name: there is nothing to look at.
    if (account === undefined) return;
    const { diditSessionId, enrolmentId, expectation } = capture;
    // Only what was done where it was asked for: nobody could end it any more once another browser comes.
    if (isEnrolling(attempt) && locality === 'agrees') {
      const about = { kind, diditSessionId, enrolmentId, expectation, heldAtMs: clock() };
      await held.hold(account, about);
    }
    await openReview({
      ...{ attempt: id, reference, kind, account, client: { id: client.id, name: client.name } },
      ...{ diditSessionId, reason: 'in_review' },
    });
  };
}
