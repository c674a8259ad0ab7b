/**
 * The events that are not written yet. They are gathered for a moment and written as one block: what is decisive at
 * once, the steps of an ordinary sign-in when there is more to say. A store that does not answer is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditBlock, companyMs, eventsInBlock, lastOf, mayWait } from '../domain/audit.ts';
import type { Clock } from '../domain/environment.ts';
import type { AuditEvent } from '../domain/event.ts';
import { type AuditBlocks, headEveryMs } from './audit-blocks.ts';

export interface WriterTools {
  clock: Clock;
  /** Told of each block once it is written. */
  written?: (block: AuditBlock) => void;
  failed: (error: unknown) => void;
  /** Told of what is not written when the process ends: the store did not take it to the last. */
  left?: (events: readonly AuditEvent[]) => void;
}

const soonMs = 250;
const againMs = 2_000;
const gatheredAtMost = 10_000;
/** A stop does not take long; and a store that went away for a moment is back by then. */
const closingTries = 3;
const closingAgainMs = 1_000;

export function createAuditWriter(blocks: AuditBlocks, tools: WriterTools) {
  const { clock, written, failed, left } = tools;
  let gathered: AuditEvent[] = [];
  let lost = 0;
  /** Of a write that may have come to something, although nobody said so. */
  let begun: AuditBlock | undefined;
  let unnoted: AuditBlock | undefined;
  let writing: Promise<void> = Promise.resolve();
  let timer: { atMs: number; handle: NodeJS.Timeout } | undefined;
  let headTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  // The timers run by the time that passes, also where a test holds the clock.
  function writeWithin(ms: number): void {
    const atMs = performance.now() + ms;
    if (isClosed || (timer && timer.atMs <= atMs)) return;
    clearTimeout(timer?.handle);
    timer = { atMs, handle: setTimeout(() => void flush(), ms).unref() };
  }

  function later(error: unknown): void {
    failed(error);
    writeWithin(againMs);
  }

  function record(event: AuditEvent): void {
    if (gathered.length < gatheredAtMost) gathered.push(event);
    else lost += 1;
    writeWithin(gathered.length >= eventsInBlock ? 0 : mayWait(event) ? companyMs : soonMs);
  }

  async function writeAll(): Promise<void> {
    clearTimeout(timer?.handle);
    timer = undefined;
    while (begun || gathered.length > 0) {
      if (lost > 0 && gathered.length < gatheredAtMost) {
        gathered.push({ event: 'audit.lost', atMs: clock(), reason: String(lost) });
        lost = 0;
      }
      const events = begun?.events ?? gathered.slice(0, eventsInBlock);
      const block = await blocks.append(events, begun, (building) => {
        begun = building;
      });
      begun = undefined;
      gathered = gathered.slice(events.length);
      written?.(block);
      await noteHead(block);
    }
  }

  /** One write for many blocks, unless nobody wrote for long. */
  async function noteHead(block: AuditBlock): Promise<void> {
    unnoted = block;
    if (block.atMs - block.prev.atMs >= headEveryMs) {
      await writeHead();
    } else {
      headTimer ??= setTimeout(() => void writeHead().catch(failed), headEveryMs).unref();
    }
  }

  async function writeHead(): Promise<void> {
    clearTimeout(headTimer);
    headTimer = undefined;
    const block = unnoted;
    if (!block) return;
    await blocks.writeHead(lastOf(block));
    if (unnoted === block) unnoted = undefined;
  }

  /** Whoever asked for it hears that it failed; it is tried again all the same. */
  function flush(): Promise<void> {
    const done = writing.then(writeAll);
    writing = done.catch(later);
    return done;
  }

  return {
    ...{ record, flush, waiting: () => gathered.length },
    close: async (): Promise<void> => {
      isClosed = true;
      for (let tries = 1; tries <= closingTries; tries += 1) {
        if (tries > 1) await sleep(closingAgainMs);
        await flush().catch(() => undefined);
        if (gathered.length === 0) break;
      }
      if (gathered.length > 0) left?.(gathered);
      await writeHead().catch(failed);
    },
  };
}
