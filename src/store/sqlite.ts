/**
 * The embedded driver: a file for an installation on one machine, `:memory:` for the demo and for
 * tests.
 *
 * SQLite answers synchronously, and so every verb is one uninterrupted step; only one process may
 * serve from a file, since subscriptions live in the process. What has expired is invisible at
 * once, by comparison with the clock; sweeping it away later only saves space.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../domain/environment.ts';
import { createChannels } from './channels.ts';
import { inOneStep, never, openDatabase } from './sqlite-schema.ts';
import { createWindows } from './sqlite-windows.ts';
import type { Driver, IndexEntry, PutOptions, Stored } from './store.ts';
import { wholeSeconds } from './ttl.ts';
import { newVersion } from './version.ts';

const sweepEveryMs = 1000;
/** Small enough that a sweep never holds up a request for long. */
const sweepRows = 500;
const scanRows = 100;

export function createSqliteStore({ file, clock }: { file: string; clock: Clock }): Driver {
  const database = openDatabase(file);
  const sql = prepareStatements(database);
  const windows = createWindows(database);
  const channels = createChannels();
  const sweeper = setInterval(sweep, sweepEveryMs).unref();

  function expiry(ttlSeconds: number | undefined): number {
    const seconds = wholeSeconds(ttlSeconds);
    return seconds === undefined ? never : clock() + seconds * 1000;
  }

  function read(key: string): Stored | undefined {
    const row = sql.get.get(key, clock());
    return row && ({ ...row } as unknown as Stored);
  }

  function put(key: string, value: string, options: PutOptions): string | undefined {
    const { ttlSeconds, ifAbsent = false, ifVersion } = options;
    const version = newVersion();
    const record = { key, value, version, expiresAtMs: expiry(ttlSeconds) };
    const { changes } =
      ifVersion !== undefined
        ? sql.replace.run({ ...record, ifVersion, nowMs: clock() })
        : sql.put.run({ ...record, ifAbsent: Number(ifAbsent), nowMs: clock() });
    return changes === 1 ? version : undefined;
  }

  function increment(key: string, by: number, ttlSeconds: number): number {
    const row = sql.increment.get({ key, by, expiresAtMs: expiry(ttlSeconds), nowMs: clock() });
    return (row as { value: number }).value;
  }

  function indexAdd(name: string, member: string, score: number, ttlSeconds?: number): void {
    const expiresAtMs = expiry(ttlSeconds);
    inOneStep(database, () => {
      sql.dropExpiredIndex.run(name, clock());
      sql.prolongIndex.run(name, expiresAtMs);
      sql.indexAdd.run(name, member, score);
    });
  }

  async function* scan(from: string, end: string): AsyncGenerator<Stored & { key: string }> {
    // A page at a time, so that no read stays open while the caller is busy with a record.
    let after = from;
    for (;;) {
      const page = await settled(() => sql.scan.all(after, end, clock(), scanRows));
      for (const row of page as unknown as (Stored & { key: string })[]) {
        after = row.key;
        yield { key: row.key, value: row.value, version: row.version };
      }
      if (page.length < scanRows) return;
    }
  }

  function sweep(): void {
    // Another process may hold the file, or the disk be full. What is over is invisible all the same.
    settled(() => {
      for (const statement of sql.sweeps) statement.run(clock(), sweepRows);
    }).catch(() => undefined);
  }

  return {
    get: (key) => settled(() => read(key)),
    getMany: (keys) => settled(() => keys.map(read)),
    put: (key, value, options = {}) => settled(() => put(key, value, options)),
    take: (key) => settled(() => sql.take.get(key, clock())?.['value'] as string | undefined),
    delete: (key) => settled(() => sql.delete.run(key, clock()).changes === 1),
    increment: (key, { by = 1, ttlSeconds }) => settled(() => increment(key, by, ttlSeconds)),
    spend: (key, wanted, ttlSeconds) =>
      settled(() => windows.spend(key, wanted, expiry(ttlSeconds), clock())),
    refund: (key, wanted) => settled(() => windows.refund(key, wanted, clock())),
    indexAdd: (...entry) => settled(() => indexAdd(...entry)),
    indexRemove: (name, member) =>
      settled(() => sql.indexRemove.run(name, member, clock()).changes === 1),
    indexRange: (name, { min, max, limit }) =>
      settled(() => {
        const rows = sql.indexRange.all(name, clock(), min, max, limit);
        return (rows as unknown as IndexEntry[]).map(({ member, score }) => ({ member, score }));
      }),
    scan: (kind) => scan(`${kind}:`, `${kind};`), // ";" follows ":" in every encoding.
    scanAll: () => scan('', '\u{10FFFF}'),
    rewrite: (key, value, version) =>
      settled(() => sql.rewrite.run(value, key, version, clock()).changes === 1),
    // Not within the publisher's own call: a listener must not be able to fail its publisher.
    publish: (channel, message) =>
      settled(() => void setImmediate(() => channels.deliver(channel, message))),
    subscribe: (channel, listener) =>
      settled(() => {
        const leave = channels.listen(channel, listener);
        return () => settled(() => void leave());
      }),
    ping: () => settled(() => void database.prepare('SELECT 1').get()),
    close: () =>
      settled(() => {
        clearInterval(sweeper);
        database.close();
      }),
  };
}

