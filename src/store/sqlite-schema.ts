import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const schemaVersion = 1;

/** Records that never expire carry this instead of a null, so that one comparison serves all. */
export const never = Number.MAX_SAFE_INTEGER;

const schema = `
  CREATE TABLE records (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, version TEXT NOT NULL, expires_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX records_by_expiry ON records (expires_at_ms);

  CREATE TABLE counters (
    key TEXT PRIMARY KEY, value INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX counters_by_expiry ON counters (expires_at_ms);

  CREATE TABLE indices (name TEXT PRIMARY KEY, expires_at_ms INTEGER NOT NULL) STRICT;
  CREATE INDEX indices_by_expiry ON indices (expires_at_ms);

  CREATE TABLE index_entries (
    name TEXT NOT NULL REFERENCES indices ON DELETE CASCADE,
    member TEXT NOT NULL, score REAL NOT NULL, PRIMARY KEY (name, member)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX index_entries_by_score ON index_entries (name, score, member);

  PRAGMA user_version = ${schemaVersion};
`;

/** Opens the file, or `:memory:`, and makes the tables when it is new. */
export function openDatabase(file: string): DatabaseSync {
  if (file !== ':memory:') createPrivately(file);
  // Another process, such as a command of the operator's, may hold the file for a moment.
  const database = new DatabaseSync(file, { timeout: 2000 });
  try {
    // FULL, since WAL's usual NORMAL may lose the last commits with the power, a consumed code
    // among them.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    prepareSchema(database, file);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** SQLite gives the files beside the database the permissions of the database itself. */
function createPrivately(file: string): void {
  closeSync(openSync(file, 'a', 0o600));
  chmodSync(file, 0o600);
}

function prepareSchema(database: DatabaseSync, file: string): void {
  const found = database.prepare('PRAGMA user_version').get()?.['user_version'];
  if (found === schemaVersion) return;
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'];
  if (found !== 0 || tables !== 0) {
    throw new Error(
      `"${file}" has the schema ${String(found)}; this program knows ${schemaVersion}`,
    );
  }
  database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT;`);
}

/** All of `work` or nothing of it, and nobody else's in between. */
export function inOneStep<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
