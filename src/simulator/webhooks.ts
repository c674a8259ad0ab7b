/**
 * Announces every change of a session's status to the subscribed destinations, as Didit does: in the
 * background, up to three attempts, nothing kept for a receiver that stays away.
 */
import type { Faults, WebhookFault } from './faults.ts';
import { append } from './journal.ts';
import type { Journal } from './journal.ts';
import { addressesOf } from './media.ts';
import type { SimulatorSettings } from './options.ts';
import { isoTime } from './state.ts';
import type { Destination, DiditSession, State } from './state.ts';
import { eventOf, signMessage } from './webhook-message.ts';
import type { WebhookMessage } from './webhook-message.ts';

interface Answer {
  responseStatus: number | null;
  error: string | null;
}

export type Webhooks = ReturnType<typeof createWebhooks>;

export function createWebhooks(parts: {
  settings: SimulatorSettings;
  state: State;
  faults: Faults;
  journal: Journal;
  hostedOrigin: () => string;
}) {
  const { settings, state, faults, journal } = parts;
  const timers = new Set<NodeJS.Timeout>();
  const closing = new AbortController();
  const withheld: WebhookMessage[] = [];
  const overtaken: WebhookMessage[] = [];

  function sendAfter(delayMs: number, message: WebhookMessage, attempt = 1): void {
    if (closing.signal.aborted) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void send(message, attempt);
    }, delayMs);
    timers.add(timer);
  }

  function dispatch(message: WebhookMessage, fault: WebhookFault | undefined): void {
    const delayMs = settings.webhookDelayMs;
    switch (fault?.mode) {
      case 'drop':
        journal.addWebhook({ ...about(message), attempt: 0, responseStatus: null, error: null });
        break;
      case 'withhold':
        append(withheld, message);
        break;
      case 'reorder':
        append(overtaken, message);
        break;
      case 'duplicate':
        sendAfter(delayMs, message);
        sendAfter(delayMs, message);
        break;
      case 'delay':
        sendAfter(delayMs + fault.delayMs, message);
        break;
      case 'forge':
      case 'stale':
      case undefined:
        sendAfter(delayMs, message);
    }
  }

  async function send(message: WebhookMessage, attempt: number): Promise<void> {
    const { body, headers } = signMessage(message, state);
    const answer = await post(message.destination.url, { body, headers }, settings, closing.signal);
    if (closing.signal.aborted) return;
    journal.addWebhook({ ...about(message), attempt, ...answer });
    append(message.destination.deliveries, {
      uuid: state.newId(),
      event_id: message.event.event_id,
      attempt,
      created_at: isoTime(state.now()),
      request_header: headers,
      request_body: body,
      response_status: answer.responseStatus,
      error: answer.error,
    });
    // What was held back to be late goes out now that another one has overtaken it.
    for (const late of overtaken.splice(0)) sendAfter(0, late);

    if (isDelivered(answer)) return;
    const retryDelayMs = settings.webhookRetryDelaysMs[attempt - 1];
    if (isRetried(answer) && retryDelayMs !== undefined) {
      sendAfter(retryDelayMs, message, attempt + 1);
    } else {
      settings.logger.warn({ ...about(message), ...answer }, 'webhook given up');
    }
  }

  return {
    statusUpdated(session: DiditSession): void {
      const addresses = addressesOf(session, state, { hostedOrigin: parts.hostedOrigin() });
      const application = { id: settings.applicationId, addresses };
      for (const destination of [...state.destinations.values()].filter(hearsOfStatuses)) {
        const fault = faults.takeForWebhook(session.status);
        const event = eventOf(session, application, state.newId());
        dispatch({ destination, event, fault: fault?.mode ?? null }, fault);
      }
    },
    /** Sends what a fault withheld. @returns how many. */
    release(): number {
      const messages = withheld.splice(0);
      for (const message of messages) sendAfter(0, message);
      return messages.length;
    },
    close(): void {
      closing.abort();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function hearsOfStatuses({ enabled, subscribedEvents }: Destination): boolean {
  return enabled && subscribedEvents.includes('status.updated');
}

async function post(
  url: string,
  request: { body: string; headers: Record<string, string> },
  { fetch, webhookTimeoutMs }: SimulatorSettings,
  closing: AbortSignal,
): Promise<Answer> {
  const signal = AbortSignal.any([closing, AbortSignal.timeout(webhookTimeoutMs)]);
  try {
    const response = await fetch(url, { method: 'POST', redirect: 'manual', ...request, signal });
    await response.body?.cancel();
    return { responseStatus: response.status, error: null };
  } catch (error) {
    return { responseStatus: null, error: error instanceof Error ? error.name : 'unknown' };
  }
}

function isDelivered({ responseStatus }: Answer): boolean {
  return responseStatus !== null && responseStatus >= 200 && responseStatus < 300;
}

/** Redirects and the other refusals are final, as documented. */
function isRetried({ responseStatus }: Answer): boolean {
  return responseStatus === null || responseStatus === 404 || responseStatus >= 500;
}

function about({ destination, event, fault }: WebhookMessage) {
  const { event_id: eventId, session_id: diditSessionId, status } = event;
  return { eventId, diditSessionId, status, url: destination.url, fault };
}
