import { expect, it } from 'vitest';
import { createBudget } from '../../src/didit/budget.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import { watchPortraits } from '../../src/store/portrait-watch.ts';

function watched(perMinute: number) {
  const time = { nowMs: Date.UTC(2026, 10, 22) };
  const clock = (): number => time.nowMs;
  const [events, alarms]: [AuditEvent[], string[]] = [[], []];
  const opened = watchPortraits({
    ...{ clock, isUsual: createBudget(perMinute, clock) },
    record: (event) => events.push(event),
    alarm: (reason) => alarms.push(reason),
  });
  const open = (times: number): void => {
    for (let count = 0; count < times; count += 1) {
      opened({ accountId: 'a', enrolmentId: 'e', purpose: 'sign_in' });
    }
  };
  return { time, events, alarms, open };
}

it('[BD-11] each face that is opened leaves a trace, with nothing of the face in it', () => {
  const { events, open, time } = watched(3);
  open(1);
  const about = { account: 'a', enrolment: 'e', reason: 'sign_in' };
  expect(events).toEqual([{ event: 'account.portrait_opened', atMs: time.nowMs, ...about }]);
});

it('[BD-11] many in a minute raise one alarm a minute, and as many as usual raise none', () => {
  const { events, alarms, open, time } = watched(3);
  open(3);
  expect(alarms).toEqual([]);
  time.nowMs += 60_000;
  open(3);
  expect(alarms).toEqual([]);
  open(200);
  expect(alarms).toEqual(['faces_opened']);
  time.nowMs += 60_000;
  open(4);
  expect(alarms).toEqual(['faces_opened', 'faces_opened']);
  expect(events).toHaveLength(210);
});
