/** Attempts in the store: one record an interaction, changed only by `transition` under compare-and-set. */
import { type Attempt, type AttemptEvent, type Transition, transition } from '../domain/attempt.ts';
import type { Clock } from '../domain/environment.ts';
import { isOver } from '../domain/standing.ts';
import { type Store, type Stored, update } from './store.ts';

/** An attempt as it was read, with what is needed to save it without reading it again. */
export interface LoadedAttempt {
  attempt: Attempt;
  stored: Stored;
}

/**
 * What became of an event. `changed`: by this very call, and not by an equal one before it; then `stored` is the record
 * as it is now, for whoever goes on with it.
 */
export type Proposed = Transition & { changed: boolean; stored?: Stored };

export type Attempts = ReturnType<typeof createAttempts>;

/** An ended attempt stays readable this long, so that a late browser is told what happened. */
const afterlifeSeconds = 900;

/** @param ended is told of each attempt that is over, once. */
export function createAttempts(
  store: Store,
  clock: Clock,
  ended: (attempt: Attempt) => void = () => undefined,
) {
  const keyOf = (interactionUid: string): string => `attempt:${interactionUid}`;

  function ttlSeconds(attempt: Attempt): number {
    return Math.max(1, Math.ceil((attempt.expiresAtMs - clock()) / 1000)) + afterlifeSeconds;
  }

  function parse(stored: Stored): LoadedAttempt {
    const attempt = JSON.parse(stored.value) as Attempt;
    // An attempt lives for minutes; one of a newer release can only be met during a rolling upgrade.
    if ((attempt.schema as number) !== 1) throw new Error('an attempt of an unknown schema');
    return { attempt, stored };
  }

  async function load(interactionUid: string): Promise<LoadedAttempt | undefined> {
    const stored = await store.get(keyOf(interactionUid));
    return stored && parse(stored);
  }

  /** Saves the interaction's first attempt; when another request was faster, answers with that one. */
  async function start(attempt: Attempt): Promise<Attempt> {
    const key = keyOf(attempt.interactionUid);
    const value = JSON.stringify(attempt);
    if (await store.put(key, value, { ttlSeconds: ttlSeconds(attempt), ifAbsent: true })) {
      return attempt;
    }
    return (await load(attempt.interactionUid))?.attempt ?? attempt;
  }

  /** Puts a new attempt in the place of one that is over. @returns false when somebody else did something first. */
  async function replace(old: LoadedAttempt, next: Attempt): Promise<boolean> {
    const options = { ttlSeconds: ttlSeconds(next), ifVersion: old.stored.version };
    const written = await store.put(keyOf(next.interactionUid), JSON.stringify(next), options);
    return written !== undefined;
  }

  /**
   * Proposes an event, or several of one moment: the first that is refused is the last that is looked at. Nothing is
   * written when they change nothing.
   * @param of the attempt that they are about; another one in its place refuses them.
   */
  async function propose(
    of: { interactionUid: string; id: string },
    events: AttemptEvent | readonly AttemptEvent[],
    known?: LoadedAttempt,
  ): Promise<Proposed> {
    let stored: Stored | undefined;
    const proposed = await update<Proposed>(
      store,
      keyOf(of.interactionUid),
      (current) => {
        if (current === undefined) throw new AttemptGone();
        const attempt = JSON.parse(current) as Attempt;
        if (attempt.id !== of.id) return { result: { attempt, refused: 'over', changed: false } };
        const next = takeAll(attempt, [events].flat());
        const result = { ...next, changed: next.attempt !== attempt };
        if (!result.changed) return { result };
        return {
          value: JSON.stringify(result.attempt),
          ttlSeconds: ttlSeconds(result.attempt),
          result,
        };
      },
      known?.stored,
      (record) => (stored = record),
    );
    if (proposed.changed && isOver(proposed.attempt)) ended(proposed.attempt);
    return stored ? { ...proposed, stored } : proposed;
  }

  function takeAll(attempt: Attempt, events: readonly AttemptEvent[]): Transition {
    let taken: Transition = { attempt };
    for (const event of events) {
      taken = transition(taken.attempt, event, clock());
      if (taken.refused) break;
    }
    return taken;
  }

  return { load, start, replace, propose };
}

/** The record is no longer there: its time was over, or the store lost it. */
export class AttemptGone extends Error {}
