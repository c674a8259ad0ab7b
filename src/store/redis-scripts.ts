/**
 * What no single command of Redis does. Each script touches one key, so it runs in a cluster as it
 * is.
 */
import type { RedisClient } from './redis-client.ts';
import { versionLength } from './version.ts';

/** Reads the version only, not the value behind it, which may be a picture. */
const replace = `
  if redis.call('GETRANGE', KEYS[1], 0, ${versionLength - 1}) ~= ARGV[1] then return 0 end
  if ARGV[3] == '0' then
    redis.call('SET', KEYS[1], ARGV[2])
  else
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
  end
  return 1`;

const countUp = `
  local isNew = redis.call('EXISTS', KEYS[1]) == 0
  local value = redis.call('INCRBY', KEYS[1], ARGV[1])
  if isNew then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
  return value`;

/** A window is a field of a hash, and reads `bucket:count`. The arguments are name, bucket, limit and step of each. */
const countIn = `
  local function countIn(at)
    local field = redis.call('HGET', KEYS[1], ARGV[at])
    local bucket, count = string.match(field or '', '^(%d+):(%d+)$')
    return bucket == ARGV[at + 1] and tonumber(count) or 0
  end`;

const spend = `${countIn}
  for at = 2, #ARGV, 4 do
    if countIn(at) >= tonumber(ARGV[at + 2]) then return (at - 2) / 4 end
  end
  for at = 2, #ARGV, 4 do
    if ARGV[at + 3] == '1' then
      redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1] .. ':' .. (countIn(at) + 1))
    end
  end
  redis.call('EXPIRE', KEYS[1], ARGV[1])
  return -1`;

const refund = `${countIn}
  for at = 1, #ARGV, 4 do
    local count = countIn(at)
    if count > 0 and ARGV[at + 3] == '1' then
      redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1] .. ':' .. (count - 1))
    end
  end
  return 0`;

/** A TTL only ever lengthens an index; none at all, written as 0, is the longest. */
const indexAdd = `
  local isNew = redis.call('EXISTS', KEYS[1]) == 0
  redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
  local ttl = tonumber(ARGV[3])
  local left = redis.call('PTTL', KEYS[1])
  if ttl == 0 then
    redis.call('PERSIST', KEYS[1])
  elseif isNew or (left >= 0 and left < ttl * 1000) then
    redis.call('EXPIRE', KEYS[1], ttl)
  end
  return 0`;

export interface Scripts {
  replace(key: string, version: string, record: string, ttlSeconds: number): Promise<0 | 1>;
  countUp(key: string, by: number, ttlSeconds: number): Promise<number>;
  /** @returns the index of the first full window, or -1. */
  spend(key: string, ttlSeconds: number, ...windows: (string | number)[]): Promise<number>;
  refund(key: string, ...windows: (string | number)[]): Promise<0>;
  indexAdd(key: string, score: number, member: string, ttlSeconds: number): Promise<0>;
}

export function defineScripts(client: RedisClient): Scripts {
  for (const [name, lua] of Object.entries({ replace, countUp, spend, refund, indexAdd })) {
    client.defineCommand(name, { lua, numberOfKeys: 1 });
  }
  return client as RedisClient & Scripts;
}
