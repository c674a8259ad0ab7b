/** `didit-oidc policy`, as processes of their own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let directory: string;
let right: string;
let wrong: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-policy-'));
  right = file(
    'right.yaml',
    'before: [{ name: a, then: selfie }]\nafterwards: [{ name: b, then: deny }]\n',
  );
  wrong = file('wrong.yaml', 'before:\n  - { name: a, then: skip }\n  - { name: a, then: deny }\n');
  file('right.fixtures.yaml', 'before: [{ name: anybody, then: selfie, rule: a }]\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

/** @returns what it wrote, with nothing in its environment but what is given. */
function policy(args: string[], env: Record<string, string> = {}) {
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [main, 'policy', ...args], { env }, (_, ...out) => {
      resolve({ status: child.exitCode, stdout: out[0], stderr: out[1] });
    });
  });
}

describe('policy check', () => {
  test('says that a policy is valid', async () => {
    const { status, stdout } = await policy(['check', right]);
    expect(stdout).toBe(`${right} is valid: 1 rules before the selfie, 1 afterwards\n`);
    expect(status).toBe(0);
  });

  test('leaves with status 1 and names each line that is wrong', async () => {
    const { status, stdout } = await policy(['check', wrong]);
    expect(status).toBe(1);
    expect(stdout).toContain(`${wrong}:1: there is no "afterwards"\n`);
    expect(stdout).toContain(`${wrong}:2: "a": skips the selfie without "device: known"\n`);
    expect(stdout).toContain(`${wrong}:3: "a": line 2 has the same conditions`);
    expect(stdout).toContain(`${wrong}:3: "a": line 2 has this name already\n`);
  });

  test('tells programs the same', async () => {
    const { status, stdout } = await policy(['check', wrong, '--json']);
    expect(status).toBe(1);
    const { problems } = JSON.parse(stdout) as { problems: { line: number }[] };
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3, 3]);
  });

  test('names a file that cannot be read', async () => {
    const { status, stderr } = await policy(['check', join(directory, 'none.yaml')]);
    expect(status).toBe(1);
    expect(stderr).toContain('none.yaml cannot be read (ENOENT)');
  });
});

describe('policy test', () => {
  test('tries both policies that are shipped when there is no configuration', async () => {
    const { status, stdout } = await policy(['test']);
    expect(stdout).toMatch(
      /^.*standard\.yaml: \d+ cases, 0 wrong\n.*strict\.yaml: \d+ cases, 0 wrong\n$/,
    );
    expect(status).toBe(0);
  });

  test('takes the cases beside a policy, or those that are named', async () => {
    const beside = await policy(['test', right]);
    expect(beside.stdout).toContain(`${right}: 1 cases, 0 wrong\n  no case leads to "b"\n`);
    expect(beside.status).toBe(0);

    const fixtures = file('other.yaml', 'before:\n  - { name: anybody, then: deny, rule: a }\n');
    const named = await policy(['test', right, fixtures]);
    expect(named.stdout).toContain(
      `${fixtures}:2: anybody\n  expected deny by "a"\n  found    selfie by "a"\n`,
    );
    expect(named.status).toBe(1);
    const { stdout } = await policy(['test', right, fixtures, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      policies: [{ path: right, cases: [{ name: 'anybody', isRight: false }], untested: ['b'] }],
    });
  });

  test('tries what the configuration names, the shadow too', async () => {
    const config = file(
      'config.yaml',
      `
mode: development
issuer: http://127.0.0.1:3000
store: { url: 'sqlite::memory:' }
policyFile: right.yaml
policyShadowFile: strict
didit:
  apiKey: some-api-key-0123456789
  webhookSecrets: [some-webhook-secret-0123456789]
  workflows: { passive: some-workflow }
`,
    );
    for (const outcome of [
      await policy(['test', '--config', config]),
      await policy(['test'], { CONFIG_FILE: config }),
    ]) {
      expect(outcome.stdout).toContain(`${right}: 1 cases, 0 wrong\n`);
      expect(outcome.stdout).toMatch(/strict\.yaml: \d+ cases, 0 wrong\n/);
      expect(outcome.stdout).not.toContain('standard.yaml');
      expect(outcome.status).toBe(0);
    }
  });

  test('leaves with status 1 for a policy that is wrong, or has no cases', async () => {
    const broken = await policy(['test', wrong]);
    expect([broken.status, broken.stdout]).toEqual([
      1,
      expect.stringContaining('skips the selfie'),
    ]);
    const alone = file(
      'alone.yaml',
      'before: [{ name: a, then: selfie }]\nafterwards: [{ name: b, then: deny }]\n',
    );
    const { status, stderr } = await policy(['test', alone]);
    expect(status).toBe(1);
    expect(stderr).toContain('alone.fixtures.yaml cannot be read (ENOENT)');
  });
});
