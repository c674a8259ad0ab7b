/** An attempt and a decision in which all is right, for tests to break one thing at a time. */
import type { LegName } from '../../src/domain/assurance.ts';
import {
  type Attempt,
  type AttemptEvent,
  type Capture,
  newAttempt,
  transition,
} from '../../src/domain/attempt.ts';
import type { Decision, Verdict } from '../../src/domain/decision.ts';
import type { EnrolmentDecision, EnrolmentExpectation } from '../../src/domain/enrolment.ts';
import type { Expectation } from '../../src/domain/verdict.ts';

export const startMs = Date.UTC(2026, 10, 22, 14, 0, 0);
export const captureEndsMs = startMs + 300_000;

export const expectation: Expectation = {
  diditSessionId: 'didit-session-1',
  environment: 'live',
  workflowId: 'workflow-1',
  vendorData: 'enrolment-of-ana',
  nonceHash: 'hash-of-the-metadata-nonce',
  workflowVersion: 7,
  decoy: false,
  reference: 'portrait',
  livenessMethods: ['PASSIVE'],
  minimumLivenessScore: 80,
  minimumFaceMatchScore: 85,
  startedAtMs: startMs,
  expiresAtMs: captureEndsMs,
};

/** When the decision below is judged, unless a test says otherwise. */
export const judgedAtMs = startMs + 20_000;

export const decision: Decision = {
  diditSessionId: 'didit-session-1',
  diditSessionKind: 'user',
  status: 'Approved',
  environment: 'live',
  workflowId: 'workflow-1',
  workflowVersion: 7,
  vendorData: 'enrolment-of-ana',
  nonceHash: 'hash-of-the-metadata-nonce',
  sharedFromDiditSessionId: undefined,
  livenessChecks: [{ status: 'Approved', method: 'PASSIVE', score: 97.5 }],
  faceMatches: [{ status: 'Approved', score: 96.4, sourceDiditSessionId: 'didit-session-1' }],
  warnings: [],
  reviewCount: 0,
  createdAtMs: startMs + 1_000,
  isVpnOrTor: false,
  isDataCenter: false,
};

export const enrolmentExpectation: EnrolmentExpectation = {
  diditSessionId: 'didit-session-1',
  environment: 'live',
  workflowId: 'workflow-kyc',
  workflowVersion: 2,
  vendorData: 'enrolment-of-ana',
  nonceHash: 'hash-of-the-metadata-nonce',
  livenessMethods: ['PASSIVE', 'ACTIVE_3D'],
  minimumLivenessScore: 80,
  minimumFaceMatchScore: 70,
  startedAtMs: startMs,
  expiresAtMs: captureEndsMs,
};

/** Didit names no source for a face that stands on the document of the same session. */
export const enrolmentDecision: EnrolmentDecision = {
  ...decision,
  workflowId: 'workflow-kyc',
  workflowVersion: 2,
  documentChecks: [{ status: 'Approved' }],
  faceMatches: [{ status: 'Approved', score: 88.2, sourceDiditSessionId: undefined }],
};

export const callbackNonceHash = 'hash-of-the-callback-nonce';

export const capture: Capture = {
  diditSessionId: 'didit-session-1',
  expectation,
  callbackNonceHash,
  enrolmentId: 'enrolment-1',
  place: { network: '192.0.2/24', browser: 'Chrome', system: 'macOS' },
  device: { id: 'device-1', deviceClass: 'unknown' },
};

export const identity = { identifier: 'ana@example.com', accountId: 'account-of-ana' };

export const fresh: Attempt = newAttempt({
  id: 'attempt-1',
  kind: 'login',
  interactionUid: 'interaction-1',
  reference: 'ABCD-EFGH',
  client: { id: 'wiki', name: 'Acme Wiki', host: 'wiki.acme.example' },
  request: { loginHint: undefined, uiLocales: 'de en' },
  createdAtMs: startMs,
  expiresAtMs: startMs + 900_000,
});

export const approved: Verdict = { outcome: 'approved', reason: 'approved' };

/** Events in which everything is right. */
export const events = {
  identified: { type: 'identified', identity },
  decided: {
    type: 'decided',
    decision: { action: 'selfie', policy: 'standard', rule: 'new device', signals: {} },
    reach: { environment: 'live', hasActive: false },
  },
  captured: { type: 'captured', capture },
  approved: {
    type: 'judged',
    diditSessionId: 'didit-session-1',
    verdict: approved,
    locality: 'agrees',
  },
  returned: { type: 'returned', nonceHash: callbackNonceHash },
  arrivedElsewhere: { type: 'arrived_elsewhere', nonceHash: callbackNonceHash },
  finished: { type: 'finished', account: { enrolmentId: 'enrolment-1' } },
} as const satisfies Record<string, AttemptEvent>;

/** A typed factor is chosen, and its code is right. */
export function legOf(leg: LegName) {
  const accountId = identity.accountId;
  return [
    { type: 'factor_chosen', factor: leg },
    { type: 'leg_proven', leg, accountId, environment: 'live' },
  ] as const satisfies AttemptEvent[];
}

/** What becomes of an attempt when these events are taken one after the other, refused or not. */
export function play(
  attempt: Attempt,
  steps: readonly AttemptEvent[],
  nowMs: number = judgedAtMs,
): Attempt {
  return steps.reduce((before, event) => transition(before, event, nowMs).attempt, attempt);
}

export const identified = play(fresh, [events.identified], startMs);
export const decided = play(identified, [events.decided], startMs);
export const captured = play(decided, [events.captured], startMs);
