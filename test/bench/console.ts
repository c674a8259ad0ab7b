/** How soon the console's pages are there, and how long they are, among 100,000 people and what the audit log holds. */
import { openStore } from '../../src/store/open.ts';
import type { Records } from '../../src/store/records.ts';
import { enter } from '../support/console.ts';
import { recordsOn } from '../support/operators.ts';
import { accountOf, accountsInLog, askedFor, referenceOf } from './audit.ts';
import { quantile } from './measure.ts';
import { send } from './requests.ts';

const people = 100_000;
const cases = 500;
const writtenAtOnce = 200;
/** Of each page; each asks for somebody or something else where the page has a subject. */
const views = 300;

const client = { id: 'first', name: 'First' };
/** All over them, and the same in each run. */
const pick = (turn: number, of: number): number => (turn * 7_919) % of;
const addressOf = (number: number): string => `citizen-${number}@example.com`;

export interface PageFigures {
  page: string;
  p50Ms: number;
  p99Ms: number;
  /** Of the longest. */
  kib: number;
}

export interface House {
  people: number;
  filledInSeconds: number;
  /** A link as the command prints it, for the first operator. */
  link: string;
  paths: Readonly<Record<string, (turn: number) => string>>;
}

/** Beside the entries that audit.ts has written: the people whom they name, and others. */
export async function fillHouse(url: string, encryptionKey: string): Promise<House> {
  const { store } = await openStore({ url, encryptionKeys: [encryptionKey], clock: Date.now });
  const records = recordsOn(store);
  try {
    const beginMs = performance.now();
    await inGroups(people, (number) => addPerson(records, number));
    const opened: string[] = [];
    await inGroups(cases, async (number) => void opened.push(await openCase(records, number)));
    const filledInSeconds = (performance.now() - beginMs) / 1000;
    const secret = await records.operatorLinks.issue({ role: 'admin', by: 'benchmark' });
    return { people, filledInSeconds, link: `/console/welcome/${secret}`, paths: pathsOf(opened) };
  } finally {
    await store.close();
  }
}

function pathsOf(opened: readonly string[]): House['paths'] {
  const someone = (turn: number): string => accountOf(pick(turn, accountsInLog));
  const reference = (turn: number): string => referenceOf(askedFor[turn] ?? 0);
  const at = (turn: number): string =>
    new Date(Date.now() - pick(turn, 250) * 86_400_000).toISOString().slice(0, 16);
  return {
    overview: () => '/',
    people: () => '/people',
    'people by name': (turn) => `/people?named=${addressOf(pick(turn, people))}`,
    person: (turn) => `/people/${someone(turn)}`,
    apps: () => '/apps',
    app: () => `/apps/${client.id}`,
    'new app': () => '/new-app',
    reviews: () => '/reviews',
    review: (turn) => `/reviews/${opened[pick(turn, opened.length)] ?? ''}`,
    audit: () => '/audit',
    'audit by account': (turn) => `/audit?account=${someone(turn)}`,
    'audit by app': (turn) => `/audit?client=client-${pick(turn, 200)}`,
    'audit by reference': (turn) => `/audit?reference=${reference(turn)}`,
    'audit by time': (turn) => `/audit?until=${at(turn)}`,
    'audit by event': () => '/audit?event=login.denied',
    explained: (turn) => `/audit/${reference(turn)}`,
    cost: () => '/cost',
    Didit: () => '/didit',
    keys: () => '/keys',
    operators: () => '/operators',
  };
}

async function addPerson({ accounts }: Records, number: number): Promise<void> {
  const known = number < accountsInLog ? { id: accountOf(number) } : {};
  const added = await accounts.add({
    ...known,
    ...{ email: addressOf(number), name: `Citizen ${number}`, groups: ['staff'] },
  });
  if (!added) throw new Error(`there is a citizen ${number} already`);
}

async function openCase({ reviews }: Records, number: number): Promise<string> {
  const opened = await reviews.open({
    ...{ reference: referenceOf(number), attempt: String(number), account: accountOf(number) },
    ...{ client, kind: 'login', diditSessionId: `session ${number}`, reason: 'in_review' },
  });
  if (!opened) throw new Error(`there is a case ${number} already`);
  return opened.id;
}

async function inGroups(count: number, work: (number: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += writtenAtOnce) {
    const length = Math.min(writtenAtOnce, count - from);
    await Promise.all(Array.from({ length }, (_, at) => work(from + at)));
  }
}

/** One operator, who looks at one page after the other. */
export async function measureConsole(
  origin: string,
  { link, paths }: House,
  address: string,
): Promise<PageFigures[]> {
  const { browser } = await enter(origin + link, address);
  const cookie = await browser.jar.getCookieString(`${origin}/console`);
  const figures: PageFigures[] = [];
  for (const [page, pathFor] of Object.entries(paths)) {
    const tookMs: number[] = [];
    let bytes = 0;
    for (let turn = 0; turn < views; turn += 1) {
      const path = pathFor(turn).replace(/^\/$/, '');
      const beginMs = performance.now();
      const { status, text } = await send(`${origin}/console${path}`, { headers: { cookie } });
      tookMs.push(performance.now() - beginMs);
      if (status !== 200) throw new Error(`${path} answered ${status}`);
      bytes = Math.max(bytes, Buffer.byteLength(text));
    }
    const [p50Ms, p99Ms] = [quantile(tookMs, 0.5), quantile(tookMs, 0.99)];
    figures.push({ page, p50Ms, p99Ms, kib: bytes / 1024 });
  }
  return figures;
}
