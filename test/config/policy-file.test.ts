import { describe, expect, test } from 'vitest';
import { type ParsedPolicy, parsePolicy } from '../../src/config/policy-file.ts';
import { projectFile } from './support.ts';

const rest = `
afterwards:
  - name: approved
    then: accept`;

/** Rules from line 2 on, which most of these are about. */
function before(...rules: string[]): string {
  return `before:\n${rules.map((rule) => `  - ${rule}\n`).join('')}${rest}`;
}

const left = '{ name: everybody else, then: selfie }';

function problemsOf(text: string): { line: number; message: string; fix: string }[] {
  const parsed = parsePolicy(text, 'sample');
  return parsed.ok ? [] : parsed.problems;
}

describe('a policy file', () => {
  test('gives its rules in their order, with times in seconds and what they look at', () => {
    const text = before(
      '{ name: at home, when: { device: known, tor: false }, then: skip }',
      '{ name: some, when: { device: [resting, new], failures: { at_least: 2, below: 5 } }, then: review }',
      left,
    );
    const parsed = parsePolicy(`${text}\ndevice_key_rest: 2h\ndevice_key_idle: 30d\n`, 'sample');
    expect(parsed).toEqual<ParsedPolicy>({
      ok: true,
      policy: {
        ...{ name: 'sample', reference: 'any' },
        ...{ deviceKeyRestSeconds: 7200, deviceKeyIdleSeconds: 30 * 86_400 },
        before: [
          {
            name: 'at home',
            when: [
              { signal: 'device', anyOf: ['known'] },
              { signal: 'tor', anyOf: [false] },
            ],
            then: 'skip',
          },
          {
            name: 'some',
            when: [
              { signal: 'device', anyOf: ['resting', 'new'] },
              { signal: 'failures', atLeast: 2, below: 5 },
            ],
            then: 'review',
          },
          { name: 'everybody else', when: [], then: 'selfie' },
        ],
        afterwards: [{ name: 'approved', when: [], then: 'accept' }],
        needs: new Set(['device', 'tor', 'failures'] as const),
      },
    });
  });

  test('lets a device key rest for a day and be forgotten after ninety', () => {
    const parsed = parsePolicy(before(left), 'sample');
    expect(parsed).toMatchObject({
      policy: { deviceKeyRestSeconds: 86_400, deviceKeyIdleSeconds: 90 * 86_400 },
    });
  });

  test('may repeat conditions by an alias', () => {
    const text = before(
      '{ name: one, when: { device: known, tor: &yes true }, then: deny }',
      '{ name: two, when: { vpn: *yes }, then: review }',
      left,
    );
    expect(problemsOf(text)).toEqual([]);
  });

  test('takes a key without a value for one left out', () => {
    expect(problemsOf(before('{ name: everybody, when: , then: selfie }'))).toEqual([]);
  });
});

