/** Keys on the disk, as the commands, the API and the console change them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { generateJwks, randomKey } from '../../src/config/keys.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import { CannotWrite } from '../../src/ops/keys/replace-file.ts';
import { createKeys } from '../../src/ops/keys/rotate.ts';
import { keyIdOf } from '../../src/store/keyring.ts';
import { openStore } from '../../src/store/open.ts';
import { apiOf, makeKey } from '../support/api.ts';
import { startTestbed, webhookSecret, workflowId } from '../support/testbed.ts';

const now = Date.UTC(2026, 10, 28, 12);
const oldStoreKey = randomKey();
/** How long after `now` it is. */
let passedMs: number;
let directory: string;
let configFile: string;
let jwksFile: string;

beforeEach(async () => {
  passedMs = 0;
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-keys-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  configFile = join(directory, 'config.yaml');
  jwksFile = join(directory, 'jwks.json');
  writeFileSync(jwksFile, JSON.stringify(await generateJwks()));
  writeFileSync(
    configFile,
    JSON.stringify({
      ...{ mode: 'development', issuer: 'http://127.0.0.1:3000', jwksFile: 'jwks.json' },
      cookies: { keys: ['an-old-cookie-key-of-32-bytes-0123456789'] },
      store: { url: 'sqlite::memory:', encryptionKeys: [oldStoreKey] },
      didit: {
        ...{ apiKey: 'the-key-of-the-application', environment: 'sandbox' },
        ...{ webhookSecrets: [webhookSecret], workflows: { passive: workflowId } },
      },
    }),
  );
});

async function keysOf(env: Record<string, string> = {}) {
  const clock = () => now + passedMs;
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => store.close());
  const events: AuditEvent[] = [];
  const keys = createKeys({
    ...{ fileName: configFile, env, store, clock },
    record: (event) => events.push(event),
    tryDiditKey: (_, key) => (key === 'good' ? Promise.resolve() : Promise.reject(new Error('no'))),
  });
  return { keys, events };
}

const configured = (): { cookies: { keys: string[] }; store: { encryptionKeys: string[] } } =>
  JSON.parse(readFileSync(configFile, 'utf8')) as never;

