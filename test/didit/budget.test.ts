import { expect, test } from 'vitest';
import { createBudget } from '../../src/didit/budget.ts';

test('a minute grants so many and no more, and the next minute as many again', () => {
  let now = 600_000;
  const spend = createBudget(3, () => now);
  const tenTimes = (): number => Array.from({ length: 10 }, spend).filter(Boolean).length;
  expect(tenTimes()).toBe(3);
  now += 59_999;
  expect(tenTimes()).toBe(0);
  now += 1;
  expect(tenTimes()).toBe(3);
});
