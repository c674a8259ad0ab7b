/**
 * Everything that a database holds, as it lies there: sealed where the store is sealed. For backups alone; the rest
 * of the program knows the store by its verbs.
 */
import type { Clock } from '../domain/environment.ts';
import type { Store } from './store.ts';

/** `untilMs` is absent of what stays until it is deleted. An index with many members comes in pieces. */
export type RawEntry = { untilMs?: number } & (
  | { record: string; value: string }
  | { counter: string; count: number }
  | { index: string; members: [member: string, score: number][] }
);

export interface RawStore {
  /** The driver itself, with nothing around it. */
  store: Store;
  /** All that lives, in no order. Windows of limits are left out: they are nothing to keep. */
  entries: () => AsyncIterable<RawEntry> | Iterable<RawEntry>;
}

export const membersInPiece = 500;

/** @throws for a database in memory, which nobody else can look at. */
export async function openRaw(url: string, clock: Clock): Promise<RawStore> {
  const file = /^sqlite:(.+)$/.exec(url)?.[1];
  if (file === ':memory:') throw new Error('a store in memory can be neither saved nor restored');
  if (file !== undefined) {
    const { createSqliteStore } = await import('./sqlite.ts');
    const { sqliteEntries } = await import('./raw-sqlite.ts');
    const store = createSqliteStore({ file, clock });
    return { store, entries: () => sqliteEntries(file, clock) };
  }
  const { parseRedisUrl } = await import('./redis-url.ts');
  const { connectRedis } = await import('./redis-client.ts');
  const { createRedisStore } = await import('./redis.ts');
  const { redisEntries } = await import('./raw-redis.ts');
  const redis = await connectRedis(parseRedisUrl(url), { warn: () => undefined });
  return { store: createRedisStore(redis), entries: () => redisEntries(redis, clock) };
}

export const nameOf = (entry: RawEntry): string =>
  'record' in entry ? entry.record : 'counter' in entry ? entry.counter : entry.index;
