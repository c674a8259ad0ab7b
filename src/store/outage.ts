/** Whatever a driver's client throws is one thing to everybody above: the store does not answer. */
import { type Store, StoreUnavailable } from './store.ts';

export function nameOutages(store: Store): Store {
  async function named<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (cause) {
      throw asOutage(cause);
    }
  }
  return {
    get: (key) => named(store.get(key)),
    getMany: (keys) => named(store.getMany(keys)),
    put: (key, value, options) => named(store.put(key, value, options)),
    take: (key) => named(store.take(key)),
    delete: (key) => named(store.delete(key)),
    increment: (key, options) => named(store.increment(key, options)),
    spend: (key, windows, ttlSeconds) => named(store.spend(key, windows, ttlSeconds)),
    refund: (key, windows) => named(store.refund(key, windows)),
    indexAdd: (index, member, score, ttlSeconds) =>
      named(store.indexAdd(index, member, score, ttlSeconds)),
    indexRemove: (index, member) => named(store.indexRemove(index, member)),
    indexRange: (index, range) => named(store.indexRange(index, range)),
    async *scan(kind) {
      try {
        yield* store.scan(kind);
      } catch (cause) {
        throw asOutage(cause);
      }
    },
    publish: (channel, message) => named(store.publish(channel, message)),
    subscribe: (channel, listener) => named(store.subscribe(channel, listener)),
    ping: () => named(store.ping()),
    close: () => store.close(),
  };
}

/** A caller's mistake stays what it is. */
function asOutage(cause: unknown): unknown {
  const isMistake = cause instanceof TypeError || cause instanceof RangeError;
  return isMistake ? cause : new StoreUnavailable({ cause });
}
