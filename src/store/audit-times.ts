/** Which blocks were written when: their numbers are searched by halves, since their times only go forward. */
import { type AuditBlock, type AuditFilter, writtenBetween } from '../domain/audit.ts';
import type { Found } from '../domain/audit-check.ts';
import type { AuditBlocks } from './audit-blocks.ts';

/** Missing numbers in a row that are looked over, before what is older counts as gone. */
export const gapAtMost = 16;

export const isBlock = (found: Found): found is AuditBlock => typeof found === 'object';

export function createAuditTimes(blocks: Pick<AuditBlocks, 'readMany'>) {
  /** The first number whose block was written at `atMs` or later; `last + 1` where none was. */
  async function firstSince(atMs: number, last: number): Promise<number> {
    let [low, high] = [1, last + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const seqs = Array.from({ length: gapAtMost }, (_, ahead) => middle + ahead);
      const [first] = await blocks.readMany([middle]);
      const found = isBlock(first)
        ? first
        : (await blocks.readMany(seqs.filter((seq) => seq < high))).find(isBlock);
      // None that is near: they have had their time, and what is later is searched.
      if (!found) low = Math.min(high, middle + gapAtMost);
      else if (found.atMs >= atMs) high = middle;
      else low = found.seq + 1;
    }
    return low;
  }

  async function stretch(filter: AuditFilter, last: number) {
    const { fromMs, toMs } = writtenBetween(filter);
    const [first, beyond] = await Promise.all([
      fromMs === 0 ? 1 : firstSince(fromMs, last),
      toMs === Infinity ? last + 1 : firstSince(toMs + 1, last),
    ]);
    return { first, end: beyond - 1 };
  }

  return {
    /** All numbers of a time, the lowest first, in groups to read at once. */
    async *upwards(filter: AuditFilter, last: number, groupOf: number): AsyncGenerator<number[]> {
      const { first, end } = await stretch(filter, last);
      for (let seq = first; seq <= end; seq += groupOf) {
        yield Array.from({ length: Math.min(groupOf, end - seq + 1) }, (_, at) => seq + at);
      }
    },

    /** The highest first. @param above none that is higher. */
    async *downwards(filter: AuditFilter, last: number, above = last): AsyncGenerator<number> {
      const { first, end } = await stretch(filter, last);
      for (let seq = Math.min(end, above); seq >= first; seq -= 1) yield seq;
    },
  };
}
