/** What `GET /control/log` shows: the calls received and the webhooks sent, newest last, bounded, no secrets. */
import type { IncomingHttpHeaders } from 'node:http';
import { isoTime } from './state.ts';

interface Call {
  at: string;
  operation: string;
  method: string;
  path: string;
  status: number;
  fault: string | null;
  headers: Record<string, string>;
  /** The names of the body's fields, never their values: one of them is a face. */
  bodyFields: readonly string[];
}

interface SentWebhook {
  at: string;
  eventId: string;
  diditSessionId: string;
  status: string;
  url: string;
  /** 0 for one that a fault kept from being sent. */
  attempt: number;
  fault: string | null;
  responseStatus: number | null;
  error: string | null;
}

export type Journal = ReturnType<typeof createJournal>;

const entriesMax = 1_000;
const secretHeaders = new Set(['x-api-key', 'authorization', 'cookie']);

export function createJournal(now: () => number) {
  const calls: Call[] = [];
  const webhooks: SentWebhook[] = [];
  return {
    addCall(call: Omit<Call, 'at' | 'headers'>, headers: IncomingHttpHeaders) {
      append(calls, { at: isoTime(now()), ...call, headers: redact(headers) });
    },
    addWebhook(webhook: Omit<SentWebhook, 'at'>) {
      append(webhooks, { at: isoTime(now()), ...webhook });
    },
    read: () => ({ calls, webhooks }),
  };
}

export function append<Entry>(entries: Entry[], entry: Entry): void {
  entries.push(entry);
  if (entries.length > entriesMax) entries.shift();
}

function redact(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secretHeaders.has(name) ? '[redacted]' : String(value),
    ]),
  );
}
