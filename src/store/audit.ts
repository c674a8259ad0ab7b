/** The audit log: what is recorded is written (audit-writer.ts), found again (audit-search.ts), and checked. */
import { type AuditEntry, entriesOf, isWanted } from '../domain/audit.ts';
import { type Anchor, type ChainReport, createChainCheck } from '../domain/audit-check.ts';
import type { Hash } from '../domain/environment.ts';
import type { AuditEvent } from '../domain/event.ts';
import { createAuditBlocks } from './audit-blocks.ts';
import { type AuditPage, type AuditQuery, createAuditSearch } from './audit-search.ts';
import { createAuditTimes, isBlock } from './audit-times.ts';
import { type WriterTools, createAuditWriter } from './audit-writer.ts';
import type { Explanations } from './explanations.ts';
import { type Store, update } from './store.ts';

export interface AuditTools extends WriterTools {
  hash: Hash;
  keptSeconds: number;
  explanations: Pick<Explanations, 'of'>;
}

export interface Audit {
  /** Written soon. */
  record: (event: AuditEvent) => void;
  /** Resolves when all that was recorded before is written; rejects when the store does not take it now. */
  flush: () => Promise<void>;
  page: (query: AuditQuery) => Promise<AuditPage>;
  /** For whoever asks, and nobody else hears of it: an anchor of theirs may be any. */
  check: (
    anchor?: Anchor,
    progress?: (checked: number, last: number) => void,
  ) => Promise<ChainReport>;
  /** The same for the house, whose alarm hangs on what is found. */
  verify: Audit['check'];
  /** Of whichever process verified last; undefined before the first time. */
  lastVerified: () => Promise<{ ok: boolean; atMs: number } | undefined>;
  /** How many events are not written yet, of this process. */
  waiting: () => number;
  /** The oldest first. */
  entries: (sinceMs?: number, untilMs?: number) => AsyncIterable<AuditEntry>;
  /** Writes what there is, as far as the store answers. */
  close: () => Promise<void>;
}

const readAtOnce = 64;
const verifiedKey = 'audit-verified';

interface Verified {
  schema: 1;
  ok: boolean;
  atMs: number;
  /** Not whole, by what somebody had noted elsewhere. */
  isByAnchor?: true;
}

export function createAudit(store: Store, tools: AuditTools): Audit {
  const { clock, hash, keptSeconds, explanations, ...others } = tools;
  const blocks = createAuditBlocks(store, { clock, hash, keptSeconds });
  const search = createAuditSearch(blocks, { clock, explanations });
  const { record, flush, close, waiting } = createAuditWriter(blocks, { clock, ...others });

  async function verify(...given: Parameters<Audit['verify']>): Promise<ChainReport> {
    const report = await check(...given);
    const [anchor] = given;
    // Whoever looked hears what was found, also where it cannot be written down.
    await note(report, anchor !== undefined).catch(others.failed);
    return report;
  }

  async function note({ ok }: ChainReport, hasAnchor: boolean): Promise<void> {
    await update(store, verifiedKey, (current) => {
      const { isByAnchor = false } = current === undefined ? {} : (JSON.parse(current) as Verified);
      // What an anchor has shown, a check without one does not find, and so cannot find gone.
      const isStill = ok && !hasAnchor && isByAnchor;
      const isNew = !ok && (hasAnchor || isByAnchor);
      const found = { schema: 1, ok: ok && !isStill, atMs: clock() } as const;
      const verified: Verified = isStill || isNew ? { ...found, isByAnchor: true } : found;
      return { value: JSON.stringify(verified), ttlSeconds: keptSeconds, result: undefined };
    });
  }

  async function lastVerified(): ReturnType<Audit['lastVerified']> {
    const stored = await store.get(verifiedKey);
    return stored && (JSON.parse(stored.value) as Verified);
  }

  async function check(
    anchor?: Anchor,
    progress: (checked: number, last: number) => void = () => undefined,
  ): Promise<ChainReport> {
    const head = await blocks.head();
    const { seq } = await blocks.findLast();
    // Whatever the head says, and past numbers that are missing.
    const last = Math.max(seq, await blocks.highest(), head?.seq ?? 0);
    const chain = createChainCheck({ hash, nowMs: clock(), head, anchor });
    for (let to = last; to >= 1; to -= readAtOnce) {
      const from = Math.max(1, to - readAtOnce + 1);
      const seqs = Array.from({ length: to - from + 1 }, (_, down) => to - down);
      for (const [at, found] of (await blocks.readMany(seqs)).entries()) {
        if (!chain.take(seqs[at] ?? 0, found)) return chain.report();
      }
      progress(last - from + 1, last);
    }
    return chain.report();
  }

  async function* entries(sinceMs?: number, untilMs?: number): AsyncGenerator<AuditEntry> {
    const filter = {
      ...(sinceMs === undefined ? {} : { sinceMs }),
      ...(untilMs === undefined ? {} : { untilMs }),
    };
    const last = (await blocks.findLast()).seq;
    for await (const seqs of createAuditTimes(blocks).upwards(filter, last, readAtOnce)) {
      for (const block of (await blocks.readMany(seqs)).filter(isBlock)) {
        yield* entriesOf(block).filter((entry) => isWanted(filter, entry, block.atMs));
      }
    }
  }

  return {
    ...{ record, flush, close, waiting, check, verify, lastVerified, entries },
    page: (query) => search.page(query),
  };
}
