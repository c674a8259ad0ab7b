/** docs/policy.md: its examples are read like any policy, and its tables are those that rules are held against. */
import { expect, test } from 'vitest';
import { testPolicy } from '../../src/config/policy-cases.ts';
import { parsePolicy } from '../../src/config/policy-file.ts';
import { type Values, seenSignalValues, signalValues } from '../../src/domain/policy.ts';
import { blocks, read, rows, section } from './support.ts';

const page = read('docs/policy.md');
const [policy = '', cases = ''] = blocks(page)
  .filter(({ language }) => language === 'yaml')
  .map(({ code }) => code);

test('the policy of the page is valid, and its cases are right', () => {
  const parsed = parsePolicy(policy, 'example');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const tested = testPolicy(parsed.policy, cases);
  expect(tested.problems).toEqual([]);
  expect(tested.cases.map(({ isRight }) => isRight)).toEqual([true, true]);
});

test.each<[string, Readonly<Record<string, Values>>]>([
  ['## What a rule can ask before the selfie', signalValues],
  ['## What a rule can ask after it', seenSignalValues],
])('the table of "%s" has every signal with its words', (heading, values) => {
  const told = rows(section(page, heading))
    .slice(1)
    .flatMap(([names = '', words = '']) => wordsIn(names).map((name) => [name, wordsIn(words)]));
  const known = Object.entries(values).map(([name, one]) => {
    return [name, 'from' in one ? [] : one.map(String)];
  });
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(known));
});

function wordsIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}
