/** What `init` writes is a provider for production: filled in, it starts, and the doctor finds nothing wrong with it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { defaultWorkflows } from '../../src/simulator/options.ts';
import { lineOf, spawnMain } from '../e2e/deployment.ts';
import { type DiditWithTls, startDidit, startFront } from '../support/didit-tls.ts';
import { freePort } from '../support/ports.ts';
import { startMailServer } from '../support/smtp.ts';
import { webhookSecret, workflowId } from '../support/testbed.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-init-'));
  return () => rmSync(directory, { recursive: true });
});
const read = (name: string): string => readFileSync(join(directory, name), 'utf8');

function command(args: string[], env: Record<string, string> = {}) {
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [mainFile, ...args], { env }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

const init = (...args: string[]) => command(['init', '--directory', directory, ...args]);

/** The file as a shell would take it, with what Didit's console says filled in, the secrets in files of their own. */
function filled(
  values: Record<string, string>,
  secrets: Record<string, string>,
): Record<string, string> {
  for (const [name, value] of Object.entries(secrets)) {
    writeFileSync(join(directory, name), `${value}\n`);
  }
  const lines = [...read('secrets.env').matchAll(/^([A-Z_]+)=(.*)$/gm)];
  return Object.fromEntries(
    lines.map(([, name = '', value = '']) => [name, value === '' ? (values[name] ?? '') : value]),
  );
}

describe('in production, behind TLS', () => {
  let didit: DiditWithTls;
  beforeAll(async () => {
    didit = await startDidit('localhost');
  });
  afterAll(() => didit.close());

  it('starts, and the doctor finds no problem', async () => {
    const [port, managementPort] = await Promise.all([freePort(), freePort()]);
    const front = await startFront(didit.certificate, port);
    const mailServer = await startMailServer();
    onTestFinished(() => mailServer.close());
    const issuer = `https://localhost:${front.port}`;
    didit.simulator.sendWebhooksTo(`${issuer}/webhooks/didit`);
    const written = await init(
      ...['--issuer', issuer, '--operator', 'Example', '--support', 'help@example.com'],
      ...['--data-controller', 'Example Ltd', '--privacy', 'https://example.com/privacy'],
      ...['--registration', 'open', '--smtp-url', `smtp://127.0.0.1:${mailServer.port}`],
      ...['--mail-from', 'login@example.com', '--store-url', `sqlite:${directory}/store.sqlite`],
    );
    expect(written).toMatchObject({ status: 0, stderr: '' });
    expect(written.stdout).toContain('DIDIT_WORKFLOW_KYC');
    writeFileSync(join(directory, 'ca.pem'), didit.certificate.cert);
    const env = {
      ...filled(
        { DIDIT_WORKFLOW_PASSIVE: workflowId, DIDIT_WORKFLOW_KYC: defaultWorkflows[2]!.id },
        { 'didit-api-key': didit.apiKey, 'webhook-secrets': webhookSecret },
      ),
      ...{ DIDIT_API_BASE_URL: didit.url, NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') },
      ...{ PORT: String(port), MANAGEMENT_PORT: String(managementPort) },
    };
    const config = ['--config', join(directory, 'config.yaml')];
    expect(await command(['config', 'check', ...config], env)).toMatchObject({ status: 0 });
    const provider = spawnMain(['serve', ...config], env);
    try {
      await lineOf(provider, (line) => line.includes('"message":"ready"'));
      expect(await command(['health', '--ready'], env)).toMatchObject({
        ...{ status: 0, stdout: '{"status":"ready"}\n' },
      });
      const doctor = await command(['doctor', '--json', ...config], env);
      const { checks } = JSON.parse(doctor.stdout) as {
        checks: { name: string; state: string; found: string }[];
      };
      expect(checks.filter(({ state }) => state === 'problem')).toEqual([]);
      expect(checks).toContainEqual({
        ...{ name: 'issuer', state: 'ok', found: `${issuer} answers as itself` },
      });
      expect(doctor.status).toBe(0);
    } finally {
      provider.kill('SIGTERM');
      await once(provider, 'exit');
      await front.close();
    }
    expect(await command(['health'], env)).toMatchObject({ status: 1 });
  });
});

it('answers go to the settings, and passwords to the secrets', async () => {
  await init(
    ...['--issuer', 'https://login.example.com', '--smtp-url', 'smtps://user:a-password@mail'],
    ...['--mail-from', 'login@example.com', '--operator', 'Example: the house'],
  );
  expect(read('secrets.env')).toContain('SMTP_URL=smtps://user:a-password@mail\n');
  const file = read('config.yaml');
  expect(file).not.toContain('a-password');
  expect(file).toMatch(/^ {2}from: login@example\.com$/m);
  expect(file).toMatch(/^ {2}name: "Example: the house"$/m);
  expect(file).toMatch(/^trustProxy: 1$/m);
});

it('what is left to be filled in is empty in the file and named by what is said', async () => {
  const { stdout } = await init(
    '--issuer',
    'https://login.example.com',
    '--registration',
    'invite',
  );
  const empty = [...read('secrets.env').matchAll(/^(\w+)=$/gm)].map(([, name = '']) => name);
  expect(empty).toEqual([
    ...['DIDIT_WORKFLOW_PASSIVE', 'DIDIT_WORKFLOW_KYC', 'SMTP_URL', 'MAIL_FROM'],
  ]);
  expect(stdout).toContain(`in secrets.env: ${empty.join(', ')}.`);
  for (const name of ['didit-api-key', 'webhook-secrets', 'didit.decoyPortraitFile']) {
    expect(stdout).toContain(name);
  }
  // As it was called here, from wherever it is typed.
  for (const rest of ['config check', 'serve', 'doctor', 'operators link']) {
    expect(stdout).toMatch(new RegExp(`^\\S*node ${mainFile} ${rest}$`, 'm'));
  }
});

it('what is no answer is refused by name, and nothing is written', async () => {
  for (const [option, value] of [
    ['--registration', 'maybe'],
    ['--support', 'somewhere'],
    ['--trust-proxy', 'yes please'],
    ['--smtp-url', 'http://mail'],
  ]) {
    const outcome = await init('--issuer', 'https://login.example.com', option!, value!);
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toContain(`${option!} must be`);
  }
  expect(() => read('config.yaml')).toThrow('ENOENT');
});

it('for the compose file there is compose.env, and two proxies are counted', async () => {
  const { stdout } = await init('--issuer', 'https://login.example.com', '--compose');
  expect(stdout).toContain(`docker compose --env-file ${directory}/compose.env up`);
  expect(read('compose.env')).toContain(`ENV_FILE=${directory}/secrets.env\n`);
  expect(read('secrets.env')).toContain('CONFIG_FILE=/etc/didit-oidc/config.yaml\n');
  expect(read('config.yaml')).toMatch(/^trustProxy: 2$/m);
  const compose = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8');
  for (const [, name] of read('compose.env').matchAll(/^#?([A-Z_]+)=/gm)) {
    if (name !== 'COMPOSE_PROJECT_NAME') expect(compose).toContain(`\${${name!}:-`);
  }
});
