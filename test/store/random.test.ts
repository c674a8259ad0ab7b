import { expect, test } from 'vitest';
import { smallRandom } from '../../src/store/random.ts';

test('no bytes are given out twice, not even where one pool ends and the next begins', () => {
  const pieces = Array.from({ length: 3_000 }, () => smallRandom(12).toString('hex'));
  expect(new Set(pieces).size).toBe(3_000);
});

test('what was given out is the caller’s own, and the next caller does not touch it', () => {
  const mine = smallRandom(16);
  const before = mine.toString('hex');
  for (let round = 0; round < 1_000; round += 1) smallRandom(16).fill(0);
  expect(mine.toString('hex')).toBe(before);
  expect(before).not.toBe('0'.repeat(32));
});
