/**
 * The codes that this process has seen used, for as long as a code lives. The store says so too, and is what all
 * processes go by; but a database that is restored, or a replica that takes over, may have forgotten its last second.
 */
import type { Clock } from '../domain/environment.ts';

export interface UsedCodes {
  add(id: string): void;
  /** When it was used, in seconds since 1970; undefined when this process knows of no use. */
  at(id: string): number | undefined;
}

/** A code lives for 60 seconds, and clocks may differ by 15. */
const rememberForSeconds = 75;

export function createUsedCodes(clock: Clock): UsedCodes {
  // In the order of their use, so those that can be forgotten come first.
  const usedAt = new Map<string, number>();
  const now = (): number => Math.floor(clock() / 1000);

  return {
    add(id) {
      for (const [old, at] of usedAt) {
        if (at + rememberForSeconds >= now()) break;
        usedAt.delete(old);
      }
      usedAt.set(id, now());
    },
    at: (id) => usedAt.get(id),
  };
}
