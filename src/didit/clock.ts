/**
 * Our clock held against Didit's, which stands in the head of each of its answers. A verdict is fresh or stale, and a
 * webhook signed just now, by our clock: with a wrong one nobody gets in, and nobody sees why.
 */
import type { Clock } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';

const toleratedMs = 30_000;
const againAfterMs = 3_600_000;

export interface ClockWatchTools {
  clock: Clock;
  alarm: RaiseAlarm;
  /** Told of every difference, ours minus Didit's. */
  skewed: (ms: number) => void;
}

/** @returns takes the time when Didit was asked, and the time in its answer. */
export function createClockWatch({ clock, alarm, skewed }: ClockWatchTools) {
  let alarmedAt: number | undefined;
  return function compare(askedAtMs: number, dateMs: number): void {
    const nowMs = clock();
    // The header has whole seconds: half a second more is the middle of what it can mean.
    const differsMs = (askedAtMs + nowMs) / 2 - (dateMs + 500);
    skewed(differsMs);
    if (Math.abs(differsMs) <= toleratedMs) {
      alarmedAt = undefined;
    } else if (alarmedAt === undefined || Math.abs(nowMs - alarmedAt) >= againAfterMs) {
      alarmedAt = nowMs;
      alarm('clock_differs');
    }
  };
}
