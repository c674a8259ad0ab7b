/** A row of the table of limits as a counter in the store. */
import type { Clock } from '../domain/environment.ts';
import { type Limit, type Limited, type Span, bucketOf } from '../domain/limits.ts';
import type { DeviceClass } from '../domain/turn.ts';
import type { Store, Window } from './store.ts';

/** How long a counter is kept after it was last used: longer than its longest window. */
export const keptSeconds: Readonly<Record<Span, number>> = {
  quarter: 1_000,
  hour: 2 * 3_600,
  day: 2 * 86_400,
  month: 32 * 86_400,
};

export function createCounters(
  store: Pick<Store, 'spend' | 'refund'>,
  limits: Readonly<Record<Limited, Limit>>,
  clock: Clock,
) {
  function spansOf(limited: Limited, deviceClass: DeviceClass): [Span, number][] {
    return Object.entries(limits[limited][deviceClass]) as [Span, number][];
  }

  function windowsOf(limited: Limited, deviceClass: DeviceClass, prefix = ''): Window[] {
    return spansOf(limited, deviceClass).map(([span, atMost]) => ({
      name: prefix + span,
      bucket: bucketOf(span, clock()),
      atMost,
    }));
  }

  function declines(atMost: number, by: number): Window {
    return { name: 'declined', bucket: bucketOf('hour', clock()), atMost, by };
  }

  function counterOf(limited: Limited, id: string, deviceClass: DeviceClass) {
    const whose = limits[limited].counts === 'each' ? `${deviceClass}:${id}` : id;
    const key = `limit:${limited}:${whose}`;
    const windows = windowsOf(limited, deviceClass);
    const { declined } = limits[limited];
    // Known devices may be declined as often as their turn allows; see turn.ts.
    const looks =
      declined !== undefined && deviceClass === 'unknown' ? [declines(declined, 0)] : [];
    const ttls = spansOf(limited, deviceClass).map(([span]) => keptSeconds[span]);
    return {
      limited,
      /** Counts one, in `more` windows as well. @returns the first that is full; nothing was counted then. */
      spend: (more: readonly Window[] = []) =>
        store.spend(key, [...windows, ...looks, ...more], Math.max(...ttls)),
      /** Counts a declined selfie, beside those that were begun. */
      decline: () => store.spend(key, [declines(Number.MAX_SAFE_INTEGER, 1)], Math.max(...ttls)),
      refund: () => store.refund(key, windows),
    };
  }

  return { counterOf, windowsOf };
}
