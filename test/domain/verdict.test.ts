import { describe, expect, test } from 'vitest';
import type { Decision } from '../../src/domain/decision.ts';
import { judge } from '../../src/domain/verdict.ts';
import { captureEndsMs, decision, expectation, judgedAtMs, startMs } from './samples.ts';

const [liveness] = decision.livenessChecks as [Decision['livenessChecks'][number]];
const [match] = decision.faceMatches as [Decision['faceMatches'][number]];

const reasonOf = (changes: Partial<Decision>, nowMs = judgedAtMs): string =>
  judge({ ...decision, ...changes }, expectation, nowMs).reason;

test('[VD-01] a decision in which everything is right is approved', () => {
  const verdict = { outcome: 'approved', reason: 'approved' };
  expect(judge(decision, expectation, judgedAtMs)).toEqual(verdict);
});

describe('[VD-01] one condition that fails declines, with a reason of its own:', () => {
  const livenessChecks = (changes: object) => ({ livenessChecks: [{ ...liveness, ...changes }] });
  const faceMatches = (changes: object) => ({ faceMatches: [{ ...match, ...changes }] });
  const warning = (risk: string, logType: string | undefined) => ({
    warnings: [{ risk, logType }],
  });

  const broken: [string, Partial<Decision>, nowMs?: number][] = [
    ['other_session', { diditSessionId: 'didit-session-2' }],
    ['other_session_kind', { diditSessionKind: 'business' }],
    ['other_environment', { environment: 'sandbox' }],
    ['other_workflow', { workflowId: 'workflow-2' }],
    ['other_workflow_version', { workflowVersion: 8 }],
    ['other_person', { vendorData: 'enrolment-of-bob' }],
    ['other_nonce', { nonceHash: 'hash-of-another-nonce' }],
    ['unknown_status', { status: 'Accepted' }],
    ['no_fresh_liveness', { sharedFromDiditSessionId: 'didit-session-of-a-partner' }],
    ['changed_by_hand', { reviewCount: 1 }],
    ['blocking_warning', warning('FACE_IN_BLOCKLIST', 'information')],
    ['error_warning', warning('LOW_FACE_QUALITY', 'error')],
    ['no_time', { createdAtMs: undefined }],
    ['created_before_start', { createdAtMs: startMs - 60_001 }],
    ['created_in_the_future', { createdAtMs: judgedAtMs + 60_001 }],
    ['too_late', {}, captureEndsMs + 1],
    ['not_one_liveness_check', { livenessChecks: [] }],
    ['liveness_not_approved', livenessChecks({ status: 'In Review' })],
    ['other_liveness_method', livenessChecks({ method: 'FLASHING' })],
    ['liveness_score_out_of_scale', livenessChecks({ score: 101 })],
    ['liveness_score_low', livenessChecks({ score: 79.99 })],
    ['not_one_face_match', { faceMatches: [] }],
    ['face_match_not_approved', faceMatches({ status: 'Declined' })],
    ['face_match_score_out_of_scale', faceMatches({ score: 101 })],
    ['face_match_score_low', faceMatches({ score: 84.99 })],
    ['other_reference', faceMatches({ sourceDiditSessionId: 'didit-session-0' })],
  ];

  test.each(broken)('%s', (reason, changes, nowMs = judgedAtMs) => {
    const verdict = judge({ ...decision, ...changes }, expectation, nowMs);
    expect(verdict).toEqual({ outcome: 'declined', reason });
  });

  test('and no two of them share one', () => {
    expect(new Set(broken.map(([reason]) => reason)).size).toBe(broken.length);
  });
});

test('[AB-01] a decoy is declined at its best, and otherwise like anybody', () => {
  const decoy = { ...expectation, decoy: true };
  const reason = (changes: Partial<Decision>) =>
    judge({ ...decision, ...changes }, decoy, judgedAtMs);
  expect(reason({})).toEqual({ outcome: 'declined', reason: 'decoy' });
  for (const status of ['Declined', 'In Review', 'In Progress', 'Abandoned']) {
    expect(reason({ status })).toEqual(judge({ ...decision, status }, expectation, judgedAtMs));
  }
  expect(reason({ reviewCount: 1 }).reason).toBe('changed_by_hand');
});

test('[VD-01] a version of the workflow that nobody said is no other version', () => {
  expect(reasonOf({ workflowVersion: undefined })).toBe('approved');
  const unpinned = { ...expectation, workflowVersion: undefined };
  expect(judge({ ...decision, workflowVersion: 9 }, unpinned, judgedAtMs).reason).toBe('approved');
});

