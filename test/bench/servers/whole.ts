/**
 * Ours, whole: what `serve` runs, with Didit's simulator at the other end. It times, inside itself, the way from
 * a webhook's arrival to the event that wakes the waiting page. Both requests carry the same `?n=`, which nothing
 * else looks at.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pino } from 'pino';
import { createApp } from '../../../src/app.ts';
import { resolveConfig } from '../../../src/config/load.ts';
import { parseClients } from '../../../src/oidc/clients.ts';
import { createLog } from '../../../src/web/telemetry.ts';
import { testClients, webhookSecret, workflowId } from '../../support/testbed.ts';
import { announceReady, readSettings } from './measured.ts';
import { apiKey } from '../didit.ts';

const settings = readSettings();
const { port, simulatorUrl, accountsFile } = settings;

const resolved = resolveConfig({
  env: {},
  readFile: () => '',
  flags: {
    mode: 'development',
    issuer: `http://127.0.0.1:${port}`,
    port,
    management: { port: settings.managementPort ?? 0 },
    store: { url: settings.storeUrl, encryptionKeys: [settings.encryptionKey] },
    cookies: { keys: [settings.cookieKey] },
    // Few people, at one address, sign in more often than anybody does.
    limits: {
      ...{
        perHour: 1_000_000,
        perDay: 1_000_000,
        perMonth: 1_000_000,
        perClientPerHour: 1_000_000,
      },
      ...{ perAddressPerHour: 1_000_000, perAccountPerHour: 1_000_000 },
      authorizationsPerMinute: 1_000_000,
    },
    cost: { hardPerMonth: 1_000_000, hardPerDay: 1_000_000 },
    didit: {
      apiKey,
      apiBaseUrl: simulatorUrl,
      hostedOrigins: [simulatorUrl],
      webhookSecrets: [webhookSecret],
      environment: 'sandbox',
      workflows: { passive: workflowId },
      // The benchmark begins more selfies than a Didit would let it.
      createsPerMinute: 100_000,
      // What is waited so that nobody can tell who exists is no work.
      createFloorMs: 0,
    },
  },
});
if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));

const app = await createApp({
  config: { ...resolved.config, accountsFile },
  jwks: settings.jwks,
  clients: parseClients(JSON.stringify({ clients: testClients(settings.clientSecret) })),
  log: createLog('info', pino.destination({ dest: '/dev/null', sync: true })),
});

const rungAtMs = new Map<string, number>();
let latenciesMs: number[] = [];

subscribe('http.server.request.start', (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const number = /[?&]n=(\d+)/.exec(request.url ?? '')?.[1];
  if (number === undefined) return;
  if (request.method === 'POST') rungAtMs.set(number, performance.now());
  else timeTheEvent(number, response);
});

function timeTheEvent(number: string, response: ServerResponse): void {
  const write = response.write.bind(response) as (chunk: unknown, ...rest: unknown[]) => boolean;
  response.write = function timedWrite(chunk: unknown, ...rest: unknown[]): boolean {
    const isWritten = write(chunk, ...rest);
    const sinceMs = rungAtMs.get(number);
    const isEvent = String(chunk).startsWith('data:');
    if (isEvent && sinceMs !== undefined) latenciesMs.push(performance.now() - sinceMs);
    return isWritten;
  };
}

await app.listen();
announceReady(() => {
  const taken = latenciesMs;
  latenciesMs = [];
  return taken;
});
