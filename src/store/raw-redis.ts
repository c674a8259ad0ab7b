import type { Redis } from 'ioredis';
import type { Clock } from '../domain/environment.ts';
import { type RawEntry, membersInPiece } from './raw.ts';
import { counterPrefix, indexPrefix, recordPrefix, unpack } from './redis.ts';
import { type RedisClient, mastersOf } from './redis-client.ts';

/** Few at once, since a picture may be behind each name. */
const namesAtOnce = 20;

/** As it stands when it is read: what changes meanwhile may come old or new. */
export async function* redisEntries(client: RedisClient, clock: Clock): AsyncGenerator<RawEntry> {
  for (const prefix of [recordPrefix, counterPrefix, indexPrefix]) {
    for (const server of mastersOf(client)) {
      // A server that rearranges itself may name the same key twice.
      const seen = new Set<string>();
      for await (const name of namesOn(server, `${prefix}*`)) {
        if (seen.has(name)) continue;
        seen.add(name);
        yield* entriesOf(client, name, prefix, clock);
      }
    }
  }
}

async function* namesOn(server: Redis, pattern: string): AsyncGenerator<string> {
  let cursor = '0';
  do {
    const [next, names] = await server.scan(cursor, 'MATCH', pattern, 'COUNT', namesAtOnce);
    cursor = next;
    yield* names;
  } while (cursor !== '0');
}

async function* entriesOf(
  client: RedisClient,
  name: string,
  prefix: string,
  clock: Clock,
): AsyncGenerator<RawEntry> {
  const key = name.slice(prefix.length);
  const leftMs = await client.pttl(name);
  const end = leftMs < 0 ? {} : { untilMs: clock() + leftMs };
  if (prefix === indexPrefix) {
    for (let from = 0; ; from += membersInPiece) {
      const flat = await client.zrange(
        name,
        String(from),
        String(from + membersInPiece - 1),
        'WITHSCORES',
      );
      const members = Array.from({ length: flat.length / 2 }, (_, at): [string, number] => [
        flat[2 * at] ?? '',
        Number(flat[2 * at + 1]),
      ]);
      if (members.length > 0) yield { index: key, members, ...end };
      if (members.length < membersInPiece) return;
    }
  }
  const text = await client.get(name);
  // It ended between two questions.
  if (text === null) return;
  if (prefix === counterPrefix) yield { counter: key, count: Number(text), ...end };
  else yield { record: key, value: unpack(text).value, ...end };
}
