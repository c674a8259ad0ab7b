import { expect, it } from 'vitest';
import {
  type OutagePlan,
  noPlan,
  noticeOf,
  plannedState,
  tidied,
} from '../../src/domain/outage.ts';

const hour = 3_600_000;
const planned = (fromHour: number, untilHour: number) => ({
  ...{ fromMs: fromHour * hour, untilMs: untilHour * hour, by: 'ana', note: 'they said so' },
});
const plan: OutagePlan = { schema: 1, maintenance: [planned(2, 4), planned(3, 6)] };

it('maintenance is from its first moment on, until its last is over, and the longest one counts', () => {
  const at = (ms: number) => plannedState(plan, ms);
  expect(at(2 * hour - 1).didit).toBe('up');
  expect(at(2 * hour)).toMatchObject({ didit: 'maintenance', untilMs: 4 * hour });
  expect(at(3 * hour)).toMatchObject({ didit: 'maintenance', untilMs: 6 * hour });
  expect(at(6 * hour).didit).toBe('up');
});

it('the switch stands before what is planned, and may have an end', () => {
  const off = { sinceMs: 0, by: 'ben', note: 'out of credit' };
  expect(plannedState({ ...plan, off }, 3 * hour)).toMatchObject({ didit: 'off', by: 'ben' });
  const ending = { ...plan, off: { ...off, untilMs: hour } };
  expect(plannedState(ending, hour - 1).didit).toBe('off');
  expect(plannedState(ending, hour).didit).toBe('up');
});

it('what is over is forgotten', () => {
  const off = { sinceMs: 0, untilMs: hour, by: 'ben', note: 'x' };
  expect(tidied({ ...plan, off }, 4 * hour)).toEqual({ schema: 1, maintenance: [planned(3, 6)] });
});

it('pages say what is certain as that, and what may pass as that', () => {
  expect(noticeOf(plannedState(noPlan, 0))).toBeUndefined();
  expect(noticeOf({ didit: 'failing' })).toEqual({ isCertain: false, untilMs: undefined });
  expect(noticeOf({ didit: 'off', untilMs: 5 })).toEqual({ isCertain: true, untilMs: 5 });
});
