/** The windows of a counter in SQLite: each is a counter of its own, and all are counted in one step. */
import type { DatabaseSync } from 'node:sqlite';
import { inOneStep } from './sqlite-schema.ts';
import type { Window } from './store.ts';

export function createWindows(database: DatabaseSync) {
  const alive = 'expires_at_ms > $nowMs';
  const sql = {
    count: database.prepare(`SELECT value FROM counters WHERE key = $key AND ${alive}`),
    up: database.prepare(`
      INSERT INTO counters (key, value, expires_at_ms) VALUES ($key, $by, $expiresAtMs)
      ON CONFLICT DO UPDATE SET value = iif(${alive}, value, 0) + $by, expires_at_ms = $expiresAtMs`),
    down: database.prepare(
      `UPDATE counters SET value = max(value - $by, 0) WHERE key = $key AND ${alive}`,
    ),
  };

  function isFull(key: string, window: Window, nowMs: number): boolean {
    const row = sql.count.get({ key: keyOf(key, window), nowMs });
    const count = (row as { value: number } | undefined)?.value ?? 0;
    return count + Math.max(stepOf(window), 1) > window.atMost;
  }

  return {
    spend: (key: string, windows: readonly Window[], expiresAtMs: number, nowMs: number) =>
      inOneStep(database, () => {
        const full = windows.find((window) => isFull(key, window, nowMs));
        if (full) return full;
        for (const window of counted(windows)) {
          const by = stepOf(window);
          sql.up.run({ key: keyOf(key, window), by, expiresAtMs, nowMs });
        }
        return undefined;
      }),

    refund: (key: string, windows: readonly Window[], nowMs: number) =>
      inOneStep(database, () => {
        for (const window of counted(windows)) {
          sql.down.run({ key: keyOf(key, window), by: stepOf(window), nowMs });
        }
      }),
  };
}

function counted(windows: readonly Window[]): readonly Window[] {
  return windows.filter((window) => stepOf(window) > 0);
}

const stepOf = ({ by = 1 }: Window): number => by;

function keyOf(key: string, { name, bucket }: Window): string {
  return `${key} ${name} ${bucket}`;
}