describe('keys on the disk', () => {
  it('[PL-03] a new cookie key begins when every process has read it, and the old one ends later', async () => {
    const { keys, events } = await keysOf();
    await keys.rotate('cookies', { by: 'ann' });
    const [fresh, old] = configured().cookies.keys;
    expect(fresh).toMatch(/^[\w-]{43} from 2026-11-28T12:10:00Z$/);
    expect(old).toMatch(/0123456789 until 2026-12-12T12:10:00Z$/);
    expect((await keys.list()).filter(({ use }) => use === 'cookies')).toMatchObject([
      { state: 'published', nextMs: now + 600_000 },
      { state: 'current' },
    ]);
    expect(events).toMatchObject([{ event: 'key.rotated', operators: ['ann'] }]);
    expect(JSON.stringify(events)).not.toContain(fresh!.slice(0, 43));
  });

  it('that the environment has, or nobody, are said to be fixed, and why', async () => {
    expect((await keysOf()).keys.whyFixed()).toEqual({});
    const { keys } = await keysOf({ COOKIE_KEYS: 'a-cookie-key-of-32-bytes-0123456789abc' });
    expect(keys.whyFixed()).toEqual({ cookies: 'COOKIE_KEYS comes from the environment' });
  });

  it('[PL-03] signing keys of both algorithms are written, and the old ones go after 28 days', async () => {
    const { keys } = await keysOf();
    const { ids } = await keys.rotate('signing', { by: 'ann' });
    const listed = (await keys.list()).filter(({ use }) => use === 'signing');
    expect(listed.map(({ state }) => state)).toEqual([
      ...['published', 'published', 'signing', 'signing'],
    ]);
    expect(
      listed
        .slice(0, 2)
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    const { keys: written } = JSON.parse(readFileSync(jwksFile, 'utf8')) as {
      keys: Record<string, number>[];
    };
    const hour = 3_600;
    expect(written[0]?.signs_from).toBe(now / 1000 + hour);
    expect(written[3]?.retires_at).toBe(now / 1000 + hour + 28 * 24 * hour);
    await expect(
      keys.retire('signing', listed[2]!.id, {
        by: 'ann',
        recordsOf: () => Promise.resolve(new Map()),
      }),
    ).rejects.toThrow('it signs');
  });

  it('[PL-03] the next signing key is taken out again, and the one that signs goes on', async () => {
    const { keys } = await keysOf();
    const before = readFileSync(jwksFile, 'utf8');
    const { ids } = await keys.rotate('signing', { by: 'ann' });
    const recordsOf = () => Promise.resolve(new Map());
    for (const id of ids) await keys.retire('signing', id, { by: 'ann', recordsOf });
    expect(JSON.parse(readFileSync(jwksFile, 'utf8'))).toEqual(JSON.parse(before));
  });

  it('[PL-03] of all that is over each leaves an entry with who took it out, once it is out of its file', async () => {
    const { keys, events } = await keysOf();
    await keys.rotate('signing', { by: 'ann', isNow: true });
    await keys.rotate('cookies', { by: 'ann', isNow: true });
    await keys.rotate('webhook', { by: 'ann', value: 'another-webhook-secret-012345' });
    const over = (await keys.list()).filter(({ state }) => state === 'retiring' || state === 'old');
    const objects = over.map(({ use, id }) => `${use}:${id}`);
    expect(objects).toHaveLength(4);
    passedMs = 60 * 86_400_000;
    events.length = 0;
    expect(await keys.tidy({ by: 'ben' })).toEqual(over.map(({ id }) => id));
    const entry = { event: 'key.retired', atMs: now + passedMs, operators: ['ben'] };
    expect(events).toEqual(objects.map((object) => ({ ...entry, object })));
    expect(await keys.tidy({ by: 'ben' })).toEqual([]);
    expect(events).toHaveLength(4);
  });

  it('[PL-03] what is out of one file is told also where the next one cannot be written', async () => {
    const { keys } = await keysOf();
    await keys.rotate('signing', { by: 'ann', isNow: true });
    passedMs = 60 * 86_400_000;
    const fixed = 'from-the-environment-0123456789abcdef until 2026-12-01T00:00:00Z';
    const { keys: others, events } = await keysOf({
      COOKIE_KEYS: `a-cookie-key-of-32-bytes-0123456789abc,${fixed}`,
    });
    await expect(others.tidy({ by: 'ben' })).rejects.toThrow(CannotWrite);
    expect(events.map(({ event }) => event)).toEqual(['key.retired', 'key.retired']);
  });

  it('[PL-03] a key of the store goes when no record needs it, and not before', async () => {
    const { keys } = await keysOf();
    const id = keyIdOf(oldStoreKey);
    const options = (records: number) => ({
      by: 'ann',
      recordsOf: () => Promise.resolve(new Map([[id, records]])),
    });
    await expect(keys.retire('store', id, options(0))).rejects.toThrow('it is in use');
    await keys.rotate('store', { by: 'ann', isNow: true });
    await expect(keys.retire('store', id, options(7))).rejects.toThrow('7 records');
    await keys.retire('store', id, options(0));
    expect(configured().store.encryptionKeys).toHaveLength(1);
  });

  it('[PL-03] a key that somebody makes while records are counted stays when the old one goes', async () => {
    const { keys } = await keysOf();
    await keys.rotate('store', { by: 'ann', isNow: true });
    const left = configured().store.encryptionKeys[0];
    let made: string[] = [];
    await keys.retire('store', keyIdOf(oldStoreKey), {
      by: 'ann',
      async recordsOf() {
        ({ ids: made } = await keys.rotate('store', { by: 'ben', isNow: true }));
        return new Map();
      },
    });
    const listed = (await keys.list()).filter(({ use }) => use === 'store').map(({ id }) => id);
    expect(listed).toEqual([made[0], keyIdOf(left!.split(' ')[0]!)]);
  });

  it('[PL-03] a key that is the only one by the time that the records are counted stays', async () => {
    const { keys } = await keysOf();
    await keys.rotate('store', { by: 'ann', isNow: true });
    const [fresh] = configured().store.encryptionKeys;
    const id = keyIdOf(oldStoreKey);
    const gone = keys.retire('store', id, {
      by: 'ann',
      recordsOf() {
        const text = readFileSync(configFile, 'utf8');
        writeFileSync(configFile, text.replace(`"${fresh}",`, ''));
        return Promise.resolve(new Map());
      },
    });
    await expect(gone).rejects.toThrow('it is in use');
    expect(configured().store.encryptionKeys).toEqual([oldStoreKey]);
  });

  it("[PL-03] Didit's key is tried before anything is written", async () => {
    const { keys } = await keysOf();
    const before = readFileSync(configFile, 'utf8');
    await expect(keys.rotate('didit', { by: 'ann', value: 'bad' })).rejects.toThrow('no');
    await expect(keys.rotate('didit', { by: 'ann' })).rejects.toThrow('give the new API key');
    expect(readFileSync(configFile, 'utf8')).toBe(before);
  });

  it('[PL-02] what comes from the environment is not written, and the refusal shows no secret', async () => {
    const { keys, events } = await keysOf({ COOKIE_KEYS: 'from-the-environment-0123456789abcdef' });
    const refused = (await keys
      .rotate('cookies', { by: 'ann' })
      .catch((error: unknown) => error)) as CannotWrite;
    expect(refused).toBeInstanceOf(CannotWrite);
    expect(refused.message).toContain('COOKIE_KEYS comes from the environment');
    expect(refused.message).not.toContain('0123456789abcdef');
    expect(refused.instead).toMatch(
      /^COOKIE_KEYS=[\w-]{43} from \S+,from-the-environment-\S+ until/,
    );
    expect(events).toEqual([]);
  });

  it('a value in a file of its own is replaced there', async () => {
    const file = join(directory, 'cookie-keys');
    writeFileSync(file, 'a-key-in-a-file-of-its-own-0123456789\n');
    const { keys } = await keysOf({ COOKIE_KEYS_FILE: file });
    await keys.rotate('cookies', { by: 'ann', isNow: true });
    expect(readFileSync(file, 'utf8')).toMatch(
      /^[\w-]{43} from 2026-11-28T12:00:00Z,a-key-in-a-file-of-its-own-0123456789 until \S+\n$/,
    );
  });
});

it('[PL-03] who takes out what is over stands in the audit log', () => {
  const file = join(directory, 'cookie-keys');
  writeFileSync(
    file,
    `a-key-of-its-own-0123456789abcdef,${'old'.repeat(9)} until 2026-01-01T00:00:00Z`,
  );
  const env = {
    ...{ CONFIG_FILE: configFile, COOKIE_KEYS_FILE: file },
    STORE_URL: `sqlite:${join(directory, 'store.sqlite')}`,
  };
  const command = (...args: string[]): string =>
    execFileSync(process.execPath, ['src/main.ts', ...args], {
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(command('keys', 'retire', '--operator', 'ben')).toMatch(/^[\w-]{8} is gone\n$/);
  expect(readFileSync(file, 'utf8')).toBe('a-key-of-its-own-0123456789abcdef\n');
  const listed = command('audit', 'list', '--json');
  expect(listed).toMatch(/"event":"key\.retired"/);
  expect(listed).toMatch(/"operators":\["ben"\]/);
});

describe('by the API', () => {
  it('[PL-03] a signing key is rotated in the file of the running provider, and nobody sees a key', async () => {
    const bed = await startTestbed({ readFrom: { fileName: configFile, env: {} } });
    onTestFinished(() => bed.close());
    const call = apiOf(bed, await makeKey(bed));
    const rotated = await call('POST', '/keys/signing/rotate');
    expect(rotated).toMatchObject({ status: 200, body: { use: 'signing' } });
    const { status, body } = await call('GET', '/keys');
    expect(status).toBe(200);
    expect((body.keys as { state: string }[]).map(({ state }) => state)).toContain('published');
    const { keys } = JSON.parse(readFileSync(jwksFile, 'utf8')) as { keys: { d: string }[] };
    expect(keys).toHaveLength(4);
    for (const text of [JSON.stringify(body), JSON.stringify(rotated.body)]) {
      for (const secret of [...keys.map(({ d }) => d), oldStoreKey]) {
        expect(text).not.toContain(secret);
      }
    }
    expect(readdirSync(directory).toSorted()).toEqual(['config.yaml', 'jwks.json']);
  });

  it('is refused in plain words where it cannot be', async () => {
    const env = { COOKIE_KEYS: 'from-the-environment-0123456789abcdef' };
    const bed = await startTestbed({ readFrom: { fileName: configFile, env } });
    onTestFinished(() => bed.close());
    const call = apiOf(bed, await makeKey(bed));
    const { status, body } = await call('POST', '/keys/cookies/rotate');
    expect(status).toBe(409);
    expect(JSON.stringify(body)).toContain('comes from the environment');
    expect(JSON.stringify(body)).not.toContain('0123456789abcdef');
  });
});
