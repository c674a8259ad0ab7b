/**
 * Wakes waiting pages. A ring says only "look again"; what there is to see is in the store. One subscription a
 * process, however many pages wait.
 */
import type { Store } from './store.ts';

export interface Bell {
  ring(interactionUid: string): Promise<void>;
  /** Resolves once a ring from any process is heard. @returns a function that stops listening. */
  listen(interactionUid: string, heard: () => void): Promise<() => void>;
  close(): Promise<void>;
}

const channel = 'attempts';

export function createBell(store: Store): Bell {
  const listeners = new Map<string, Set<() => void>>();
  let subscription: Promise<() => Promise<void>> | undefined;

  function fanOut(interactionUid: string): void {
    for (const heard of listeners.get(interactionUid) ?? []) heard();
  }

  return {
    ring: (interactionUid) => store.publish(channel, interactionUid),

    async listen(interactionUid, heard) {
      const mine = listeners.get(interactionUid) ?? new Set();
      listeners.set(interactionUid, mine.add(heard));
      const stop = (): void => {
        mine.delete(heard);
        // By now the entry may be somebody else's.
        const isLast = mine.size === 0 && listeners.get(interactionUid) === mine;
        if (isLast) listeners.delete(interactionUid);
      };
      try {
        await (subscription ??= store.subscribe(channel, fanOut));
      } catch (error) {
        subscription = undefined; // The next page tries again.
        stop();
        throw error;
      }
      return stop;
    },

    async close() {
      listeners.clear();
      await (
        await subscription
      )?.();
    },
  };
}
