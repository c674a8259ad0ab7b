/** A right decision, changed in one place to anything, is approved only within the rules. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Decision } from '../../src/domain/decision.ts';
import { type Expectation, judge } from '../../src/domain/verdict.ts';
import { captureEndsMs, decision, expectation, judgedAtMs, startMs } from './samples.ts';

interface Change {
  field: string;
  changed: Decision;
  isWithinRules: boolean;
}

/** Near misses are likelier than noise to find a hole. */
const word = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'Approved',
    'approved',
    'APPROVED',
    'Declined',
    'user',
    'live',
    'passive',
    'PASSIVE',
  ),
  fc.constantFrom(
    'didit-session-1',
    'workflow-1',
    'enrolment-of-ana',
    'hash-of-the-metadata-nonce',
  ),
);
const maybeWord = fc.option(word, { nil: undefined });
const score = fc.oneof(fc.anything(), fc.double(), fc.integer({ min: -5, max: 105 }));
const time = fc.option(
  fc.oneof(fc.double(), fc.integer({ min: startMs - 90_000, max: judgedAtMs + 90_000 })),
  { nil: undefined },
);
const risk = fc.constantFrom(
  'LIVENESS_FACE_ATTACK',
  'FACE_IN_BLOCKLIST',
  'LOW_FACE_QUALITY',
  'NEW',
);

const [liveness] = decision.livenessChecks as [Decision['livenessChecks'][number]];
const [match] = decision.faceMatches as [Decision['faceMatches'][number]];

function field<K extends keyof Decision>(
  name: K,
  values: fc.Arbitrary<Decision[K]>,
  allowed: (value: Decision[K]) => boolean,
): fc.Arbitrary<Change> {
  return values.map((value) => ({
    field: name,
    changed: { ...decision, [name]: value },
    isWithinRules: allowed(value),
  }));
}

const isBetween = (value: unknown, low: number, high: number): boolean =>
  typeof value === 'number' && value >= low && value <= high;

const oneOf = <T extends object>(entry: T, key: keyof T, values: fc.Arbitrary<unknown>) =>
  values.map((value): T[] => [{ ...entry, [key]: value }]);

const oneChange = fc.oneof(
  field('diditSessionId', word, (value) => value === 'didit-session-1'),
  field('diditSessionKind', maybeWord, (value) => value === undefined || value === 'user'),
  field('status', word, (value) => value === 'Approved'),
  field('environment', maybeWord, (value) => value === 'live'),
  field('workflowId', maybeWord, (value) => value === 'workflow-1'),
  field('vendorData', maybeWord, (value) => value === 'enrolment-of-ana'),
  field('nonceHash', maybeWord, (value) => value === 'hash-of-the-metadata-nonce'),
  field('reviewCount', fc.nat(3), (value) => value === 0),
  field('createdAtMs', time, (value) => isBetween(value, startMs - 60_000, judgedAtMs + 60_000)),
  field(
    'livenessChecks',
    fc.array(fc.constant(liveness), { maxLength: 4 }),
    (value) => value.length === 1,
  ),
  field('livenessChecks', oneOf(liveness, 'status', word), ([one]) => one?.status === 'Approved'),
  field('livenessChecks', oneOf(liveness, 'score', score), ([one]) =>
    isBetween(one?.score, 80, 100),
  ),
  field(
    'livenessChecks',
    oneOf(liveness, 'method', maybeWord),
    ([one]) => one?.method?.toUpperCase() === 'PASSIVE',
  ),
  field(
    'faceMatches',
    fc.array(fc.constant(match), { maxLength: 4 }),
    (value) => value.length === 1,
  ),
  field('faceMatches', oneOf(match, 'status', word), ([one]) => one?.status === 'Approved'),
  field('faceMatches', oneOf(match, 'score', score), ([one]) => isBetween(one?.score, 85, 100)),
  field(
    'warnings',
    fc.array(fc.record({ risk, logType: fc.constantFrom('error', 'warning', undefined) })),
    (value) =>
      value.every(({ risk: one, logType }) => /^(LOW|NEW)/.test(one) && logType !== 'error'),
  ),
);

test('[VD-01] no single change to a right decision is approved, save within the rules', () => {
  const tried = new Map<string, number>();
  fc.assert(
    fc.property(oneChange, ({ field: name, changed, isWithinRules }) => {
      const { outcome } = judge(changed, expectation, judgedAtMs);
      expect(outcome === 'approved').toBe(isWithinRules);
      const key = `${name} ${String(isWithinRules)}`;
      tried.set(key, (tried.get(key) ?? 0) + 1);
    }),
    { numRuns: 10_000 },
  );
  // Both sides of the line were tried for every field.
  const names = new Set([...tried.keys()].map((key) => key.split(' ')[0]));
  expect([...tried.keys()].sort()).toEqual(
    [...names].flatMap((name) => [`${name} false`, `${name} true`]).sort(),
  );
});

test('[VD-08] a right decision answers no other expectation', () => {
  const other = fc.oneof(
    fc.record({ diditSessionId: fc.string() }),
    fc.record({ environment: fc.constant('sandbox' as const) }),
    fc.record({ workflowId: fc.string() }),
    fc.record({ vendorData: fc.string() }),
    fc.record({ nonceHash: fc.string() }),
    fc.record({ livenessMethods: fc.array(fc.constantFrom('ACTIVE_3D', 'FLASHING', 'passive')) }),
    fc.record({ minimumLivenessScore: fc.double({ min: 97.51, max: 100, noNaN: true }) }),
    fc.record({ minimumFaceMatchScore: fc.double({ min: 96.41, max: 100, noNaN: true }) }),
    fc.record({ startedAtMs: fc.integer({ min: startMs + 61_001, max: captureEndsMs }) }),
    fc.record({ expiresAtMs: fc.nat(judgedAtMs - 1) }),
  );
  fc.assert(
    fc.property(other, (changes: Partial<Expectation>) => {
      expect(judge(decision, { ...expectation, ...changes }, judgedAtMs).outcome).toBe('declined');
    }),
    { numRuns: 2_000 },
  );
});
