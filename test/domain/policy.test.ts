import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../src/config/policies.ts';
import {
  type Condition,
  type Policy,
  type Rule,
  type SeenRule,
  decide,
  decideAfterwards,
  unknownSeenSignals,
  unknownSignals,
} from '../../src/domain/policy.ts';
import type { SignalName, Signals } from '../../src/domain/signals.ts';
import { anyRules, anySeenSignals, anySignals } from './policy-samples.ts';

const standard = loadPolicy('standard');
const strict = loadPolicy('strict');
const both: readonly [string, Policy][] = [
  ['standard', standard],
  ['strict', strict],
];

const left: Rule = { name: 'everybody else', when: [], then: 'deny' };
const leftAfterwards: SeenRule = { name: 'everything else', when: [], then: 'deny' };

function policyOf(rules: readonly Rule[]): Policy {
  const [first, ...others] = rules;
  const before: Policy['before'] = first ? [first, ...others, left] : [left];
  return { ...standard, name: 'sample', before, afterwards: [leftAfterwards] };
}

function signals(known: Partial<Signals>): Signals {
  return { ...unknownSignals, ...known };
}

describe('the four rows of the adaptive table', () => {
  const atHome: Partial<Signals> = { network: 'known', country: 'known', hours_since_proof: 20 };

  test('a known device on a known network skips the selfie', () => {
    expect(decide(standard, signals({ ...atHome, device: 'known' })).action).toBe('skip');
  });

  test('a known device on a new network takes a selfie', () => {
    const away = signals({ ...atHome, device: 'known', network: 'new' });
    expect(decide(standard, away).action).toBe('selfie');
  });

  test('a new device on a new network takes a selfie', () => {
    expect(decide(standard, signals({ device: 'new', network: 'new' })).action).toBe('selfie');
  });

  test('a new device through Tor or a VPN moves before the camera', () => {
    for (const hidden of [{ tor: true }, { vpn: true }, { tor: true, vpn: true }]) {
      expect(decide(standard, signals({ device: 'new', ...hidden })).action).toBe('selfie_active');
    }
  });
});

describe('the policies that are shipped', () => {
  test.each(both)('%s never skips the selfie of a device without a proven key', (_, policy) => {
    fc.assert(
      fc.property(anySignals, (some) => {
        if (some.device !== 'known') expect(decide(policy, some).action).not.toBe('skip');
      }),
      { numRuns: 2000 },
    );
  });

  test.each(both)('%s spares nobody anything for signals that are missing', (_, policy) => {
    const spares: Record<string, number> = { skip: 0, selfie: 1, selfie_active: 2, fallback: 2 };
    const proven = ['device', 'factor', 'network', 'hours_since_proof'] as const;
    fc.assert(
      fc.property(anySignals, fc.subarray([...proven]), (some, missing) => {
        const kept = Object.entries(some).filter(([name]) => !missing.some((one) => one === name));
        const fewer = signals(Object.fromEntries(kept));
        const [more, less] = [decide(policy, some).action, decide(policy, fewer).action];
        expect(spares[less] ?? 3).toBeGreaterThanOrEqual(spares[more] ?? 3);
      }),
      { numRuns: 2000 },
    );
  });

  test('[XD-08] by strict.yaml nobody takes a selfie without a device key or another factor', () => {
    fc.assert(
      fc.property(anySignals, (some) => {
        const unproven: Signals = { ...some, factor: 'none' };
        if (unproven.device === 'known') return;
        expect(['fallback', 'deny']).toContain(decide(strict, unproven).action);
      }),
      { numRuns: 2000 },
    );
  });

  test('[XD-09] by strict.yaml a new device shows another factor and then takes its selfie', () => {
    expect(decide(strict, signals({})).action).toBe('fallback');
    expect(decide(strict, signals({ factor: 'shown' })).action).toBe('selfie');
  });

  test('strict.yaml never skips a selfie', () => {
    const skipping = strict.before.filter(({ then }) => then === 'skip');
    expect(skipping).toEqual([]);
  });

  test('only strict.yaml refuses a selfie whose place cannot be told', () => {
    const elsewhere = { ...unknownSeenSignals, handoff: 'none' } as const;
    expect(decideAfterwards(standard, elsewhere).action).toBe('accept');
    expect(decideAfterwards(strict, elsewhere).action).toBe('deny');
  });

  test('only strict.yaml wants the reference face that we keep', () => {
    expect([standard.reference, strict.reference]).toEqual(['any', 'portrait']);
  });

  test.each(both)('%s decides the same again from what a decision says', (_, policy) => {
    fc.assert(
      fc.property(anySignals, anySeenSignals, (some, seen) => {
        const decision = decide(policy, some);
        const kept = JSON.parse(JSON.stringify(decision.signals)) as Partial<Signals>;
        expect(decide(policy, signals(kept))).toEqual(decision);
        const afterwards = decideAfterwards(policy, seen);
        const again = { ...unknownSeenSignals, ...afterwards.signals };
        expect(decideAfterwards(policy, again)).toEqual(afterwards);
      }),
      { numRuns: 2000 },
    );
  });

  test('a login finds out only what the rules before the selfie ask for', () => {
    expect([...standard.needs].toSorted()).toEqual([
      'device',
      'hosting',
      'hours_since_proof',
      'network',
      'tor',
      'travel',
      'vpn',
    ]);
    for (const name of ['failures', 'starts'] as const) {
      expect(standard.needs.has(name)).toBe(false);
    }
  });
});

