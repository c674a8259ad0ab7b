/** The Didit of the benchmark: a simulator in the load's process, and webhooks that are sent by hand. */
import { signWebhook } from '../../src/didit/signature.ts';
import { webhookSecret } from '../support/testbed.ts';
import { type Simulator, createSimulator } from '../../src/simulator/simulator.ts';
import { send } from './requests.ts';

export const apiKey = 'benchmark-api-key-0123456789';

export async function startSimulator(): Promise<Simulator> {
  const simulator = await createSimulator({
    apiKeys: { sandbox: [apiKey] },
    webhookSecret,
    webhookDelayMs: 0,
  });
  await simulator.listen(0);
  return simulator;
}

/** From now on webhooks come by hand only. */
export async function withholdWebhooks(simulator: Simulator): Promise<void> {
  await control(simulator, 'faults', { webhooks: 'drop' });
}

export interface Decision {
  session_id: string;
  status: string;
  callback: string;
  workflow_id: string;
  vendor_data: string;
}

/** Of the session that was created last. */
export async function lastDecision(simulator: Simulator): Promise<Decision> {
  const list = await api(simulator, '/v3/sessions/?limit=1');
  const [{ session_id: id }] = (list as { results: [{ session_id: string }] }).results;
  return readDecision(simulator, id);
}

async function readDecision(simulator: Simulator, id: string): Promise<Decision> {
  return (await api(simulator, `/v3/session/${id}/decision/`)) as Decision;
}

async function api(simulator: Simulator, path: string): Promise<unknown> {
  const { text } = await send(simulator.url + path, { headers: { 'x-api-key': apiKey } });
  return JSON.parse(text);
}

export async function approve(simulator: Simulator, id: string, userAgent: string): Promise<void> {
  await control(simulator, `sessions/${id}/outcome`, { outcome: 'approve', userAgent });
}

async function control(simulator: Simulator, path: string, body: object): Promise<void> {
  const { status, text } = await send(`${simulator.url}/control/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (status >= 300) throw new Error(`the simulator refused ${path}: ${text}`);
}

/** A webhook as Didit would send it, signed once; it stays fresh for as long as the benchmark runs. */
export function webhookOf(
  decision: Decision,
  status: string,
): { headers: Record<string, string>; body: string } {
  const timestamp = Math.floor(Date.now() / 1000);
  const body = JSON.stringify({
    webhook_type: 'status.updated',
    event_id: crypto.randomUUID(),
    session_id: decision.session_id,
    session_kind: 'user',
    environment: 'sandbox',
    workflow_id: decision.workflow_id,
    vendor_data: decision.vendor_data,
    status,
    timestamp,
    decision,
  });
  const signed = signWebhook(Buffer.from(body), webhookSecret, timestamp);
  return { headers: { 'content-type': 'application/json', ...signed }, body };
}
