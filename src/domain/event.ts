/**
 * What happened, for the log, the metrics and whoever explains a login later. Ids and reason codes only: never a
 * body, a score, an address or an image.
 */
import type { Message } from './message.ts';
import type { Action } from './policy.ts';

/**
 * How a sign-in can end: `login.completed` and so on. `foreign` is told also of a link that somebody opens elsewhere after
 * another end.
 */
export const signInEnds = ['completed', 'denied', 'foreign', 'expired'] as const;

/** All that is told. */
export const eventNames = [
  'login.started',
  'login.decided',
  'capture.created',
  'verdict.received',
  'browser.returned',
  'login.completed',
  'login.denied',
  'login.foreign',
  'login.disowned',
  'login.expired',
  'login.withdrawn',
  'handoff.offered',
  'handoff.claimed',
  'factor.asked',
  'factor.proven',
  'factor.refused',
  'factor.added',
  'factor.removed',
  'enrol.started',
  'enrol.address_confirmed',
  'enrol.consented',
  'enrol.completed',
  'enrol.refused',
  'review.opened',
  'review.failed',
  'review.seconded',
  'review.closed',
  'account.created',
  'account.invited',
  'account.arrived',
  'account.changed',
  'account.signed_out',
  'account.disavowed',
  'account.exported',
  'account.consent_withdrawn',
  'account.recovery_asked',
  'account.recovery_began',
  'account.recovery_linked',
  'account.recovery_done',
  'account.recovery_cancelled',
  'account.erasure_planned',
  'account.erasure_cancelled',
  /** From here on nobody can call it off. Of what stands in `reason`, as with the next one. */
  'account.erasure_began',
  'account.erased',
  'account.portrait_opened',
  'operator.acted',
  'operator.refused',
  'operator.invited',
  'operator.added',
  'operator.changed',
  'operator.removed',
  'operator.signed_in',
  'operator.signed_out',
  'key.rotated',
  'key.retired',
  'budget.changed',
  'budget.reached',
  'outage.began',
  'outage.ended',
  'mail.sent',
  'mail.failed',
  /** How many could not be written into the audit log stands in `reason`. */
  'audit.lost',
] as const;

export interface AuditEvent {
  event: (typeof eventNames)[number];
  atMs: number;
  /** Absent where it is not about a sign-in. */
  attempt?: string;
  /** What the person's pages show, so that the two can be brought together. */
  reference?: string;
  account?: string | undefined;
  /** Whose name was typed, as long as nothing was shown for it. */
  claimed?: string;
  client?: string;
  /** Of a mail. */
  kind?: Message['kind'];
  /** Whose reference face it is about. */
  enrolment?: string;
  /** A code; of a review, what the operators wrote. */
  reason?: string;
  /** Of a sign-in: what the policy decided for it. */
  decision?: Action;
  /**
   * How long a person waited: for the verdict, of a browser that was back before it or with it; when they were let in,
   * since both were there.
   */
  waitedMs?: number;
  /** What an operator did, and to what: an act's id (src/ops/acts) and an opaque id, never an address. */
  act?: string;
  object?: string;
  /**
   * Who did it: from the command line as they named themselves, at the console their `sub`, `key:` and its id for a
   * program.
   */
  operators?: readonly string[];
}

export type Record = (event: AuditEvent) => void;

/** Something that an operator should look into, and no person at the door can do anything about. */
export interface Alarm {
  event: 'operator.alarm';
  atMs: number;
  reason:
    | 'webhook_differs'
    | 'webhook_contradicts'
    | 'schema_drift'
    | 'out_of_credit'
    | 'many_declined'
    | 'budget_spent'
    | 'budget_soft'
    | 'budget_hard'
    | 'budget_forecast'
    | 'didit_failing'
    | 'faces_opened'
    | 'passkey_counter'
    | 'erasure_late'
    | 'login_withdrawn'
    | 'clock_differs';
  attempt?: string;
}

export type RaiseAlarm = (reason: Alarm['reason'], attempt?: { id: string }) => void;
