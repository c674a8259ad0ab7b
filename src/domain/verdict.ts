/**
 * Judges the decision of a login that was read from Didit's API. Everything must be as it was asked for; "Approved"
 * is only one of the conditions. The first condition that fails gives the verdict its reason.
 */
import {
  type Decision,
  type Floors,
  type OwnSession,
  type About,
  type Verdict,
  blockingFlaw,
  declined,
  errorFlaw,
  faceFlaw,
  foreignToOwn,
  isNear,
  timeFlaw,
  unapproved,
} from './decision.ts';

/** What the decision must be about: fixed when the capture was created. */
export interface Expectation extends About, OwnSession, Floors {
  /** Nobody stands behind the name that was typed: whatever Didit says, the door stays shut. */
  decoy: boolean;
  /**
   * `portrait`: the picture that we sent, which Didit files under this very session. `stored`: any of its own.
   * `document`: the picture in the document that was shown in this session, for enrolment.ts to judge.
   */
  reference: 'portrait' | 'stored' | 'document';
}

export function judge(decision: Decision, expected: Expectation, nowMs: number): Verdict {
  // A decision about something else is worth nothing, not even a refusal of this attempt's own merits.
  const foreign = foreignToOwn(decision, expected);
  if (foreign) return declined(foreign);
  const other = unapproved(decision.status);
  if (other) return other;
  const flaw = flawOf(decision, expected, nowMs) ?? (expected.decoy ? 'decoy' : undefined);
  if (flaw) return declined(flaw);
  const near = isNear(decision, expected) ? { isNear: true as const } : {};
  return { outcome: 'approved', reason: 'approved', ...near };
}

function flawOf(decision: Decision, expected: Expectation, nowMs: number): string | undefined {
  if (decision.sharedFromDiditSessionId !== undefined) return 'no_fresh_liveness';
  if (decision.reviewCount > 0) return 'changed_by_hand';
  return (
    blockingFlaw(decision) ??
    errorFlaw(decision) ??
    timeFlaw(decision, expected, nowMs) ??
    faceFlaw(decision, expected) ??
    otherReference(decision, expected)
  );
}

function otherReference(decision: Decision, expected: Expectation): string | undefined {
  const isPinned = decision.faceMatches[0]?.sourceDiditSessionId === expected.diditSessionId;
  const isSure = { portrait: isPinned, stored: true, document: false }[expected.reference];
  return isSure ? undefined : 'other_reference';
}
