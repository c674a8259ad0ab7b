import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { privateJwks, productionEnv } from './support.ts';

/**
 * The commands of this room alone, so that what others do at import time is no part of these
 * tests.
 */
const source = (path: string) => new URL(`../../src/${path}`, import.meta.url).href;
const entry = `
  import { Command } from 'commander';
  import { addConfigCommand } from '${source('ops/cli/config.ts')}';
  import { addInitCommand } from '${source('ops/cli/init.ts')}';
  import { run } from '${source('ops/cli/run.ts')}';
  const program = new Command('didit-oidc');
  addConfigCommand(program);
  addInitCommand(program);
  await run(program, process.argv.slice(1));
`;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-config-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A process of its own, with nothing in its environment but what is given. */
function didit(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const options = { env, cwd: new URL('../../', import.meta.url) };
  const nodeArgs = ['--input-type=module', '--eval', entry, '--', ...args];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, nodeArgs, options, (_, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

/** The whole program. */
function program(args: string[], env: Record<string, string>): Promise<Outcome> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env }, (_, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

/** A complete production environment whose keys lie on the disk. */
function production(): Record<string, string> {
  const jwksFile = join(directory, 'jwks.json');
  writeFileSync(jwksFile, privateJwks);
  return { ...productionEnv, JWKS_FILE: jwksFile };
}

describe('config check', () => {
  test('says that a valid configuration is valid', async () => {
    const outcome = await didit(['config', 'check'], production());
    expect(outcome).toEqual({ status: 0, stdout: 'configuration is valid\n', stderr: '' });
  });

  test.each([
    ['issuer', { ISSUER: 'http://login.example.com' }],
    ['cookies.keys', { COOKIE_KEYS: 'cAnArY' }],
    ['store.url', { STORE_URL: 'redis://user:cAnArY@redis.example.com' }],
    ['didit.environment', { DIDIT_ENVIRONMENT: 'sandbox' }],
    ['didit.webhookSecrets', { DIDIT_WEBHOOK_SECRETS: 'cAnArY' }],
    ['jwksFile', { JWKS_FILE: '' }],
  ])('[PL-01] leaves with status 1 and names %s, not its value', async (key, unsafe) => {
    const outcome = await didit(['config', 'check'], { ...production(), ...unsafe });
    expect(outcome.status).toBe(1);
    expect(outcome.stderr).toContain(`- ${key} (`);
    expect(outcome.stdout + outcome.stderr).not.toMatch(/cAnArY|configuration is valid/);
  });

  test('takes the file from --config or CONFIG_FILE and names a missing one', async () => {
    const file = join(directory, 'c.yaml');
    writeFileSync(file, 'port: x\n');
    const byOption = await didit(['config', 'check', '--config', file], production());
    const byVariable = await didit(['config', 'check'], { ...production(), CONFIG_FILE: file });
    expect(byOption.stderr).toContain(`- port (${file}:1): expected a port number`);
    expect(byVariable.stderr).toBe(byOption.stderr);
    const missing = await didit(['config', 'check', '--config', `${file}.none`], production());
    expect(missing).toMatchObject({ status: 1 });
    expect(missing.stderr).toContain('ENOENT');
  });
});

test('[PR-09] production does not start with the keys that the library has for trying it out', async () => {
  const { default: published } = (await import(
    new URL('../../node_modules/oidc-provider/lib/consts/dev_keystore.js', import.meta.url).href
  )) as { default: { keys: object[] } };
  const env = production();
  const { keys } = JSON.parse(privateJwks) as { keys: object[] };
  writeFileSync(env['JWKS_FILE'] ?? '', JSON.stringify({ keys: [...keys, ...published.keys] }));
  const { promise, resolve } = Promise.withResolvers<{ status: number | null; said: string }>();
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = execFile(process.execPath, [main, 'serve'], { env }, (_, stdout, stderr) => {
    resolve({ status: child.exitCode, said: stdout + stderr });
  });
  const { status, said } = await promise;
  expect(status).toBe(1);
  expect(said).toContain('- jwksFile (');
  expect(said).toContain('whose private half is published');
  expect(said).not.toContain('"ready"');
});

test('[PL-01] says that no file was given, before it lists what is missing', async () => {
  const { status, stderr } = await didit(['config', 'check'], {});
  expect(status).toBe(1);
  expect(stderr).toMatch(/^didit-oidc: no configuration file: --config FILE or CONFIG_FILE;/);
  expect(stderr).toContain('- issuer (not set)');
  const checked = await didit(['config', 'check', '--json'], production());
  expect(JSON.parse(checked.stdout)).toEqual({ valid: true });
});

test('--json of a configuration that is wrong lists what is', async () => {
  const unsafe = { ...production(), ISSUER: 'http://login.example.com', COOKIE_KEYS: 'cAnArY' };
  const { status, stdout } = await didit(['config', 'check', '--json'], unsafe);
  expect(status).toBe(1);
  const { valid, problems } = JSON.parse(stdout) as { valid: boolean; problems: object[] };
  expect(valid).toBe(false);
  for (const one of [
    { key: 'issuer', from: 'environment ISSUER' },
    { key: 'cookies.keys', from: 'environment COOKIE_KEYS' },
  ]) {
    expect(problems).toContainEqual(expect.objectContaining(one));
  }
  for (const one of problems) expect(Object.keys(one)).toEqual(['key', 'from', 'message', 'fix']);
  expect(stdout).not.toContain('cAnArY');
});

test('names a variable that is no setting, and goes on', async () => {
  const outcome = await didit(['config', 'check'], { ...production(), DIDIT_API_KEYS: 'cAnArY' });
  expect(outcome).toMatchObject({ status: 0, stdout: 'configuration is valid\n' });
  expect(outcome.stderr).toContain('Did you mean DIDIT_API_KEY?');
  expect(outcome.stderr).not.toContain('cAnArY');
});

describe('config print', () => {
  test('shows every value with its origin and no secret', async () => {
    const env = production();
    const { status, stdout } = await didit(['config', 'print'], env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^issuer: "https:\/\/login\.example\.com" +# environment ISSUER$/m);
    expect(stdout).toMatch(/^port: 3000 +# default$/m);
    expect(stdout).toMatch(/^operator\.logo: \(not set\)/m);
    for (const name of ['COOKIE_KEYS', 'STORE_ENCRYPTION_KEYS', 'DIDIT_API_KEY']) {
      expect(stdout).not.toContain(env[name]);
    }
    const asJson = await didit(['config', 'print', '--json'], env);
    expect(asJson.status).toBe(0);
    const { settings } = JSON.parse(asJson.stdout) as { settings: { key: string }[] };
    const of = (wanted: string) => settings.find(({ key }) => key === wanted);
    expect(of('port')).toEqual({ key: 'port', set: true, value: 3000, from: 'default' });
    expect(of('operator.logo')).toEqual({ key: 'operator.logo', set: false, from: 'default' });
    const from = 'environment DIDIT_API_KEY';
    expect(of('didit.apiKey')).toEqual({ key: 'didit.apiKey', set: true, secret: true, from });
    for (const name of ['COOKIE_KEYS', 'STORE_ENCRYPTION_KEYS', 'DIDIT_API_KEY']) {
      expect(asJson.stdout).not.toContain(env[name]);
    }
  });
});

describe('config reference', () => {
  test('writes the files, and --check names the one that drifted', async () => {
    const at = ['--directory', directory];
    expect(await didit(['config', 'reference', ...at])).toMatchObject({ status: 0 });
    expect(await didit(['config', 'reference', '--check', ...at])).toMatchObject({ status: 0 });
    writeFileSync(join(directory, 'config/schema.json'), '{}');
    const drifted = await didit(['config', 'reference', '--check', ...at]);
    expect(drifted).toMatchObject({ status: 1 });
    expect(drifted.stderr).toContain('out of date: config/schema.json;');
  });
});

describe('init', () => {
  const fromDidit = [
    { name: 'didit-api-key', value: productionEnv.DIDIT_API_KEY },
    { name: 'webhook-secrets', value: productionEnv.DIDIT_WEBHOOK_SECRETS },
  ];
  /** As a shell would take them, but for quotes. */
  const variablesIn = (text: string): Record<string, string> =>
    Object.fromEntries(
      [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
    );
  const init = () =>
    didit(['init', '--issuer', 'https://login.example.com', '--directory', directory]);
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');

  test('writes a configuration that is valid once what it left empty is filled in', async () => {
    const { status, stdout } = await init();
    expect(status).toBe(0);
    expect(stdout).toContain('https://login.example.com/webhooks/didit');

    const env = variablesIn(read('secrets.env'));
    const config = join(directory, 'config.yaml');
    const before = await didit(['config', 'check', '--config', config], env);
    expect(before.stderr.match(/^ {2}- \S+/gm)).toEqual([
      '  - didit.apiKey',
      '  - didit.webhookSecrets',
      '  - didit.workflows.passive',
    ]);
    expect(before.stderr).toContain('characters; found nothing\n    Write it into that file.');
    for (const { name, value } of fromDidit) writeFileSync(join(directory, name), `${value}\n`);
    // Its store lies beside it, wherever the command is called.
    const after = await didit(['config', 'print'], { ...env, DIDIT_WORKFLOW_PASSIVE: 'workflow' });
    expect(after).toMatchObject({ status: 0, stderr: '' });
    expect(after.stdout).toMatch(/^store\.url: .*# .*config\.yaml:\d+$/m);
  });

  test('names the secrets by files, which keys rotate writes anew', async () => {
    await init();
    for (const { name, value } of fromDidit) writeFileSync(join(directory, name), `${value}\n`);
    const env = { ...variablesIn(read('secrets.env')), DIDIT_WORKFLOW_PASSIVE: 'workflow' };
    for (const [use, name] of [
      ['cookies', 'cookie-keys'],
      ['store', 'store-keys'],
    ] as const) {
      const before = read(name).trim();
      expect(await program(['keys', 'rotate', use], env)).toMatchObject({ status: 0 });
      const [fresh, old] = read(name).trim().split(',');
      expect(fresh).toMatch(/^[\w-]{43} from /);
      expect(old?.split(' ')[0]).toBe(before);
    }
    const nameless = await program(['keys', 'rotate', 'webhook'], env);
    expect(nameless).toMatchObject({ status: 1, stdout: '' });
    expect(nameless.stderr).toContain('--value-file FILE');
    writeFileSync(join(directory, 'next'), 'the-next-secret-of-the-webhook-destination');
    const next = ['--value-file', join(directory, 'next')];
    expect(await program(['keys', 'rotate', 'webhook', ...next], env)).toMatchObject({ status: 0 });
    expect(read('webhook-secrets')).toMatch(/^the-next-secret\S+,\S+ until /);
    expect(statSync(join(directory, 'webhook-secrets')).mode & 0o777).toBe(0o600);
  });

  test('--json says what was written, and what is to be filled in', async () => {
    const issuer = ['--issuer', 'https://login.example.com', '--registration', 'open'];
    const outcome = await didit(['init', ...issuer, '--directory', directory, '--json']);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    const secret = ['jwks.json', 'cookie-keys', 'store-keys', 'didit-api-key', 'webhook-secrets'];
    const [mailServer, sender] = ['SMTP_URL', 'MAIL_FROM'];
    expect(JSON.parse(outcome.stdout)).toEqual({
      issuer: 'https://login.example.com',
      directory,
      files: ['config.yaml', ...secret, 'secrets.env'],
      to_fill: {
        files: ['didit-api-key', 'webhook-secrets'],
        variables: ['DIDIT_WORKFLOW_PASSIVE', 'DIDIT_WORKFLOW_KYC', mailServer, sender],
      },
      webhook_url: 'https://login.example.com/webhooks/didit',
    });
  });

  test('keeps keys readable for their owner only', async () => {
    await init();
    const fromInit = ['jwks.json', 'secrets.env', 'cookie-keys', 'store-keys'];
    for (const name of [...fromInit, ...fromDidit.map((one) => one.name)]) {
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    }
  });

  test('overwrites nothing, and writes nothing when one file is there', async () => {
    writeFileSync(join(directory, 'jwks.json'), 'mine');
    const outcome = await init();
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toContain('jwks.json');
    expect(read('jwks.json')).toBe('mine');
    expect(() => read('config.yaml')).toThrow('ENOENT');
  });

  test('refuses an issuer that is none', async () => {
    const outcome = await didit(['init', '--issuer', 'login', '--directory', directory]);
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toContain('--issuer must be');
  });

  test('refuses an issuer that production would refuse', async () => {
    const issuer = ['--issuer', 'http://login.example.com'];
    const outcome = await didit(['init', ...issuer, '--directory', directory]);
    expect(outcome).toMatchObject({ status: 1, stdout: '' });
    expect(outcome.stderr).toContain('--issuer must be https');
    expect(() => read('config.yaml')).toThrow('ENOENT');
  });
});
