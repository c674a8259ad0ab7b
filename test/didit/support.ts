/**
 * What tests of the Didit side have in common: to overhear what the provider tells Didit, to ring its bell with a
 * webhook of one's own making, and to read its log.
 */
import { signWebhook } from '../../src/didit/signature.ts';
import { type Testbed, webhookSecret, workflowId } from '../support/testbed.ts';

export const apiKey = 'test-api-key-0123456789';

export interface OverheardCreate {
  body: Record<string, unknown> & { vendor_data: string; callback: string; portrait_image: string };
  diditSessionId: string;
  url: string;
}

/** What Didit knows of the sessions that were overheard, and says of them when it rings. */
const aboutSession = new Map<string, { vendor_data: string }>();

/** A fetch for the provider, and what went through it. */
export function overhear() {
  const creates: OverheardCreate[] = [];
  const calls: string[] = [];
  const untouchedApprovals = new Map<string, number>();
  const underWay = { calls: 0 };
  return {
    calls,
    /** The sessions of which Didit has told us an approval that nobody had changed by hand, and when it first did. */
    untouchedApprovals,
    /** How many calls have not been answered yet. */
    underWay,
    creates,
    /** The newest session that Didit made for us. */
    latest(): OverheardCreate {
      const latest = creates.at(-1);
      if (!latest) throw new Error('no Didit session was created');
      return latest;
    },
    fetch: async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      underWay.calls += 1;
      const response = await fetch(input, init).finally(() => (underWay.calls -= 1));
      const { method = 'GET' } = init ?? {};
      calls.push(method);
      if (method === 'POST' && response.status === 201) {
        const answer = (await response.clone().json()) as { session_id: string; url: string };
        const body = JSON.parse(init?.body as string) as OverheardCreate['body'];
        aboutSession.set(answer.session_id, { vendor_data: body.vendor_data });
        creates.push({ body, diditSessionId: answer.session_id, url: answer.url });
      }
      if (method === 'GET' && response.ok) {
        const told = (await response
          .clone()
          .json()
          .catch(() => ({}))) as { session_id?: string; status?: string; reviews?: unknown[] };
        const { session_id: id = '', status, reviews } = told;
        const isAsked = new URL(input instanceof Request ? input.url : input).pathname.includes(id);
        const isUntouched = status === 'Approved' && (reviews ?? []).length === 0;
        if (id !== '' && isAsked && isUntouched && !untouchedApprovals.has(id)) {
          untouchedApprovals.set(id, Date.now());
        }
      }
      return response;
    },
  };
}

export interface Ring {
  /** Instead of, or besides, what a genuine event says. */
  event?: Record<string, unknown>;
  secret?: string;
  timestampSeconds?: number;
  /** Those that are undefined are not sent. */
  headers?: Record<string, string | undefined>;
  /** The bytes that are sent, where they differ from those that are signed. */
  body?: string | Buffer;
}

/** Rings as Didit would: a genuine, fresh delivery, of which the caller changes one thing. */
export async function ring(
  { issuer }: Pick<Testbed, 'issuer'>,
  diditSessionId: string,
  status: string,
  change: Ring = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const timestamp = change.timestampSeconds ?? Math.floor(Date.now() / 1000);
  const event = {
    ...{ webhook_type: 'status.updated', session_id: diditSessionId, status, timestamp },
    ...{ event_id: `event-${timestamp}`, workflow_id: workflowId, environment: 'sandbox' },
    ...aboutSession.get(diditSessionId),
    ...change.event,
  };
  const signed = Buffer.from(JSON.stringify(event));
  const headers: Record<string, string | undefined> = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...signWebhook(signed, change.secret ?? webhookSecret, timestamp),
    ...change.headers,
  };
  const response = await fetch(`${issuer}/webhooks/didit`, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(change.body ?? signed)),
    headers: Object.entries(headers).filter(
      (pair): pair is [string, string] => pair[1] !== undefined,
    ),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A call to the simulator with the provider's own key. */
export function callDidit(
  { simulatorUrl }: Pick<Testbed, 'simulatorUrl'>,
  method: string,
  path: string,
  body?: object,
): Promise<Response> {
  return fetch(simulatorUrl + path, {
    method,
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

/** A log, line by line, for the testbed to write to. */
export function keepLog() {
  const written: string[] = [];
  return {
    write: (line: string): void => void written.push(line),
    text: () => written.join(''),
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    clear: () => void written.splice(0),
  };
}
