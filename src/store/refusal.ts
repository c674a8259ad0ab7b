/** Why the store did not do what it was asked for, in words for who runs it: what the drivers' errors mean. */
import { StoreUnavailable } from './store.ts';

/** By the first word of a reply of Redis, which is its code. */
const redisReplies: Readonly<Record<string, string>> = {
  OOM: 'the store is full: Redis has reached its maxmemory',
  MISCONF: 'the store refuses writes: Redis cannot save to its disk',
  READONLY: 'the store refuses writes: this Redis is a replica',
  NOREPLICAS: 'the store refuses writes: Redis has fewer replicas than min-replicas-to-write',
  LOADING: 'the store is not ready: Redis is loading its data',
  CLUSTERDOWN: 'the store does not answer: a part of the Redis Cluster is down',
  NOAUTH: 'the store refuses us: Redis wants a password',
  WRONGPASS: 'the store refuses us: Redis does not know this password',
  NOPERM: 'the store refuses us: this user of Redis may not do what it takes',
};

/** By SQLite's result code; extended ones have it in their lowest byte. */
const sqliteResults: Readonly<Record<number, string>> = {
  5: 'the store does not answer: the database is locked by another process',
  8: 'the store refuses writes: the database is read-only',
  10: 'the store fails: the disk cannot be read or written',
  11: 'the store fails: the database is damaged',
  13: 'the store is full: no space is left for the database',
  14: 'the store fails: the database cannot be opened',
  26: 'the store fails: the file is no database',
};

export function whyStoreFailed(error: unknown): string {
  const cause = error instanceof StoreUnavailable ? error.cause : error;
  const { message = '', errcode } = (cause ?? {}) as { message?: string; errcode?: number };
  const said = redisReplies[message.split(' ', 1)[0] ?? ''];
  const result = errcode === undefined ? undefined : sqliteResults[errcode & 0xff];
  return said ?? result ?? 'the store does not answer';
}
