/** `didit-oidc serve` hears of it when a file changes that it goes by. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/ports.ts';
import { webhookSecret, workflowId } from '../support/testbed.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const policy = (first: string): string =>
  `before: [{ name: all, then: ${first} }]\nafterwards: [{ name: approved, then: accept }]\n`;

/** One app, with a policy of its own in a file. */
async function serve() {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-serve-'));
  const write = (name: string, content: string | object): string => {
    const file = join(directory, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  write('own.yaml', policy('selfie'));
  const common = { redirect_uris: ['https://wiki.example/callback'], policy: 'own.yaml' };
  write('clients.yaml', {
    clients: [{ client_id: 'wiki', client_secret: 'x'.repeat(32), ...common }],
  });
  const [port, managementPort] = [await freePort(), await freePort()];
  const configFile = write('config.yaml', {
    ...{ mode: 'development', issuer: `http://127.0.0.1:${port}`, port },
    management: { port: managementPort },
    ...{ clientsFile: 'clients.yaml', store: { url: 'sqlite::memory:' } },
    keys: { lookEverySeconds: 1 },
    didit: {
      ...{ apiKey: 'a-key-of-the-application', environment: 'sandbox' },
      ...{ webhookSecrets: [webhookSecret], workflows: { passive: workflowId } },
    },
  });
  const child = spawn(process.execPath, [mainFile, 'serve', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    rmSync(directory, { recursive: true });
  });
  const said: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(JSON.parse(line) as Record<string, unknown>);
  });
  const hears = (message: string) =>
    expect
      .poll(() => said.filter((line) => line.message === message).at(-1), { timeout: 20_000 })
      .toBeDefined();
  await hears('ready');
  const managementUrl = `http://127.0.0.1:${managementPort}`;
  return { write, said, hears, configFile, managementUrl, readyUrl: `${managementUrl}/readyz` };
}

it('says where the console is, that nobody may enter it yet, and what is lacking', async () => {
  const { said, hears, managementUrl, configFile } = await serve();
  await hears('no operator yet: didit-oidc operators link --email ADDRESS');
  const ready = said.find(({ message }) => message === 'ready');
  expect(ready).toMatchObject({ console: `${managementUrl}/console` });
  const health = (...args: string[]) =>
    execFileSync(process.execPath, [mainFile, 'health', ...args], { env: {}, encoding: 'utf8' });
  expect(health('--ready', '--config', configFile)).toBe('{"status":"ready"}\n');
  expect(said.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
    'no mail server: mails are made and reach nobody',
    'no decoyPortraitFile: who tries names can tell which of them have an account',
  ]);
});

it('takes a changed policy of one app without a restart, and goes on with the old one while the new one is wrong', async () => {
  const { write, said, hears, readyUrl } = await serve();
  const reloaded = () => said.filter(({ message }) => message === 'reloaded');
  const file = write('own.yaml', 'rules: [1');
  await hears('config_reload_failed');
  expect(said.at(-1)).toMatchObject({ because: `${file} has changed` });
  const ready = await fetch(readyUrl);
  expect([ready.status, await ready.json()]).toMatchObject([200, { reload_failed: /./ }]);
  expect(reloaded()).toEqual([]);
  write('own.yaml', policy('deny'));
  await hears('reloaded');
  expect(reloaded()).toMatchObject([{ because: `${file} has changed` }]);
  expect(await (await fetch(readyUrl)).text()).not.toContain('reload_failed');
}, 60_000);
