/**
 * Where the blocks of the audit log lie: each a record of its own under its number, written once and never again, by
 * whichever process takes the number first. They go by their time to live; nothing deletes one.
 */
import {
  type AuditBlock,
  type Last,
  accountsIn,
  beginning,
  lastOf,
  nextBlock,
} from '../domain/audit.ts';
import type { Head } from '../domain/audit-check.ts';
import type { Clock, Hash } from '../domain/environment.ts';
import type { AuditEvent } from '../domain/event.ts';
import {
  bucketOf,
  createAuditReader,
  headKey,
  indexOf,
  keyOf,
  whetherThere,
} from './audit-reader.ts';
import { type Store, update } from './store.ts';

/** A block that lives a little longer than it says is never taken for one that was taken out. */
const graceSeconds = 3_600;
const readAtOnce = 64;
/** How long nobody may write before the next block is noted as the head at once. */
export const headEveryMs = 60_000;

export type AuditBlocks = ReturnType<typeof createAuditBlocks>;

export interface BlockTools {
  clock: Clock;
  hash: Hash;
  keptSeconds: number;
}

export function createAuditBlocks(store: Store, { clock, hash, keptSeconds }: BlockTools) {
  const reader = createAuditReader(store);
  const { readMany, read, head, highest } = reader;
  const keptMs = keptSeconds * 1000;
  /** What this process last saw at the end of the chain. */
  let last: Last | undefined;

  /** What others wrote meanwhile: step by step, then in longer strides. */
  async function forward(from: Last): Promise<Last> {
    let at = from;
    for (let stride = 1; ; stride = Math.min(stride * 4, readAtOnce)) {
      const seqs = Array.from({ length: stride }, (_, ahead) => at.seq + 1 + ahead);
      for (const [ahead, found] of (await readMany(seqs)).entries()) {
        if (found === undefined) return at;
        // What cannot be read is not followed by its hash: the check names it, and the log goes on.
        const there = found === 'unreadable' ? { ...at, hash: '' } : lastOf(found);
        at = { ...there, seq: seqs[ahead] ?? at.seq };
      }
    }
  }

  /**
   * The head says where to begin. One whose block is not there was put back, or names one that was taken out; without it
   * the first blocks say nothing either, once they had their time: then what stands there counts.
   */
  async function findLast(): Promise<Last> {
    const noted = await head();
    const known = noted && noted.seq > (last?.seq ?? 0) ? noted : last;
    if (known && (known === last || (await read(known.seq)) !== undefined)) return forward(known);
    const from = Math.max(0, (await highest()) - 1);
    const found = await forward({ ...beginning, seq: from });
    return known && known.seq > found.seq ? known : found;
  }

  async function indexAccounts({ seq, atMs, events }: AuditBlock, ttlSeconds: number) {
    await Promise.all(
      accountsIn(events).map((account) =>
        // The newest first: an index is read from its lowest score on.
        store.indexAdd(indexOf(account, bucketOf(atMs)), String(seq), -seq, ttlSeconds),
      ),
    );
  }

  return {
    ...{ readMany, head, highest, findLast },

    /**
     * @param begun the block that an earlier call could not finish: it may stand there all the same.
     * @param building is told of each block before it is written.
     */
    async append(
      events: readonly AuditEvent[],
      begun: AuditBlock | undefined,
      building: (block: AuditBlock) => void,
    ): Promise<AuditBlock> {
      let block = begun;
      for (;;) {
        last ??= await findLast();
        block ??= nextBlock(last, events, { nowMs: clock(), keptMs, hash });
        building(block);
        const leftSeconds = Math.ceil((block.keptUntilMs - clock()) / 1000) + graceSeconds;
        const ttlSeconds = Math.max(1, leftSeconds);
        // First, since whoever dies in between must not leave a block that nobody finds. Of one that is never written, or
        // of somebody else's, the index leads to nothing.
        await indexAccounts(block, ttlSeconds);
        const isWritten = await store.put(keyOf(block.seq), JSON.stringify(block), {
          ttlSeconds,
          ifAbsent: true,
        });
        const there = isWritten === undefined ? await read(block.seq) : block;
        if (typeof there === 'object' && there.hash === block.hash) {
          last = lastOf(block);
          return block;
        }
        // Somebody else has this number.
        last = await findLast();
        block = undefined;
      }
    },

    /** Notes where the chain ends, unless somebody knows of a later end. */
    async writeHead(now: Last): Promise<void> {
      const value = JSON.stringify(now);
      const ttlSeconds = Math.ceil((now.keptUntilMs - clock()) / 1000) + graceSeconds;
      await update(store, headKey, (current) => {
        const isOld = current !== undefined && (JSON.parse(current) as Head).seq >= now.seq;
        return isOld ? { result: undefined } : { value, ttlSeconds, result: undefined };
      }).catch(async (error: unknown) => {
        whetherThere(error);
        await store.put(headKey, value, { ttlSeconds });
      });
    },

    /** Numbers of the blocks that name this account, the newest first, up to `maxSeq`. */
    of: (account: string, maxSeq: number): AsyncGenerator<number> =>
      reader.of(account, maxSeq, clock()),
  };
}
