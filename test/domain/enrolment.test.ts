import { describe, expect, test } from 'vitest';
import {
  type EnrolmentDecision,
  enrolmentLivenessMethods,
  judgeEnrolment,
  judgeReviewed,
  judgeShared,
} from '../../src/domain/enrolment.ts';
import {
  captureEndsMs,
  enrolmentDecision as decision,
  enrolmentExpectation as expectation,
  judgedAtMs,
  startMs,
} from './samples.ts';

const [liveness] = decision.livenessChecks as [EnrolmentDecision['livenessChecks'][number]];
const [match] = decision.faceMatches as [EnrolmentDecision['faceMatches'][number]];

const verdictOf = (changes: Partial<EnrolmentDecision>, nowMs = judgedAtMs) =>
  judgeEnrolment({ ...decision, ...changes }, expectation, nowMs);
const livenessChecks = (changes: object) => ({ livenessChecks: [{ ...liveness, ...changes }] });
const faceMatches = (changes: object) => ({ faceMatches: [{ ...match, ...changes }] });
const warning = (risk: string, logType?: string) => ({ warnings: [{ risk, logType }] });

const approved = { outcome: 'approved', reason: 'approved' };
const declined = (reason: string) => ({ outcome: 'declined', reason });

test('[EN-06] a document, a living person and the same face are approved', () => {
  expect(verdictOf({})).toEqual(approved);
  // A session that names itself as the source means its own document.
  expect(verdictOf(faceMatches({ sourceDiditSessionId: 'didit-session-1' }))).toEqual(approved);
});

/** A condition that fails, and the reason that it has for itself. */
const broken: [string, Partial<EnrolmentDecision>, nowMs?: number][] = [
  ['other_session', { diditSessionId: 'didit-session-2' }],
  ['other_session_kind', { diditSessionKind: 'business' }],
  ['other_environment', { environment: 'sandbox' }],
  ['other_workflow', { workflowId: 'workflow-1' }],
  ['other_workflow_version', { workflowVersion: 3 }],
  ['other_person', { vendorData: 'enrolment-of-bob' }],
  ['other_nonce', { nonceHash: 'hash-of-another-nonce' }],
  ['declined', { status: 'Declined' }],
  ['unknown_status', { status: 'Accepted' }],
  ['no_fresh_liveness', { livenessChecks: [] }],
  ['blocking_warning', warning('LIVENESS_FACE_ATTACK', 'information')],
  ['error_warning', warning('DOCUMENT_EXPIRED', 'error')],
  ['no_time', { createdAtMs: undefined }],
  ['created_before_start', { createdAtMs: startMs - 60_001 }],
  ['created_in_the_future', { createdAtMs: judgedAtMs + 60_001 }],
  ['too_late', {}, captureEndsMs + 1],
  ['not_one_document', { documentChecks: [] }],
  ['document_not_approved', { documentChecks: [{ status: 'Declined' }] }],
  ['not_one_liveness_check', { livenessChecks: [liveness, liveness] }],
  ['liveness_not_approved', livenessChecks({ status: 'Declined' })],
  ['other_liveness_method', livenessChecks({ method: 'FLASHING' })],
  ['liveness_score_out_of_scale', livenessChecks({ score: '97' })],
  ['liveness_score_low', livenessChecks({ score: 79.99 })],
  ['not_one_face_match', { faceMatches: [] }],
  ['face_match_not_approved', faceMatches({ status: 'In Review' })],
  ['face_match_score_out_of_scale', faceMatches({ score: null })],
  ['face_match_score_low', faceMatches({ score: 69.99 })],
  ['other_reference', faceMatches({ sourceDiditSessionId: 'didit-session-0' })],
];

