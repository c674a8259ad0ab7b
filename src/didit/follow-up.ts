/** What follows a verdict besides its attempt: it is told, people look at it, and who tries faces is slowed down. */
import type { Attempt, AttemptEvent, Capture } from '../domain/attempt.ts';
import type { Record } from '../domain/event.ts';
import { toldOf } from '../domain/told.ts';
import type { Limits } from '../store/limits.ts';
import type { Reviews } from '../store/reviews.ts';
import { type PeopleTools, createPutBeforePeople } from './open-review.ts';

export interface FollowUpTools extends PeopleTools {
  limits: Pick<Limits, 'declined'>;
  reviews: Pick<Reviews, 'isKnown'>;
  record: Record;
}

export function createFollowUp(tools: FollowUpTools) {
  const { record, clock } = tools;
  const putBeforePeople = createPutBeforePeople(tools);

  return {
    /** For whoever saved the verdict: who brings it again has nothing to tell. */
    async of(
      attempt: Attempt,
      { device, place }: Capture,
      { verdict, locality }: Extract<AttemptEvent, { type: 'judged' }>,
    ): Promise<void> {
      const reason = `${verdict.reason}, place ${locality}`;
      record(toldOf(attempt, 'verdict.received', clock(), reason));
      if (attempt.phase === 'denied') {
        record(toldOf(attempt, 'login.denied', clock(), attempt.reason));
      }
      if (verdict.outcome === 'in_review') await putBeforePeople(attempt, locality);
      const asker = { device: device.id, deviceClass: device.deviceClass, network: place.network };
      if (verdict.outcome === 'declined') await tools.limits.declined(asker);
    },

    /** Whoever ended the attempt for people to look at may have died before they had a case. */
    async makeUp(attempt: Attempt): Promise<void> {
      if (attempt.phase !== 'denied' || !attempt.locality || !attempt.capture) return;
      if (await tools.reviews.isKnown(attempt.capture.diditSessionId)) return;
      await putBeforePeople(attempt, attempt.locality);
    },
  };
}
