/**
 * A key that the store keeps for the processes, and that is rotated: the next one is there before it is used, so that
 * all of them change over at the same moment.
 */
import type { Clock, Random } from '../domain/environment.ts';
import { type Store, update } from './store.ts';

interface Kept {
  schema: 1;
  secret: string;
  sinceMs?: number;
  next?: { secret: string; fromMs: number };
}

export interface RotatingSecret {
  secret: string;
  /** Absent for the first one. */
  sinceMs?: number | undefined;
  /** When another one takes its place. */
  nextMs?: number | undefined;
}

const keyBytes = 32;

export function createRotatingSecret(
  store: Pick<Store, 'get' | 'put'>,
  use: string,
  { clock, random }: { clock: Clock; random: Random },
) {
  const key = `rotating-secret:${use}`;

  /** Made by whoever asks first. */
  function load(): Promise<RotatingSecret> {
    return update(store, key, (current) => {
      const kept = parse(current);
      if (kept) return { result: asOf(kept, clock()) };
      const first: Kept = { schema: 1, secret: random(keyBytes) };
      return { value: JSON.stringify(first), result: asOf(first, clock()) };
    });
  }

  /** Another one from then on. One that was waiting for its time is forgotten. */
  function rotate(fromMs: number): Promise<RotatingSecret> {
    return update(store, key, (current) => {
      const now = clock();
      const { secret, sinceMs } = asOf(
        parse(current) ?? { schema: 1, secret: random(keyBytes) },
        now,
      );
      const next = { secret: random(keyBytes), fromMs };
      const kept: Kept = { schema: 1, secret, ...(sinceMs === undefined ? {} : { sinceMs }), next };
      return { value: JSON.stringify(kept), result: asOf(kept, now) };
    });
  }

  return { load, rotate };
}

function parse(text: string | undefined): Kept | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Kept);
}

function asOf({ secret, sinceMs, next }: Kept, nowMs: number): RotatingSecret {
  if (!next) return { secret, sinceMs };
  if (next.fromMs <= nowMs) return { secret: next.secret, sinceMs: next.fromMs };
  return { secret, sinceMs, nextMs: next.fromMs };
}
