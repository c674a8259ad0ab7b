/** A policy file (docs/policy.md) as a policy, or everything that is wrong with it. Pure. */
import {
  type Action,
  type Afterwards,
  type Policy,
  type RuleOf,
  type Rules,
  seenSignalValues,
  signalValues,
} from '../domain/policy.ts';
import type { SeenSignalName, SignalName } from '../domain/signals.ts';
import { duration } from './kinds.ts';
import { checkOrder } from './policy-order.ts';
import { type PlacedRule, type Vocabulary, readRules, readWord } from './policy-rules.ts';
import { type Entry, type LineProblem, type Lines, readLines } from './yaml-lines.ts';

const actions = ['skip', 'selfie', 'selfie_active', 'fallback', 'deny', 'review'] as const;
const afterwards = ['accept', 'deny', 'review'] as const;

const references: readonly Policy['reference'][] = ['any', 'portrait'];
const keys = ['reference', 'device_key_rest', 'device_key_idle', 'before', 'afterwards'];
/** What the rules of each list can say. */
export const vocabularies: {
  before: Vocabulary<SignalName, Action>;
  afterwards: Vocabulary<SeenSignalName, Afterwards>;
} = {
  before: { values: signalValues, results: actions },
  afterwards: { values: seenSignalValues, results: afterwards },
};
const daySeconds = 86_400;

export type ParsedPolicy = { ok: true; policy: Policy } | { ok: false; problems: LineProblem[] };

/** @param name what decisions call the policy. */
export function parsePolicy(text: string, name: string): ParsedPolicy {
  const lines = readLines(text);
  if (lines.root === undefined) return { ok: false, problems: lines.problems };
  const entries = lines.entries(lines.root, keys, 'policy');
  const reference = entries.has('reference')
    ? readWord(lines, entries, 'reference', references, 1)
    : 'any';
  const deviceKeyRestSeconds = readDuration(lines, entries.get('device_key_rest')) ?? daySeconds;
  const idle = entries.get('device_key_idle');
  const deviceKeyIdleSeconds = readDuration(lines, idle) ?? 90 * daySeconds;
  if (deviceKeyIdleSeconds <= deviceKeyRestSeconds) {
    const message = 'a device key would be forgotten before it has rested';
    lines.report(idle?.line ?? 1, message, 'Make device_key_idle longer.');
  }
  const named = new Map<string, number>();
  const before = readList(lines, entries, 'before', vocabularies.before, named);
  const seen = readList(lines, entries, 'afterwards', vocabularies.afterwards, named);
  for (const rule of before) refuseSkip(lines, rule);

  const [ruled, ruledAfterwards] = [withoutLines(before), withoutLines(seen)];
  const problems = lines.problems.toSorted((one, other) => one.line - other.line);
  if (problems.length > 0 || !ruled || !ruledAfterwards || reference === undefined) {
    return { ok: false, problems };
  }
  const needs = new Set(before.flatMap(({ when }) => when.map(({ signal }) => signal)));
  const times = { deviceKeyRestSeconds, deviceKeyIdleSeconds };
  const rules = { before: ruled, afterwards: ruledAfterwards };
  return { ok: true, policy: { name, reference, ...times, ...rules, needs } };
}

function readList<Name extends string, Result extends string>(
  lines: Lines,
  entries: ReadonlyMap<string, Entry>,
  key: string,
  vocabulary: Vocabulary<Name, Result>,
  named: Map<string, number>,
): PlacedRule<Name, Result>[] {
  const entry = entries.get(key);
  if (entry === undefined) {
    lines.report(1, `there is no "${key}"`, 'Copy it from one of the policies that are shipped.');
    return [];
  }
  const rules = readRules(lines, entry, vocabulary);
  checkOrder(lines, rules, vocabulary, named);
  return rules.filter((rule) => rule !== undefined);
}

/** Somebody let in without a selfie has shown nothing but the key of the device: so there must be one. */
function refuseSkip(lines: Lines, rule: PlacedRule<SignalName, Action>): void {
  if (rule.then !== 'skip') return;
  const isProven = rule.when.some(
    (one) =>
      one.signal === 'device' && 'anyOf' in one && one.anyOf.every((word) => word === 'known'),
  );
  if (isProven) return;
  const message = `"${rule.name}": skips the selfie without "device: known"`;
  lines.report(rule.line, message, 'Add that condition, or take a selfie.');
}

function readDuration(lines: Lines, entry: Entry | undefined): number | undefined {
  if (entry === undefined) return undefined;
  const read = duration.schema.safeParse(lines.scalar(entry.value));
  if (read.success) return read.data;
  lines.report(entry.line, `"${entry.key}": expected ${duration.expects}`, 'Such as 24h or 90d.');
  return undefined;
}

/** @returns undefined when there is none. */
function withoutLines<Name extends string, Result extends string>(
  rules: readonly PlacedRule<Name, Result>[],
): Rules<RuleOf<Name, Result>> | undefined {
  const [first, ...others] = rules.map(({ name, when, then }) => ({ name, when, then }));
  return first && [first, ...others];
}
