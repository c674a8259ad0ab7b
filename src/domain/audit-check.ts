/**
 * Whether the chain is whole. It is walked from its end to its beginning, since each block says of the one before it
 * what it was and until when it is kept: one that is missing before that was taken out, one that is missing later has
 * had its time.
 */
import { type AuditBlock, type Last, hashOf } from './audit.ts';
import type { Hash } from './environment.ts';
import { isoTime } from './iso-time.ts';

/** What stands under a number: `unreadable` is something that does not open, or is no block. */
export type Found = AuditBlock | 'unreadable' | undefined;

export interface Anchor {
  seq: number;
  hash: string;
}

/** The last block as the processes noted it beside the chain, now and then. */
export type Head = Last;

export interface ChainReport {
  ok: boolean;
  blocks: number;
  entries: number;
  /** Of the blocks that are there; 0 and the empty hash where there is none. */
  firstSeq: number;
  lastSeq: number;
  hash: string;
  /** In the order of the chain. */
  problems: string[];
}

/** As programs read it. @returns `anchor`: to be noted elsewhere; absent where there is no block. */
export function verificationView({ firstSeq, lastSeq, hash, ...report }: ChainReport) {
  return {
    ...{ ...report, first_seq: firstSeq, last_seq: lastSeq },
    ...(report.blocks > 0 ? { anchor: `${lastSeq}:${hash}` } : {}),
  };
}

/** The head is written within a minute of each block. Much later, and somebody put an earlier one back. */
export const headLagsAtMostMs = 10 * 60_000;

export function createChainCheck({
  hash,
  nowMs,
  head,
  anchor,
}: {
  hash: Hash;
  nowMs: number;
  head: Head | undefined;
  anchor?: Anchor | undefined;
}) {
  const problems: string[] = [];
  const seen = { blocks: 0, entries: 0, firstSeq: 0, lastSeq: 0, hash: '', lastAtMs: 0 };
  let isAnchored = false;
  let next: AuditBlock | undefined;
  let gap: { from: number; to: number; until: number | undefined } | undefined;

  const tell = (problem: string): void => void problems.unshift(problem);

  function closeGap(): void {
    if (!gap) return;
    const { from, to, until } = gap;
    const what = from === to ? `block ${to} is missing` : `blocks ${from} to ${to} are missing`;
    tell(until === undefined ? what : `${what}, and ${to} was to be kept until ${isoTime(until)}`);
    gap = undefined;
  }

  /** @returns whether there is more to look at. */
  function miss(seq: number): boolean {
    const until = next?.prev.keptUntilMs;
    if (until !== undefined && until <= nowMs) return false;
    if (gap) gap.from = seq;
    else gap = { from: seq, to: seq, until };
    next = undefined;
    return seq > 1;
  }

  function takeBlock(seq: number, block: AuditBlock): boolean {
    closeGap();
    seen.blocks += 1;
    seen.entries += block.events.length;
    seen.firstSeq = seq;
    if (seen.lastSeq === 0) {
      Object.assign(seen, { lastSeq: seq, hash: block.hash, lastAtMs: block.atMs });
    }
    if (block.seq !== seq) tell(`block ${seq} has the number ${block.seq}: it was moved`);
    if (hashOf(withoutHash(block), hash) !== block.hash) {
      tell(`block ${seq} was altered: its hash is another`);
    }
    if (next && !isFollowedBy(block, next)) {
      tell(`block ${seq} is not the one that block ${seq + 1} follows`);
    }
    if (head?.seq === seq && head.hash !== block.hash) {
      tell(`block ${seq} is not the one that was noted as the last (audit-head)`);
    }
    if (head?.seq === seq - 1 && seen.lastAtMs - block.atMs > headLagsAtMostMs) {
      tell(`block ${seq} and later ones are not known to the head: an earlier one was put back`);
    }
    if (anchor?.seq === seq) {
      isAnchored = true;
      if (anchor.hash !== block.hash) tell(`block ${seq} is not the one of the anchor`);
    }
    next = block;
    return seq > 1;
  }

  return {
    /** From the last that may be there down, without leaving one out. @returns whether there is more to look at. */
    take(seq: number, found: Found): boolean {
      if (found === undefined) return miss(seq);
      if (found !== 'unreadable') return takeBlock(seq, found);
      closeGap();
      tell(`block ${seq} cannot be read: it was not written by this program with these keys`);
      next = undefined;
      return seq > 1;
    },

    report(): ChainReport {
      closeGap();
      if (!head && next && seen.lastAtMs - next.atMs > headLagsAtMostMs) {
        problems.push('nobody noted where the chain ends (audit-head): it was taken away');
      }
      // Its own record goes with its block, which the walk would have come to.
      if (head && head.seq + 1 < seen.firstSeq) {
        problems.push(
          `nothing leads from block ${head.seq} of the head (audit-head) to block ${seen.firstSeq}: an earlier one was put back, or the log was begun anew`,
        );
      }
      if (anchor && !isAnchored) {
        const isOver = anchor.seq < seen.firstSeq;
        const why = isOver ? 'is not kept any more: take a later one' : 'is not there';
        problems.push(`block ${anchor.seq} of the anchor ${why}`);
      }
      const { lastAtMs: _, ...counted } = seen;
      return { ok: problems.length === 0, ...counted, problems };
    },
  };
}

function isFollowedBy({ hash, atMs, keptUntilMs }: AuditBlock, { prev, ...next }: AuditBlock) {
  const isNamed = prev.hash === hash && prev.atMs === atMs && prev.keptUntilMs === keptUntilMs;
  return isNamed && atMs <= next.atMs;
}

const withoutHash = ({ hash: _, ...content }: AuditBlock): Omit<AuditBlock, 'hash'> => content;
