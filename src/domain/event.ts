/**
 * What happened, for the log, the metrics and whoever explains a login later. Ids and reason codes only: never a
 * body, a score, an address or an image.
 */
import type { Message } from './message.ts';

export interface AuditEvent {
  event:
    | 'login.started'
    | 'login.decided'
    | 'capture.created'
    | 'verdict.received'
    | 'browser.returned'
    | 'login.completed'
    | 'login.denied'
    | 'login.foreign'
    | 'login.disowned'
    | 'login.expired'
    | 'login.withdrawn'
    | 'handoff.offered'
    | 'handoff.claimed'
    | 'factor.asked'
    | 'factor.proven'
    | 'factor.refused'
    | 'factor.added'
    | 'factor.removed'
    | 'enrol.started'
    | 'enrol.address_confirmed'
    | 'enrol.consented'
    | 'enrol.completed'
    | 'enrol.refused'
    | 'review.opened'
    | 'review.failed'
    | 'review.seconded'
    | 'review.closed'
    | 'account.created'
    | 'account.invited'
    | 'account.changed'
    | 'account.signed_out'
    | 'account.disavowed'
    | 'account.exported'
    | 'account.consent_withdrawn'
    | 'account.recovery_asked'
    | 'account.recovery_began'
    | 'account.recovery_linked'
    | 'account.recovery_done'
    | 'account.recovery_cancelled'
    | 'account.erasure_planned'
    | 'account.erasure_cancelled'
    | 'account.erased'
    | 'account.portrait_opened'
    | 'mail.sent'
    | 'mail.failed';
  atMs: number;
  /** Absent where it is not about a sign-in. */
  attempt?: string;
  /** What the person's pages show, so that the two can be brought together. */
  reference?: string;
  account?: string | undefined;
  client?: string;
  /** Of a mail. */
  kind?: Message['kind'];
  /** Whose reference face it is about. */
  enrolment?: string;
  /** A code; of a review, what the operators wrote. */
  reason?: string;
  /** Who did it from the command line, as they named themselves. */
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
    | 'faces_opened'
    | 'passkey_counter'
    | 'erasure_late'
    | 'login_withdrawn';
  attempt?: string;
}

export type RaiseAlarm = (reason: Alarm['reason'], attempt?: { id: string }) => void;