describe('[EN-06] one condition that fails declines, with a reason of its own:', () => {
  test.each(broken)('%s', (reason, changes, nowMs) => {
    expect(verdictOf(changes, nowMs)).toEqual(declined(reason));
  });

  test('and no two of them share one', () => {
    expect(broken.length).toBeGreaterThan(20);
    expect(new Set(broken.map(([reason]) => reason)).size).toBe(broken.length);
  });

  test('more than one of what there is to be one of is not chosen from', () => {
    const documentChecks = [{ status: 'Approved' }, { status: 'Approved' }];
    expect(verdictOf({ documentChecks })).toEqual(declined('not_one_document'));
    expect(verdictOf({ faceMatches: [match, match] })).toEqual(declined('not_one_face_match'));
  });

  test('also a part that is not finished, or in review, while the whole is approved', () => {
    for (const status of ['Not Finished', 'In Review', 'Resub Requested', 'approved', '']) {
      const documentChecks = [{ status }];
      expect(verdictOf({ documentChecks })).toEqual(declined('document_not_approved'));
      expect(verdictOf(livenessChecks({ status }))).toEqual(declined('liveness_not_approved'));
      expect(verdictOf(faceMatches({ status }))).toEqual(declined('face_match_not_approved'));
    }
  });
});

test.each([
  'FACE_IN_BLOCKLIST',
  'POSSIBLE_FACE_IN_BLOCKLIST',
  'DOCUMENT_IN_BLOCKLIST',
  'IP_ADDRESS_IN_BLOCKLIST',
  'DEVICE_FINGERPRINT_IN_BLOCKLIST',
  'NO_FACE_DETECTED',
  'MULTIPLE_FACES_DETECTED',
  'NO_REFERENCE_IMAGE',
])('[EN-06] the warning %s refuses, however Didit treats it', (risk) => {
  for (const logType of [undefined, 'information', 'warning', 'error']) {
    expect(verdictOf(warning(risk, logType))).toEqual(declined('blocking_warning'));
  }
});

test('[BD-10] that a face resembles somebody else’s is not looked at', () => {
  expect(verdictOf(warning('POSSIBLE_DUPLICATED_FACE', 'warning'))).toEqual(approved);
  expect(verdictOf(warning('FACE_IN_BLOCKLIST_OF_NOBODY', 'information'))).toEqual(approved);
});

describe('[EN-06] what somebody changed by hand', () => {
  const byHand = { outcome: 'in_review', reason: 'changed_by_hand' };

  test.each([1, 2, 12])('is for people to look at, after %d changes', (reviewCount) => {
    expect(verdictOf({ reviewCount })).toEqual(byHand);
    // As it happens: approved as a whole, the part that was in doubt still is, and days have passed.
    const late = judgedAtMs + 5 * 86_400_000;
    const doubtful = { reviewCount, ...faceMatches({ status: 'In Review', score: 57.3 }) };
    expect(verdictOf(doubtful, late)).toEqual(byHand);
  });

  test('and declined stays declined, as what is open stays open', () => {
    const change = { reviewCount: 1 };
    expect(verdictOf({ ...change, status: 'Declined' })).toEqual(declined('declined'));
    expect(verdictOf({ ...change, status: 'In Progress' }).outcome).toBe('pending');
    expect(verdictOf({ ...change, status: 'Resubmitted' }).outcome).toBe('not_finished');
  });

  test('cannot let in what must not come in', () => {
    const change = { reviewCount: 1 };
    for (const [reason, changes] of [
      ['other_person', { vendorData: 'x' }],
      ['other_nonce', { nonceHash: 'x' }],
      ['no_fresh_liveness', { livenessChecks: [] }],
      ['no_fresh_liveness', { sharedFromDiditSessionId: 'x' }],
      ['blocking_warning', warning('FACE_IN_BLOCKLIST', 'error')],
    ] as const) {
      expect(verdictOf({ ...change, ...changes })).toEqual(declined(reason));
    }
  });
});

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
  ['approved', 'declined'],
  ['Approved ', 'declined'],
])('[EN-06] the status "%s" means %s', (status, outcome) => {
  expect(verdictOf({ status }).outcome).toBe(outcome);
});

