/**
 * domain/ is the pure core: what an attempt is, when a verdict opens the door, what a proof may claim.
 * It imports nothing outside itself, reads no clock and draws no random number; every other room may use it.
 * Start with attempt.ts.
 *
 * This file is the catalogue of everything that can go wrong on purpose. A person sees the page text that
 * belongs to the code and a reference to quote; the operator finds the code, the cause and the same reference
 * in the log; an attacker learns the status and nothing else.
 */
const catalogue = {
  /** The page's request came from another site, or a form was older than the page it belongs to. */
  cross_site: 403,
  /** A step was skipped on which this one relies: consent, a confirmed address, a fresh proof. */
  step_missing: 403,
  /** No interaction cookie, or one that belongs to another interaction: this browser did not start it. */
  interaction_not_yours: 400,
  /** The interaction is over or its time is up. */
  interaction_over: 410,
  /** The request does not parse: form, JSON, header or path. */
  malformed: 400,
  body_too_large: 413,
  body_too_slow: 408,
  unsupported_media_type: 415,
  not_found: 404,
  method_not_allowed: 405,
  /** One browser or network asks more often than any person does. */
  too_many_requests: 429,
  /** An operator's program without a key of ours, or with one that counts for nothing any more. */
  unauthorized: 401,
  /** The operator's role, or the key's scopes, do not reach so far; or it takes more than one person. */
  forbidden: 403,
  /** An act that wants a fresh sign-in of the operator. */
  sign_in_again: 403,
  /** What an operator sent is not what the act takes. Nothing was done. */
  invalid: 422,
  /** It cannot be done as things stand. Nothing was done. */
  conflict: 409,
  /** Somebody else changed it since it was read. */
  changed_meanwhile: 412,
  /** A change that does not say which version it is of. */
  version_required: 428,
  /** A webhook that is not provably Didit's. One answer for every reason. */
  webhook_refused: 401,
  /** A dependency does not answer. */
  unavailable: 503,
  /** A defect of ours. */
  internal: 500,
} as const;

export type ProblemCode = keyof typeof catalogue;

export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;

  /** @param detail for the log only; never shown. */
  constructor(code: ProblemCode, detail?: string, options?: { cause?: unknown }) {
    super(detail ?? code, options);
    this.name = 'Problem';
    this.code = code;
    this.status = catalogue[code];
  }
}
