/** Where the blocks of the audit log lie, and how they are read. What cannot be read keeps nothing else from being read. */
import type { AuditBlock } from '../domain/audit.ts';
import type { Found, Head } from '../domain/audit-check.ts';
import type { Store } from './store.ts';

const day = 86_400_000;
const bucketMs = 100 * day;
/** As long as the settings allow: a block may be of before the period of keeping was shortened. */
const keptAtMostMs = 3_650 * day;
const readAtOnce = 64;
const kind = 'audit';

export const headKey = 'audit-head';
export const keyOf = (seq: number): string => `${kind}:${seq}`;
/** An index goes as a whole, with the last of its blocks. */
export const bucketOf = (atMs: number): number => Math.floor(atMs / bucketMs);
export const indexOf = (account: string, bucket: number): string => `audit-of:${account}.${bucket}`;

export function createAuditReader(store: Store) {
  async function read(seq: number): Promise<Found> {
    // One that does not open must not keep the others from being read, or new ones from being written.
    const stored = await store.get(keyOf(seq)).catch(whetherThere);
    return stored === 'unreadable' ? stored : stored && parseBlock(stored.value);
  }

  /** In the order of `seqs`. */
  async function readMany(seqs: readonly number[]): Promise<Found[]> {
    try {
      const stored = await store.getMany(seqs.map(keyOf));
      return stored.map((one) => one && parseBlock(one.value));
    } catch (error) {
      whetherThere(error);
      return Promise.all(seqs.map(read));
    }
  }

  async function head(): Promise<Head | undefined> {
    const stored = await store.get(headKey).catch(whetherThere);
    return stored === 'unreadable' || !stored ? undefined : parseHead(stored.value);
  }

  /** The highest number that stands there, whatever anybody noted: it takes a look at every block. */
  async function highest(): Promise<number> {
    let seq = 0;
    const passOver = (): void => undefined;
    for await (const { key } of store.scan(kind, passOver)) {
      const found = Number(key.slice(kind.length + 1));
      if (Number.isSafeInteger(found)) seq = Math.max(seq, found);
    }
    return seq;
  }

  return {
    ...{ read, readMany, head, highest },

    /** Numbers of the blocks that name this account, the newest first, up to `maxSeq`. */
    async *of(account: string, maxSeq: number, nowMs: number): AsyncGenerator<number> {
      let min = -maxSeq;
      const oldest = bucketOf(nowMs - keptAtMostMs);
      for (let bucket = bucketOf(nowMs); bucket >= oldest; bucket -= 1) {
        for (;;) {
          const range = { min, max: 0, limit: readAtOnce };
          const page = await store.indexRange(indexOf(account, bucket), range);
          for (const { member } of page) yield Number(member);
          const lowest = page.at(-1)?.score;
          if (lowest !== undefined) min = lowest + 1;
          if (page.length < readAtOnce) break;
        }
      }
    },
  };
}

/** @throws what is no fault of the record's. */
export function whetherThere(error: unknown): 'unreadable' {
  if (error instanceof Error && error.name === 'StoreUnavailable') throw error;
  return 'unreadable';
}

function parseHead(text: string): Head | undefined {
  try {
    const head = JSON.parse(text) as Head;
    return Number.isSafeInteger(head.seq) && head.seq > 0 ? head : undefined;
  } catch {
    return undefined;
  }
}

function parseBlock(text: string): AuditBlock | 'unreadable' {
  try {
    const block = JSON.parse(text) as AuditBlock;
    return Array.isArray(block.events) && typeof block.hash === 'string' ? block : 'unreadable';
  } catch {
    return 'unreadable';
  }
}
