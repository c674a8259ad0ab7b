/** Didit's API (v3), as far as logins, enrolments and erasures need it; about sessions here, about people in people.ts. */
import type { ZodType } from 'zod';
import type { Clock, Hash } from '../domain/environment.ts';
import type { RaiseAlarm } from '../domain/event.ts';
import { createBudget } from './budget.ts';
import { toDecision } from './decision.ts';
import { toEnrolment } from './enrolment.ts';
import { type MediaRules, createMedia } from './media.ts';
import { createPeople } from './people.ts';
import {
  type CreateRequest,
  type CreatedDiditSession,
  type Deletion,
  type DiditApi,
  DiditError,
  type DiditPeople,
} from './port.ts';
import { deletionOf, names, refusal } from './refusal.ts';
import { type Transport, type TransportOptions, createTransport } from './transport.ts';
import {
  type CreateDiditSessionRequest,
  createDiditSessionResponse,
  diditDecision,
  diditEnrolment,
  diditLanguage,
} from './wire.ts';

export interface DiditApiOptions extends Pick<TransportOptions, 'isOff' | 'heard' | 'watch'> {
  apiBaseUrl: string;
  apiKey: string;
  /** Where a capture may be hosted; a link to anywhere else is not followed. */
  hostedOrigins: readonly string[];
  media: Omit<MediaRules, 'warn'>;
  fetch: typeof fetch;
  hash: Hash;
  clock: Clock;
  /** Of this process. */
  createsPerMinute: number;
  /** Told once when Didit turns out not to know `workflow_type`, and whenever a portrait cannot be had. */
  warn: (message: string) => void;
  alarm: RaiseAlarm;
}

/** Creating takes a picture along and may take longer than reading. */
const createTimeoutMs = 8_000;
/** Didit waits 5 s for the answer to a webhook, and in that time a decision may be read twice. */
const readTimeoutMs = 2_000;

/** Nobody waits for an erasure, and Didit may take its time for every picture of an enrolment. */
const erasureTimeoutMs = 10_000;

/** Without credit Didit is not asked again for so long: nothing that a person does can help. */
const creditPauseMs = 60_000;

export function createDiditApi(options: DiditApiOptions): DiditApi & DiditPeople {
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

    readDecision: async (id) => toDecision(await read(send, id, diditDecision), options.hash),

    readEnrolment: async (id) => toEnrolment(await read(send, id, diditEnrolment), options.hash),

    async deleteSession(diditSessionId, purpose): Promise<Deletion> {
      const path = `/v3/session/${encodeURIComponent(diditSessionId)}/delete/`;
      const call = { operation: 'delete', method: 'DELETE', path } as const;
      if (purpose === undefined)
        return deletionOf(await send({ ...call, timeoutMs: readTimeoutMs }));
      const body = { retain_face_embeddings: false, deletion_instruction: 'privacy_erasure' };
      return deletionOf(await send({ ...call, body, timeoutMs: erasureTimeoutMs }));
    },

    fetchPortrait: createMedia({ ...options.media, warn: options.warn }),
    ...createPeople(send),
  };
}

/** @throws `schema_drift` when the answer lacks what it always had. */
async function read<Wire>(send: Transport, diditSessionId: string, wire: ZodType<Wire>) {
  const path = `/v3/session/${encodeURIComponent(diditSessionId)}/decision/`;
  const call = { operation: 'decision', method: 'GET', path, timeoutMs: readTimeoutMs } as const;
  const { status, body } = await send(call);
  if (status === 404) throw new DiditError('unknown_session', 'Didit has no such session');
  if (status !== 200 || body === undefined) {
    throw new DiditError('unavailable', `no decision (${status})`);
  }
  const parsed = wire.safeParse(body);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new DiditError('schema_drift', `a decision that cannot be read: ${fields}`);
}

async function createSession(
  send: Transport,
  request: CreateRequest,
  withType: { accepted: boolean },
  options: DiditApiOptions,
): Promise<CreatedDiditSession> {
  const sentType = withType.accepted && request.workflowType !== undefined;
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
  if (answer.status !== 201 && answer.status !== 200) throw refusal(answer);
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
    ...(sendType ? { workflow_type: request.workflowType } : {}),
    vendor_data: request.vendorData,
    callback: request.callback,
    // Whoever completes the check comes back here: a forwarded link brings its taker, not its sender.
    callback_method: 'completer',
    metadata: request.metadata,
    ...(request.expectedAddress === undefined
      ? {}
      : { expected_details: { ip_address: request.expectedAddress } }),
    ...(language === undefined ? {} : { language }),
    ...(request.portraitImage === undefined ? {} : { portrait_image: request.portraitImage }),
  };
}
