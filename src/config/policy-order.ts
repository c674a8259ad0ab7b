/** What is wrong with rules that can each be read: names, the order, and what no rule may do. */
import { type Box, boxOf, isCovered, isEmpty, isSame, overlaps } from '../domain/policy-cover.ts';
import type { PlacedRule, Vocabulary } from './policy-rules.ts';
import type { Lines } from './yaml-lines.ts';

/** @param named the rules that had a name before these, across both lists. */
export function checkOrder<Name extends string, Result extends string>(
  lines: Lines,
  rules: readonly (PlacedRule<Name, Result> | undefined)[],
  { values }: Vocabulary<Name, Result>,
  named: Map<string, number>,
): void {
  const earlier: { rule: PlacedRule<Name, Result>; box: Box }[] = [];
  for (const rule of rules) {
    // Without a rule that cannot be read, what is found here of the others stays true.
    if (rule === undefined) continue;
    const { name, line, then } = rule;
    const namesake = named.get(name);
    if (namesake === undefined) named.set(name, line);
    else report(rule, `line ${namesake} has this name already`, 'Give it another name.');

    const box = boxOf(rule.when, values);
    const twin = earlier.find((one) => isSame(one.box, box));
    if (isEmpty(box)) report(rule, 'no number can be that', 'Correct the limits.');
    else if (twin && twin.rule.then !== then) {
      const message = `line ${twin.rule.line} has the same conditions and says ${twin.rule.then}, not ${then}`;
      report(rule, message, 'The earlier one decides. Remove one of them.');
    } else if (!isTheLast(rule) || twin) {
      const before = earlier.filter((one) => overlaps(one.box, box));
      if (isCovered(box, boxesOf(before))) {
        const message = `never reached, since ${linesOf(before, box)} every case of it already`;
        report(rule, message, 'Move it up or remove it.');
      }
    }
    earlier.push({ rule, box });
  }

  const last = rules.at(-1);
  if (last && last.when.length > 0) {
    const fix = 'Add one at the end without "when", for everybody who is left.';
    report(last, 'the last rule must match always', fix);
  }

  function report(rule: PlacedRule<Name, Result>, message: string, fix: string): void {
    lines.report(rule.line, `"${rule.name}": ${message}`, fix);
  }

  /** It has to be there, even where the rules before it leave nothing. */
  function isTheLast(rule: PlacedRule<Name, Result>): boolean {
    return rule === rules.at(-1) && rule.when.length === 0;
  }
}

function boxesOf(rules: readonly { box: Box }[]): Box[] {
  return rules.map(({ box }) => box);
}

/** One that does it alone, if there is one; else all that have to do with it. */
function linesOf(rules: readonly { rule: { line: number }; box: Box }[], box: Box): string {
  const alone = rules.find((one) => isCovered(box, [one.box]));
  if (alone) return `line ${alone.rule.line} takes`;
  const numbers = rules.map(({ rule }) => String(rule.line));
  return `lines ${new Intl.ListFormat('en').format(numbers)} together take`;
}
