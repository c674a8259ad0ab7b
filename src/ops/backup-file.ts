/** Backups on the disk: written privately and whole, read twice, so that a broken one changes nothing. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../domain/environment.ts';
import {
  type Counts,
  checkKeys,
  count,
  isKept,
  readBackup,
  restoreEntry,
  writeBackup,
} from '../store/backup.ts';
import { type RawEntry, type RawStore, nameOf } from '../store/raw.ts';
import { secretKey } from '../store/sealed.ts';
import { syncDirectory, whyNotWritten } from './disk.ts';

type Progress = (entries: number) => void;

const progressEvery = 1_000;
const writesAtOnce = 100;

/** @throws when there is such a file already, or when it cannot be written whole; then there is none. */
export async function writeToFile(
  file: string,
  entries: ReturnType<RawStore['entries']>,
  { nowMs, progress }: { nowMs: number; progress: Progress },
): Promise<Counts> {
  const partial = `${file}.partial`;
  let counts: Counts = {};

  async function* told(): AsyncGenerator<RawEntry> {
    let written = 0;
    for await (const entry of entries) {
      yield entry;
      if ((written += 1) % progressEvery === 0) progress(written);
    }
  }
  async function* lines(): AsyncGenerator<string> {
    counts = yield* writeBackup(told(), nowMs);
  }

  // Refused at once, not after an hour.
  await writePrivately(file, []);
  try {
    await writePrivately(partial, lines());
    await rename(partial, file);
    await syncDirectory(dirname(file));
    return counts;
  } catch (cause) {
    await Promise.all([rm(partial, { force: true }), rm(file, { force: true })]);
    throw new Error(`there is no backup: ${whyNotWritten(cause)}`, { cause });
  }
}

/** Resolves when it lies on the disk. @throws also where it is there already. */
const writePrivately = (file: string, lines: Iterable<string> | AsyncIterable<string>) =>
  pipeline(lines, createWriteStream(file, { mode: 0o600, flags: 'wx', flush: true }));

/** @throws unless the backup is whole, its keys are there, and the store is empty; nothing is written then. */
export async function restoreFile(
  file: string,
  { store, entries, encryptionKeys }: RawStore & { encryptionKeys: readonly string[] },
  { clock, progress }: { clock: Clock; progress: Progress },
): Promise<{ counts: Counts; over: number; writtenAtMs: number }> {
  let secret: string | undefined;
  const { writtenAtMs } = await eachEntry(file, (entry) => {
    if ('record' in entry && entry.record === secretKey) secret = entry.value;
  });
  checkKeys(secret, encryptionKeys);
  await requireEmpty(entries());

  const counts: Counts = {};
  let [over, read] = [0, 0];
  let gathered: RawEntry[] = [];
  async function write(entry: RawEntry): Promise<void> {
    if (await restoreEntry(store, entry, clock())) count(counts, entry);
    else over += 1;
  }
  // None is under way while lines are read: one that fails is heard of at once, and by whoever waits for it.
  async function writeGathered(): Promise<void> {
    const entries = gathered;
    gathered = [];
    await Promise.all(entries.map(write));
  }
  await eachEntry(file, async (entry) => {
    gathered.push(entry);
    if ((read += 1) % progressEvery === 0) progress(read);
    if (gathered.length >= writesAtOnce) await writeGathered();
  });
  await writeGathered();
  return { counts, over, writtenAtMs };
}

const erasures = new Set<unknown>(['account.erasure_began', 'account.erased']);

/** The accounts whose erasure these lines say began, complete or not; other lines are passed over. */
export async function erasedIn(file: string): Promise<string[]> {
  const ids = new Set<string>();
  for await (const line of linesOf(file)) {
    const event = eventIn(line);
    const isErasure = erasures.has(event?.['message']) || erasures.has(event?.['event']);
    if (!isErasure || event?.['reason'] !== 'account') continue;
    if (typeof event['account'] === 'string') ids.add(event['account']);
  }
  return [...ids];
}

function eventIn(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A store that was opened once has a secret of its own, which nothing has been sealed with yet. */
async function requireEmpty(entries: ReturnType<RawStore['entries']>): Promise<void> {
  const counts: Counts = {};
  for await (const entry of entries) {
    if (isKept(entry) && nameOf(entry) !== secretKey) count(counts, entry);
  }
  const kinds = Object.entries(counts).map(([kind, number]) => `${number} ${kind}`);
  if (kinds.length === 0) return;
  throw new Error(
    `the store is not empty (${kinds.join(', ')}): a backup goes into an empty one. Nothing was written.`,
  );
}

async function eachEntry(
  file: string,
  work: (entry: RawEntry) => void | Promise<void>,
): Promise<{ writtenAtMs: number }> {
  const entries = readBackup(linesOf(file));
  for (;;) {
    const next = await entries.next();
    if (next.done) return next.value;
    await work(next.value);
  }
}

const linesOf = (file: string): AsyncIterable<string> =>
  createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity });
