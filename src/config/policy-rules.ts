/** The two lists of a policy file as rules, or what is wrong with each line. */
import type { Condition, RuleOf, Values, Word } from '../domain/policy.ts';
import { type Entry, type Lines, oneOf, suggestion } from './yaml-lines.ts';

export interface Vocabulary<Name extends string, Result extends string> {
  values: Readonly<Record<Name, Values>>;
  results: readonly Result[];
}

export interface PlacedRule<Name extends string, Result extends string> extends RuleOf<
  Name,
  Result
> {
  line: number;
}

const mostRules = 100;

/** @returns undefined in the place of a rule that cannot be read. */
export function readRules<Name extends string, Result extends string>(
  lines: Lines,
  { key, line, value }: Entry,
  vocabulary: Vocabulary<Name, Result>,
): (PlacedRule<Name, Result> | undefined)[] {
  const items = lines.items(value);
  if (items === undefined || items.length === 0) {
    lines.report(line, `"${key}": expected a list of rules`, 'Write one "- name: …" a rule.');
    return [];
  }
  if (items.length > mostRules) {
    const fix = 'Nobody can follow more of them. Put what leads to the same together.';
    lines.report(line, `"${key}": expected at most ${mostRules} rules`, fix);
    return [];
  }
  return items.map((item) => readRule(lines, item, vocabulary));
}

function readRule<Name extends string, Result extends string>(
  lines: Lines,
  item: unknown,
  vocabulary: Vocabulary<Name, Result>,
): PlacedRule<Name, Result> | undefined {
  const before = lines.problems.length;
  const line = lines.lineOf(item);
  const entries = lines.entries(item, ['name', 'when', 'then'], 'rule');
  const name = readName(lines, entries, 'name', line);
  const then = readWord(lines, entries, 'then', vocabulary.results, line);
  const when = entries.get('when');
  const conditions = when ? readConditions(lines, when.value, vocabulary.values) : [];
  if (name === undefined || then === undefined || lines.problems.length > before) return undefined;
  return { name, when: conditions, then, line };
}

export function readName(
  lines: Lines,
  entries: ReadonlyMap<string, Entry>,
  key: string,
  line: number,
): string | undefined {
  const entry = entries.get(key);
  const name = entry && lines.scalar(entry.value);
  if (typeof name === 'string' && name.trim() !== '') return name;
  const message = `"${key}": expected a few plain words`;
  lines.report(entry?.line ?? line, message, 'A text with special characters needs quotes.');
  return undefined;
}

export function readWord<W extends string>(
  lines: Lines,
  entries: ReadonlyMap<string, Entry>,
  key: string,
  known: readonly W[],
  line: number,
): W | undefined {
  const entry = entries.get(key);
  const typed = entry && lines.scalar(entry.value);
  const found = known.find((word) => word === typed);
  if (entry === undefined) lines.report(line, `"${key}" is missing`, oneOf(known));
  else if (found === undefined) reportValue(lines, entry, typed, known);
  return found;
}

function readConditions<Name extends string>(
  lines: Lines,
  node: unknown,
  values: Readonly<Record<Name, Values>>,
): Condition<Name>[] {
  // A key without a value is a key left out.
  if (node === null || lines.scalar(node) === null) return [];
  const names = Object.keys(values) as Name[];
  const entries = lines.entries(node, names, 'signals');
  return names.flatMap((signal) => {
    const entry = entries.get(signal);
    if (entry === undefined) return [];
    const allowed = values[signal];
    if ('from' in allowed) return [{ signal, ...readLimits(lines, entry) }];
    return [{ signal, anyOf: readWords(lines, entry, allowed) }];
  });
}

function readWords(lines: Lines, entry: Entry, allowed: readonly Word[]): Word[] {
  const nodes = lines.items(entry.value) ?? [entry.value];
  if (nodes.length === 0) {
    lines.report(entry.line, `"${entry.key}": no word can be one of none`, oneOf(allowed));
  }
  return nodes.flatMap((node) => {
    const typed = lines.scalar(node);
    const found = allowed.filter((word) => word === typed);
    if (found.length === 0) reportValue(lines, entry, typed, allowed);
    return found;
  });
}

export function reportValue(
  lines: Lines,
  entry: Entry,
  typed: unknown,
  allowed: readonly Word[],
): void {
  const found = typed === undefined ? 'something else' : JSON.stringify(typed);
  const message = `"${entry.key}": expected one of its words, found ${found}`;
  lines.report(entry.line, message, suggestion(String(typed), allowed.map(String)));
}

function readLimits(lines: Lines, entry: Entry): { atLeast?: number; below?: number } {
  const where = `"${entry.key}"`;
  const fix = 'Write { below: 5 }, { at_least: 5 } or both.';
  const entries = lines.entries(entry.value, ['below', 'at_least'], where);
  const limit = (key: string): number | undefined => {
    const given = entries.get(key);
    const number = given && lines.scalar(given.value);
    if (given === undefined) return undefined;
    if (typeof number === 'number' && Number.isFinite(number) && number >= 0) return number;
    lines.report(given.line, `${where}: "${key}" expects a number from 0 on`, fix);
    return undefined;
  };
  const [atLeast, below] = [limit('at_least'), limit('below')];
  if (entries.size === 0) lines.report(entry.line, `${where}: expected a limit`, fix);
  return {
    ...(atLeast === undefined ? {} : { atLeast }),
    ...(below === undefined ? {} : { below }),
  };
}
