/** Signals and rules at random, for properties that must hold of all of them. */
import fc from 'fast-check';
import {
  type Action,
  type Condition,
  type Rule,
  type Values,
  seenSignalValues,
  signalValues,
} from '../../src/domain/policy.ts';
import type { SeenSignals, SignalName, Signals } from '../../src/domain/signals.ts';

function valueOf(values: Values): fc.Arbitrary<unknown> {
  if (!('from' in values)) return fc.constantFrom(...values);
  const { from, isWhole } = values;
  if (isWhole) return fc.integer({ min: from, max: 12 });
  return fc.oneof(fc.constantFrom(0, 335.9, 336, Infinity), fc.double({ min: from, noNaN: true }));
}

function recordOf<Seen>(values: Readonly<Record<keyof Seen & string, Values>>): fc.Arbitrary<Seen> {
  const entries = Object.entries<Values>(values).map(([name, one]) => [name, valueOf(one)]);
  return fc.record(Object.fromEntries(entries) as { [N in keyof Seen]: fc.Arbitrary<Seen[N]> });
}

export const anySignals: fc.Arbitrary<Signals> = recordOf<Signals>(signalValues);
export const anySeenSignals: fc.Arbitrary<SeenSignals> = recordOf<SeenSignals>(seenSignalValues);

/** @param names few of them, so that rules get into each other's way. */
export function anyRules(names: readonly SignalName[], atMost: number): fc.Arbitrary<Rule[]> {
  const rule = fc.record({
    name: fc.uuid(),
    when: fc
      .subarray([...names])
      .chain((picked) => fc.tuple(...picked.map((signal) => conditionOn(signal)))),
    then: fc.constantFrom<Action>('skip', 'selfie', 'selfie_active', 'fallback', 'deny', 'review'),
  });
  return fc.array(rule, { minLength: 1, maxLength: atMost });
}

function conditionOn(signal: SignalName): fc.Arbitrary<Condition<SignalName>> {
  const values: Values = signalValues[signal];
  if (!('from' in values)) {
    const words = fc.subarray([...values], { minLength: 1 });
    return words.map((anyOf) => ({ signal, anyOf }));
  }
  const limit = values.isWhole
    ? fc.constantFrom(0, 1, 1.5, 2, 3)
    : fc.constantFrom(0, 0.5, 1, 1.5, 2);
  return fc.oneof(
    limit.map((atLeast) => ({ signal, atLeast })),
    limit.map((below) => ({ signal, below })),
    fc.tuple(limit, limit).map(([atLeast, below]) => ({ signal, atLeast, below })),
  );
}
