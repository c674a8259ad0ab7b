/**
 * Random bytes in small pieces. A login takes some thirty of them, and to ask the operating system's generator for
 * a few bytes costs as much as to ask for thousands; so thousands are asked for, and each byte is given out once.
 */
import { randomFillSync } from 'node:crypto';

const poolBytes = 4096;
const pool = Buffer.allocUnsafeSlow(poolBytes);
let used = poolBytes;

/** @param length at most 4096. @returns bytes of the caller's own, as unpredictable as any. */
export function smallRandom(length: number): Buffer {
  if (used + length > poolBytes) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Buffer.from(pool.subarray(used, used + length));
  // What was given out is not kept.
  pool.fill(0, used, used + length);
  used += length;
  return bytes;
}
