import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../domain/environment.ts';
import { type RawEntry, membersInPiece } from './raw.ts';
import { never } from './sqlite-schema.ts';

interface Row {
  key: string;
  value: string & number;
  expires_at_ms: number;
}

/** In one read transaction, and so as everything stood in one moment. */
export function* sqliteEntries(file: string, clock: Clock): Generator<RawEntry> {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 2000 });
  const alive = 'expires_at_ms > ?';
  const rows = (sql: string): Iterable<Row> =>
    database.prepare(sql).iterate(clock()) as unknown as Iterable<Row>;
  try {
    database.exec('BEGIN');
    for (const row of rows(`SELECT key, value, expires_at_ms FROM records WHERE ${alive}`)) {
      yield { record: row.key, value: row.value, ...end(row) };
    }
    for (const row of rows(`SELECT key, value, expires_at_ms FROM counters WHERE ${alive}`)) {
      yield { counter: row.key, count: row.value, ...end(row) };
    }
    const members = database.prepare(
      'SELECT member, score FROM index_entries WHERE name = ? ORDER BY member',
    );
    const indices = `SELECT name AS key, expires_at_ms FROM indices WHERE ${alive}`;
    for (const row of rows(indices)) {
      let piece: [string, number][] = [];
      for (const { member, score } of members.iterate(row.key)) {
        piece.push([String(member), Number(score)]);
        if (piece.length < membersInPiece) continue;
        yield { index: row.key, members: piece, ...end(row) };
        piece = [];
      }
      if (piece.length > 0) yield { index: row.key, members: piece, ...end(row) };
    }
  } finally {
    database.close();
  }
}

const end = ({ expires_at_ms: untilMs }: Row): { untilMs?: number } =>
  untilMs === never ? {} : { untilMs };
