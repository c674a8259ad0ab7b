import { describe, expect, test } from 'vitest';
import { loadPolicy, shippedPolicies } from '../../src/config/policies.ts';
import { testPolicy } from '../../src/config/policy-cases.ts';
import { projectFile } from './support.ts';

const standard = loadPolicy('standard');

function problemsOf(text: string) {
  return testPolicy(standard, text).problems;
}

test.each(shippedPolicies)('every rule of %s.yaml has a case, and each case is right', (name) => {
  const policy = loadPolicy(name);
  const tested = testPolicy(policy, projectFile(`config/policy/${name}.fixtures.yaml`));
  expect(tested.problems).toEqual([]);
  expect(tested.untested).toEqual([]);
  expect(tested.cases.filter(({ isRight }) => !isRight)).toEqual([]);
});

test('a case that is decided otherwise, or by another rule, is wrong', () => {
  const text = `before:
  - { name: one, signals: { device: new }, then: skip, rule: a new device }
  - { name: two, then: selfie, rule: a known device }
  - { name: three, then: selfie, rule: a new device }
`;
  const { cases } = testPolicy(standard, text);
  expect(cases.map(({ line, isRight }) => [line, isRight])).toEqual([
    [2, false],
    [3, false],
    [4, true],
  ]);
  expect(cases[0]?.found).toEqual({ then: 'selfie', rule: 'a new device' });
});

test('rules that no case leads to are told', () => {
  const text = 'before: [{ name: a, signals: {}, then: selfie, rule: a new device }]';
  const { untested } = testPolicy(standard, text);
  expect(untested).not.toContain('a new device');
  expect(untested).toHaveLength(standard.before.length + standard.afterwards.length - 1);
});

describe('cases are refused for', () => {
  const one = (signals: string) =>
    `before:\n  - { name: a, signals: { ${signals} }, then: selfie, rule: a new device }\n`;

  test.each<[string, number, RegExp, string]>([
    ['what is not YAML', 1, /not YAML/, 'before: [}'],
    ['nothing', 1, /expected keys and values/, ''],
    ['no case', 1, /no case/, 'before: []\n'],
    ['a list that is none', 1, /"before": expected a list/, 'before: a\n'],
    ['a list that is unknown', 1, /no "after"/, `after: []\n${one('')}`],
    ['a case without a rule', 2, /"rule": expected/, 'before:\n  - { name: a, then: selfie }\n'],
    ['a case without a result', 2, /"then" is missing/, 'before:\n  - { name: a, rule: b }\n'],
    ['an unknown signal', 2, /no "devise"/, one('devise: known')],
    ['an unknown word', 2, /"device": .*"old"/, one('device: old')],
    ['a word for a number', 2, /"failures": expected a number/, one('failures: many')],
    ['fewer sign-ins than this one', 2, /"starts": expected a number from 1/, one('starts: 0')],
    ['no number', 2, /"failures": expected a number/, one('failures: .nan')],
  ])('%s', (_, line, message, text) => {
    expect(problemsOf(text)).toContainEqual(
      expect.objectContaining({ line, message: expect.stringMatching(message) as string }),
    );
  });
});
