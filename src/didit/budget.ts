/**
 * How many Didit sessions this process may create in a minute. Didit limits them for the whole key; staying below
 * is kinder than being refused, and bounds what a flood of strangers can cost.
 */
import type { Clock } from '../domain/environment.ts';

const minuteMs = 60_000;

/** @returns a function that spends one, or says false when the minute's are spent. */
export function createBudget(perMinute: number, clock: Clock): () => boolean {
  let minute = -1;
  let spent = 0;
  return function spend() {
    const now = Math.floor(clock() / minuteMs);
    if (now !== minute) {
      minute = now;
      spent = 0;
    }
    if (spent >= perMinute) return false;
    spent += 1;
    return true;
  };
}
