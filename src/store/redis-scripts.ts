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

/** Another text, the same version, the same end. */
const rewrite = `
  if redis.call('GETRANGE', KEYS[1], 0, ${versionLength - 1}) ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
  return 1`;

const countUp = `
  local isNew = redis.call('EXISTS', KEYS[1]) == 0
  local value = redis.call('INCRBY', KEYS[1], ARGV[1])
  if isNew then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
  return value`;

/** A window is a field of a hash, and reads `bucket:count`. The arguments are name, bucket, limit and step of each. */
const windows = `
  local function read(at)
    local field = redis.call('HGET', KEYS[1], ARGV[at])
    local bucket, count = string.match(field or '', '^(%d+):(%d+)$')
    return tonumber(bucket) or -1, tonumber(count) or 0
  end
  local function write(at, bucket, count)
    redis.call('HSET', KEYS[1], ARGV[at], string.format('%d:%d', bucket, count))
  end`;

/** A process whose clock is behind counts in the window that others have begun: the one before is over for all. */
const spend = `${windows}
  local function standing(at)
    local bucket, count = read(at)
    local asked = tonumber(ARGV[at + 1])
    if bucket < asked then return asked, 0 end
    return bucket, count
  end
  for at = 2, #ARGV, 4 do
    local most = tonumber(ARGV[at + 2])
    local _, count = standing(at)
    if count + math.max(tonumber(ARGV[at + 3]), 1) > most then return (at - 2) / 4 end
  end
  for at = 2, #ARGV, 4 do
    local by = tonumber(ARGV[at + 3])
    local bucket, count = standing(at)
    if by > 0 then write(at, bucket, count + by) end
  end
  redis.call('EXPIRE', KEYS[1], ARGV[1])
  return -1`;

/** What was counted in a window that is over is not taken from another. */
const refund = `${windows}
  for at = 1, #ARGV, 4 do
    local bucket, count = read(at)
    local by = tonumber(ARGV[at + 3])
    local isIts = bucket == tonumber(ARGV[at + 1])
    if isIts and count > 0 and by > 0 then write(at, bucket, math.max(count - by, 0)) end
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
  rewrite(key: string, version: string, record: string): Promise<0 | 1>;
  countUp(key: string, by: number, ttlSeconds: number): Promise<number>;
  /** @returns the index of the first full window, or -1. */
  spend(key: string, ttlSeconds: number, ...windows: (string | number)[]): Promise<number>;
  refund(key: string, ...windows: (string | number)[]): Promise<0>;
  indexAdd(key: string, score: number, member: string, ttlSeconds: number): Promise<0>;
}

const scripts = { replace, rewrite, countUp, spend, refund, indexAdd };

export function defineScripts(client: RedisClient): Scripts {
  for (const [name, lua] of Object.entries(scripts)) {
    client.defineCommand(name, { lua, numberOfKeys: 1 });
  }
  return client as RedisClient & Scripts;
}