describe('[VD-03] an approval of the same person for something else is no login:', () => {
  test.each([
    ['a check of documents', { workflowId: 'kyc-workflow' }],
    ['a check of age, without a face match', { workflowId: 'age-workflow', faceMatches: [] }],
    ['a questionnaire', { workflowId: 'questions', livenessChecks: [], faceMatches: [] }],
    ['a company', { diditSessionKind: 'business' }],
  ])('%s', (_, changes) => {
    expect(judge({ ...decision, ...changes }, expectation, judgedAtMs).outcome).toBe('declined');
  });

  test('[VD-13] a check that was taken over from a partner’s application', () => {
    const sharedFromDiditSessionId = 'didit-session-of-a-partner';
    const verdict = { outcome: 'declined', reason: 'no_fresh_liveness' };
    const imported = { ...decision, sharedFromDiditSessionId };
    expect(judge(imported, expectation, judgedAtMs)).toEqual(verdict);
  });

  test('also under the workflow of logins, where it has no fresh selfie', () => {
    expect(reasonOf({ livenessChecks: [] })).toBe('not_one_liveness_check');
  });
});

test('[VD-01] where Didit’s own picture is the reference, which one it was is not asked', () => {
  const stored = { ...expectation, reference: 'stored' } as const;
  const faceMatches = [{ ...match, sourceDiditSessionId: 'didit-session-0' }];
  expect(judge({ ...decision, faceMatches }, stored, judgedAtMs).reason).toBe('approved');
  expect(reasonOf({ faceMatches })).toBe('other_reference');
});

test('[VD-01] a decision that lacks what was asked for is another decision', () => {
  expect(reasonOf({ environment: undefined })).toBe('other_environment');
  expect(reasonOf({ workflowId: undefined })).toBe('other_workflow');
  expect(reasonOf({ vendorData: undefined })).toBe('other_person');
  expect(reasonOf({ nonceHash: undefined })).toBe('other_nonce');
  // Didit names the kind only where a workspace has others than people.
  expect(reasonOf({ diditSessionKind: undefined })).toBe('approved');
});

test('[VD-01] what it is about comes before what it says, whatever that is', () => {
  for (const status of ['Declined', 'In Review', 'In Progress', 'Expired']) {
    const verdict = judge({ ...decision, vendorData: 'x', status }, expectation, judgedAtMs);
    expect(verdict).toEqual({ outcome: 'declined', reason: 'other_person' });
  }
});

test('[VD-11] a live decision does not answer a sandbox, nor a sandbox one a live provider', () => {
  const sandbox = { ...expectation, environment: 'sandbox' } as const;
  expect(judge(decision, sandbox, judgedAtMs).reason).toBe('other_environment');
  const tried = judge({ ...decision, environment: 'sandbox' }, sandbox, judgedAtMs);
  expect(tried.outcome).toBe('approved');
});

describe('the status', () => {
  test.each([
    ['Not Started', 'pending'],
    ['In Progress', 'pending'],
    ['Awaiting User', 'pending'],
    ['Resubmitted', 'not_finished'],
    ['Expired', 'not_finished'],
    ['Abandoned', 'not_finished'],
    ['Not Finished', 'not_finished'],
    ['Kyc Expired', 'not_finished'],
    ['In Review', 'in_review'],
    ['Declined', 'declined'],
    ['Approved', 'approved'],
  ])('[VD-07] "%s" means %s', (status, outcome) => {
    expect(judge({ ...decision, status }, expectation, judgedAtMs).outcome).toBe(outcome);
  });

  test.each([
    'approved',
    'APPROVED',
    'Approved ',
    ' Approved',
    'Approved\n',
    'Approved\0',
    'Аpproved',
    '承認済み',
    '',
    'true',
    'constructor',
    ['Approved'] as unknown as string,
    true as unknown as string,
    null as unknown as string,
  ])('[WH-14] %j is not approved', (status) => {
    const verdict = judge({ ...decision, status }, expectation, judgedAtMs);
    expect(verdict).toEqual({ outcome: 'declined', reason: 'unknown_status' });
  });

  test('[WH-14] of a feature is compared exactly, too', () => {
    for (const status of ['approved', 'APPROVED', 'Approved ', 'Not Finished', '']) {
      const checks = { livenessChecks: [{ ...liveness, status }] };
      expect(reasonOf(checks)).toBe('liveness_not_approved');
      const matches = { faceMatches: [{ ...match, status }] };
      expect(reasonOf(matches)).toBe('face_match_not_approved');
    }
  });
});