/** The outcome of synchronous work as a promise: what it throws becomes a rejection. */
function settled<T>(work: () => T): Promise<T> {
  return new Promise((resolve) => resolve(work()));
}

function prepareStatements(database: DatabaseSync) {
  const alive = 'expires_at_ms > ?';
  const write = 'value = $value, version = $version, expires_at_ms = $expiresAtMs';
  return {
    get: database.prepare(`SELECT value, version FROM records WHERE key = ? AND ${alive}`),
    put: database.prepare(`
      INSERT INTO records (key, value, version, expires_at_ms)
      VALUES ($key, $value, $version, $expiresAtMs)
      ON CONFLICT DO UPDATE SET ${write} WHERE NOT $ifAbsent OR records.expires_at_ms <= $nowMs`),
    replace: database.prepare(`
      UPDATE records SET ${write}
      WHERE key = $key AND version = $ifVersion AND expires_at_ms > $nowMs`),
    rewrite: database.prepare(
      `UPDATE records SET value = ? WHERE key = ? AND version = ? AND ${alive}`,
    ),
    take: database.prepare(`DELETE FROM records WHERE key = ? AND ${alive} RETURNING value`),
    delete: database.prepare(`DELETE FROM records WHERE key = ? AND ${alive}`),
    increment: database.prepare(`
      INSERT INTO counters (key, value, expires_at_ms) VALUES ($key, $by, $expiresAtMs)
      ON CONFLICT DO UPDATE SET
        value = iif(expires_at_ms > $nowMs, value, 0) + $by,
        expires_at_ms = iif(expires_at_ms > $nowMs, expires_at_ms, $expiresAtMs)
      RETURNING value`),
    dropExpiredIndex: database.prepare(`DELETE FROM indices WHERE name = ? AND NOT ${alive}`),
    prolongIndex: database.prepare(`
      INSERT INTO indices (name, expires_at_ms) VALUES (?, ?)
      ON CONFLICT DO UPDATE SET expires_at_ms = max(expires_at_ms, excluded.expires_at_ms)`),
    indexAdd: database.prepare(`
      INSERT INTO index_entries (name, member, score) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET score = excluded.score`),
    indexRemove: database.prepare(`
      DELETE FROM index_entries WHERE name = ? AND member = ?
        AND name IN (SELECT name FROM indices WHERE ${alive})`),
    indexRange: database.prepare(`
      SELECT member, score FROM index_entries JOIN indices USING (name)
      WHERE name = ? AND ${alive} AND score BETWEEN ? AND ? ORDER BY score, member LIMIT ?`),
    scan: database.prepare(`
      SELECT key, value, version FROM records
      WHERE key > ? AND key < ? AND ${alive} ORDER BY key LIMIT ?`),
    sweeps: ['records', 'counters', 'indices'].map((table) =>
      database.prepare(`
        DELETE FROM ${table}
        WHERE rowid IN (SELECT rowid FROM ${table} WHERE NOT ${alive} LIMIT ?)`),
    ),
  };
}
