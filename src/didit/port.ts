/**
 * didit/ knows Didit's wire format and nothing of logins. A login meets it through this interface alone; how a
 * verdict comes back is `webhook.ts` (the doorbell), `reconcile.ts` (the doorbell that did not ring) and
 * `settle.ts` (what both do then).
 */
import type { Decision } from '../domain/verdict.ts';

export interface CreateRequest {
  workflowId: string;
  /** Opaque, one an enrolment. Didit reuses unfinished sessions and stored faces by it. */
  vendorData: string;
  callback: string;
  /** Flat, strings only: numbers would be written differently by different signers. */
  metadata: Readonly<Record<string, string>>;
  /** The person's wish (`ui_locales`); sent only if Didit has the language. */
  uiLocales: string | undefined;
  /** Base64. Absent: Didit compares with the face that it has stored. */
  portraitImage: string | undefined;
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
  /** Resolves also when there was nothing to delete. */
  deleteSession(diditSessionId: string): Promise<void>;
}

/** A decision, and where Didit saw its page being used. */
export interface DiditDecision {
  decision: Decision;
  seen: readonly { address: string; browser: string; system: string }[];
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
