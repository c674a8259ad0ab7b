/**
 * The audit log: what happened, in blocks of a chain. A block carries the hash of the one before it and until when that
 * one is to be kept, so that nothing can be changed, moved or taken out of the chain without a later block telling.
 *
 * Whoever may write to the store and has its keys can make up a whole new end of the chain. What they cannot change is
 * a hash that somebody noted elsewhere: an anchor.
 */
import type { Hash } from './environment.ts';
import type { AuditEvent } from './event.ts';
import { isoTime } from './iso-time.ts';

/** What a block says of the one before it. */
export interface Link {
  hash: string;
  atMs: number;
  keptUntilMs: number;
}

export interface AuditBlock {
  schema: 1;
  /** From 1 on, without gaps. */
  seq: number;
  /** When it was written; never before the one that it follows. */
  atMs: number;
  keptUntilMs: number;
  prev: Link;
  events: readonly AuditEvent[];
  /** Of all the rest. */
  hash: string;
}

/** `at`: its place in the block. */
export type AuditEntry = AuditEvent & { seq: number; at: number };

/** The last block as somebody knows it. */
export type Last = Link & { seq: number };

export const beginning: Last = { seq: 0, hash: '', atMs: 0, keptUntilMs: 0 };

/** More of them fill a block at once. */
export const eventsInBlock = 64;
/** What waits for company is written after so long at the latest: as a rule a sign-in is over by then. */
export const companyMs = 20_000;

export function nextBlock(
  last: Last,
  events: readonly AuditEvent[],
  { nowMs, keptMs, hash }: { nowMs: number; keptMs: number; hash: Hash },
): AuditBlock {
  // Clocks of several processes differ. Times that only go forward can be searched by halves, and a block that is to be
  // kept no shorter than the one before it tells what may be missing.
  const atMs = Math.max(nowMs, last.atMs);
  const keptUntilMs = Math.max(atMs + keptMs, last.keptUntilMs);
  const { seq, ...prev } = last;
  const block = { schema: 1, seq: seq + 1, atMs, keptUntilMs, prev, events } as const;
  return { ...block, hash: hashOf(block, hash) };
}

export function hashOf(block: Omit<AuditBlock, 'hash'>, hash: Hash): string {
  return hash(canonicalJson(block));
}

export function lastOf({ seq, hash, atMs, keptUntilMs }: AuditBlock): Last {
  return { seq, hash, atMs, keptUntilMs };
}

export function entriesOf({ seq, events }: AuditBlock): AuditEntry[] {
  return events.map((event, at) => ({ ...event, seq, at }));
}

/** As all others read it: operators, their programs, and whoever gathers logs. */
export function entryView({ atMs, waitedMs, ...entry }: AuditEntry) {
  return {
    ...{ time: isoTime(atMs), ...entry },
    ...(waitedMs === undefined ? {} : { waited_ms: waitedMs }),
  };
}

/** The same text for the same content, whoever wrote it. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** The ordinary way of a sign-in. All else stands in the store before anybody can wish that it did not. */
const waitingForCompany = new Set<AuditEvent['event']>([
  ...(['login.started', 'login.decided', 'login.expired', 'capture.created'] as const),
  ...(['verdict.received', 'browser.returned', 'factor.asked'] as const),
  ...(['handoff.offered', 'handoff.claimed', 'mail.sent'] as const),
]);

export function mayWait({ event, reason }: AuditEvent): boolean {
  // Each selfie opens one face; the sign-in that it is for says the rest.
  const isOfSelfie = event === 'account.portrait_opened' && reason === 'sign_in';
  return isOfSelfie || waitingForCompany.has(event);
}

/**
 * Under whom a block can be found again: by how a sign-in ended, if only by its time, and by each opening of a face. The
 * steps between need no place of their own; the reference leads to them.
 */
export function accountsIn(events: readonly AuditEvent[]): string[] {
  const told = events.filter((event) => !mayWait(event) || leadsToAccount.has(event.event));
  const named = told.flatMap(({ account, claimed }) => [account, claimed]);
  return [...new Set(named.filter((account) => account !== undefined))];
}

const leadsToAccount = new Set<AuditEvent['event']>(['login.expired', 'account.portrait_opened']);

/** A block may be written so long after what it tells of. Longer, and it is searched by the time of the writing. */
const lateAtMostMs = 120_000;

/** By which time an entry is searched; blocks that were written up to `lateAtMostMs` later have to be looked at. */
export function searchedAtMs({ atMs }: AuditEvent, writtenAtMs: number): number {
  return Math.min(Math.max(atMs, writtenAtMs - lateAtMostMs), writtenAtMs);
}

export interface AuditFilter {
  /** Proven or claimed. */
  account?: string;
  reference?: string;
  attempt?: string;
  client?: string;
  /** A name, or the part before the dot: `login`. */
  event?: string;
  sinceMs?: number;
  untilMs?: number;
}

export function isWanted(filter: AuditFilter, entry: AuditEvent, writtenAtMs: number): boolean {
  const { account, event, sinceMs = 0, untilMs = Infinity } = filter;
  const atMs = searchedAtMs(entry, writtenAtMs);
  return (
    (account === undefined || entry.account === account || entry.claimed === account) &&
    (event === undefined || entry.event === event || entry.event.startsWith(`${event}.`)) &&
    (['reference', 'attempt', 'client'] as const).every(
      (name) => filter[name] === undefined || entry[name] === filter[name],
    ) &&
    atMs >= sinceMs &&
    atMs <= untilMs
  );
}

/** When blocks were written that may have something of these times. */
export function writtenBetween({ sinceMs = 0, untilMs = Infinity }: AuditFilter) {
  return { fromMs: sinceMs, toMs: untilMs + lateAtMostMs };
}
