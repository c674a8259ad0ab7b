/**
 * docker-compose.yml as an operator starts it, in a copy of the repository: images built, everything healthy, Didit's
 * simulator outside over TLS. Only the base images come from this machine, since in CI no registry may be in reach.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { randomKey } from '../../src/config/keys.ts';
import { writeFirstConfiguration } from '../../src/ops/cli/first-configuration.ts';
import { type DiditWithTls, startDidit } from '../support/didit-tls.ts';
import { programPath } from '../support/packages.ts';
import { freePort } from '../support/ports.ts';
import { testClients, webhookSecret, workflowId } from '../support/testbed.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const images = {
  NODE_IMAGE: 'didit-oidc-test/node:local',
  REDIS_IMAGE: 'didit-oidc-test/redis-stack:local',
  PROXY_IMAGE: 'didit-oidc-test/haproxy:local',
  DIDIT_OIDC_IMAGE: 'didit-oidc-test/provider:local',
};
export const providerImage = images.DIDIT_OIDC_IMAGE;

/** Lies where an operator's secrets may lie when the image is built. */
export const canary = `canary-${randomBytes(16).toString('hex')}`;
const canaryFiles = [
  '.env',
  'secrets.env',
  'jwks.json',
  'config/jwks.json',
  'config/store-keys',
  'src/.env.local',
];

export type Stack = Awaited<ReturnType<typeof startStack>>;

export async function startStack() {
  const directory = await mkdtemp(join(tmpdir(), 'didit-oidc-stack-'));
  const project = `didit-oidc-test-${randomBytes(4).toString('hex')}`;
  const files = join(directory, 'etc');
  const copy = join(directory, 'repository');
  const didit = await startDidit('didit.test');
  const [publicPort, tlsPort, consolePort] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
  ]);
  const issuer = `https://localhost:${tlsPort}`;
  const clientSecret = randomKey();
  didit.simulator.sendWebhooksTo(`${issuer}/webhooks/didit`);

  await copyRepository(copy);
  await writeConfiguration({ issuer, files, clientSecret, didit });
  await writeFile(
    join(copy, '.env'),
    [
      `CANARY=${canary}`,
      `COMPOSE_PROJECT_NAME=${project}`,
      `FILES_DIRECTORY=${files}`,
      `ENV_FILE=${files}/secrets.env`,
      `PUBLIC_PORT=${publicPort}`,
      `CONSOLE_PORT=${consolePort}`,
      `PUBLIC_TLS_PORT=127.0.0.1:${tlsPort}`,
      'TLS_CERTIFICATE=/etc/didit-oidc/tls.pem',
      ...Object.entries(images).map(([name, image]) => `${name}=${image}`),
    ].join('\n'),
  );
  // Where the simulator is, and no host's network for the demo, whose ports may be taken here.
  const here = join(directory, 'here.yml');
  await writeFile(
    here,
    JSON.stringify({
      services: {
        network: { extra_hosts: ['didit.test:host-gateway'] },
        demo: { network_mode: 'none' },
      },
    }),
  );

  const compose = (...args: string[]) =>
    run(
      programPath('docker-compose'),
      ['-f', 'docker-compose.yml', '-f', here, '--profile', 'demo', ...args],
      { cwd: copy, env: { PATH: process.env['PATH'], HOME: directory }, maxBuffer: 1 << 26 },
    );
  async function stop(): Promise<void> {
    await compose('down', '--volumes', '--timeout', '2').catch(() => undefined);
    await didit.close();
    await rm(directory, { recursive: true, force: true });
  }
  try {
    await buildBases();
    await compose('build');
    await compose('up', '-d', '--no-build');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ issuer, publicPort, tlsPort, consolePort, clientSecret, project, compose, didit, stop },
    clearUrl: `http://127.0.0.1:${publicPort}`,
  };
}

export async function docker(...args: string[]): Promise<string> {
  return (await run('docker', args, { maxBuffer: 1 << 26 })).stdout;
}

/** Everything but what no image is made from, and files that hold secrets. */
export async function copyRepository(to: string, secretFiles = canaryFiles): Promise<void> {
  const left = new Set(['node_modules', '.git', 'dist', 'coverage', 'release', '.env']);
  await cp(root, to, { recursive: true, filter: (path) => !left.has(basename(path)) });
  for (const name of secretFiles) await writeFile(join(to, name), `SECRET=${canary}\n`);
}

async function buildBases(): Promise<void> {
  const programs = ['busybox', 'haproxy', 'redis-server', 'redis-cli'] as const;
  for (const program of programs) programPath(program);
  const script = (name: string, ...args: string[]) =>
    run('bash', [join(root, 'test/support', name), ...args]);
  await Promise.all([
    script('node-image.sh', images.NODE_IMAGE, process.execPath),
    script('program-image.sh', images.REDIS_IMAGE, 'redis', 'redis-server', 'redis-cli'),
    script('program-image.sh', images.PROXY_IMAGE, 'haproxy', 'haproxy'),
  ]);
}

/** What `init` writes, with what Didit's console says filled in. */
async function writeConfiguration(options: {
  issuer: string;
  files: string;
  clientSecret: string;
  didit: DiditWithTls;
}): Promise<void> {
  const { issuer, files, clientSecret, didit } = options;
  await writeFirstConfiguration({
    ...{ issuer, directory: files, compose: true },
    answers: { operator: 'Example', trustProxy: '1' },
  });
  await writeFile(join(files, 'didit-api-key'), didit.apiKey);
  await writeFile(join(files, 'webhook-secrets'), webhookSecret);
  const secrets = join(files, 'secrets.env');
  const text = await readFile(secrets, 'utf8');
  const lines = text.replace(/^DIDIT_WORKFLOW_PASSIVE=$/m, `$&${workflowId}`);
  const more = {
    DIDIT_API_BASE_URL: didit.url,
    DIDIT_HOSTED_ORIGINS: didit.url,
    CLIENTS_FILE: '/etc/didit-oidc/clients.yaml',
    ACCOUNTS_FILE: '/app/config/demo/accounts.yaml',
    NODE_EXTRA_CA_CERTS: '/etc/didit-oidc/tls.crt',
  };
  const added = Object.entries(more).map(([name, value]) => `${name}=${value}`);
  await writeFile(secrets, `${lines}${added.join('\n')}\n`);
  const clients = testClients(clientSecret);
  await writeFile(join(files, 'clients.yaml'), JSON.stringify({ clients }));
  const { cert, key } = didit.certificate;
  await writeFile(join(files, 'tls.crt'), cert);
  await writeFile(join(files, 'tls.pem'), `${cert}\n${key}`);
  for (const name of [
    'jwks.json',
    'cookie-keys',
    'store-keys',
    'didit-api-key',
    'webhook-secrets',
  ]) {
    await chmod(join(files, name), 0o644);
  }
}
