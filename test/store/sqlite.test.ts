import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test, vi } from 'vitest';
import { createSqliteStore } from '../../src/store/sqlite.ts';
import { describeStore } from './contract.ts';
import { openSqlite } from './stores.ts';

const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true }));

describeStore('sqlite in memory', () => openSqlite(':memory:'));
describeStore('sqlite in a file', () => openSqlite(join(directory, 'contract.sqlite')));

test('records, counters and indices are still there when the file is opened again', async () => {
  const file = join(directory, 'again.sqlite');
  const first = createSqliteStore({ file, clock: Date.now });
  const version = await first.put('a:1', 'value', { ttlSeconds: 60 });
  await first.increment('a:1', { ttlSeconds: 60 });
  await first.indexAdd('a:1', 'member', 1);
  await first.close();
  const second = createSqliteStore({ file, clock: Date.now });
  expect(await second.get('a:1')).toEqual({ value: 'value', version });
  expect(await second.increment('a:1', { ttlSeconds: 60 })).toBe(2);
  expect(await second.indexRemove('a:1', 'member')).toBe(true);
  await second.close();
});

test('nobody but the owner may read the file or what lies beside it', async () => {
  const file = join(directory, 'private.sqlite');
  const store = createSqliteStore({ file, clock: Date.now });
  await store.put('a:1', 'value');
  for (const suffix of ['', '-wal', '-shm']) {
    expect(statSync(file + suffix).mode & 0o777, suffix).toBe(0o600);
  }
  await store.close();
});

test('what is over is swept away', async () => {
  const file = join(directory, 'swept.sqlite');
  let nowMs = 0;
  const store = createSqliteStore({ file, clock: () => nowMs });
  for (let at = 0; at < 700; at += 1) await store.put(`a:${at}`, 'value', { ttlSeconds: 1 });
  await store.increment('a:1', { ttlSeconds: 1 });
  await store.indexAdd('a:1', 'member', 1, 1);
  await store.put('a:kept', 'value', { ttlSeconds: 60 });
  nowMs = 2000;
  const reader = new DatabaseSync(file, { readOnly: true });
  const rows = (table: string): unknown =>
    reader.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count'];
  await vi.waitFor(
    () => {
      const left = ['records', 'counters', 'indices', 'index_entries'].map(rows);
      expect(left).toEqual([1, 0, 0, 0]);
    },
    { timeout: 15_000, interval: 200 },
  );
  reader.close();
  await store.close();
});

test.each([
  ['of a later version', 'CREATE TABLE records (a); PRAGMA user_version = 99'],
  ['of another program', 'CREATE TABLE songs (a)'],
])('a file %s is refused and left as it is', (_, sql) => {
  const file = join(directory, `${sql.length}.sqlite`);
  const other = new DatabaseSync(file);
  other.exec(sql);
  other.close();
  expect(() => createSqliteStore({ file, clock: Date.now })).toThrow(/schema/);
  const left = new DatabaseSync(file);
  const tables = left.prepare('SELECT count(*) AS count FROM sqlite_schema').get();
  expect(tables?.['count']).toBe(1);
  left.close();
});

test('a file that another process holds does not end this one when it tidies up', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const rejections: unknown[] = [];
  const note = (error: unknown): void => void rejections.push(error);
  process.on('unhandledRejection', note);
  const file = join(directory, 'held.sqlite');
  const store = createSqliteStore({ file, clock: Date.now });
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  expect(() => vi.advanceTimersByTime(1_000)).not.toThrow();
  await new Promise((resolve) => setImmediate(resolve));
  other.exec('COMMIT');
  other.close();
  await store.close();
  process.off('unhandledRejection', note);
  vi.useRealTimers();
  expect(rejections).toEqual([]);
});
