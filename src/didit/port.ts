/**
 * didit/ knows Didit's wire format and nothing of logins. Whoever needs Didit meets it through these interfaces
 * alone: a login through the first, who enrols and erases people through both. How a verdict comes back is `webhook.ts` (the doorbell), `reconcile.ts` (the doorbell that did not ring) and
 * `settle.ts` (what both do then).
 */
import type { Decision } from '../domain/decision.ts';
import type { EnrolmentDecision } from '../domain/enrolment.ts';

export interface CreateRequest {
  workflowId: string;
  /** Of a login. An enrolment has none: its workflow alone says what is done. */
  workflowType: 'biometric_authentication' | undefined;
  /** Opaque, one an enrolment. Didit reuses unfinished sessions and stored faces by it. */
  vendorData: string;
  callback: string;
  /** Flat, strings only: numbers would be written differently by different signers. */
  metadata: Readonly<Record<string, string>>;
  /** The languages that the person wants, most wanted first; sent is the first that Didit has. */
  uiLocales: string | undefined;
  /** Base64. Absent: Didit compares with the face that it has stored, or that stands on the document. */
  portraitImage: string | undefined;
  /** Of the browser that asks; Didit raises a warning where it sees another one. */
  expectedAddress?: string;
}

export interface CreatedDiditSession {
  diditSessionId: string;
  /** Didit hands back an unfinished session of the same person; then this is not `Not Started`. */
  status: string;
  workflowVersion: number | undefined;
  /** A bearer link: to be put into one redirect and nowhere else. */
  url: string;
}

export interface DiditApi {
  createSession(request: CreateRequest): Promise<CreatedDiditSession>;
  /** The decision as it stands, also of a session that is not finished. */
  readDecision(diditSessionId: string): Promise<DiditDecision>;
  /**
   * With everything that was taken in it. `erasure` says that the person wants it so: then nothing of the face may
   * be kept behind it, whatever the console says. @throws when it may still be there.
   */
  deleteSession(diditSessionId: string, purpose?: 'erasure'): Promise<Deletion>;
}

/** Gone now, or was gone before. Anything else is thrown, for whoever has to see to it that it goes. */
export type Deletion = 'deleted' | 'absent';

/** A decision, and where Didit saw its page being used. */
export interface DiditDecision {
  decision: Decision;
  seen: readonly { address: string; browser: string; system: string }[];
}

/** How people come in at Didit, and how they leave. Every call throws DiditError. */
export interface DiditPeople {
  /** The decision of an enrolment as it stands. Read anew each time: its link to the portrait lives for an hour. */
  readEnrolment(diditSessionId: string): Promise<DiditEnrolment>;
  /** Nothing is believed of the bytes: see enrol/portrait.ts. */
  fetchPortrait(url: string): Promise<Buffer>;
  /** Takes over what a partner shared, once. The session's id is new; read and judge it as shared. */
  importShared(request: SharedRequest): Promise<{ diditSessionId: string }>;
  /** To be called last: what is kept of a person is found by the person. */
  deleteUser(vendorData: string): Promise<Deletion>;
  /** Faces that outlived their sessions. */
  deleteTemplates(vendorData: string): Promise<Deletion>;
}

export interface SharedRequest {
  shareToken: string;
  /** One of ours, for enrolments. */
  workflowId: string;
  vendorData: string;
}

export interface DiditEnrolment {
  decision: EnrolmentDecision;
  seen: DiditDecision['seen'];
  facts: EnrolmentFacts;
  /** A short-lived bearer link to a face: to be fetched at once and kept nowhere. */
  portraitUrl: string | undefined;
}

/** What the document says, as far as claims and the same person's next enrolment need it. */
export interface EnrolmentFacts {
  givenName?: string;
  familyName?: string;
  /** ISO 8601. */
  birthdate?: string;
  /** Issuing state, type and number, as they were read: to be hashed, never to be kept. */
  documentKey?: string;
}

/**
 * `unavailable`: no answer, or one that makes no sense; may pass. `rate_limited`: come back later.
 * `refused`: the key or the workflow is wrong; an operator must look. `not_enrolled` and `blocked` are about the
 * person, and shown as anything else is. `unknown_session`: Didit has no such session. `schema_drift`: an answer that
 * is well-formed and lacks what it always had. `out_of_credit`: the operator has to pay first.
 */
export type DiditFailure =
  | 'unavailable'
  | 'rate_limited'
  | 'refused'
  | 'not_enrolled'
  | 'blocked'
  | 'unknown_session'
  | 'schema_drift'
  | 'out_of_credit';

export class DiditError extends Error {
  readonly failure: DiditFailure;

  constructor(failure: DiditFailure, detail: string, options?: { cause?: unknown }) {
    super(detail, options);
    this.name = 'DiditError';
    this.failure = failure;
  }
}
