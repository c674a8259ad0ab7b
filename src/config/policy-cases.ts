/** Cases beside a policy (NAME.fixtures.yaml): what it must decide, by which rule. Pure. */
import {
  type Policy,
  type Values,
  decide,
  decideAfterwards,
  unknownSeenSignals,
  unknownSignals,
} from '../domain/policy.ts';
import { vocabularies } from './policy-file.ts';
import { type Vocabulary, readName, readWord, reportValue } from './policy-rules.ts';
import { type Entry, type LineProblem, type Lines, readLines } from './yaml-lines.ts';

interface Case<Seen, Result> {
  name: string;
  signals: Seen;
  then: Result;
  rule: string;
  line: number;
}

export interface CaseResult {
  name: string;
  line: number;
  isRight: boolean;
  expected: { then: string; rule: string };
  found: { then: string; rule: string };
}

export interface TestedPolicy {
  cases: CaseResult[];
  /** Rules that no case led to. */
  untested: string[];
  /** What is wrong with the cases themselves. */
  problems: LineProblem[];
}

export function testPolicy(policy: Policy, casesText: string): TestedPolicy {
  const lines = readLines(casesText);
  if (lines.root === undefined) return { cases: [], untested: [], problems: lines.problems };
  const entries = lines.entries(lines.root, ['before', 'afterwards'], 'cases');
  const before = readCases(lines, entries.get('before'), vocabularies.before, unknownSignals);
  const seen = readCases(
    ...([lines, entries.get('afterwards'), vocabularies.afterwards, unknownSeenSignals] as const),
  );
  if (before.length + seen.length === 0) lines.report(1, 'there is no case', 'Write at least one.');
  const cases = [
    ...before.map((one) => compare(one, decide(policy, one.signals))),
    ...seen.map((one) => compare(one, decideAfterwards(policy, one.signals))),
  ];
  const reached = new Set(cases.map(({ found }) => found.rule));
  const rules = [...policy.before, ...policy.afterwards].map(({ name }) => name);
  const untested = rules.filter((name) => !reached.has(name));
  return { cases, untested, problems: lines.problems };
}

function compare(
  { name, line, then, rule }: Case<unknown, string>,
  decision: { action: string; rule: string },
): CaseResult {
  const found = { then: decision.action, rule: decision.rule };
  const isRight = found.then === then && found.rule === rule;
  return { name, line, isRight, expected: { then, rule }, found };
}

function readCases<Seen extends object, Result extends string>(
  lines: Lines,
  list: Entry | undefined,
  { values, results }: Vocabulary<keyof Seen & string, Result>,
  unknown: Readonly<Seen>,
): Case<Seen, Result>[] {
  if (list === undefined) return [];
  const items = lines.items(list.value);
  if (items === undefined) {
    lines.report(list.line, `"${list.key}": expected a list`, 'Write one "- name: …" a case.');
    return [];
  }
  return items.flatMap((item) => {
    const line = lines.lineOf(item);
    const entries = lines.entries(item, ['name', 'signals', 'then', 'rule'], 'case');
    const name = readName(lines, entries, 'name', line);
    const then = readWord(lines, entries, 'then', results, line);
    const rule = readName(lines, entries, 'rule', line);
    const signals = readSignals(lines, entries.get('signals'), values);
    if (name === undefined || then === undefined || rule === undefined) return [];
    return [{ name, signals: { ...unknown, ...signals }, then, rule, line }];
  });
}

/** Their words and numbers were held against what each signal can be. */
function readSignals<Seen extends object>(
  lines: Lines,
  given: Entry | undefined,
  values: Readonly<Record<keyof Seen & string, Values>>,
): Partial<Seen> {
  if (given === undefined || lines.scalar(given.value) === null) return {};
  const names = Object.keys(values) as (keyof Seen & string)[];
  const signals = new Map<string, unknown>();
  for (const [name, entry] of lines.entries(given.value, names, 'signals')) {
    const value = lines.scalar(entry.value);
    const allowed = values[name as keyof Seen & string];
    if (!('from' in allowed)) {
      if (allowed.some((word) => word === value)) signals.set(name, value);
      else reportValue(lines, entry, value, allowed);
    } else if (typeof value === 'number' && value >= allowed.from) signals.set(name, value);
    else {
      const fix = 'Write a number, or leave the signal out.';
      lines.report(entry.line, `"${name}": expected a number from ${allowed.from} on`, fix);
    }
  }
  return Object.fromEntries(signals) as Partial<Seen>;
}
