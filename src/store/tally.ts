/** How sign-ins ended, by day: counted when it happened, since the audit log is no place to count in. */
import { type AuditEvent, signInEnds } from '../domain/event.ts';
import { type DaysNamed, createByDay, dayOf, daysBetween } from './by-day.ts';
import type { Store } from './store.ts';

type SignInEnd = (typeof signInEnds)[number];

export type Ended = Record<SignInEnd, number>;
type Counts = Partial<Ended>;

const noEnds: Ended = { completed: 0, denied: 0, foreign: 0, expired: 0 };

interface Day {
  schema: 1;
  ended: Counts;
}

const endsByEvent = new Map<AuditEvent['event'], SignInEnd>(
  signInEnds.map((end) => [`login.${end}`, end]),
);

export type Tally = ReturnType<typeof createTally>;

export function createTally(store: Store, { failed }: { failed: (error: unknown) => void }) {
  const byDay = createByDay<Day>(store, {
    ...{ kind: 'tally', failed },
    none: () => ({ schema: 1, ended: {} }),
    added: (day, more) => ({ schema: 1, ended: addedUp(day.ended, more.ended) }),
  });

  return {
    record({ event, atMs }: AuditEvent): void {
      const end = endsByEvent.get(event);
      if (end !== undefined) byDay.add(dayOf(atMs), { schema: 1, ended: { [end]: 1 } });
    },

    flush: byDay.flush,
    stop: byDay.stop,

    /** Days as `2026-11-28`, both included; in every way, also where it was none. @throws RangeError, see daysBetween. */
    async read(named: DaysNamed): Promise<{ day: number; ended: Ended }[]> {
      const days = await byDay.read(...daysBetween(named));
      return days.map(({ day, sums }) => ({ day, ended: addedUp(noEnds, sums.ended) }));
    },
  };
}

function addedUp<T extends Counts>(counts: T, more: Counts): T {
  const sums = { ...counts };
  for (const [end, count = 0] of Object.entries(more) as [SignInEnd, number?][]) {
    Object.assign(sums, { [end]: (sums[end] ?? 0) + count });
  }
  return sums;
}
