/** What commands ask for and say: who gave them, by one option everywhere, and what is missing or not there. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { createProgram } from '../../src/ops/cli/program.ts';
import { webhookSecret, workflowId } from '../support/testbed.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Commands are processes, and a busy machine takes its time to start them. */
const timeoutMs = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-who-'));
const configFile = join(directory, 'config.yaml');

beforeAll(() => {
  const config = {
    ...{ mode: 'development', issuer: 'http://127.0.0.1:3000', registration: 'invite' },
    store: { url: 'sqlite:store.sqlite', encryptionKeys: [randomKey()] },
    clientsFile: 'clients.yaml',
    didit: {
      ...{ apiKey: 'a-key-of-the-application', environment: 'sandbox' },
      ...{ webhookSecrets: [webhookSecret], workflows: { passive: workflowId, kyc: workflowId } },
    },
  };
  writeFileSync(configFile, JSON.stringify(config));
  const client = { client_id: 'wiki', client_secret: 'x'.repeat(32) };
  const clients = [{ ...client, redirect_uris: ['https://wiki.example/callback'] }];
  writeFileSync(join(directory, 'clients.yaml'), JSON.stringify({ clients }));
  writeFileSync(join(directory, 'people.ndjson'), '{"email":"ana@example.com"}\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

function command(...args: string[]) {
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const env = { CONFIG_FILE: configFile };
    const all = [mainFile, ...args];
    const child = execFile(process.execPath, all, { env }, (_, stdout, stderr) => {
      resolve({ status: child.exitCode, stdout, stderr });
    });
  });
}

/** @throws with what was said when it was refused. */
async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await command(...args, '--json');
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function operatorsOf(event: string): Promise<unknown> {
  const { entries } = (await json('audit', 'list', '--event', event)) as {
    entries: { operators?: string[] }[];
  };
  return entries.map(({ operators }) => operators);
}

test('every command that answers something answers programs as well, by --json', () => {
  // They run until they are stopped; or what they write is a file of a form of its own.
  const others = ['serve', 'demo', 'simulator', 'completion', 'config reference'];
  const without = (command: Command, path: string[]): string[] =>
    command.commands.length > 0
      ? command.commands.flatMap((one) => without(one, [...path, one.name()]))
      : command.options.some(({ long }) => long === '--json')
        ? []
        : [path.join(' ')];
  expect(without(createProgram(), []).sort()).toEqual(others.sort());
});

test(
  '[EN-10] what a command does to people is written down with who gave it',
  async () => {
    const by = ['--operator', 'ann'];
    await json('accounts', 'import', join(directory, 'people.ndjson'), ...by);
    await json('accounts', 'block', 'ana@example.com', ...by);
    await json('accounts', 'unblock', 'ana@example.com');
    await json('accounts', 'invite', 'nora@example.com', ...by);
    await json('accounts', 'erase', 'ana@example.com', ...by);
    expect(await operatorsOf('account.created')).toEqual([['ann']]);
    expect(await operatorsOf('account.changed')).toEqual([['command-line'], ['ann']]);
    expect(await operatorsOf('account.invited')).toEqual([['ann']]);
    expect(await operatorsOf('account.erasure_planned')).toEqual([['ann']]);
    const nameless = await command('accounts', 'block', 'nora@example.com', '--operator', 'a b');
    expect(nameless).toMatchObject({ status: 1, stdout: '' });
    expect(nameless.stderr).toContain('an operator has a name of letters');
    expect(await json('accounts', 'show', 'nora@example.com')).toMatchObject({ status: 'invited' });
  },
  timeoutMs,
);

test(
  'a command that asks the acts says nothing of what serve and the doctor say',
  async () => {
    expect(await command('clients', 'list')).toMatchObject({ status: 0, stderr: '' });
  },
  timeoutMs,
);

describe('operators link', () => {
  test(
    'takes an address and nothing else, and makes no account of what is none',
    async () => {
      const before = await json('accounts', 'list');
      const refused = await command('operators', 'link', '--email', 'nobody');
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toBe('didit-oidc: "nobody" is no e-mail address\n');
      expect(await json('accounts', 'list')).toEqual(before);
    },
    timeoutMs,
  );

  test(
    'names who made it, also by the option’s former name',
    async () => {
      await json('operators', 'link');
      await json('operators', 'link', '--operator', 'ann');
      await json('operators', 'link', '--by', 'otto');
      expect(await operatorsOf('operator.invited')).toEqual([['otto'], ['ann'], ['command-line']]);
      const help = await command('operators', 'link', '--help');
      expect(help.stdout).toContain('--operator <name>');
      expect(help.stdout).not.toContain('--by');
    },
    timeoutMs,
  );
});

test(
  'caps are for apps that there are: a name that is none of them is refused, and nothing changes',
  async () => {
    const before = await json('budget', 'show');
    const refused = await command('budget', 'set', '--client', 'nosuch', '--day-hard', '5');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toContain('there is no client "nosuch"');
    expect(await json('budget', 'show')).toEqual(before);
    await json('budget', 'set', '--client', 'wiki', '--day-hard', '5');
    expect(await json('budget', 'show')).toMatchObject({
      set: { clients: { wiki: { day: { hard: 5 } } } },
    });
    expect(await operatorsOf('budget.changed')).toEqual([['command-line']]);
    await json('budget', 'clear', '--client', 'nosuch');
    await json('budget', 'set', '--each-client', '--day-hard', '7');
    expect(await json('budget', 'show')).toMatchObject({
      caps: { each_client: { day: { hard: 7 } } },
      set: { each_client: { day: { hard: 7 } }, clients: { wiki: { day: { hard: 5 } } } },
    });
  },
  timeoutMs,
);

test(
  'an empty list says so, and what comes next, beside what programs read',
  async () => {
    for (const list of [
      ['operators', 'list'],
      ['reviews', 'list'],
      ['api-keys', 'list'],
      ['keys', 'retire'],
    ]) {
      const { status, stdout, stderr } = await command(...list);
      expect({ list, status, stdout }).toEqual({ list, status: 0, stdout: '' });
      expect(stderr).toMatch(/^none; /m);
    }
    expect((await command('operators', 'list', '--json')).stderr).toBe('');
  },
  timeoutMs,
);

test(
  'what is missing is named by the option that brings it',
  async () => {
    const nameless = await command('clients', 'add', '--redirect-uri', 'https://x.example/');
    expect(nameless.stderr).toContain('--name NAME');
    const there = await command('backup', configFile);
    expect(there.stderr).toContain(`${configFile} is there already`);
    writeFileSync(join(directory, 'faces.ndjson'), '{"username":"x","portrait":"none.jpg"}\n');
    const faceless = await command('accounts', 'import', join(directory, 'faces.ndjson'));
    expect(faceless.stderr).toMatch(/line 1: the portrait "none\.jpg" cannot be read \(ENOENT\)/);
  },
  timeoutMs,
);

describe('an id that begins with a dash', () => {
  // As one in 64 does. This one begins like -V, which once was an option.
  const id = '-V4xF2q0yM8k-Qd7Zr1nLw';

  test(
    'is an id, wherever it stands, and not an option',
    async () => {
      for (const words of [
        ['accounts', 'show', id],
        ['accounts', 'show', '--json', id],
        ['operators', 'role', id, 'viewer'],
        ['operators', 'role', id, 'viewer', '--json'],
      ]) {
        const { status, stdout, stderr } = await command(...words);
        expect({ words, status, stdout }).toEqual({ words, status: 1, stdout: '' });
        expect(stderr).toContain(`nobody signs in as "${id}"`);
      }
      // Those of keys are short.
      const key = await command('keys', 'retire', 'store', '-V4xF2q0', '--json');
      expect(key.stderr).toContain('there is no');
      const { stderr } = await command('sessions', 'end', 'nobody@example.com', id, '--json');
      expect(stderr).toContain('nobody signs in as "nobody@example.com"');
    },
    timeoutMs,
  );

  test(
    'does not let an option through that is mistyped, nor a word too many',
    async () => {
      for (const words of [
        ['accounts', 'show', id, '--jsom'],
        ['accounts', 'show', '--jsom', id],
        ['accounts', 'show', '-j', 'somebody'],
      ]) {
        expect((await command(...words)).stderr).toContain('unknown option');
      }
      expect((await command('accounts', 'show', id, id)).stderr).toContain('too many arguments');
      expect((await command('accounts', 'list', id)).stderr).toContain('too many arguments');
    },
    timeoutMs,
  );
});
