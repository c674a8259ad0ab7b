/** A webhook as text and headers: what Didit would write, and what a fault makes of it. */
import { readCanonicalJson } from '../didit/canonical.ts';
import { signWebhook } from '../didit/signature.ts';
import { decisionOf } from './decision.ts';
import type { WebhookFault } from './faults.ts';
import type { Addresses } from './media.ts';
import type { Destination, DiditSession, State } from './state.ts';

export interface WebhookMessage {
  destination: Destination;
  /** The body without `timestamp`, as of the moment of the event. */
  event: { event_id: string; session_id: string; status: string };
  fault: WebhookFault['mode'] | null;
}

const staleBySeconds = 600;
const userAgent = 'DiditWebhook/2.0 +https://didit.me (simulator)';
const statusesWithDecision = ['Approved', 'Declined', 'In Review', 'Abandoned'];

export function eventOf(
  session: DiditSession,
  application: { id: string; addresses: Addresses },
  eventId: string,
): WebhookMessage['event'] {
  const event = {
    application_id: application.id,
    created_at: Math.floor(session.createdAtMs / 1000),
    environment: session.environment,
    event_id: eventId,
    session_id: session.id,
    session_kind: 'user',
    status: session.status,
    webhook_type: 'status.updated',
    workflow_id: session.workflow.id,
    workflow_version: session.workflow.version,
    ...(session.vendorData === null ? {} : { vendor_data: session.vendorData }),
    ...(session.metadata === null ? {} : { metadata: session.metadata }),
    ...(session.status === 'Resubmitted' ? { resubmit_info: session.resubmit } : {}),
    ...(statusesWithDecision.includes(session.status)
      ? { decision: decisionOf(session, application.addresses) }
      : {}),
  };
  // The session goes on changing while a retry waits; what is announced does not.
  return structuredClone(event);
}

/**
 * Signed when it is sent, so a retry carries a fresh timestamp and the same `event_id`. Didit documents
 * neither; this is the kinder reading, and the faults `stale` and `duplicate` show the others.
 */
export function signMessage({ destination, event, fault }: WebhookMessage, state: State) {
  const nowSeconds = Math.floor(state.now() / 1000);
  const timestamp = fault === 'stale' ? nowSeconds - staleBySeconds : nowSeconds;
  const body = pythonJson({ ...event, timestamp });
  const secret = fault === 'forge' ? state.newSecret() : destination.secret;
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'User-Agent': userAgent,
    ...signWebhook(Buffer.from(body), secret, timestamp),
  };
  return { body, headers };
}

/** The bytes that Didit's Python sends: sorted keys, no spaces, everything beyond ASCII escaped. */
function pythonJson(value: object): string {
  const json = readCanonicalJson(JSON.stringify(value));
  if (!json.ok) throw new Error(`A webhook body cannot be written: ${json.reason}`);
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.canonical.replace(/[\u007f-\uffff]/g, escape);
}
