/** The provider as an operator runs it: processes of `didit-oidc serve`, a configuration on the disk. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { generateJwks, randomKey } from '../../src/config/keys.ts';
import { type Simulator, createSimulator } from '../../src/simulator/simulator.ts';
import { hostedOrigin } from '../support/chromium.ts';
import { writePeople } from '../support/people.ts';
import { freePort } from '../support/ports.ts';
import { accountsFile, testClients, webhookSecret, workflowId } from '../support/testbed.ts';
import { type Apps, prepareApps } from './apps.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface ProviderProcess {
  publicPort: number;
  managementUrl: string;
  /** @returns the exit status; null when the signal ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export interface Deployment {
  issuer: string;
  port: number;
  apps: Apps['urls'];
  simulator: Simulator;
  /** Another key of the same application at Didit. */
  secondApiKey: string;
  configFile: string;
  /** Of the relying parties of a test's own, see `testClients`. */
  clientSecret: string;
  /** The address of somebody whom no test has been yet. */
  person(): string;
  start(env?: Record<string, string>): Promise<ProviderProcess>;
  close(): Promise<void>;
}

/** @param storeUrl may say `{directory}`, which is removed in the end. */
export async function prepareDeployment(options: {
  storeUrl: string;
  /** Where the provider finds Didit, when something stands in between. */
  apiPort?: number;
  /** Everything is on the loopback, for tests that need no window; so many people more. */
  windowless?: { people: number };
  /** More of the configuration. */
  config?: object;
}): Promise<Deployment> {
  const { windowless } = options;
  const people = windowless && writePeople(windowless.people);
  const clientSecret = randomKey();
  const directory = await mkdtemp(join(tmpdir(), 'didit-oidc-e2e-'));
  const [port, apps, jwks] = await Promise.all([freePort(), prepareApps(), generateJwks()]);
  const issuer = `http://127.0.0.1:${port}`;
  const [apiKey, secondApiKey] = [randomKey(), randomKey()];
  const simulator = await createSimulator({
    apiKeys: { sandbox: [apiKey, secondApiKey] },
    webhookSecret,
    webhookUrl: `${issuer}/webhooks/didit`,
    webhookDelayMs: 0,
    ...(windowless ? {} : { hostedOrigin }),
  });
  const simulatorUrl = await simulator.listen(0, '127.0.0.1');
  const write = async (name: string, content: object): Promise<string> => {
    const file = join(directory, name);
    await writeFile(file, JSON.stringify(content));
    return file;
  };
  // JSON is YAML too.
  const configFile = await write('config.yaml', {
    mode: 'development',
    issuer,
    port,
    management: { port: 0 },
    jwksFile: await write('jwks.json', jwks),
    clientsFile: await write('clients.yaml', {
      clients: [...apps.clients, ...testClients(clientSecret)],
    }),
    accountsFile: people?.file ?? accountsFile,
    limits: { perAddressPerHour: 10_000, authorizationsPerMinute: 10_000 },
    cookies: { keys: [randomKey()] },
    store: {
      url: options.storeUrl.replace('{directory}', directory),
      encryptionKeys: [randomKey()],
    },
    didit: {
      ...{ apiKey, environment: 'sandbox' },
      apiBaseUrl: options.apiPort ? `http://127.0.0.1:${options.apiPort}` : simulatorUrl,
      hostedOrigins: [windowless ? simulatorUrl : hostedOrigin],
      webhookSecrets: [webhookSecret],
      workflows: { passive: workflowId },
    },
    ...options.config,
  });
  await apps.start(issuer);
  const running = new Set<ChildProcess>();

  return {
    ...{ issuer, port, simulator, configFile, clientSecret, secondApiKey },
    person: () => people?.next() ?? '',
    apps: apps.urls,
    async start(env = {}) {
      const child = spawnMain(['serve', '--config', configFile], env);
      running.add(child);
      const { publicPort, managementPort } = JSON.parse(
        await lineOf(child, (line) => line.includes('"message":"ready"')),
      ) as { publicPort: number; managementPort: number };
      return {
        publicPort,
        managementUrl: `http://127.0.0.1:${managementPort}`,
        end: (signal) => end(child, signal),
      };
    },
    async close() {
      await Promise.all([...running].map((child) => end(child, 'SIGKILL')));
      await Promise.all([apps.close(), simulator.close()]);
      people?.remove();
      await rm(directory, { recursive: true });
    },
  };
}

export function spawnMain(args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawnNode([mainFile, ...args], env);
}

/** Nothing of this run's own environment reaches the program. */
export function spawnNode(args: string[], env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  // A test run that is cut short must not leave servers behind.
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  child.once('exit', () => process.off('exit', endWithUs));
  return child;
}

/** The first line for which `matches` is true. @throws with the output when the process ends before. */
export async function lineOf(
  child: ChildProcess,
  matches: (line: string) => boolean,
): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const seen: string[] = [];
  // Goes on reading after the match: a pipe that nobody empties holds the process up.
  lines.on('line', (line) => {
    seen.push(line);
    if (matches(line)) resolve(line);
  });
  lines.once('close', () => reject(new Error(`the process ended:\n${seen.join('\n')}`)));
  return promise;
}

export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
  return child.exitCode;
}
