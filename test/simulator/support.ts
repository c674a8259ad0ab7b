/** A simulator, a receiver of its webhooks and browsers with cookies, all over real HTTP on the loopback. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { verifyWebhook } from '../../src/didit/signature.ts';
import { defaultWorkflows } from '../../src/simulator/options.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';

export const liveKey = 'live-key';
export const sandboxKey = 'sandbox-key';
export const webhookSecret = 'a-webhook-secret-for-the-tests';
export const workflowId = defaultWorkflows[0]!.id;
export const enrolmentWorkflowId = defaultWorkflows[2]!.id;
export const portrait = Buffer.from('ffd8ffe000104a464946', 'hex').toString('base64');

export type Json = Record<string, unknown>;

export async function startSimulator(options: Partial<SimulatorOptions> = {}) {
  const receiver = await startReceiver();
  const simulator = await createSimulator({
    apiKeys: { live: [liveKey], sandbox: [sandboxKey] },
    webhookSecret,
    webhookUrl: receiver.url,
    webhookDelayMs: 5,
    webhookRetryDelaysMs: [5, 10],
    ...options,
  });
  onTestFinished(() => simulator.close());
  const url = await simulator.listen(0);

  async function call(method: string, path: string, body?: unknown, key: string = liveKey) {
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: { 'x-api-key': key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return {
      response,
      text,
      status: response.status,
      json: (isJson ? JSON.parse(text) : {}) as Json,
    };
  }

  async function create(fields: Json = {}, key: string = liveKey) {
    const request = { workflow_id: workflowId, portrait_image: portrait, ...fields };
    const { status, json } = await call('POST', '/v3/session/', request, key);
    if (status !== 201) throw new Error(`create-session answered ${status}`);
    return json as Json & { session_id: string; url: string; session_token: string };
  }

  return {
    url,
    receiver,
    simulator,
    call,
    create,
    decision: async (id: string, key?: string) =>
      (await call('GET', `/v3/session/${id}/decision/`, undefined, key)).json,
    finish: (id: string, outcome: string, person?: Json) =>
      call('POST', `/control/sessions/${id}/outcome`, { outcome, ...(person ? { person } : {}) }),
    faults: (faults: Json) => call('POST', '/control/faults', faults),
  };
}

interface Received {
  headers: IncomingHttpHeaders;
  body: Json;
  verification: ReturnType<typeof verifyWebhook>;
}

async function startReceiver() {
  const received: Received[] = [];
  /** Statuses to answer with, one a delivery; 200 when used up. */
  const answers: number[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((rawBody) => {
      const { headers } = request;
      const check = { rawBody, headers, secrets: [webhookSecret], toleranceSeconds: 300 };
      const verification = verifyWebhook({ ...check, now: Date.now() });
      received.push({ headers, body: JSON.parse(rawBody.toString()) as Json, verification });
      response.writeHead(answers.shift() ?? 200).end();
      server.emit('received');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answers,
    statuses: () => received.map(({ body }) => body.status),
    /** Waits for the first delivery, past or to come, of this status. */
    async wait(status: string, count = 1): Promise<Received> {
      for (;;) {
        const found = received.filter(({ body }) => body.status === status);
        if (found.length >= count) return found[count - 1]!;
        await once(server, 'received');
      }
    },
  };
}

/** A browser: keeps its cookie, never follows a redirect. */
export function newBrowser(
  userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36',
) {
  let cookie = '';
  return async function visit(url: string, outcome?: string, fields: Record<string, string> = {}) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { 'user-agent': userAgent, cookie },
      ...(outcome === undefined
        ? {}
        : { method: 'POST', body: new URLSearchParams({ outcome, ...fields }) }),
    });
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    const location = response.headers.get('location');
    return { response, status: response.status, location, text: await response.text() };
  };
}
