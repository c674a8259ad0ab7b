/**
 * A lifetime as the port wants it. A zero or a fraction is a mistake of the caller's that drivers
 * would take differently, one of them as "for ever".
 */
export function wholeSeconds<T extends number | undefined>(ttlSeconds: T): T {
  if (ttlSeconds !== undefined && !(Number.isSafeInteger(ttlSeconds) && ttlSeconds >= 1)) {
    throw new RangeError(`a TTL is a whole number of seconds from 1 on, not ${ttlSeconds}`);
  }
  return ttlSeconds;
}
