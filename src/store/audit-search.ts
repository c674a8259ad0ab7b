/**
 * Finding things in the audit log. By time the numbers of the blocks are searched by halves; by account there is an
 * index; by reference the explanation of the sign-in says when it was. Everything else is a filter over the blocks from
 * the newest on, so many a page.
 */
import {
  type AuditEntry,
  type AuditFilter,
  type AuditBlock,
  entriesOf,
  isWanted,
} from '../domain/audit.ts';
import type { Clock } from '../domain/environment.ts';
import { attemptAtMostMs } from '../domain/attempt.ts';
import type { AuditBlocks } from './audit-blocks.ts';
import { createAuditTimes, gapAtMost, isBlock } from './audit-times.ts';
import type { Explanations } from './explanations.ts';

export interface AuditQuery extends AuditFilter {
  limit?: number;
  /** What an earlier page gave as `next`. */
  cursor?: string;
}

export interface AuditPage {
  /** The newest first. */
  entries: AuditEntry[];
  /** There may be older ones, also where this page is not full. */
  next?: string;
}

export interface SearchTools {
  clock: Clock;
  explanations: Pick<Explanations, 'of'>;
}

const limitAtMost = 500;
const usualLimit = 50;
const blocksAPage = 256;
const readAtOnce = 32;
/** Of one sign-in; the newest. */
const stretchAtMost = 2_048;

export function createAuditSearch(blocks: AuditBlocks, { clock, explanations }: SearchTools) {
  const times = createAuditTimes(blocks);

  /** What has this reference: the time of the sign-in, and what happened to its account since. */
  async function ofReference(reference: string, last: number): Promise<number[]> {
    const explained = await explanations.of(reference);
    const signIns = explained.map(({ beganAtMs, steps }) => ({
      sinceMs: beganAtMs,
      untilMs: beganAtMs + (steps.at(-1)?.afterMs ?? 0),
    }));
    const nowMs = clock();
    // One that is under way, or that nobody came back to.
    if (signIns.length === 0) signIns.push({ sinceMs: nowMs - attemptAtMostMs, untilMs: nowMs });
    const found = new Set<number>();
    const accounts = new Set<string>();
    for (const { sinceMs, untilMs } of signIns) {
      const seqs = await Array.fromAsync(times.downwards({ sinceMs, untilMs }, last));
      for (const block of await readAll(seqs.slice(0, stretchAtMost))) {
        const own = block.events.filter((event) => event.reference === reference);
        if (own.length > 0) found.add(block.seq);
        for (const { account, claimed } of own) {
          for (const id of [account, claimed]) if (id !== undefined) accounts.add(id);
        }
      }
    }
    for (const account of accounts) {
      for await (const seq of blocks.of(account, last)) {
        if (found.size >= blocksAPage) break;
        found.add(seq);
      }
    }
    return [...found].sort((one, other) => other - one);
  }

  async function readAll(seqs: readonly number[]): Promise<AuditBlock[]> {
    const read: AuditBlock[] = [];
    for (let at = 0; at < seqs.length; at += readAtOnce) {
      const found = await blocks.readMany(seqs.slice(at, at + readAtOnce));
      read.push(...found.filter(isBlock));
    }
    return read;
  }

  /** The numbers of the blocks to look at, the highest first. */
  async function candidates(query: AuditQuery, last: number, above: number) {
    const { reference, account, sinceMs, untilMs } = query;
    const isTimed = sinceMs !== undefined || untilMs !== undefined;
    if (account !== undefined) return blocks.of(account, above);
    if (reference === undefined || isTimed) return times.downwards(query, last, above);
    return (await ofReference(reference, last)).filter((seq) => seq <= above);
  }

  return {
    async page(query: AuditQuery): Promise<AuditPage> {
      const limit = Math.min(Math.max(query.limit ?? usualLimit, 1), limitAtMost);
      const from = parseCursor(query.cursor);
      const last = (await blocks.findLast()).seq;
      const page = { entries: [] as AuditEntry[], looked: 0, missing: 0 };
      const above = Math.min(last, from?.seq ?? last);

      for await (const seqs of inGroups(await candidates(query, last, above))) {
        for (const [at, found] of (await blocks.readMany(seqs)).entries()) {
          const seq = seqs[at] ?? 0;
          page.looked += 1;
          page.missing = found === undefined ? page.missing + 1 : 0;
          const entries = isBlock(found) ? wantedOf({ ...found, seq }, query) : [];
          for (const entry of entries) {
            if (from?.seq === seq && entry.at >= from.at) continue;
            if (page.entries.length === limit) {
              return { entries: page.entries, next: cursorAfter(page.entries.at(-1)) };
            }
            page.entries.push(entry);
          }
          if (page.missing > gapAtMost && query.account === undefined)
            return { entries: page.entries };
          if (page.looked >= blocksAPage) {
            return { entries: page.entries, ...(seq > 1 ? { next: `${seq}.0` } : {}) };
          }
        }
      }
      return { entries: page.entries };
    },
  };
}

/** The newest first. */
function wantedOf(block: AuditBlock, query: AuditQuery): AuditEntry[] {
  return entriesOf(block)
    .filter((entry) => isWanted(query, entry, block.atMs))
    .reverse();
}

/** Few at first: as a rule a page is full soon. */
async function* inGroups(
  seqs: AsyncIterable<number> | readonly number[],
): AsyncGenerator<number[]> {
  let group: number[] = [];
  let size = 8;
  for await (const seq of seqs) {
    group.push(seq);
    if (group.length < size) continue;
    yield group;
    group = [];
    size = readAtOnce;
  }
  if (group.length > 0) yield group;
}

const cursorAfter = (entry: AuditEntry | undefined): string =>
  `${entry?.seq ?? 0}.${entry?.at ?? 0}`;

/** @throws a RangeError when it is none of ours. */
function parseCursor(cursor: string | undefined): { seq: number; at: number } | undefined {
  if (cursor === undefined) return undefined;
  const [, seq, at] = /^(\d{1,15})\.(\d{1,4})$/.exec(cursor) ?? [];
  if (seq === undefined || at === undefined) throw new RangeError('that is no cursor of a page');
  return { seq: Number(seq), at: Number(at) };
}