describe('[VD-13] what was taken over from a partner', () => {
  const shared = { sharedFromDiditSessionId: 'didit-session-of-a-partner' };

  test('enrols nobody who is here, in whatever state it is', () => {
    for (const status of ['Approved', 'In Review', 'Declined', 'In Progress']) {
      expect(verdictOf({ ...shared, status })).toEqual(declined('no_fresh_liveness'));
    }
  });

  const { diditSessionId, environment, workflowId, workflowVersion, vendorData } = expectation;
  const { livenessMethods, minimumLivenessScore, minimumFaceMatchScore } = expectation;
  const subject = {
    ...{ diditSessionId, environment, workflowId, workflowVersion, vendorData },
    ...{ livenessMethods, minimumLivenessScore, minimumFaceMatchScore },
  };
  const imported = { ...decision, ...shared, nonceHash: undefined, createdAtMs: undefined };

  test('may be a reference, when an operator imports it and everything else is right', () => {
    expect(judgeShared(imported, subject)).toEqual(approved);
    expect(judgeShared({ ...imported, reviewCount: 1 }, subject).outcome).toBe('in_review');
  });

  const ofTimeOrNonce = new Set([
    ...['other_nonce', 'no_time', 'created_before_start', 'created_in_the_future', 'too_late'],
  ]);
  const others = broken.filter(([reason]) => !ofTimeOrNonce.has(reason));
  test.each(others)('is held to the same conditions: %s', (reason, changes) => {
    expect(judgeShared({ ...imported, ...changes }, subject)).toEqual(declined(reason));
  });
});

describe('[AX-05] liveness by flashes of light', () => {
  const flashing = { ...decision, ...livenessChecks({ method: 'flashing' }) };

  test('is refused unless the operator allowed it', () => {
    const judged = (allowed: boolean) => {
      const livenessMethods = enrolmentLivenessMethods(allowed);
      return judgeEnrolment(flashing, { ...expectation, livenessMethods }, judgedAtMs);
    };
    expect(judged(false)).toEqual(declined('other_liveness_method'));
    expect(judged(true)).toEqual(approved);
  });

  test('is the only method that needs to be allowed', () => {
    for (const method of ['PASSIVE', 'passive', 'ACTIVE_3D', 'active_3d']) {
      expect(verdictOf(livenessChecks({ method }))).toEqual(approved);
    }
    for (const method of [undefined, '', 'NEW', 'PASSIVE,FLASHING']) {
      expect(verdictOf(livenessChecks({ method })).reason).toBe('other_liveness_method');
    }
  });
});

describe('[EN-04] an approval under another name', () => {
  test.each([
    ['of the login workflow', { workflowId: 'workflow-1' }],
    ['with the name of an earlier enrolment', { vendorData: 'earlier-enrolment-of-ana' }],
    ['with no name', { vendorData: undefined }],
    ['of an older session of the same name', { diditSessionId: 'didit-session-0' }],
    ['whose nonce was guessed', { nonceHash: 'guessed' }],
    ['that lacks the nonce', { nonceHash: undefined }],
  ])('changes nothing: %s', (_, changes) => {
    expect(verdictOf(changes).outcome).toBe('declined');
  });
});

describe('[EN-06] approved by hand, and confirmed by somebody else', () => {
  const reviewed = (changes: Partial<EnrolmentDecision>, nowMs = judgedAtMs) =>
    judgeReviewed({ ...decision, reviewCount: 1, ...changes }, expectation, nowMs);

  test('counts for what was in review of the document and of the faces, however late', () => {
    const inReview = { documentChecks: [{ status: 'In Review' }] };
    expect(reviewed({ ...inReview, ...faceMatches({ status: 'In Review' }) })).toEqual(approved);
    expect(reviewed({}, captureEndsMs + 90 * 86_400_000)).toEqual(approved);
  });

  test.each([
    ['declined', { status: 'Declined' }],
    ['in_review', { status: 'In Review' }],
    ['not_reviewed', { reviewCount: 0 }],
    ['other_nonce', { nonceHash: 'other' }],
    ['document_not_approved', { documentChecks: [{ status: 'Declined' }] }],
    ['face_match_not_approved', faceMatches({ status: 'Declined' })],
    ['face_match_score_low', faceMatches({ status: 'In Review', score: 1 })],
    ['liveness_not_approved', livenessChecks({ status: 'In Review' })],
    ['no_fresh_liveness', { livenessChecks: [] }],
    ['error_warning', warning('DOCUMENT_EXPIRED', 'error')],
    ['created_before_start', { createdAtMs: startMs - 61_000 }],
  ] as [string, Partial<EnrolmentDecision>][])('%s stays so', (reason, changes) => {
    expect(reviewed(changes).reason).toBe(reason);
  });
});
