/** A backup of a provider in use, read into an empty store of the other kind, and a sign-in there. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { type Deployment, prepareDeployment } from '../e2e/deployment.ts';
import { createBrowser, createParty, signIn } from '../support/login.ts';
import { freshRedis, withRedis } from '../support/redis.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let directory: string;
let bed: Deployment;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-backup-'));
});
afterEach(async () => {
  await bed.close();
  rmSync(directory, { recursive: true });
});

const sqlite = (name = 'store'): string => `sqlite:${join(directory, `${name}.sqlite`)}`;
const file = (name = 'backup.ndjson'): string => join(directory, name);

const command = (storeUrl: string, ...args: string[]) => commandWith({}, storeUrl, ...args);

function commandWith(others: Record<string, string>, storeUrl: string, ...args: string[]) {
  const env = { CONFIG_FILE: bed.configFile, STORE_URL: storeUrl, ...others };
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, [mainFile, ...args], { env }, (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

async function prepare(): Promise<void> {
  bed = await prepareDeployment({ storeUrl: sqlite(), windowless: { people: 3 } });
}

/** A sign-in on a provider of this store. @returns whose tokens came of it. */
async function subjectOf(storeUrl: string, identifier: string): Promise<string> {
  const provider = await bed.start({ STORE_URL: storeUrl });
  try {
    const request = await (await createParty(bed)).begin();
    const tokens = await request.finish(await signIn(createBrowser(), request, identifier));
    return tokens.claims()?.sub ?? '';
  } finally {
    await provider.end('SIGTERM');
  }
}

describe.each([
  ['SQLite', 'Redis'],
  ['Redis', 'SQLite'],
])('from %s to %s', (from, to) => {
  it('people, faces and what is known of them come along; sign-ins and spent codes do not', async () => {
    await prepare();
    const redisUrl = await freshRedis();
    const urlOf = (driver: string): string => (driver === 'Redis' ? redisUrl : sqlite(driver));
    const person = bed.person();
    const subject = await subjectOf(urlOf(from), person);

    const written = await command(urlOf(from), 'backup', file(), '--json');
    expect(written).toMatchObject({ status: 0 });
    const { counts } = JSON.parse(written.stdout) as { counts: Record<string, number> };
    expect(counts).toMatchObject({ account: 6, portrait: 6, sealed: 1 });
    expect(counts['history']).toBeGreaterThan(0);
    expect(counts['familiar']).toBe(1);
    for (const kind of ['Session', 'Grant', 'AccessToken', 'RefreshToken', 'attempt', 'ticket']) {
      expect(counts, kind).not.toHaveProperty(kind);
    }

    const restored = await command(urlOf(to), 'restore', file(), '--json');
    expect(restored).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(restored.stdout)).toMatchObject({ counts, over: 0 });
    // The file of people would have made somebody new, with another subject.
    expect(await subjectOf(urlOf(to), person)).toBe(subject);
  });
});

it('[PL-02] a backup is for its owner, and nothing in it can be read', async () => {
  await prepare();
  const person = bed.person();
  const subject = await subjectOf(sqlite(), person);
  expect(await command(sqlite(), 'backup', file())).toMatchObject({ status: 0 });
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  const text = readFileSync(file(), 'utf8');
  const portrait = readFileSync(new URL('../../config/demo/ana.png', import.meta.url));
  for (const canary of [person, person.split('@')[0]!, subject, 'ana@example.com']) {
    for (const form of [canary, Buffer.from(canary).toString('base64url')]) {
      expect(text).not.toContain(form);
    }
  }
  expect(text).not.toContain(portrait.toString('base64').slice(100, 140));
});

