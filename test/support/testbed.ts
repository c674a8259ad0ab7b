/**
 * A provider and a Didit, as a test needs them: real HTTP on free ports of the loopback, three people enrolled,
 * three relying parties registered.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Configured } from '../../src/app-doors.ts';
import { type App, type AppOptions, createApp } from '../../src/app.ts';
import { generateJwks, randomKey } from '../../src/config/keys.ts';
import { type Flags, resolveConfig } from '../../src/config/load.ts';
import type { Alarm, AuditEvent } from '../../src/domain/event.ts';
import type { SendMail, WrittenMail } from '../../src/domain/message.ts';
import { parseClients } from '../../src/oidc/clients.ts';
import type { SimulatorOptions } from '../../src/simulator/options.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/web/telemetry.ts';
import { writePeople } from './people.ts';
import { freePort } from './ports.ts';

export const accountsFile = fileURLToPath(
  new URL('../../config/demo/accounts.yaml', import.meta.url),
);
const decoyFile = fileURLToPath(new URL('../../config/demo/decoy.png', import.meta.url));
export const workflowId = '0b6f2f0a-5f0d-4a57-8f65-000000000001';
/** Nothing listens here: a test stops at the redirect and reads it. */
export const redirectUri = 'http://localhost:9/callback';
export const webhookSecret = 'test-webhook-secret-0123456789abcdef';

export interface TestbedOptions {
  storeUrl?: string;
  clock?: () => number;
  sleep?: (ms: number) => Promise<void>;
  clients?: readonly object[];
  resources?: readonly object[];
  simulator?: Partial<SimulatorOptions>;
  flags?: Flags;
  fetch?: typeof fetch;
  /** Instead of the letter box that `mails` shows; 'none': nobody can be written to. */
  sendMail?: SendMail | 'none';
  /** Known beforehand: then there is a console. */
  managementPort?: number;
  /** How many people there are besides those of the demo, for `person()` to name. */
  people?: number;
  log?: (line: string) => void;
  /** A configuration on the disk, for whoever changes keys there. */
  readFrom?: AppOptions['readFrom'];
}

export interface Testbed {
  issuer: string;
  managementUrl: string;
  simulatorUrl: string;
  clientSecret: string;
  /** For commands on the same store. */
  apiKey: string;
  encryptionKey: string;
  app: App;
  events: AuditEvent[];
  alarms: Alarm[];
  /** What people were written, as long as no mail server is named. A code is there when its page is; notices follow. */
  mails: WrittenMail[];
  /** What the provider keeps, by a connection of the test's own. Only a Redis can be opened twice. */
  openStore(): Promise<Store>;
  /** The address of somebody whom no test has been yet; see `people`. */
  person(): string;
  /** What it was started with, or last took on. */
  configured(): Configured;
  /** Takes on another configuration without stopping. */
  reload(change: (now: Configured) => Configured | Promise<Configured>): Promise<void>;
  /**
   * Ends the provider and starts it again on the same store, with the same keys and address. Where everybody is sure to
   * be there still (`kept`), they are not read from their file again, which takes a while.
   */
  restart(meanwhile?: () => Promise<void>, people?: 'read' | 'kept'): Promise<void>;
  /** Simulator's own controls, see src/simulator/control.ts. */
  control(path: string, body: object): Promise<unknown>;
  log(): Promise<SimulatorLog>;
  close(): Promise<void>;
}

export interface SimulatorLog {
  calls: { operation: string; status: number }[];
  webhooks: { diditSessionId: string; status: string; responseStatus: number | null }[];
}

/** The keys of one deployment, for tests that start it twice. */
export interface DeploymentKeys {
  jwks: Awaited<ReturnType<typeof generateJwks>>;
  cookieKey: string;
  encryptionKey: string;
  clientSecret: string;
}

export const quarterMs = 900_000;

/** Limits are of calendar quarters and hours: what is counted in the last seconds of one would be about two of them. */
export async function awayFromTheQuarter(): Promise<void> {
  const leftMs = quarterMs - (Date.now() % quarterMs);
  if (leftMs < 20_000) await sleep(leftMs);
}

let sharedJwks: ReturnType<typeof generateJwks> | undefined;

export async function deploymentKeys(): Promise<DeploymentKeys> {
  return {
    jwks: await (sharedJwks ??= generateJwks()),
    cookieKey: randomKey(),
    encryptionKey: randomKey(),
    clientSecret: randomKey(),
  };
}

