/**
 * One connection for several who open and close it on their own: a provider that takes new keys opens its store again
 * while the old one still finishes what is in flight. Whoever closes ends their own subscriptions, and the last one
 * the connection.
 */
import type { Driver } from './store.ts';

export function shareDriver(driver: Driver): { lease(): Driver; isOpen(): boolean } {
  let leases = 0;

  function lease(): Driver {
    leases += 1;
    const subscriptions = new Set<() => Promise<void>>();
    let closing: Promise<void> | undefined;

    async function end(): Promise<void> {
      leases -= 1;
      if (leases === 0) return driver.close();
      for (const unsubscribe of subscriptions) await unsubscribe();
    }

    return {
      ...driver,
      async subscribe(channel, listener) {
        const unsubscribe = await driver.subscribe(channel, listener);
        subscriptions.add(unsubscribe);
        return () => {
          subscriptions.delete(unsubscribe);
          return unsubscribe();
        };
      },
      close: () => (closing ??= end()),
    };
  }

  return { lease, isOpen: () => leases > 0 };
}
