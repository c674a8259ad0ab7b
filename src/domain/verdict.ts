/**
 * Judges a decision that was read from Didit's API. Everything must be as it was asked for; "Approved" is only
 * one of the conditions. The first condition that fails gives the verdict its reason.
 */

/** The part of a Didit decision that a login depends on. Scores are 0 to 100, times milliseconds. */
export interface Decision {
  diditSessionId: string;
  diditSessionKind: string | undefined;
  status: string;
  environment: string | undefined;
  workflowId: string | undefined;
  workflowVersion: number | undefined;
  vendorData: string | undefined;
  /** The nonce that we put into `metadata`, hashed as the attempt keeps it. */
  nonceHash: string | undefined;
  livenessChecks: readonly { status: string; method: string | undefined; score: unknown }[];
  faceMatches: readonly {
    status: string;
    score: unknown;
    sourceDiditSessionId: string | undefined;
  }[];
  /** Risk codes that Didit raised, with how it treats them (`error`, `warning`, `information`). */
  warnings: readonly { risk: string; logType: string | undefined }[];
  /** How many times somebody (a person or an API client) changed the outcome by hand. */
  reviewCount: number;
  createdAtMs: number | undefined;
}

/** What the decision must be about: fixed when the capture was created. */
export interface Expectation {
  diditSessionId: string;
  environment: 'live' | 'sandbox';
  workflowId: string;
  vendorData: string;
  nonceHash: string;
  /** Of the workflow as it was when the capture was created; undefined when Didit did not say. */
  workflowVersion: number | undefined;
  /** Nobody stands behind the name that was typed: whatever Didit says, the door stays shut. */
  decoy: boolean;
  /** `portrait`: the picture that we sent, which Didit files under this very session. `stored`: any of its own. */
  reference: 'portrait' | 'stored';
  livenessMethods: readonly string[];
  minimumLivenessScore: number;
  minimumFaceMatchScore: number;
  startedAtMs: number;
  expiresAtMs: number;
}

export type VerdictOutcome = 'approved' | 'declined' | 'in_review' | 'not_finished' | 'pending';

export interface Verdict {
  outcome: VerdictOutcome;
  /** A stable code for the audit log. No person ever sees it. */
  reason: string;
}

/** Clocks of two companies differ by seconds, not minutes. */
const clockSkewMs = 60_000;

/** Didit's session statuses that are not (yet) an answer, and those that end without one. */
const open = new Set(['Not Started', 'In Progress', 'Awaiting User']);
const unfinished = new Set(['Expired', 'Abandoned', 'Not Finished', 'Kyc Expired', 'Resubmitted']);

/** These say that the face, the device or the picture must not be trusted, whatever the status says. */
const blocking = new Set([
  'FACE_IN_BLOCKLIST',
  'POSSIBLE_FACE_IN_BLOCKLIST',
  'NO_FACE_DETECTED',
  'MULTIPLE_FACES_DETECTED',
  'LIVENESS_FACE_ATTACK',
  'NO_REFERENCE_IMAGE',
  'IP_ADDRESS_IN_BLOCKLIST',
  'DEVICE_FINGERPRINT_IN_BLOCKLIST',
]);

export function judge(decision: Decision, expected: Expectation, nowMs: number): Verdict {
  // A decision about something else is worth nothing, not even a refusal of this attempt's own merits.
  const foreign = foreignTo(decision, expected);
  if (foreign) return { outcome: 'declined', reason: foreign };
  if (open.has(decision.status)) return { outcome: 'pending', reason: 'open' };
  if (unfinished.has(decision.status)) return { outcome: 'not_finished', reason: 'not_finished' };
  if (decision.status === 'In Review') return { outcome: 'in_review', reason: 'in_review' };
  if (decision.status === 'Declined') return { outcome: 'declined', reason: 'declined' };
  if (decision.status !== 'Approved') return { outcome: 'declined', reason: 'unknown_status' };
  const flaw = flawOf(decision, expected, nowMs) ?? (expected.decoy ? 'decoy' : undefined);
  if (flaw) return { outcome: 'declined', reason: flaw };
  return { outcome: 'approved', reason: 'approved' };
}

function foreignTo(decision: Decision, expected: Expectation): string | undefined {
  if (decision.diditSessionId !== expected.diditSessionId) return 'other_session';
  if ((decision.diditSessionKind ?? 'user') !== 'user') return 'other_session_kind';
  if (decision.environment !== expected.environment) return 'other_environment';
  if (decision.workflowId !== expected.workflowId) return 'other_workflow';
  if (isKnownToDiffer(decision.workflowVersion, expected.workflowVersion)) {
    return 'other_workflow_version';
  }
  if (decision.vendorData !== expected.vendorData) return 'other_person';
  if (decision.nonceHash !== expected.nonceHash) return 'other_nonce';
  return undefined;
}

function flawOf(decision: Decision, expected: Expectation, nowMs: number): string | undefined {
  if (decision.reviewCount > 0) return 'changed_by_hand';
  if (decision.warnings.some(({ risk }) => blocking.has(risk))) return 'blocking_warning';
  if (decision.warnings.some(({ logType }) => logType === 'error')) return 'error_warning';

  const { createdAtMs } = decision;
  if (createdAtMs === undefined || Number.isNaN(createdAtMs)) return 'no_time';
  if (createdAtMs < expected.startedAtMs - clockSkewMs) return 'created_before_start';
  if (createdAtMs > nowMs + clockSkewMs) return 'created_in_the_future';
  if (nowMs > expected.expiresAtMs) return 'too_late';

  const [liveness, ...moreLiveness] = decision.livenessChecks;
  if (!liveness || moreLiveness.length > 0) return 'not_one_liveness_check';
  if (liveness.status !== 'Approved') return 'liveness_not_approved';
  if (!expected.livenessMethods.includes(liveness.method?.toUpperCase() ?? '')) {
    return 'other_liveness_method';
  }
  if (!isScore(liveness.score)) return 'liveness_score_out_of_scale';
  if (liveness.score < expected.minimumLivenessScore) return 'liveness_score_low';

  const [match, ...moreMatches] = decision.faceMatches;
  if (!match || moreMatches.length > 0) return 'not_one_face_match';
  if (match.status !== 'Approved') return 'face_match_not_approved';
  if (!isScore(match.score)) return 'face_match_score_out_of_scale';
  if (match.score < expected.minimumFaceMatchScore) return 'face_match_score_low';
  const isPinned = match.sourceDiditSessionId === expected.diditSessionId;
  if (expected.reference === 'portrait' && !isPinned) return 'other_reference';
  return undefined;
}

function isKnownToDiffer(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** 0 to 100. A fraction such as 0.96 is a valid, very low score: the scale is never guessed. */
function isScore(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}
