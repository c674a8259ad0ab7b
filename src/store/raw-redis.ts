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
    for await (const members of piecesOf(client, name)) yield { index: key, members, ...end };
    return;
  }
  const text = await client.get(name);
  // It ended between two questions.
  if (text === null) return;
  if (prefix === counterPrefix) yield { counter: key, count: Number(text), ...end };
  else yield { record: key, value: unpack(text).value, ...end };
}

/** Scanned, since a member that leaves moves all behind it to another rank; each once, though a scan may name it twice. */
async function* piecesOf(
  client: RedisClient,
  name: string,
): AsyncGenerator<[member: string, score: number][]> {
  const seen = new Set<string>();
  let cursor = '0';
  do {
    const [next, flat] = await client.zscan(name, cursor, 'COUNT', membersInPiece);
    cursor = next;
    const members: [string, number][] = [];
    for (let at = 0; at < flat.length; at += 2) {
      const member = flat[at] ?? '';
      if (!seen.has(member)) members.push([member, Number(flat[at + 1])]);
      seen.add(member);
    }
    if (members.length > 0) yield members;
  } while (cursor !== '0');
}
