/**
 * A backup is lines of JSON: a head, an entry each of what has to outlive the database, and a last line with counts
 * and a checksum. What is sealed in the store is sealed in the backup, so that it is worth nothing without
 * STORE_ENCRYPTION_KEYS, and it fits any driver.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { createKeyring } from './keyring.ts';
import { type RawEntry, nameOf } from './raw.ts';
import { secretKey } from './sealed.ts';
import { kindOf } from './sealed-names.ts';
import type { Store } from './store.ts';

/**
 * What is not kept, since it is over sooner than a backup is used, or because it counts once: after a restore a spent
 * code, link or refresh token would count again. All that is not listed is kept, what nobody has thought of too.
 */
const transientKinds: ReadonlySet<string> = new Set([
  // Sign-ins and what apps were given: everybody signs in anew.
  ...['Session', 'SessionId', 'sessions', 'account-session', 'Grant', 'Interaction'],
  ...['AuthorizationCode', 'AccessToken', 'RefreshToken', 'ClientCredentials', 'ReplayDetection'],
  ...['PushedAuthorizationRequest', 'pushed', 'BackchannelAuthenticationRequest', 'DeviceCode'],
  // Logins under way, and what they count.
  ...[
    'attempt',
    'completing',
    'challenge',
    'handoff',
    'expected',
    'looks',
    'didit',
    'reconcile',
    'turn',
  ],
  ...['limit', 'starts', 'declined', 'admission', 'mail-code', 'mail-code-tries'],
  // Links that count once, and mails that would be sent again.
  ...['ticket', 'tickets', 'operator-link', 'address-change', 'mail', 'mails'],
  // Operators at work, and what they were told.
  ...['console-session', 'console-draft', 'idempotency', 'budget-told', 'outage-told'],
  // Logouts that apps were to be told of.
  ...['logout', 'endings'],
]);

export const isKept = (entry: RawEntry): boolean => !transientKinds.has(kindOf(nameOf(entry)));

const head = z.strictObject({
  format: z.literal('didit-oidc backup'),
  version: z.literal(1),
  writtenAtMs: z.int(),
});
const untilMs = z.int().optional();
const entryForm = z.union([
  z.strictObject({ record: z.string(), value: z.string(), untilMs }),
  z.strictObject({ counter: z.string(), count: z.int(), untilMs }),
  z.strictObject({
    index: z.string(),
    members: z.array(z.tuple([z.string(), z.number()])),
    untilMs,
  }),
]);
const end = z.strictObject({
  end: z.literal(true),
  counts: z.record(z.string(), z.int()),
  sha256: z.string(),
});

export type Counts = Record<string, number>;
export type BackupHead = z.infer<typeof head>;

/** The lines, each with its newline. */
export async function* writeBackup(
  entries: AsyncIterable<RawEntry> | Iterable<RawEntry>,
  nowMs: number,
): AsyncGenerator<string, Counts> {
  const hash = createHash('sha256');
  const counts: Counts = {};
  const line = (value: object): string => {
    const text = `${JSON.stringify(value)}\n`;
    hash.update(text);
    return text;
  };
  yield line({ format: 'didit-oidc backup', version: 1, writtenAtMs: nowMs } satisfies BackupHead);
  for await (const entry of entries) {
    if (!isKept(entry)) continue;
    count(counts, entry);
    yield line(entry);
  }
  const sha256 = hash.copy().digest('base64url');
  yield line({ end: true, counts, sha256 });
  return counts;
}

/**
 * Reads the lines of a backup.
 * @throws with the number of the line where it is no backup, or one that was altered or cut off.
 */
export async function* readBackup(
  lines: AsyncIterable<string>,
): AsyncGenerator<RawEntry, BackupHead> {
  const hash = createHash('sha256');
  const counts: Counts = {};
  let first: BackupHead | undefined;
  let hasEnded = false;
  let number = 0;
  for await (const text of lines) {
    number += 1;
    const value = parsed(text, number);
    if (hasEnded) throw new Error(`line ${number}: there is more after the end`);
    if (!first) {
      first = head.safeParse(value).data;
      if (!first) throw new Error('line 1: this is no backup of didit-oidc that is known here');
    } else if (typeof value === 'object' && value !== null && 'end' in value) {
      const last = end.safeParse(value).data;
      hasEnded = true;
      if (last?.sha256 !== hash.copy().digest('base64url')) {
        throw new Error(`line ${number}: the checksum is another: the file was altered`);
      }
      if (JSON.stringify(last.counts) !== JSON.stringify(counts)) {
        throw new Error(`line ${number}: the counts are others`);
      }
    } else {
      const entry = entryForm.safeParse(value).data;
      if (!entry) throw new Error(`line ${number}: this is no entry`);
      count(counts, entry as RawEntry);
      yield entry as RawEntry;
    }
    hash.update(`${text}\n`);
  }
  if (!first || !hasEnded) throw new Error('the file ends too early: it was cut off');
  return first;
}

/** @throws when these are not the keys that the backup was sealed with. */
export function checkKeys(secret: string | undefined, encryptionKeys: readonly string[]): void {
  if (secret === undefined) return;
  try {
    createKeyring(encryptionKeys).open(secret, secretKey);
  } catch (error) {
    const reason = (error as Error).message;
    throw new Error(`STORE_ENCRYPTION_KEYS do not open this backup: it ${reason}`, {
      cause: error,
    });
  }
}

/** Below the seal. @returns whether it was still to be written: what is over is not. */
export async function restoreEntry(store: Store, entry: RawEntry, nowMs: number): Promise<boolean> {
  const leftMs = (entry.untilMs ?? Infinity) - nowMs;
  if (leftMs <= 0) return false;
  const ttlSeconds = entry.untilMs === undefined ? undefined : Math.ceil(leftMs / 1000);
  if ('record' in entry) {
    await store.put(entry.record, entry.value, { ttlSeconds });
  } else if ('counter' in entry) {
    // A counter without an end is not one of ours; the longest one lives for so long.
    const longest = 10 * 366 * 86_400;
    await store.increment(entry.counter, { by: entry.count, ttlSeconds: ttlSeconds ?? longest });
  } else {
    const { index, members } = entry;
    await Promise.all(
      members.map(([member, score]) => store.indexAdd(index, member, score, ttlSeconds)),
    );
  }
  return true;
}

export function count(counts: Counts, entry: RawEntry): void {
  const kind = kindOf(nameOf(entry));
  counts[kind] = (counts[kind] ?? 0) + ('members' in entry ? entry.members.length : 1);
}

function parsed(text: string, number: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`line ${number}: this is not JSON`);
  }
}