describe('a decision', () => {
  const rule = (name: string, when: Condition<SignalName>[], then: Rule['then']): Rule => {
    return { name, when, then };
  };

  test('is that of the first rule whose conditions all hold', () => {
    const policy = policyOf([
      rule(
        'one',
        [
          { signal: 'tor', anyOf: [true] },
          { signal: 'vpn', anyOf: [true] },
        ],
        'deny',
      ),
      rule('two', [{ signal: 'device', anyOf: ['known', 'resting'] }], 'selfie'),
      rule('three', [{ signal: 'device', anyOf: ['known'] }], 'skip'),
    ]);
    expect(decide(policy, signals({ device: 'known', tor: true }))).toMatchObject({
      ...{ action: 'selfie', policy: 'sample', rule: 'two' },
    });
    expect(decide(policy, signals({ tor: true, vpn: true }))).toMatchObject({ rule: 'one' });
    expect(decide(policy, signals({}))).toMatchObject({ rule: 'everybody else', action: 'deny' });
  });

  test('names what was looked at and nothing else of the person', () => {
    const policy = policyOf([
      rule(
        'one',
        [
          { signal: 'tor', anyOf: [true] },
          { signal: 'vpn', anyOf: [true] },
        ],
        'deny',
      ),
      rule('two', [{ signal: 'device', anyOf: ['new'] }], 'selfie'),
      rule('three', [{ signal: 'failures', atLeast: 3 }], 'fallback'),
    ]);
    expect(decide(policy, signals({ country: 'known' })).signals).toEqual({
      ...{ tor: false, vpn: false, device: 'new' },
    });
  });

  test('takes limits as from here on, and up to but not including', () => {
    const policy = policyOf([
      rule('some', [{ signal: 'failures', atLeast: 2, below: 4 }], 'fallback'),
      rule('recent', [{ signal: 'hours_since_proof', below: 1 }], 'selfie'),
      rule('ever so long', [{ signal: 'hours_since_proof', atLeast: 1 }], 'review'),
    ]);
    const by = (known: Partial<Signals>) => decide(policy, signals(known)).rule;
    expect([1, 2, 3, 4].map((failures) => by({ failures, hours_since_proof: 0 }))).toEqual([
      ...['recent', 'some', 'some', 'recent'],
    ]);
    expect([0.99, 1, Infinity].map((hours) => by({ hours_since_proof: hours }))).toEqual([
      ...['recent', 'ever so long', 'ever so long'],
    ]);
    expect(by({ hours_since_proof: NaN })).toBe('everybody else');
  });

  test('is always made, and by the first rule that matches', () => {
    const names: SignalName[] = ['device', 'tor', 'failures', 'hours_since_proof'];
    fc.assert(
      fc.property(anyRules(names, 50), anySignals, (rules, some) => {
        const policy = policyOf(rules);
        const first = policy.before.find(({ when }) => when.every((one) => meets(one, some)));
        expect(first).toBeDefined();
        expect(decide(policy, some)).toMatchObject({ action: first?.then, rule: first?.name });
      }),
      { numRuns: 2000 },
    );
  });

  function meets(condition: Condition<SignalName>, some: Signals): boolean {
    const value = some[condition.signal];
    if ('anyOf' in condition) return new Set<unknown>(condition.anyOf).has(value);
    const { atLeast, below } = condition;
    return !(Number(value) < (atLeast ?? 0)) && !(below !== undefined && Number(value) >= below);
  }
});
