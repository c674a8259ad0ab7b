/**
 * Judges the decision of an enrolment: a document, a living person, and the face of the one on the other. What this
 * approves becomes the reference for every login to come, so whatever a person decided by hand is for people to
 * look at here, too.
 */
import {
  type About,
  type Decision,
  type Floors,
  type OwnSession,
  type Verdict,
  blockingFlaw,
  declined,
  errorFlaw,
  faceFlaw,
  foreignTo,
  foreignToOwn,
  timeFlaw,
  unapproved,
} from './decision.ts';

/** The part of a Didit decision that an enrolment depends on. */
export interface EnrolmentDecision extends Decision {
  documentChecks: readonly { status: string }[];
  /** Who changed the outcome by hand, as Didit names them; as many as `reviewCount` says. */
  reviewers?: readonly string[];
  /** When it was last changed so; undefined when Didit does not say. */
  lastReviewAtMs?: number | undefined;
}

/** Of a session that we created: fixed when it was. */
export interface EnrolmentExpectation extends About, OwnSession, Floors {}

/** Of a session that a partner shared: there is nothing of ours in it, and it may be old. */
export interface SharedExpectation extends About, Floors {}

/**
 * Liveness by flashes of light can harm people who react to them: it counts only where the operator allowed it, and
 * the page warns of it.
 */
export function enrolmentLivenessMethods(allowFlashing: boolean): readonly string[] {
  return ['PASSIVE', 'ACTIVE_3D', ...(allowFlashing ? ['FLASHING'] : [])];
}

export function judgeEnrolment(
  decision: EnrolmentDecision,
  expected: EnrolmentExpectation,
  nowMs: number,
): Verdict {
  const foreign = foreignToOwn(decision, expected);
  if (foreign) return declined(foreign);
  // Taken over from elsewhere: it says that somebody was once checked, not that this person stands here.
  if (decision.sharedFromDiditSessionId !== undefined) return declined('no_fresh_liveness');
  return judgeContent(decision, expected, () => timeFlaw(decision, expected, nowMs));
}

/** What this approves may become a reference. It is no proof that anybody is there, and never a login. */
export function judgeShared(decision: EnrolmentDecision, expected: SharedExpectation): Verdict {
  const foreign = foreignTo(decision, expected);
  return foreign ? declined(foreign) : judgeContent(decision, expected, () => undefined);
}

/**
 * Of one that somebody at Didit approved by hand, for a second person to confirm here: their word stands for what was
 * "In Review" of the document and of the faces. It stands for nothing that was declined, for no score that is too
 * low, and not for the living person. There is no end to how long somebody may take to look.
 */
export function judgeReviewed(
  decision: EnrolmentDecision,
  expected: EnrolmentExpectation,
  nowMs: number,
): Verdict {
  const other = unapproved(decision.status);
  if (other) return other;
  if (decision.reviewCount === 0) return { outcome: 'in_review', reason: 'not_reviewed' };
  const looked = {
    ...{ ...decision, reviewCount: 0 },
    documentChecks: decision.documentChecks.map(lookedAt),
    faceMatches: decision.faceMatches.map(lookedAt),
  };
  return judgeEnrolment(looked, expected, Math.min(nowMs, expected.expiresAtMs));
}

const lookedAt = <Check extends { status: string }>(check: Check): Check =>
  check.status === 'In Review' ? { ...check, status: 'Approved' } : check;

function judgeContent(
  decision: EnrolmentDecision,
  expected: About & Floors,
  ofTime: () => string | undefined,
): Verdict {
  const other = unapproved(decision.status);
  if (other) return other;
  // No reviewer's word stands in for a person before the camera, or for a face that must not come in.
  if (decision.livenessChecks.length === 0) return declined('no_fresh_liveness');
  const blocked = blockingFlaw(decision);
  if (blocked) return declined(blocked);
  if (decision.reviewCount > 0) return { outcome: 'in_review', reason: 'changed_by_hand' };
  const flaw =
    errorFlaw(decision) ??
    ofTime() ??
    documentFlaw(decision) ??
    faceFlaw(decision, expected) ??
    otherSource(decision, expected);
  return flaw ? declined(flaw) : { outcome: 'approved', reason: 'approved' };
}

function documentFlaw({ documentChecks }: EnrolmentDecision): string | undefined {
  const [document, ...more] = documentChecks;
  if (!document || more.length > 0) return 'not_one_document';
  return document.status === 'Approved' ? undefined : 'document_not_approved';
}

/** The face is compared with the one on the document of the same session, for which Didit names none, or this one. */
function otherSource({ faceMatches }: EnrolmentDecision, { diditSessionId }: About) {
  const source = faceMatches[0]?.sourceDiditSessionId ?? diditSessionId;
  return source === diditSessionId ? undefined : 'other_reference';
}