describe('scores', () => {
  const outOfScale = [
    101,
    100.000001,
    -1,
    -0.01,
    NaN,
    Infinity,
    '96',
    '',
    null,
    undefined,
    true,
    [96],
    {},
  ];

  test.each(outOfScale)('[VD-04] %j is no score', (score) => {
    const checks = { livenessChecks: [{ ...liveness, score }] };
    expect(reasonOf(checks)).toBe('liveness_score_out_of_scale');
    const matches = { faceMatches: [{ ...match, score }] };
    expect(reasonOf(matches)).toBe('face_match_score_out_of_scale');
  });

  test.each([0, 0.96, 1, 84.999])('[VD-04] %d is a score, and a low one', (score) => {
    expect(reasonOf({ faceMatches: [{ ...match, score }] })).toBe('face_match_score_low');
  });

  test('[VD-05] exactly at the floor passes, and each feature has a floor of its own', () => {
    expect(reasonOf({ faceMatches: [{ ...match, score: 85 }] })).toBe('approved');
    expect(reasonOf({ livenessChecks: [{ ...liveness, score: 80 }] })).toBe('approved');
    expect(reasonOf({ livenessChecks: [{ ...liveness, score: 100 }] })).toBe('approved');
    expect(reasonOf({ faceMatches: [{ ...match, score: 80 }] })).toBe('face_match_score_low');
  });
});

describe('features', () => {
  test('[VD-02] liveness alone, a match alone, or nothing at all is not a login', () => {
    expect(reasonOf({ faceMatches: [] })).toBe('not_one_face_match');
    expect(reasonOf({ livenessChecks: [] })).toBe('not_one_liveness_check');
    expect(reasonOf({ livenessChecks: [], faceMatches: [] })).toBe('not_one_liveness_check');
  });

  test('[VD-01] two of a kind are one too many, though both are approved', () => {
    expect(reasonOf({ livenessChecks: [liveness, liveness] })).toBe('not_one_liveness_check');
    expect(reasonOf({ faceMatches: [match, match] })).toBe('not_one_face_match');
  });

  test('[VD-01] the method is one that was asked for, in either case that Didit writes', () => {
    expect(reasonOf({ livenessChecks: [{ ...liveness, method: 'passive' }] })).toBe('approved');
    for (const method of ['ACTIVE_3D', 'PASSIVE ', '', undefined]) {
      const checks = { livenessChecks: [{ ...liveness, method }] };
      expect(reasonOf(checks)).toBe('other_liveness_method');
    }
  });
});

describe('warnings', () => {
  test.each([
    'FACE_IN_BLOCKLIST',
    'POSSIBLE_FACE_IN_BLOCKLIST',
    'NO_FACE_DETECTED',
    'MULTIPLE_FACES_DETECTED',
    'LIVENESS_FACE_ATTACK',
    'NO_REFERENCE_IMAGE',
    'IP_ADDRESS_IN_BLOCKLIST',
    'DEVICE_FINGERPRINT_IN_BLOCKLIST',
  ])('[VD-01] %s blocks, however lightly Didit takes it', (risk) => {
    for (const logType of ['error', 'warning', 'information', undefined]) {
      expect(reasonOf({ warnings: [{ risk, logType }] })).toBe('blocking_warning');
    }
  });

  test('[VD-14] a risk that is new to us blocks only as an error', () => {
    const risk = 'SOMETHING_NEW';
    expect(reasonOf({ warnings: [{ risk, logType: 'warning' }] })).toBe('approved');
    const later = [
      { risk, logType: 'information' },
      { risk, logType: 'error' },
    ];
    expect(reasonOf({ warnings: later })).toBe('error_warning');
  });

  test('[VD-06] a single change by hand is enough to refuse, and so are many', () => {
    expect(reasonOf({ reviewCount: 1 })).toBe('changed_by_hand');
    expect(reasonOf({ reviewCount: 12 })).toBe('changed_by_hand');
  });
});

describe('times', () => {
  test('two companies’ clocks may differ by a minute, and not by a millisecond more', () => {
    expect(reasonOf({ createdAtMs: startMs - 60_000 })).toBe('approved');
    expect(reasonOf({ createdAtMs: startMs - 60_001 })).toBe('created_before_start');
    expect(reasonOf({ createdAtMs: judgedAtMs + 60_000 })).toBe('approved');
    expect(reasonOf({ createdAtMs: judgedAtMs + 60_001 })).toBe('created_in_the_future');
  });

  test('a time that is no time is none', () => {
    expect(reasonOf({ createdAtMs: NaN })).toBe('no_time');
    expect(reasonOf({ createdAtMs: Infinity })).toBe('created_in_the_future');
    expect(reasonOf({ createdAtMs: -Infinity })).toBe('created_before_start');
  });

  test('[XD-11] a verdict counts up to the capture’s deadline', () => {
    expect(reasonOf({}, captureEndsMs)).toBe('approved');
    expect(reasonOf({}, captureEndsMs + 1)).toBe('too_late');
    expect(reasonOf({}, captureEndsMs + 6 * 24 * 3600 * 1000)).toBe('too_late');
  });
});