describe('a policy file is refused for', () => {
  const known = 'device: known';
  test.each<[string, number, RegExp, string]>([
    ['what is not YAML', 2, /not YAML/, 'before:\n  - name: a: b\n'],
    ['a key twice', 2, /not YAML \(duplicate key\)/, `reference: any\nreference: any\n`],
    ['nothing', 1, /expected keys and values/, ''],
    ['a list', 1, /expected keys and values/, '- a\n'],
    ['a key that is unknown', 1, /no "refrence"/, `refrence: any\n${before(left)}`],
    ['a key that objects have', 1, /no "__proto__"/, `__proto__: {}\n${before(left)}`],
    ['another reference', 1, /"reference": .*"own"/, `reference: own\n${before(left)}`],
    [
      'a time that is none',
      1,
      /"device_key_rest": .*dur/,
      `device_key_rest: soon\n${before(left)}`,
    ],
    ['a key that never wakes', 1, /forgotten before/, `device_key_idle: 12h\n${before(left)}`],
    ['no rules before', 1, /there is no "before"/, rest],
    ['no rules afterwards', 1, /there is no "afterwards"/, `before:\n  - ${left}\n`],
    ['an empty list of rules', 1, /"before": expected a list/, `before: []\n${rest}`],
    ['a rule that is a word', 2, /rule: expected keys/, before('selfie', left)],
    ['a rule of a hundred', 1, /at most 100/, before(...Array.from({ length: 101 }, () => left))],
    [
      'a key of a rule',
      2,
      /rule: there is no "if"/,
      before('{ name: a, if: {}, then: deny }', left),
    ],
    ['a rule without a name', 3, /"name": expected/, before(left, '{ then: selfie }')],
    ['a name that is a number', 2, /"name": expected/, before('{ name: 7, then: selfie }')],
    ['a rule that says nothing', 2, /"then" is missing/, before('{ name: a }')],
    ['an unknown action', 2, /"then": .*"selfy"/, before('{ name: a, then: selfy }')],
    ['an action of the other list', 2, /"then": .*"accept"/, before('{ name: a, then: accept }')],
    [
      ...(['an unknown signal', 2, /signals: there is no "devise"/] as const),
      before('{ name: a, when: { devise: known }, then: deny }', left),
    ],
    [
      ...(['a signal of the other list', 2, /signals: there is no "locality"/] as const),
      before('{ name: a, when: { locality: agrees }, then: deny }', left),
    ],
    [
      ...(['a signal that objects have', 2, /signals: there is no "constructor"/] as const),
      before('{ name: a, when: { constructor: known }, then: deny }', left),
    ],
    [
      ...(['conditions that are a word', 2, /signals: expected keys/] as const),
      before('{ name: a, when: always, then: deny }', left),
    ],
    [
      ...(['an unknown word', 2, /"device": .*"trusted"/] as const),
      before('{ name: a, when: { device: trusted }, then: deny }', left),
    ],
    [
      ...(['one unknown word of several', 2, /"device": .*"old"/] as const),
      before('{ name: a, when: { device: [known, old] }, then: deny }', left),
    ],
    [
      ...(['no word', 2, /"device": no word/] as const),
      before('{ name: a, when: { device: [] }, then: deny }', left),
    ],
    [
      ...(['a word where it is yes or no', 2, /"tor": .*"yes"/] as const),
      before('{ name: a, when: { tor: yes }, then: deny }', left),
    ],
    [
      ...(['a limit where there are words', 2, /"device": .*something else/] as const),
      before('{ name: a, when: { device: { below: 3 } }, then: deny }', left),
    ],
    [
      ...(['a number without a limit', 2, /"failures": expected keys/] as const),
      before('{ name: a, when: { failures: 3 }, then: deny }', left),
    ],
    [
      ...(['no limit', 2, /"failures": expected a limit/] as const),
      before('{ name: a, when: { failures: {} }, then: deny }', left),
    ],
    [
      ...(['an unknown limit', 2, /"failures": there is no "above"/] as const),
      before('{ name: a, when: { failures: { above: 3 } }, then: deny }', left),
    ],
    [
      ...(['a limit without end', 2, /"below" expects a number/] as const),
      before('{ name: a, when: { hours_since_proof: { below: .inf } }, then: deny }', left),
    ],
    [
      ...(['a limit below nothing', 2, /"at_least" expects a number/] as const),
      before('{ name: a, when: { failures: { at_least: -1 } }, then: deny }', left),
    ],
    [
      ...(['limits that no number meets', 2, /"a": no number can be that/] as const),
      before('{ name: a, when: { failures: { at_least: 5, below: 5 } }, then: deny }', left),
    ],
    [
      ...(['fewer sign-ins than this one', 2, /"a": no number can be that/] as const),
      before('{ name: a, when: { starts: { below: 1 } }, then: deny }', left),
    ],
    [
      ...(['limits between which no whole number lies', 2, /no number can be that/] as const),
      before('{ name: a, when: { failures: { at_least: 1.2, below: 1.9 } }, then: deny }', left),
    ],
    [
      ...(['a name twice', 3, /"a": line 2 has this name/] as const),
      before('{ name: a, when: { tor: true }, then: deny }', '{ name: a, then: selfie }'),
    ],
    [
      ...(['a name that is in the other list', 5, /"approved": line 2 has this name/] as const),
      before('{ name: approved, then: selfie }'),
    ],
    [
      ...(['no rule for everybody else', 2, /"a": the last rule must match always/] as const),
      before(`{ name: a, when: { ${known} }, then: selfie }`),
    ],
    [
      ...(['a last rule that lists every word', 2, /must match always/] as const),
      before('{ name: a, when: { device: [known, resting, new] }, then: selfie }'),
    ],
    [
      ...(['a skip without a device key', 2, /"a": skips the selfie without/] as const),
      before('{ name: a, when: { network: known }, then: skip }', left),
    ],
    [
      ...(['a skip with a young key', 2, /"a": skips the selfie without/] as const),
      before('{ name: a, when: { device: [known, resting] }, then: skip }', left),
    ],
    ['a skip for everybody else', 2, /"a": skips the selfie/, before('{ name: a, then: skip }')],
  ])('%s', (_, line, message, text) => {
    expect(problemsOf(text)).toContainEqual(
      expect.objectContaining({ line, message: expect.stringMatching(message) as string }),
    );
  });

  test('all that is wrong with it, at once and from top to bottom', () => {
    const text = before(
      '{ name: a, when: { devise: known }, then: deny }',
      '{ name: b, when: { device: known }, then: skip_it }',
      '{ name: c, when: { network: known }, then: skip }',
      '{ name: d, when: { tor: true }, then: deny }',
    );
    expect(problemsOf(text).map(({ line }) => line)).toEqual([2, 3, 4, 5]);
  });

  test('a name with a mistake in it, with the name that was meant', () => {
    const [problem] = problemsOf(before('{ name: a, when: { devise: known }, then: deny }', left));
    expect(problem?.fix).toBe('Did you mean "device"?');
  });
});

