/** How soon a page of the audit log is found among a million entries, sealed, on Redis. */
import { createHash } from 'node:crypto';
import { type AuditBlock, beginning, lastOf, nextBlock } from '../../src/domain/audit.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import { createAudit } from '../../src/store/audit.ts';
import { bucketOf, indexOf, keyOf } from '../../src/store/audit-reader.ts';
import type { AuditQuery } from '../../src/store/audit-search.ts';
import { type Explanations, createExplanations } from '../../src/store/explanations.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { quantile } from './measure.ts';

const logins = 125_000;
const steps = [
  ...(['login.started', 'login.decided', 'account.portrait_opened', 'capture.created'] as const),
  ...(['browser.returned', 'verdict.received', 'login.completed', 'mail.sent'] as const),
];
/** Whom the log names. */
export const accountsInLog = 5_000;
const clients = 200;
const dayMs = 86_400_000;
const [spreadOverMs, keptMs] = [300 * dayMs, 400 * dayMs];
const writtenAtOnce = 500;
const pages = 300;
/** All over the log, and the same in each run. Only these sign-ins have an explanation. */
export const askedFor = Array.from({ length: pages }, (_, turn) => (turn * 40_009) % logins);

export const accountOf = (login: number): string => `account-${login % accountsInLog}-of-them`;
const clientOf = (login: number): string => `client-${login % clients}`;
export const referenceOf = (login: number): string => `R${String(login).padStart(7, '0')}`;
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

interface Search {
  by: string;
  p50Ms: number;
  p99Ms: number;
}

export interface AuditFigures {
  entries: number;
  filledInSeconds: number;
  checkedInSeconds: number;
  searches: Search[];
}

export async function measureAudit(url: string, encryptionKey: string): Promise<AuditFigures> {
  const { store } = await openStore({ url, encryptionKeys: [encryptionKey], clock: Date.now });
  try {
    const explanations = createExplanations(store, Date.now);
    const beganAtMs = Date.now() - spreadOverMs;
    const timeOf = (login: number): number =>
      Math.floor(beganAtMs + (login * spreadOverMs) / logins);
    const filledInSeconds = await seconds(() => fill(store, explanations, timeOf));
    const audit = createAudit(store, {
      ...{ clock: Date.now, hash, keptSeconds: keptMs / 1000, explanations },
      failed: () => undefined,
    });
    const searches: Search[] = [];
    for (const [by, queryFor] of Object.entries({
      account: (login: number) => ({ account: accountOf(login) }),
      reference: (login: number) => ({ reference: referenceOf(login) }),
      time: (login: number) => ({ untilMs: timeOf(login) }),
      client: (login: number) => ({ client: clientOf(login) }),
    })) {
      const tookMs: number[] = [];
      for (const login of askedFor) tookMs.push(await find(audit.page, queryFor(login)));
      searches.push({ by, p50Ms: quantile(tookMs, 0.5), p99Ms: quantile(tookMs, 0.99) });
    }
    const checked = { entries: 0 };
    const checkedInSeconds = await seconds(async () => {
      const report = await audit.verify();
      if (!report.ok) throw new Error(report.problems.slice(0, 3).join('; '));
      checked.entries = report.entries;
    });
    return { ...checked, filledInSeconds, checkedInSeconds, searches };
  } finally {
    await store.close();
  }
}

async function find(
  page: ReturnType<typeof createAudit>['page'],
  query: AuditQuery,
): Promise<number> {
  const beginMs = performance.now();
  const { entries } = await page(query);
  const tookMs = performance.now() - beginMs;
  if (entries.length === 0) throw new Error(`nothing found: ${JSON.stringify(query)}`);
  return tookMs;
}

/** A block a login, as on a quiet provider: the most blocks that so many entries can be. */
async function fill(
  store: Store,
  explanations: Explanations,
  timeOf: (login: number) => number,
): Promise<void> {
  let last = beginning;
  let writing: Promise<unknown>[] = [];
  const isAskedFor = new Set(askedFor);
  for (let login = 0; login < logins; login += 1) {
    const nowMs = timeOf(login);
    const block = nextBlock(last, eventsOf(login, nowMs), { nowMs, keptMs, hash });
    last = lastOf(block);
    writing.push(write(store, block, accountOf(login)));
    if (isAskedFor.has(login)) writing.push(explain(explanations, login, nowMs));
    if (writing.length < writtenAtOnce) continue;
    await Promise.all(writing);
    writing = [];
  }
  await Promise.all(writing);
  await store.put('audit-head', JSON.stringify(last));
}

function eventsOf(login: number, atMs: number): AuditEvent[] {
  const about = { attempt: hash(`attempt ${login}`).slice(0, 22), reference: referenceOf(login) };
  return steps.map((event) => ({
    ...{ event, atMs, ...about, client: clientOf(login), account: accountOf(login) },
    reason: 'selfie: everybody else',
  }));
}

async function write(store: Store, block: AuditBlock, account: string): Promise<void> {
  const { seq, atMs } = block;
  await Promise.all([
    store.put(keyOf(seq), JSON.stringify(block), { ttlSeconds: keptMs / 1000 }),
    store.indexAdd(indexOf(account, bucketOf(atMs)), String(seq), -seq, keptMs / 1000),
  ]);
}

function explain(explanations: Explanations, login: number, beganAtMs: number): Promise<void> {
  return explanations.add({
    ...{ schema: 1, reference: referenceOf(login), attempt: String(login), kind: 'login' },
    ...{ client: { id: clientOf(login), name: 'App' }, beganAtMs, outcome: 'signed_in' },
    ...{ steps: [{ step: 'ended', afterMs: 30_000 }], selfies: 1 },
  });
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const beginMs = performance.now();
  await work();
  return (performance.now() - beginMs) / 1000;
}
