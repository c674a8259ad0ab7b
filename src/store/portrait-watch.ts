/** Whoever opens reference faces leaves a trace, and whoever opens many at once is noticed. */
import type { Clock } from '../domain/environment.ts';
import type { RaiseAlarm, Record } from '../domain/event.ts';
import type { PortraitOpening } from './portraits.ts';

const minuteMs = 60_000;

export interface WatchTools {
  record: Record;
  alarm: RaiseAlarm;
  clock: Clock;
  /** Counts one. @returns whether this process has opened no more than usual in this minute. */
  isUsual: () => boolean;
}

export function watchPortraits({ record, alarm, clock, isUsual }: WatchTools) {
  let quietUntilMs = 0;
  return function opened({ accountId, enrolmentId, purpose, attempt }: PortraitOpening): void {
    const atMs = clock();
    const signIn = attempt && {
      ...{ attempt: attempt.id, reference: attempt.reference, client: attempt.client.id },
    };
    const about = { account: accountId, enrolment: enrolmentId, reason: purpose, ...signIn };
    record({ event: 'account.portrait_opened', atMs, ...about });
    if (isUsual() || atMs < quietUntilMs) return;
    quietUntilMs = atMs + minuteMs;
    alarm('faces_opened');
  };
}
