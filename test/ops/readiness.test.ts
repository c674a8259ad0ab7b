/** Ready is who can keep what is written to it. The stores are real ones, and really full. */
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type ReadinessTools, createReadiness } from '../../src/ops/readiness.ts';
import { openStore } from '../../src/store/open.ts';
import { whyStoreFailed } from '../../src/store/refusal.ts';
import { startRedisServer, withRedis } from '../support/redis.ts';
import { freePort } from '../support/ports.ts';
import { deploymentKeys, startApp, startTestbed } from '../support/testbed.ts';

const random = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64url');
const key = 'a'.repeat(43);

function ready(
  { store }: Awaited<ReturnType<typeof openStore>>,
  kept: 'file' | 'redis',
  change: Partial<ReadinessTools> = {},
) {
  return createReadiness({
    ...{ random, store: () => store, kept: () => kept, isServing: () => true },
    whyKeysFail: () => Promise.resolve(undefined),
    ...change,
  });
}

async function openRedis(...args: string[]) {
  const server = await startRedisServer({ args });
  onTestFinished(() => server.stop());
  const opened = await openStore({ url: server.url, encryptionKeys: [key], clock: Date.now });
  onTestFinished(() => opened.store.close());
  const config = (name: string, value: string) =>
    withRedis(server.url, (redis) => redis.config('SET', name, value));
  return { server, config, opened, readiness: ready(opened, 'redis') };
}

describe('[PL-24] not ready, and it says why', () => {
  it('a Redis that is full, until there is room again', async () => {
    const { config, readiness } = await openRedis();
    expect(await readiness()).toBeUndefined();
    await config('maxmemory', '1');
    expect(await readiness()).toBe('the store is full: Redis has reached its maxmemory');
    await config('maxmemory', '0');
    expect(await readiness()).toBeUndefined();
  });

  it('a Redis that became a replica, or has too few of them', async () => {
    const { server, config, readiness } = await openRedis();
    await config('min-replicas-to-write', '1');
    expect(await readiness()).toMatch(/fewer replicas than min-replicas-to-write/);
    await config('min-replicas-to-write', '0');
    expect(await readiness()).toBeUndefined();
    await withRedis(server.url, (redis) => redis.call('REPLICAOF', '127.0.0.1', '9'));
    // The client then looks for its successor on a new connection.
    expect(await readiness()).toMatch(/this Redis is a replica|does not answer/);
  });

  it('a Redis that is away', async () => {
    const { server, readiness } = await openRedis();
    await server.kill();
    expect(await readiness()).toBe('the store does not answer');
    await server.restart();
    await vi.waitFor(async () => expect(await readiness()).toBeUndefined(), 5_000);
  });

  it('a file that may not grow', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-full-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    // The limit belongs to a connection, so the driver's own has to get it.
    const limited = vi.spyOn(DatabaseSync.prototype, 'exec');
    const seen: DatabaseSync[] = [];
    limited.mockImplementation(function exec(this: DatabaseSync, sql: string) {
      if (!seen.includes(this)) seen.push(this);
      this.prepare(sql);
      limited.mockRestore();
      this.exec(sql);
    });
    const url = `sqlite:${join(directory, 'store.sqlite')}`;
    const opened = await openStore({ url, encryptionKeys: [key], clock: Date.now });
    onTestFinished(() => opened.store.close());
    const readiness = ready(opened, 'file');
    expect(await readiness()).toBeUndefined();
    const [database] = seen;
    database?.exec('PRAGMA max_page_count = 1');
    for (let at = 0; at < 20; at += 1) {
      await opened.store.put(`filler:${at}`, 'x'.repeat(4_000)).catch(() => undefined);
    }
    expect(await readiness()).toBe('the store is full: no space is left for the database');
    database?.exec('PRAGMA max_page_count = 100000');
    expect(await readiness()).toBeUndefined();
  });

  it('a store that gives back something else than was written, or nothing', async () => {
    const opened = await openStore({
      ...{ url: 'sqlite::memory:', encryptionKeys: [key], clock: Date.now },
    });
    onTestFinished(() => opened.store.close());
    for (const back of ['x', undefined]) {
      const store = { ...opened.store, take: () => Promise.resolve(back) };
      expect(await ready({ ...opened, store }, 'file')()).toBe(
        'the store does not keep what is written to it',
      );
    }
  });

  it('one that is stopping, and one whose keys have ended', async () => {
    const opened = await openStore({
      ...{ url: 'sqlite::memory:', encryptionKeys: [key], clock: Date.now },
    });
    onTestFinished(() => opened.store.close());
    const stopping = ready(opened, 'file', { isServing: () => false });
    expect(await stopping()).toBe('stopping');
    const keyless = ready(opened, 'file', { whyKeysFail: () => Promise.resolve('no key') });
    expect(await keyless()).toBe('no key');
  });
});

it('what an error of no driver means is that the store does not answer', () => {
  expect(whyStoreFailed(new Error('anything'))).toBe('the store does not answer');
  expect(whyStoreFailed(undefined)).toBe('the store does not answer');
});

it('[PL-24] a provider is ready while Didit is away', async () => {
  const bed = await startTestbed({ fetch: () => Promise.reject(new Error('Didit is away')) });
  onTestFinished(() => bed.close());
  const answer = await fetch(`${bed.managementUrl}/readyz`);
  expect([answer.status, await answer.json()]).toEqual([200, { status: 'ready' }]);
});

it('[PL-24] a provider is not ready once the keys that sign are over', async () => {
  const now = { ms: Date.now() };
  const keys = await deploymentKeys();
  const retiredAt = Math.floor(now.ms / 1000) + 3_600;
  const jwks = { keys: keys.jwks.keys.map((key) => ({ ...key, retires_at: retiredAt })) };
  const app = await startApp({
    ...{ keys: { ...keys, jwks }, port: await freePort(), apiKey: 'test-api-key-0123456789' },
    ...{ simulatorUrl: 'http://127.0.0.1:9', clock: () => now.ms },
  });
  onTestFinished(() => app.close());
  const { managementPort } = await app.listen();
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${managementPort}/readyz`);
    return [answer.status, await answer.json()];
  };
  expect(await ask()).toEqual([200, { status: 'ready' }]);
  now.ms += 3_601_000;
  const [status, body] = await ask();
  expect(status).toBe(503);
  expect(body).toMatchObject({ reason: expect.stringMatching(/signing keys/) as unknown });
});
