/**
 * The audit log for those who gather logs elsewhere: each entry once it is written, with the hash of its block, so that
 * what lies there is an anchor too. A collector that is away is waited for with a queue that has an end; nobody signs
 * in later because of it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type AuditBlock, entriesOf, entryView } from '../domain/audit.ts';
import { createHttpSender } from './audit-stream-http.ts';
import { createSyslogSender } from './audit-stream-syslog.ts';
import type { Log } from './telemetry.ts';

/** `block`: the hash of the block that it stands in. */
export type StreamedEntry = ReturnType<typeof entryView> & { block: string };

export interface Sender {
  /** All of them or none; the same may be sent again. */
  send(entries: readonly StreamedEntry[]): Promise<void>;
  close(): void;
}

export interface StreamTools {
  fetch: typeof fetch;
  log: Pick<Log, 'info' | 'warn'>;
}

const queuedAtMost = 10_000;
const sentAtOnce = 100;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** How long whoever stops waits for what is left. */
const lastWordsMs = 2_000;

export function createAuditStream(
  { url, token, issuer }: { url: string; token?: string | undefined; issuer: string },
  { fetch, log }: StreamTools,
) {
  const isSyslog = url.startsWith('syslog+');
  const sender = isSyslog
    ? createSyslogSender(new URL(url), new URL(issuer).hostname)
    : createHttpSender(url, token, fetch);
  const ended = new AbortController();
  let queue: StreamedEntry[] = [];
  let dropped = 0;
  let pumping: Promise<void> | undefined;

  async function pump(): Promise<void> {
    let pauseMs = 0;
    while (queue.length > 0) {
      const entries = queue.slice(0, sentAtOnce);
      try {
        await sender.send(entries);
        // What was dropped meanwhile was dropped from the front: it is no longer there to take away, and was sent.
        const left = queue.indexOf(entries.at(-1) as StreamedEntry) + 1;
        queue = queue.slice(left);
        dropped -= entries.length - left;
        if (pauseMs > 0 || dropped > 0) log.info('the audit stream goes on', { dropped });
        [pauseMs, dropped] = [0, 0];
      } catch (error) {
        const told = { error: (error as Error).message, waiting: queue.length, dropped };
        if (pauseMs === 0) log.warn('the audit stream is not taken', told);
        if (ended.signal.aborted) return;
        pauseMs = Math.min(Math.max(pauseMs * 2, firstPauseMs), longestPauseMs);
        await wait(pauseMs, undefined, { ref: false, signal: ended.signal }).catch(() => undefined);
      }
    }
  }

  return {
    written: (block: AuditBlock): void => {
      for (const entry of entriesOf(block)) {
        queue.push({ ...entryView(entry), block: block.hash });
      }
      const tooMany = Math.max(0, queue.length - queuedAtMost);
      dropped += tooMany;
      queue = queue.slice(tooMany);
      pumping ??= pump().finally(() => {
        pumping = undefined;
      });
    },

    close: async (): Promise<void> => {
      ended.abort();
      await Promise.race([pumping, wait(lastWordsMs, undefined, { ref: false })]);
      sender.close();
      if (queue.length > 0) log.warn('the audit stream ends early', { lost: queue.length });
    },
  };
}
