/**
 * The store's port: the few verbs that everything else is written against.
 *
 * Two drivers implement it (redis, sqlite) and one decorator wraps either (sealed);
 * `test/store/contract.ts` is the one description of what they must do. Every verb is atomic and
 * touches exactly one key, so that a Redis Cluster needs no hash tags and nobody can build on a
 * transaction that a driver lacks.
 *
 * Keys read `kind:id`, for instance `attempt:Zk3…`: the kind stays readable in the database, the id
 * is hashed by the sealed decorator. Values are text, as a rule JSON with a schema version inside.
 */
export interface Store {
  /** The live record under `key`, or undefined when there is none or its time is over. */
  get(key: string): Promise<Stored | undefined>;

  /**
   * Several records at once, in the order of `keys`. One command a key, sent together. Not a
   * snapshot.
   */
  getMany(keys: readonly string[]): Promise<(Stored | undefined)[]>;

  /**
   * Writes a record. Without a condition it always writes; with one it writes only when the
   * condition holds.
   * @returns the new version, or undefined when the condition did not hold and nothing was written.
   */
  put(key: string, value: string, options?: PutOptions): Promise<Version | undefined>;

  /** Reads and deletes in one step: of many callers at once exactly one gets the value. */
  take(key: string): Promise<string | undefined>;

  /** @returns whether there was a live record to delete. Counters and indices are no records. */
  delete(key: string): Promise<boolean>;

  /**
   * Adds `by` (1 by default) to a counter and returns the new value. `ttlSeconds` starts with the
   * first increment and is not prolonged by later ones: a fixed window.
   */
  increment(key: string, options: { by?: number; ttlSeconds: number }): Promise<number>;

  /**
   * Counts in each of several windows of a counter, or in none when one of them is full. The
   * counter lives for `ttlSeconds` from now, which have to outlast its longest window.
   * @returns the first window that was full, or would be over-full; undefined when it was counted.
   */
  spend(key: string, windows: readonly Window[], ttlSeconds: number): Promise<Window | undefined>;

  /** Takes back in each of these windows what it says, as far as they stand and not below 0. */
  refund(key: string, windows: readonly Window[]): Promise<void>;

  /**
   * Adds a member to an ordered index, or moves it to a new score. The index lives at least
   * `ttlSeconds` from now; without them, until its last member is removed.
   */
  indexAdd(index: string, member: string, score: number, ttlSeconds?: number): Promise<void>;

  /** @returns whether the member was there: of many callers at once exactly one is told true. */
  indexRemove(index: string, member: string): Promise<boolean>;

  /** Members with `min <= score <= max`, lowest score first, at most `limit`. */
  indexRange(index: string, range: IndexRange): Promise<IndexEntry[]>;

  /**
   * Every live record whose key begins with `kind:`, in no order. A record written meanwhile may be
   * missed, and one may come twice while the database rearranges itself.
   * @param unreadable is told of each that a sealed store cannot open, which is passed over; without it the scan ends there.
   */
  scan(
    kind: string,
    unreadable?: (error: unknown) => void,
  ): AsyncIterable<Stored & { key: string }>;

  /**
   * Tells every subscriber in every process that is listening now. Nothing is kept for those who
   * are not.
   */
  publish(channel: string, message: string): Promise<void>;

  /**
   * Resolves once the subscription is live: a message published after that is heard, unless the
   * connection breaks in between. It heals by itself and unnoticed, so who waits for a message
   * looks from time to time as well.
   * @returns a function that ends the subscription.
   */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;

  /** Resolves when the store answers; rejects otherwise. */
  ping(): Promise<void>;

  close(): Promise<void>;
}

/** What a driver does besides, for whoever seals anew what lies there: no record says anything else after it. */
export interface Driver extends Store {
  /** Every live record of every kind, as `scan` has those of one. */
  scanAll(): AsyncIterable<Stored & { key: string }>;

  /**
   * Puts another text in the place of a record's. Its version and its end stay as they are, so that nobody who is
   * about to write it has to begin again.
   * @returns false when there is no live record of exactly this version; nothing was written then.
   */
  rewrite(key: string, value: string, version: Version): Promise<boolean>;
}

/** Opaque; differs after every write of a record. */
export type Version = string;

export interface Stored {
  value: string;
  version: Version;
}

export interface PutOptions {
  /** Whole seconds, 1 or more. Absent: the record stays until it is deleted. */
  ttlSeconds?: number | undefined;
  /** Write only when there is no live record. */
  ifAbsent?: boolean;
  /** Write only when the live record has exactly this version. */
  ifVersion?: Version | undefined;
}

/** One stretch of time: with another `bucket` (the hour's number, say) the count begins at 0. */
export interface Window {
  name: string;
  bucket: number;
  atMost: number;
  /** How much, in whole numbers; 1 when absent. With 0 it is only looked whether the window is full. */
  by?: number;
}

export interface IndexRange {
  min: number;
  max: number;
  limit: number;
}

export interface IndexEntry {
  member: string;
  score: number;
}

/** The database does not answer, or cannot write: nobody is let in for it. */
export class StoreUnavailable extends Error {
  /** The library answers with this status what its adapter throws. */
  readonly statusCode = 503;

  constructor(options: { cause: unknown }) {
    super('the store does not answer', options);
    this.name = 'StoreUnavailable';
  }
}

/**
 * What an `update` function answers: the new record, or `undefined` to leave the old one as it is.
 */
export type Change<T> =
  { value: string; ttlSeconds?: number | undefined; result: T } | { value?: undefined; result: T };

/**
 * Compare-and-set around a pure function: reads, asks `change` what should stand there, writes only
 * if nobody wrote meanwhile, else begins again. `known` saves the first read when the caller has
 * just read the record, and `written` is told of the new one by whoever will change it again.
 *
 * @throws when the record is so contended that 50 rounds were not enough; nothing was written then.
 */
export async function update<T>(
  store: Pick<Store, 'get' | 'put'>,
  key: string,
  change: (current: string | undefined) => Change<T>,
  known?: Stored,
  written: (record: Stored) => void = () => undefined,
): Promise<T> {
  let current = known ?? (await store.get(key));
  for (let round = 0; round < 50; round += 1) {
    const next = change(current?.value);
    if (next.value === undefined) return next.result;
    const condition = current ? { ifVersion: current.version } : { ifAbsent: true };
    const version = await store.put(key, next.value, { ttlSeconds: next.ttlSeconds, ...condition });
    if (version !== undefined) {
      written({ value: next.value, version });
      return next.result;
    }
    current = await store.get(key);
  }
  throw new Error(`the record under a key of kind "${key.split(':', 1)[0] ?? ''}" is contended`);
}
