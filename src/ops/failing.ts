/**
 * That Didit fails, as the processes see it: one record that all of them keep alive for as long as their breakers are
 * not closed. Of many one tells of the beginning and of the end. Where nobody keeps it alive any more, since those who
 * did have ended or answer by other breakers, it is over, and whoever looks tells.
 */
import type { Clock } from '../domain/environment.ts';
import type { RaiseAlarm, Record } from '../domain/event.ts';
import type { CircuitState } from '../domain/outage.ts';
import { type Store, update } from '../store/store.ts';

interface Failing {
  sinceMs: number;
  /** When somebody last saw it fail, or had no reason to think otherwise. */
  lastMs: number;
}

export interface FailingTools {
  store: Pick<Store, 'get' | 'put' | 'take'>;
  clock: Clock;
  record: Record;
  alarm: RaiseAlarm;
}

const key = 'didit-failing';
const keptSeconds = 40 * 86_400;
export const failingLookEveryMs = 60_000;
/** Three looks that nobody took. */
const aliveForMs = 3 * failingLookEveryMs;

const parse = (value: string | undefined): Failing | undefined =>
  value === undefined ? undefined : (JSON.parse(value) as Failing);

const isAlive = ({ lastMs }: Failing, nowMs: number): boolean => nowMs - lastMs < aliveForMs;

/** Since when Didit fails, for whoever asks from outside; undefined where it does not. */
export async function failingSince(
  store: Pick<Store, 'get'>,
  clock: Clock,
): Promise<number | undefined> {
  const failing = parse((await store.get(key))?.value);
  return failing && isAlive(failing, clock()) ? failing.sinceMs : undefined;
}

export function createFailingWatch({ store, clock, record, alarm }: FailingTools) {
  /** Of the outage that this process is in, by its own breaker. */
  let mineSinceMs: number | undefined;
  let doing: Promise<void> = Promise.resolve();

  const isMine = (failing: Failing): boolean => failing.sinceMs === mineSinceMs;

  function tell(event: 'outage.began' | 'outage.ended'): void {
    record({ event, atMs: clock(), reason: 'failing' });
  }

  async function fails(): Promise<void> {
    const nowMs = clock();
    const before = await update(store, key, (current) => {
      const found = parse(current);
      const goesOn = found !== undefined && (isMine(found) || isAlive(found, nowMs));
      const next: Failing = { sinceMs: goesOn ? found.sinceMs : nowMs, lastMs: nowMs };
      const result = { found, goesOn, sinceMs: next.sinceMs };
      return { value: JSON.stringify(next), ttlSeconds: keptSeconds, result };
    });
    mineSinceMs = before.sinceMs;
    if (before.goesOn) return;
    if (before.found) tell('outage.ended');
    tell('outage.began');
    alarm('didit_failing');
  }

  async function works(): Promise<void> {
    mineSinceMs = undefined;
    if ((await store.take(key)) !== undefined) tell('outage.ended');
  }

  async function lookNow(): Promise<void> {
    const nowMs = clock();
    const stored = await store.get(key);
    const found = parse(stored?.value);
    if (!stored || !found) {
      // Another process has seen it work.
      mineSinceMs = undefined;
    } else if (isMine(found)) {
      const value = JSON.stringify({ ...found, lastMs: nowMs });
      await store.put(key, value, { ttlSeconds: keptSeconds, ifVersion: stored.version });
    } else if (!isAlive(found, nowMs)) {
      await works();
    }
  }

  /** One after the other: what was heard first is written first. */
  function next(work: () => Promise<void>): Promise<void> {
    const mine = doing.then(work);
    doing = mine.catch(() => undefined);
    return mine;
  }

  return {
    /** The breaker for selfies changed. */
    heard(state: CircuitState): Promise<void> {
      if (state === 'half-open') return Promise.resolve();
      return next(state === 'open' ? fails : works);
    },

    /** Once a minute: keeps it alive, or finds that nobody does. */
    look: (): Promise<void> => next(lookNow),
  };
}