describe('the order of rules', () => {
  const rule = (name: string, when: string, then = 'selfie') =>
    `{ name: ${name}, when: { ${when} }, then: ${then} }`;

  test.each<[string, RegExp, string[]]>([
    [
      'one that an earlier rule takes entirely',
      /"b": never reached, since line 2 takes/,
      [rule('a', 'device: [known, resting]'), rule('b', 'device: known, tor: true', 'deny')],
    ],
    [
      'one with a narrower number',
      /"b": never reached, since line 2 takes/,
      [rule('a', 'failures: { at_least: 2 }'), rule('b', 'failures: { at_least: 5 }', 'deny')],
    ],
    [
      'one with the same conditions and the same action',
      /"b": never reached, since line 2 takes/,
      [rule('a', 'tor: true'), rule('b', 'tor: true')],
    ],
    [
      'one that two words take together',
      /"c": never reached, since lines 2 and 3 together take/,
      [
        rule('a', 'device: known'),
        rule('b', 'device: [resting, new], tor: true'),
        rule('c', 'tor: true', 'deny'),
      ],
    ],
    [
      'one that numbers on both sides take together',
      /"c": never reached, since lines 2 and 3 together take/,
      [
        rule('a', 'failures: { below: 2.5 }'),
        rule('b', 'failures: { at_least: 3 }'),
        rule('c', 'vpn: true', 'deny'),
      ],
    ],
    [
      'one after a rule for everybody',
      /"b": never reached, since line 2 takes/,
      ['{ name: a, then: selfie }', rule('b', 'tor: true', 'deny')],
    ],
    [
      'two for everybody',
      /"everybody else": never reached, since line 2 takes/,
      ['{ name: a, then: selfie }'],
    ],
  ])('is refused with %s', (_, message, rules) => {
    const problems = problemsOf(before(...rules, left));
    expect(problems).toContainEqual(
      expect.objectContaining({ message: expect.stringMatching(message) as string }),
    );
  });

  test('that contradicts itself is refused with the line that decides', () => {
    const rules = [
      rule('a', 'tor: true, device: new', 'deny'),
      rule('b', 'device: new, tor: true'),
    ];
    expect(problemsOf(before(...rules, left))).toEqual([
      {
        line: 3,
        message: '"b": line 2 has the same conditions and says deny, not selfie',
        fix: 'The earlier one decides. Remove one of them.',
      },
    ]);
  });

  test.each<[string, string[]]>([
    [
      'a wider rule after a narrower one',
      [rule('a', 'tor: true, vpn: true'), rule('b', 'tor: true')],
    ],
    [
      'numbers that touch',
      [
        rule('a', 'hours_since_proof: { below: 24 }'),
        rule('b', 'hours_since_proof: { at_least: 24, below: 48 }'),
      ],
    ],
    [
      'a number between two halves',
      [
        rule('a', 'hours_since_proof: { below: 2 }'),
        rule('b', 'hours_since_proof: { at_least: 2.5 }'),
        rule('c', 'tor: true'),
      ],
    ],
    // It has to be there, so that nothing new is ever without a rule.
    ['an end for which nothing is left', [rule('a', 'tor: true'), rule('b', 'tor: false')]],
  ])('is right with %s', (_, rules) => {
    expect(problemsOf(before(...rules, left))).toEqual([]);
  });
});

test.each(['standard', 'strict'])('%s.yaml says in a comment why, and is in order', (name) => {
  const text = projectFile(`config/policy/${name}.yaml`);
  expect(problemsOf(text)).toEqual([]);
  expect(text).toMatch(/^ *# /m);
});