export async function startTestbed(options: TestbedOptions = {}): Promise<Testbed> {
  if (!options.clock) await awayFromTheQuarter();
  const keys = await deploymentKeys();
  const apiKey = 'test-api-key-0123456789';
  const clock = options.clock ?? Date.now;
  const simulator = await createSimulator({
    apiKeys: { sandbox: [apiKey] },
    webhookSecret,
    webhookDelayMs: 0,
    webhookRetryDelaysMs: [200, 400],
    clock,
    ...options.simulator,
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  simulator.sendWebhooksTo(`${issuer}/webhooks/didit`);

  const events: AuditEvent[] = [];
  const alarms: Alarm[] = [];
  const mails: WrittenMail[] = [];
  const people = options.people === undefined ? undefined : writePeople(options.people);
  const appFor = (file?: string): AppFor => ({
    ...{ ...options, keys, port, simulatorUrl, apiKey, events, alarms, mails },
    ...(file === undefined ? {} : { accountsFile: file }),
  });
  const start = (file?: string): Promise<App> => startApp(appFor(file));
  let configured = configuredFor(appFor(people?.file));
  let app = await start(people?.file);
  const { managementPort } = await app.listen();

  return {
    ...{ issuer, simulatorUrl, app, events, alarms, mails, apiKey },
    encryptionKey: keys.encryptionKey,
    async openStore() {
      const url = options.storeUrl ?? '';
      const { store } = await openStore({ url, encryptionKeys: [keys.encryptionKey], clock });
      return store;
    },
    configured: () => configured,
    reload: (change) =>
      app.reload(async () => {
        configured = await change(configured);
        return configured;
      }),
    async restart(meanwhile, whom = 'read') {
      await app.close();
      await meanwhile?.();
      app = await start(whom === 'read' ? people?.file : undefined);
      await app.listen();
    },
    person: () => people?.next() ?? '',
    managementUrl: `http://127.0.0.1:${managementPort}`,
    clientSecret: keys.clientSecret,
    async control(path, body) {
      const response = await fetch(`${simulatorUrl}/control/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`the simulator refused ${path}: ${await response.text()}`);
      return response.status === 204 ? undefined : response.json();
    },
    async log() {
      return (await (await fetch(`${simulatorUrl}/control/log`)).json()) as SimulatorLog;
    },
    async close() {
      await app.close();
      await simulator.close();
      people?.remove();
    },
  };
}

interface AppFor extends TestbedOptions {
  keys: DeploymentKeys;
  port: number;
  simulatorUrl: string;
  apiKey: string;
  events?: AuditEvent[];
  alarms?: Alarm[];
  mails?: WrittenMail[];
  accountsFile?: string;
}

export function configuredFor(options: AppFor): Configured {
  const { keys, port, simulatorUrl, apiKey } = options;
  const resolved = resolveConfig({
    env: {},
    // Of the files that settings name, only policies are looked at.
    readFile: (path) => (/policy\/\w+\.yaml$/.test(path) ? readFileSync(path, 'utf8') : ''),
    flags: {
      mode: 'development',
      issuer: `http://127.0.0.1:${port}`,
      port,
      management: { port: options.managementPort ?? 0 },
      store: { url: options.storeUrl ?? 'sqlite::memory:', encryptionKeys: [keys.encryptionKey] },
      cookies: { keys: [keys.cookieKey] },
      ...options.flags,
      // All browsers of a test share an address, and one test signs in more often than a person does.
      limits: {
        ...{ perAddressPerHour: 10_000, perAccountPerHour: 10_000 },
        authorizationsPerMinute: 1_000_000,
        ...options.flags?.limits,
      },
      didit: {
        decoyPortraitFile: decoyFile,
        createFloorMs: 0,
        apiKey,
        apiBaseUrl: simulatorUrl,
        hostedOrigins: [simulatorUrl],
        webhookSecrets: [webhookSecret],
        environment: 'sandbox',
        workflows: { passive: workflowId },
        ...options.flags?.didit,
      },
    },
  });
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  const clients = [...testClients(keys.clientSecret), ...(options.clients ?? [])];
  return {
    config: { ...resolved.config, accountsFile: options.accountsFile ?? accountsFile },
    jwks: keys.jwks,
    clients: parseClients(JSON.stringify({ clients, resources: options.resources ?? [] })),
  };
}

export function startApp(options: AppFor): Promise<App> {
  const { log, events, alarms, mails } = options;
  return createApp({
    ...configuredFor(options),
    log: createLog(log ? 'trace' : 'silent', log && { write: log }),
    ...(options.readFrom ? { readFrom: options.readFrom } : {}),
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.sleep ? { sleep: options.sleep } : {}),
    ...(options.fetch ? { fetch: options.fetch } : {}),
    ...(options.sendMail ? { sendMail: options.sendMail } : {}),
    onEvent: (event) => events?.push(event),
    onAlarm: (alarm) => alarms?.push(alarm),
    onMail: (mail) => mails?.push(mail),
  });
}

/** `first` and `second` belong to the house, `stranger` does not; `spa` is a page without a secret. */
export function testClients(clientSecret: string): object[] {
  const common = {
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
  const house = { ...common, client_secret: clientSecret, first_party: true };
  return [
    {
      ...house,
      client_id: 'first',
      client_name: 'First',
      post_logout_redirect_uris: ['http://localhost:9/bye'],
      grant_types: [...common.grant_types, 'client_credentials'],
    },
    { ...house, client_id: 'second', client_name: 'Second' },
    { ...common, client_id: 'stranger', client_name: 'Stranger', client_secret: clientSecret },
    {
      ...common,
      client_id: 'spa',
      client_name: 'Page',
      token_endpoint_auth_method: 'none',
      redirect_uris: ['http://spa.localhost:9/callback'],
      first_party: true,
    },
  ];
}
