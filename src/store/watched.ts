/** Tells somebody of every verb: how long it took, whether it failed. A scan is as long as its reader, and not told. */
import type { Store } from './store.ts';

/** @param kind the part of the key before the colon: a word of ours. */
export type WatchStore = <T>(verb: string, kind: string, work: () => Promise<T>) => Promise<T>;

export function watchStore(store: Store, watch: WatchStore): Store {
  return {
    get: (key) => watch('get', kindOf(key), () => store.get(key)),
    getMany: (keys) => watch('getMany', kindOf(keys[0] ?? ''), () => store.getMany(keys)),
    put: (key, value, options) => watch('put', kindOf(key), () => store.put(key, value, options)),
    take: (key) => watch('take', kindOf(key), () => store.take(key)),
    delete: (key) => watch('delete', kindOf(key), () => store.delete(key)),
    increment: (key, options) =>
      watch('increment', kindOf(key), () => store.increment(key, options)),
    spend: (key, windows, ttlSeconds) =>
      watch('spend', kindOf(key), () => store.spend(key, windows, ttlSeconds)),
    refund: (key, windows) => watch('refund', kindOf(key), () => store.refund(key, windows)),
    indexAdd: (index, member, score, ttlSeconds) =>
      watch('indexAdd', kindOf(index), () => store.indexAdd(index, member, score, ttlSeconds)),
    indexRemove: (index, member) =>
      watch('indexRemove', kindOf(index), () => store.indexRemove(index, member)),
    indexRange: (index, range) =>
      watch('indexRange', kindOf(index), () => store.indexRange(index, range)),
    scan: (kind, unreadable) => store.scan(kind, unreadable),
    publish: (channel, message) =>
      watch('publish', kindOf(channel), () => store.publish(channel, message)),
    subscribe: (channel, listener) =>
      watch('subscribe', kindOf(channel), () => store.subscribe(channel, listener)),
    ping: () => watch('ping', '', () => store.ping()),
    close: () => store.close(),
  };
}

function kindOf(key: string): string {
  const end = key.indexOf(':');
  return end === -1 ? key : key.slice(0, end);
}
