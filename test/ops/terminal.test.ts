/** What others wrote, as the commands print it for people. */
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hireOperators, openRecords } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-terminal-'));
let bed: Testbed;
let operators: ReturnType<typeof hireOperators>;
let records: Awaited<ReturnType<typeof openRecords>>;
beforeAll(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ storeUrl });
  operators = hireOperators(bed, storeUrl);
  records = await openRecords(bed);
});
afterAll(async () => {
  await records.store.close();
  operators.dismiss();
  await bed.close();
  rmSync(directory, { recursive: true });
});

/** Up a line and wipe it; a new title; the newer sequence of one character; a line of its own; turned around. */
const name = '\u001b[1A\u001b[2K\u001b]0;owned\u0007\u009b2KWiki\nfake line\u2028\u202eknaB';

function expectPlain(text: string): void {
  expect(text).not.toMatch(/[^\P{Cc}\n]|[\u2028\u202e]/u);
  expect(text).not.toMatch(/^fake line/m);
  expect(text).toContain('\\u001b[2K');
}

test('[PL-15] what an app is called steers no terminal, and is no line of its own', async () => {
  const found = await records.reviews.open({
    ...{ reference: 'AAAA-2222', attempt: 'a', account: 'somebody', kind: 'login' },
    ...{ reason: 'policy', client: { id: 'first', name } },
  });
  const shown = ['list', `show ${found?.id}`].map((line) => line.split(' '));
  for (const args of shown) {
    const { status, stdout } = await operators.reviews(...args);
    expect([status, stdout.includes('Wiki')]).toEqual([0, true]);
    expectPlain(stdout);
  }
  const { stdout } = await operators.reviews('list', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ reviews: [{ client_name: name }] });
});

test('[PL-15] nor does what is quoted where a command was refused', async () => {
  for (const args of [
    ['accounts', 'show', name],
    ['clients', 'add', '--name', name, '--redirect-uri', name],
    ['reviews', 'show', name],
    ['policy', 'explain', 'AAAA-2222', name],
    ['accounts', `--${name}`],
    [name],
  ]) {
    const { status, stderr } = await operators.command(...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^(didit-oidc|error): /m);
    // Of clients add it says what is wrong with them, and not what they are.
    if (args[0] !== 'clients') expectPlain(stderr);
  }
});

test('[PL-15] nor does what a server, a policy or a delivery says', async () => {
  const server = createServer((_, res) => void res.writeHead(500).end(name)).listen(0);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const unhealthy = await operators.command('health', '--url', url);
  expect(unhealthy.status).toBe(1);
  expectPlain(unhealthy.stderr);
  server.removeAllListeners('request').on('request', (_, res) => void res.end(`{${name}`));
  expectPlain((await operators.command('health', '--url', url)).stdout);
  server.close();

  const policy = join(directory, 'policy.yaml');
  writeFileSync(policy, JSON.stringify({ version: 1, before: [{ name, [name]: 1 }] }));
  expectPlain((await operators.command('policy', 'check', policy)).stdout);
  const delivery = join(directory, 'delivery.json');
  const body = JSON.stringify({ webhook_type: name, environment: name, status: name });
  writeFileSync(delivery, JSON.stringify({ headers: { 'x-timestamp': '1' }, body }));
  const checked = await operators.command('doctor', '--delivery', delivery);
  expect(checked.status).toBe(1);
  expect(checked.stdout).not.toMatch(/[^\P{Cc}\n]|[\u2028\u202e]/u);
});
