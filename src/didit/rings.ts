/** Many rings at the same door: who may ring, how many at once, and the same ring once only. */
import ipaddr from 'ipaddr.js';
import { Problem } from '../domain/problem.ts';

/** So many at once in all, and so many for one of those who share. The others are told to come again. */
export function createShares(inAll: number, ofOne: number) {
  const underWay = new Map<string, number>();
  let all = 0;
  return async function share<T>(who: string, work: () => Promise<T>): Promise<T> {
    const mine = underWay.get(who) ?? 0;
    if (all >= inAll || mine >= ofOne) throw new Problem('unavailable', 'too many webhooks');
    all += 1;
    underWay.set(who, mine + 1);
    try {
      return await work();
    } finally {
      all -= 1;
      const left = (underWay.get(who) ?? 1) - 1;
      if (left === 0) underWay.delete(who);
      else underWay.set(who, left);
    }
  };
}

/**
 * The same work for all who ask for it at the same time. Who asks while it is being done may have news, so it is
 * done once more, for all of those together.
 */
export function createCoalescer<T>() {
  const underWay = new Map<string, { now: Promise<T>; next?: Promise<T> }>();

  return function once(key: string, work: () => Promise<T>): Promise<T> {
    const running = underWay.get(key);
    if (running) {
      running.next ??= running.now.then(
        () => begin(key, work),
        () => begin(key, work),
      );
      return running.next;
    }
    return begin(key, work);
  };

  function begin(key: string, work: () => Promise<T>): Promise<T> {
    const entry = { now: work() };
    underWay.set(key, entry);
    const leave = (): void => {
      if (underWay.get(key) === entry && !('next' in entry)) underWay.delete(key);
    };
    entry.now.then(leave, leave);
    return entry.now;
  }
}

const eventsRemembered = 1_000;

/** @returns a function that says whether this event id came with other content before, in this process. */
export function createEventMemory(): (eventId: string, contentHash: string) => boolean {
  const known = new Map<string, string>();
  return function isAnother(eventId, contentHash) {
    const before = known.get(eventId);
    known.delete(eventId);
    known.set(eventId, before ?? contentHash);
    const [oldest] = known.keys();
    if (known.size > eventsRemembered && oldest !== undefined) known.delete(oldest);
    return before !== undefined && before !== contentHash;
  };
}

/** @returns whether an address is on the list; an empty list has them all. */
export function createAddressList(list: readonly string[]): (address: string) => boolean {
  const ranges = list.map((entry) =>
    ipaddr.parseCIDR(entry.includes('/') ? entry : `${entry}/${entry.includes(':') ? 128 : 32}`),
  );
  return function isOnList(address) {
    if (ranges.length === 0) return true;
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return ranges.some(
      ([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits),
    );
  };
}
