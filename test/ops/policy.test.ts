/** `didit-oidc policy`, as processes of their own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import type { Explanation } from '../../src/domain/explain.ts';
import type { Decision } from '../../src/domain/policy.ts';
import { createExplanations } from '../../src/store/explanations.ts';
import { openStore } from '../../src/store/open.ts';

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
      policies: [{ path: right, cases: [{ name: 'anybody', ok: false }], untested: ['b'] }],
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

describe('what was decided', () => {
  const encryptionKey = randomKey();
  const env = (): Record<string, string> => ({
    ...{ MODE: 'development', ISSUER: 'http://127.0.0.1:3000', DIDIT_API_KEY: 'x'.repeat(20) },
    ...{ DIDIT_WEBHOOK_SECRETS: 'x'.repeat(20), DIDIT_WORKFLOW_PASSIVE: 'passive' },
    ...{ STORE_URL: `sqlite:${join(directory, 'store.sqlite')}`, COOKIE_KEYS: randomKey() },
    STORE_ENCRYPTION_KEYS: encryptionKey,
  });
  const ended = (reference: string, signals: Decision['signals']): Explanation => ({
    ...{ schema: 1, reference, attempt: `attempt of ${reference}`, kind: 'login' },
    ...{ client: { id: 'wiki', name: 'Acme Wiki' }, beganAtMs: Date.now() - 3_600_000 },
    ...{ outcome: 'signed_in', acr: 'urn:didit-oidc:acr:selfie', amr: ['face'], selfies: 1 },
    decision: { action: 'selfie', policy: 'standard', rule: 'a new device', signals },
    steps: [
      { step: 'decided', afterMs: 900 },
      { step: 'ended', afterMs: 4_200 },
    ],
  });

  beforeAll(async () => {
    const url = `sqlite:${join(directory, 'store.sqlite')}`;
    const { store } = await openStore({ url, encryptionKeys: [encryptionKey], clock: Date.now });
    const explanations = createExplanations(store, Date.now);
    await explanations.add(ended('AAAA-BBBB', { device: 'new', tor: false }));
    await explanations.add(ended('CCCC-DDDD', { device: 'new', tor: true }));
    const old = ended('EEEE-FFFF', { device: 'known' });
    await explanations.add({ ...old, beganAtMs: Date.now() - 3 * 86_400_000 });
    await store.close();
  });

  test('is one plain sentence, the signals, the steps, and what is decided now', async () => {
    const { status, stdout, stderr } = await policy(['explain', 'cccc-dddd', 'strict'], env());
    expect(stderr).toBe('');
    expect(stdout).toBe(
      'Somebody who came to Acme Wiki was asked for a selfie (rule “a new device” of policy standard) ' +
        'and was signed in with urn:didit-oidc:acr:selfie after 4.2 s.\n' +
        '  signals: device new, tor true\n' +
        '  steps: decided 900 ms, ended 4200 ms\n' +
        '  policy strict decides now: deny, nobody comes in through Tor\n',
    );
    expect(status).toBe(0);
  });

  test('is told programs whole, and an unknown reference is an error', async () => {
    const { stdout } = await policy(['explain', 'AAAA-BBBB', '--json'], env());
    const { attempts } = JSON.parse(stdout) as { attempts: Explanation[] };
    expect(attempts).toMatchObject([{ reference: 'AAAA-BBBB', selfies: 1, outcome: 'signed_in' }]);
    const { status, stdout: none } = await policy(['explain', 'ZZZZ-ZZZZ'], env());
    expect([status, none]).toEqual([1, 'no such reference: they are kept for ninety days\n']);
  });

  test('is decided again by another policy, as far as it was asked for', async () => {
    const { stdout } = await policy(['replay', 'strict', '--since', '2d', '--json'], env());
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ policy: 'strict', total: 2, partly: 2 },
      changes: [
        { from: 'selfie', to: 'fallback', count: 1 },
        { from: 'selfie', to: 'deny', count: 1 },
      ],
    });
    const { stdout: all } = await policy(['replay', 'strict', '--since', '4d'], env());
    expect(all).toContain('3 decisions since ');
    expect(all).toContain('counted as unknown');
    const { status, stderr } = await policy(['replay', 'strict', '--since', 'ever'], env());
    expect(status).not.toBe(0);
    expect(stderr).toContain('36h or 7d');
  });
});
