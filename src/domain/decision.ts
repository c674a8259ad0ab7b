/**
 * What a decision of Didit says, and the conditions that a login (`verdict.ts`) and an enrolment (`enrolment.ts`)
 * have in common. Each returns the stable code of what is wrong, or undefined.
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
  /** Set when nobody stood before the camera for this: it was taken over from another application's session. */
  sharedFromDiditSessionId: string | undefined;
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
  /** One of those times to "Declined", whatever followed. */
  wasDeclinedByHand?: boolean;
  createdAtMs: number | undefined;
  /** Of any device that Didit saw. */
  isVpnOrTor: boolean;
  isDataCenter: boolean;
}

/** What a decision must be about: fixed before it was asked for. */
export interface About {
  diditSessionId: string;
  environment: 'live' | 'sandbox';
  workflowId: string;
  /** Of the workflow as it was when the session was created; undefined when Didit did not say. */
  workflowVersion: number | undefined;
  vendorData: string;
}

/** Of a session that we created: what we told Didit, and when. */
export interface OwnSession {
  nonceHash: string;
  startedAtMs: number;
  expiresAtMs: number;
}

/** What a face must at least reach, whatever Didit's own bounds are. */
export interface Floors {
  livenessMethods: readonly string[];
  minimumLivenessScore: number;
  minimumFaceMatchScore: number;
}

export type VerdictOutcome = 'approved' | 'declined' | 'in_review' | 'not_finished' | 'pending';

export interface Verdict {
  outcome: VerdictOutcome;
  /** A stable code for the audit log. No person ever sees it. */
  reason: string;
  /** Of an approval: the faces were only just alike enough. It is all that is kept of the score. */
  isNear?: true;
}

/** Clocks of two companies differ by seconds, not minutes. */
const clockSkewMs = 60_000;

/** Didit's session statuses that are not (yet) an answer, and those that end without one. */
const open = new Set(['Not Started', 'In Progress', 'Awaiting User']);
const unfinished = new Set(['Expired', 'Abandoned', 'Not Finished', 'Kyc Expired', 'Resubmitted']);

/** These say that the face or the picture must not be trusted, whatever the status says. */
const blocking = new Set([
  'NO_FACE_DETECTED',
  'MULTIPLE_FACES_DETECTED',
  'LIVENESS_FACE_ATTACK',
  'NO_REFERENCE_IMAGE',
]);
/** So do these of the face, the document, the device or the address: Didit has a list of each. */
const listed = /_IN_BLOCKLIST$/;

export const declined = (reason: string): Verdict => ({ outcome: 'declined', reason });

/** What a status other than "Approved" means; undefined for that one. */
export function unapproved(status: string): Verdict | undefined {
  if (status === 'Approved') return undefined;
  if (open.has(status)) return { outcome: 'pending', reason: 'open' };
  if (unfinished.has(status)) return { outcome: 'not_finished', reason: 'not_finished' };
  if (status === 'In Review') return { outcome: 'in_review', reason: 'in_review' };
  return declined(status === 'Declined' ? 'declined' : 'unknown_status');
}

export function foreignTo(decision: Decision, expected: About): string | undefined {
  if (decision.diditSessionId !== expected.diditSessionId) return 'other_session';
  if ((decision.diditSessionKind ?? 'user') !== 'user') return 'other_session_kind';
  if (decision.environment !== expected.environment) return 'other_environment';
  if (decision.workflowId !== expected.workflowId) return 'other_workflow';
  if (isKnownToDiffer(decision.workflowVersion, expected.workflowVersion)) {
    return 'other_workflow_version';
  }
  return decision.vendorData === expected.vendorData ? undefined : 'other_person';
}

/** Of a session that we created ourselves, we also know what we wrote into it. */
export function foreignToOwn(
  decision: Decision,
  expected: About & Pick<OwnSession, 'nonceHash'>,
): string | undefined {
  const foreign = foreignTo(decision, expected);
  if (foreign) return foreign;
  return decision.nonceHash === expected.nonceHash ? undefined : 'other_nonce';
}

export function blockingFlaw({ warnings }: Decision): string | undefined {
  const isBlocked = warnings.some(({ risk }) => blocking.has(risk) || listed.test(risk));
  return isBlocked ? 'blocking_warning' : undefined;
}

export function errorFlaw({ warnings }: Decision): string | undefined {
  return warnings.some(({ logType }) => logType === 'error') ? 'error_warning' : undefined;
}

export function timeFlaw(
  { createdAtMs }: Decision,
  expected: OwnSession,
  nowMs: number,
): string | undefined {
  if (createdAtMs === undefined || Number.isNaN(createdAtMs)) return 'no_time';
  if (createdAtMs < expected.startedAtMs - clockSkewMs) return 'created_before_start';
  if (createdAtMs > nowMs + clockSkewMs) return 'created_in_the_future';
  return nowMs > expected.expiresAtMs ? 'too_late' : undefined;
}

/** One check of a living person, and one comparison of faces; which picture was compared is the caller's to judge. */
export function faceFlaw(decision: Decision, floors: Floors): string | undefined {
  const [liveness, ...moreLiveness] = decision.livenessChecks;
  if (!liveness || moreLiveness.length > 0) return 'not_one_liveness_check';
  if (liveness.status !== 'Approved') return 'liveness_not_approved';
  if (!floors.livenessMethods.includes(liveness.method?.toUpperCase() ?? '')) {
    return 'other_liveness_method';
  }
  if (!isScore(liveness.score)) return 'liveness_score_out_of_scale';
  if (liveness.score < floors.minimumLivenessScore) return 'liveness_score_low';

  const [match, ...moreMatches] = decision.faceMatches;
  if (!match || moreMatches.length > 0) return 'not_one_face_match';
  if (match.status !== 'Approved') return 'face_match_not_approved';
  if (!isScore(match.score)) return 'face_match_score_out_of_scale';
  return match.score < floors.minimumFaceMatchScore ? 'face_match_score_low' : undefined;
}

/** So close to the floor that a new pair of glasses could be too much. */
const nearWithin = 5;

export function isNear({ faceMatches }: Decision, { minimumFaceMatchScore }: Floors): boolean {
  const score = faceMatches[0]?.score;
  return isScore(score) && score < minimumFaceMatchScore + nearWithin;
}

function isKnownToDiffer(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** 0 to 100. A fraction such as 0.96 is a valid, very low score: the scale is never guessed. */
function isScore(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 100;
}
