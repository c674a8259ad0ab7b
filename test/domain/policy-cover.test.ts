/** What is left of a rule, held against trying out every combination of signals that makes a difference. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boxOf, isCovered, isEmpty, overlaps } from '../../src/domain/policy-cover.ts';
import {
  type Policy,
  type Rule,
  decide,
  signalValues,
  unknownSignals,
} from '../../src/domain/policy.ts';
import type { SignalName, Signals } from '../../src/domain/signals.ts';
import { anyRules } from './policy-samples.ts';

const names: SignalName[] = ['device', 'tor', 'failures', 'hours_since_proof'];
const cells: readonly Signals[] = signalValues.device.flatMap((device) =>
  signalValues.tor.flatMap((tor) =>
    [0, 1, 2, 3, 4].flatMap((failures) =>
      [0, 0.2, 0.5, 0.7, 1, 1.2, 1.5, 1.7, 2, 3, Infinity].map((hours_since_proof) => {
        return { ...unknownSignals, device, tor, failures, hours_since_proof };
      }),
    ),
  ),
);

function cellsOf(rule: Rule): ReadonlySet<Signals> {
  const end: Rule = { name: 'end', when: [], then: 'deny' };
  const policy = { name: '', before: [rule, end] } as unknown as Policy;
  return new Set(cells.filter((cell) => decide(policy, cell).rule === rule.name));
}

test('a rule is covered by others exactly when they take each of its cases', () => {
  const seen = { covered: 0, free: 0, empty: 0 };
  fc.assert(
    fc.property(anyRules(names, 8), (rules) => {
      const boxes = rules.map(({ when }) => boxOf(when, signalValues));
      const taken = new Set<Signals>();
      for (const [at, rule] of rules.entries()) {
        const box = boxes[at] ?? [];
        const own = cellsOf(rule);
        expect(isEmpty(box)).toBe(own.size === 0);
        seen[own.size === 0 ? 'empty' : own.isSubsetOf(taken) ? 'covered' : 'free'] += 1;
        if (own.size > 0) expect(isCovered(box, boxes.slice(0, at))).toBe(own.isSubsetOf(taken));
        for (const cell of own) taken.add(cell);
      }
    }),
    { numRuns: 400 },
  );
  expect(Object.values(seen).every((count) => count > 20)).toBe(true);
});

test('two rules overlap exactly when there is a case of both', () => {
  fc.assert(
    fc.property(anyRules(names, 1), anyRules(names, 1), ([one], [other]) => {
      if (one === undefined || other === undefined) return;
      const shared = cellsOf(one).intersection(cellsOf(other));
      const boxes = [boxOf(one.when, signalValues), boxOf(other.when, signalValues)] as const;
      expect(overlaps(...boxes)).toBe(shared.size > 0);
    }),
    { numRuns: 400 },
  );
});

test('a hundred rules that cut each other are compared before anybody gives up waiting', () => {
  const every = Object.keys(signalValues) as SignalName[];
  const rules = fc.sample(anyRules(every, 100), { seed: 7, numRuns: 40 }).flat().slice(0, 100);
  const boxes = rules.map(({ when }) => boxOf(when, signalValues));
  const startMs = performance.now();
  for (const [at, box] of boxes.entries()) isCovered(box, boxes.slice(0, at));
  expect(boxes).toHaveLength(100);
  expect(performance.now() - startMs).toBeLessThan(10_000);
}, 20_000);
