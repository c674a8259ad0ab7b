/** Didit's sessions API (v3), as far as a login needs it. */
import type { Clock, Hash } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import { createBudget } from './budget.ts';
import { toDecision } from './decision.ts';
import { type CreateRequest, type CreatedDiditSession, type DiditApi, DiditError } from './port.ts';
import { type Transport, createTransport } from './transport.ts';
import {
  type CreateDiditSessionRequest,
  createDiditSessionResponse,
  diditDecision,
  diditLanguage,
  readErrorBody,
} from './wire.ts';

export interface DiditApiOptions {
  apiBaseUrl: string;
  apiKey: string;
  /** Where a capture may be hosted; a link to anywhere else is not followed. */
  hostedOrigins: readonly string[];
  fetch: typeof fetch;
  hash: Hash;
  clock: Clock;
  /** Of this process. */
  createsPerMinute: number;
  /** Told once when Didit turns out not to know `workflow_type`. */
  warn(message: string): void;
  alarm: RaiseAlarm;
}

/** Creating takes a picture along and may take longer than reading. */
const createTimeoutMs = 8_000;
/** Didit waits 5 s for the answer to a webhook, and in that time a decision may be read twice. */
const readTimeoutMs = 2_000;

/** Without credit Didit is not asked again for so long: nothing that a person does can help. */
const creditPauseMs = 60_000;

export function createDiditApi(options: DiditApiOptions): DiditApi {
  const send = createTransport(options);
  const withType = { accepted: true };
  const penniless = { untilMs: 0 };
  const mayCreate = createBudget(options.createsPerMinute, options.clock);

  return {
    async createSession(request) {
      if (!mayCreate()) throw new DiditError('rate_limited', 'the budget of this minute is spent');
      if (options.clock() < penniless.untilMs) throw new DiditError('out_of_credit', 'still none');
      try {
        return await createSession(send, request, withType, options);
      } catch (error) {
        if (error instanceof DiditError && error.failure === 'out_of_credit') {
          penniless.untilMs = options.clock() + creditPauseMs;
          options.alarm('out_of_credit');
        }
        throw error;
      }
    },

    async readDecision(diditSessionId) {
      const path = `/v3/session/${encodeURIComponent(diditSessionId)}/decision/`;
      const call = {
        operation: 'decision',
        method: 'GET',
        path,
        timeoutMs: readTimeoutMs,
      } as const;
      const { status, body } = await send(call);
      if (status === 404) throw new DiditError('unknown_session', 'Didit has no such session');
      if (status !== 200 || body === undefined) {
        throw new DiditError('unavailable', `no decision (${status})`);
      }
      const parsed = diditDecision.safeParse(body);
      if (!parsed.success) {
        const fields = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
        throw new DiditError('schema_drift', `a decision that cannot be read: ${fields}`);
      }
      return toDecision(parsed.data, options.hash);
    },

    async deleteSession(diditSessionId) {
      const path = `/v3/session/${encodeURIComponent(diditSessionId)}/delete/`;
      await send({ operation: 'delete', method: 'DELETE', path, timeoutMs: readTimeoutMs });
    },
  };
}

async function createSession(
  send: Transport,
  request: CreateRequest,
  withType: { accepted: boolean },
  options: DiditApiOptions,
): Promise<CreatedDiditSession> {
  const sentType = withType.accepted;
  const body = toWire(request, sentType);
  const path = '/v3/session/';
  const call = { operation: 'create', method: 'POST', path, timeoutMs: createTimeoutMs } as const;
  const answer = await send({ ...call, body });
  if (answer.status === 400 && sentType && names(answer.body, 'workflow_type')) {
    // The page that describes this login sends the field, the specification does not know it.
    if (withType.accepted) options.warn('Didit does not know workflow_type; it is no longer sent');
    withType.accepted = false;
    return createSession(send, request, withType, options);
  }
  if (answer.status !== 201 && answer.status !== 200) throw refusal(answer.status, answer.body);
  const parsed = createDiditSessionResponse.safeParse(answer.body);
  if (!parsed.success) throw new DiditError('unavailable', 'a session that cannot be read');
  const { session_id, status, url, workflow_version } = parsed.data;
  if (!options.hostedOrigins.includes(URL.parse(url)?.origin ?? '')) {
    throw new DiditError('refused', 'the capture is hosted where didit.hostedOrigins does not say');
  }
  return {
    diditSessionId: session_id,
    status,
    workflowVersion: workflow_version ?? undefined,
    url,
  };
}

function toWire(request: CreateRequest, sendType: boolean): CreateDiditSessionRequest {
  const language = diditLanguage(request.uiLocales);
  return {
    workflow_id: request.workflowId,
    ...(sendType ? { workflow_type: 'biometric_authentication' } : {}),
    vendor_data: request.vendorData,
    callback: request.callback,
    // Whoever completes the check comes back here: a forwarded link brings its taker, not its sender.
    callback_method: 'completer',
    metadata: request.metadata,
    ...(language === undefined ? {} : { language }),
    ...(request.portraitImage === undefined ? {} : { portrait_image: request.portraitImage }),
  };
}

function names(body: unknown, field: string): boolean {
  return readErrorBody(body).some((message) => message.field === field);
}

function refusal(status: number, body: unknown): DiditError {
  if (names(body, 'portrait_image'))
    return new DiditError('not_enrolled', 'no usable reference face');
  if (names(body, 'vendor_data')) return new DiditError('blocked', 'Didit has blocked this person');
  const fields = readErrorBody(body).map(({ field }) => field);
  return new DiditError(
    'refused',
    `Didit answered ${status} about ${fields.join(', ') || 'nothing'}`,
  );
}
