/** A right enrolment, changed in one place to anything, is approved only within the rules. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EnrolmentDecision, judgeEnrolment } from '../../src/domain/enrolment.ts';
import {
  captureEndsMs,
  enrolmentDecision as decision,
  enrolmentExpectation as expectation,
  judgedAtMs,
  startMs,
} from './samples.ts';

interface Change {
  field: string;
  changed: EnrolmentDecision;
  isWithinRules: boolean;
}

/** Near misses are likelier than noise to find a hole. */
const word = fc.oneof(
  fc.string(),
  fc.constantFrom('Approved', 'approved', 'Declined', 'In Review', 'user', 'live', 'flashing'),
  fc.constantFrom('passive', 'ACTIVE_3D', 'didit-session-1', 'workflow-kyc', 'workflow-1'),
  fc.constantFrom('enrolment-of-ana', 'hash-of-the-metadata-nonce'),
);
const maybeWord = fc.option(word, { nil: undefined });
const score = fc.oneof(fc.anything(), fc.double(), fc.integer({ min: -5, max: 105 }));
const time = fc.option(
  fc.oneof(fc.double(), fc.integer({ min: startMs - 90_000, max: judgedAtMs + 90_000 })),
  { nil: undefined },
);
const risk = fc.constantFrom('LIVENESS_FACE_ATTACK', 'X_IN_BLOCKLIST', 'LOW_FACE_QUALITY', 'NEW');

const [liveness] = decision.livenessChecks as [EnrolmentDecision['livenessChecks'][number]];
const [match] = decision.faceMatches as [EnrolmentDecision['faceMatches'][number]];
const document = { status: 'Approved' };

function field<K extends keyof EnrolmentDecision>(
  name: K,
  values: fc.Arbitrary<EnrolmentDecision[K]>,
  allowed: (value: EnrolmentDecision[K]) => boolean,
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
const several = <T>(entry: T) => fc.array(fc.constant(entry), { maxLength: 4 });
const isOne = (list: readonly unknown[]): boolean => list.length === 1;

const oneChange = fc.oneof(
  field('diditSessionId', word, (value) => value === 'didit-session-1'),
  field('diditSessionKind', maybeWord, (value) => value === undefined || value === 'user'),
  field('status', word, (value) => value === 'Approved'),
  field('environment', maybeWord, (value) => value === 'live'),
  field('workflowId', maybeWord, (value) => value === 'workflow-kyc'),
  field('vendorData', maybeWord, (value) => value === 'enrolment-of-ana'),
  field('nonceHash', maybeWord, (value) => value === 'hash-of-the-metadata-nonce'),
  field('sharedFromDiditSessionId', maybeWord, (value) => value === undefined),
  field('reviewCount', fc.nat(3), (value) => value === 0),
  field('createdAtMs', time, (value) => isBetween(value, startMs - 60_000, judgedAtMs + 60_000)),
  field('documentChecks', several(document), isOne),
  field('documentChecks', oneOf(document, 'status', word), ([one]) => one?.status === 'Approved'),
  field('livenessChecks', several(liveness), isOne),
  field('livenessChecks', oneOf(liveness, 'status', word), ([one]) => one?.status === 'Approved'),
  field('livenessChecks', oneOf(liveness, 'score', score), ([one]) =>
    isBetween(one?.score, 80, 100),
  ),
  field('livenessChecks', oneOf(liveness, 'method', maybeWord), ([one]) =>
    /^(passive|active_3d)$/i.test(one?.method ?? ''),
  ),
  field('faceMatches', several(match), isOne),
  field('faceMatches', oneOf(match, 'status', word), ([one]) => one?.status === 'Approved'),
  field('faceMatches', oneOf(match, 'score', score), ([one]) => isBetween(one?.score, 70, 100)),
  field('faceMatches', oneOf(match, 'sourceDiditSessionId', maybeWord), ([one]) =>
    [undefined, 'didit-session-1'].includes(one?.sourceDiditSessionId),
  ),
  field(
    'warnings',
    fc.array(fc.record({ risk, logType: fc.constantFrom('error', 'warning', undefined) })),
    (value) =>
      value.every(({ risk: one, logType }) => /^(LOW|NEW)/.test(one) && logType !== 'error'),
  ),
);

test('[EN-06] no single change to a right enrolment is approved, save within the rules', () => {
  const tried = new Set<string>();
  fc.assert(
    fc.property(oneChange, ({ field: name, changed, isWithinRules }) => {
      const { outcome } = judgeEnrolment(changed, expectation, judgedAtMs);
      expect(outcome === 'approved').toBe(isWithinRules);
      tried.add(`${name} ${String(isWithinRules)}`);
    }),
    { numRuns: 10_000 },
  );
  // Both sides of the line were tried for every field.
  const names = new Set([...tried].map((key) => key.split(' ')[0]));
  expect([...tried].sort()).toEqual(
    [...names].flatMap((name) => [`${name} false`, `${name} true`]).sort(),
  );
});

test('[EN-06] whatever else it says, a decision that somebody changed is never approved', () => {
  const reviews = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(oneChange, reviews, ({ changed }, reviewCount) => {
      const { outcome } = judgeEnrolment({ ...changed, reviewCount }, expectation, judgedAtMs);
      expect(outcome).not.toBe('approved');
    }),
    { numRuns: 5_000 },
  );
});

test('[EN-06] a right enrolment answers no other expectation', () => {
  const other = fc.oneof(
    fc.record({ diditSessionId: fc.string() }),
    fc.record({ environment: fc.constant('sandbox' as const) }),
    fc.record({ workflowId: fc.string() }),
    fc.record({ vendorData: fc.string() }),
    fc.record({ nonceHash: fc.string() }),
    fc.record({ livenessMethods: fc.array(fc.constantFrom('ACTIVE_3D', 'FLASHING', 'passive')) }),
    fc.record({ minimumLivenessScore: fc.double({ min: 97.51, max: 100, noNaN: true }) }),
    fc.record({ minimumFaceMatchScore: fc.double({ min: 88.21, max: 100, noNaN: true }) }),
    fc.record({ startedAtMs: fc.integer({ min: startMs + 61_001, max: captureEndsMs }) }),
    fc.record({ expiresAtMs: fc.nat(judgedAtMs - 1) }),
  );
  fc.assert(
    fc.property(other, (changes: Partial<typeof expectation>) => {
      const { outcome } = judgeEnrolment(decision, { ...expectation, ...changes }, judgedAtMs);
      expect(outcome).toBe('declined');
    }),
    { numRuns: 2_000 },
  );
});