it('what lives for a time lives on for what is left of it', async () => {
  await prepare();
  const redisUrl = await freshRedis();
  const { encryptionKeys } = (
    JSON.parse(readFileSync(bed.configFile, 'utf8')) as { store: { encryptionKeys: string[] } }
  ).store;
  const { store } = await openStore({ url: sqlite(), encryptionKeys, clock: Date.now });
  await store.put('kept:one', 'for an hour', { ttlSeconds: 3600 });
  await store.put('kept:two', 'hardly', { ttlSeconds: 1 });
  await store.increment('count:one', { by: 7, ttlSeconds: 3600 });
  const members = Array.from({ length: 1200 }, (_, at) => `member ${at}`);
  for (const [at, member] of members.entries()) await store.indexAdd('list:one', member, at, 3600);
  await store.put('attempt:one', 'of no use', { ttlSeconds: 3600 });
  await store.close();
  expect(await command(sqlite(), 'backup', file())).toMatchObject({ status: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const { stdout } = await command(redisUrl, 'restore', file(), '--json');
  expect(JSON.parse(stdout)).toMatchObject({ counts: { kept: 1, count: 1, list: 1200 } });

  const { store: other } = await openStore({ url: redisUrl, encryptionKeys, clock: Date.now });
  expect((await other.get('kept:one'))?.value).toBe('for an hour');
  expect(await other.get('kept:two')).toBeUndefined();
  expect(await other.get('attempt:one')).toBeUndefined();
  expect(await other.increment('count:one', { ttlSeconds: 1 })).toBe(8);
  const range = await other.indexRange('list:one', { min: 0, max: Infinity, limit: 5000 });
  expect(range).toEqual(members.map((member, score) => ({ member, score })));
  await other.close();
  const ttls = await withRedis(redisUrl, async (redis) => {
    const names = await redis.keys('*:kept:*');
    return Promise.all(names.map((name) => redis.ttl(name)));
  });
  expect(ttls).toHaveLength(1);
  expect(ttls[0]).toBeLessThanOrEqual(3600);
  expect(ttls[0]).toBeGreaterThan(3500);
});

it('whose erasure began after the backup is erased again, complete or not; who erased their face alone stays', async () => {
  await prepare();
  const [gone, going, stays] = [bed.person(), bed.person(), bed.person()];
  const subjects = new Map<string, string>();
  for (const person of [gone, going, stays]) {
    subjects.set(person, await subjectOf(sqlite(), person));
  }
  await command(sqlite(), 'backup', file());
  const told = (message: string, person: string, reason: string): string =>
    JSON.stringify({ message, account: subjects.get(person), reason });
  const log = [
    'not even JSON',
    told('account.erasure_began', gone, 'account'),
    told('account.erased', gone, 'account'),
    told('account.erasure_began', going, 'account'),
    told('account.erasure_planned', stays, 'account'),
    told('account.erasure_began', stays, 'face'),
    told('account.erased', stays, 'face'),
    told('account.erased', stays, 'replaced_face'),
  ];
  writeFileSync(file('log'), log.join('\n'));
  const to = sqlite('other');
  const restored = await command(to, 'restore', file(), '--erased', file('log'), '--json');
  const [first, second, third] = subjects.values();
  expect(JSON.parse(restored.stdout)).toMatchObject({ erased_again: [first, second] });
  const statusOf = async (name: string): Promise<unknown> =>
    JSON.parse((await command(to, 'accounts', 'show', name, '--json')).stdout);
  expect(await statusOf(first!)).toMatchObject({ sub: first, status: 'erased' });
  expect(await statusOf(gone)).toMatchObject({ sub: first, status: 'erased' });
  expect(await statusOf(second!)).toMatchObject({ sub: second, status: 'erased' });
  expect(await statusOf(stays)).toMatchObject({ sub: third, status: 'active' });
});

it('a store that holds something, another key, and a damaged file change nothing', async () => {
  await prepare();
  const provider = await bed.start({ STORE_URL: sqlite() });
  await provider.end('SIGTERM');
  await command(sqlite(), 'backup', file());
  const refusal = async (storeUrl: string, name: string): Promise<string> => {
    const { status, stderr, stdout } = await command(storeUrl, 'restore', file(name));
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    return stderr;
  };
  expect(await refusal(sqlite(), 'backup.ndjson')).toContain('the store is not empty (');
  expect(await command(sqlite(), 'backup', file())).toMatchObject({ status: 1 });

  const text = readFileSync(file(), 'utf8');
  const lines = text.trimEnd().split('\n');
  const damaged = {
    cut: text.slice(0, -300),
    'without-end': lines.slice(0, -1).join('\n'),
    'line-gone': lines.toSpliced(2, 1).join('\n'),
    altered: text.replace('"value":"1.', '"value":"1.A'),
    other: '{"hello":"world"}\n',
  };
  for (const [name, content] of Object.entries(damaged)) {
    writeFileSync(file(name), content);
    expect(await refusal(sqlite('empty'), name), name).toMatch(
      /cut off|not JSON|no backup|altered|counts/,
    );
  }
  const env = { STORE_ENCRYPTION_KEYS: Buffer.alloc(32, 'another key').toString('base64url') };
  const wrongKey = await commandWith(env, sqlite('empty'), 'restore', file());
  expect(wrongKey.stderr).toContain('STORE_ENCRYPTION_KEYS do not open this backup');
  expect(await command(sqlite('empty'), 'restore', file())).toMatchObject({ status: 0 });
});

it('what `keys rotate store` wrote opens a backup, before its newest key is used and after', async () => {
  await prepare();
  const { store } = JSON.parse(readFileSync(bed.configFile, 'utf8')) as {
    store: { encryptionKeys: string[] };
  };
  const rotated = (newest: string, from: string) => ({
    STORE_ENCRYPTION_KEYS: [`${newest} from ${from}`, ...store.encryptionKeys].join(','),
  });
  const key = Buffer.alloc(32, 'another key').toString('base64url');
  const settings = [rotated(key, '2099-01-01T00:00:00Z'), rotated(key, '2026-01-01T00:00:00Z')];
  for (const [at, env] of settings.entries()) {
    const [from, to] = [sqlite(`from-${at}`), sqlite(`to-${at}`)];
    const added = await commandWith(env, from, 'accounts', 'import', people());
    expect(added).toMatchObject({ status: 0 });
    const written = await commandWith(env, from, 'backup', file(`${at}`));
    expect(written).toMatchObject({ status: 0 });
    const restored = await commandWith(env, to, 'restore', file(`${at}`));
    expect(restored).toMatchObject({ status: 0, stderr: '' });
    const found = await commandWith(env, to, 'accounts', 'show', 'nora@example.com');
    expect(found).toMatchObject({ status: 0 });
  }
});

function people(): string {
  const name = file('people.ndjson');
  writeFileSync(name, '{"email":"nora@example.com"}\n');
  return name;
}
