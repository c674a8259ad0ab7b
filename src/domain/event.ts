/**
 * What happened, for the log, the metrics and whoever explains a login later. Ids and reason codes only: never a
 * body, a score, an address or an image.
 */
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
    | 'login.expired'
    | 'factor.asked'
    | 'factor.proven'
    | 'factor.refused';
  atMs: number;
  attempt: string;
  /** What the person's pages show, so that the two can be brought together. */
  reference: string;
  account?: string | undefined;
  client: string;
  reason?: string;
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
    | 'budget_spent';
  attempt?: string;
}

export type RaiseAlarm = (reason: Alarm['reason'], attempt?: { id: string }) => void;
