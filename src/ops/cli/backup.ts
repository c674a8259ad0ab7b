/** `didit-oidc backup` and `restore`: what has to outlive the database, as a file of sealed lines. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { isoTime } from '../../domain/iso-time.ts';
import { type PeopleOptions, peopleCommand, print } from './people.ts';
import { createTeller } from './progress.ts';

interface RestoreOptions extends PeopleOptions {
  erased?: string;
}

export function addBackupCommands(program: Command): void {
  peopleCommand(
    program,
    'backup <file>',
    'write accounts, faces, keys and history to a file, sealed as they are in the store',
  ).action(backup);
  peopleCommand(program, 'restore <file>', 'read a backup into a store that is empty')
    .option(
      '--erased <file>',
      'lines of the log or the audit log: whose erasure began since, again',
    )
    .action(restore);
}

async function backup(file: string, options: PeopleOptions): Promise<void> {
  const { writeToFile } = await import('../backup-file.ts');
  if (existsSync(file)) throw new Error(`${file} is there already; nothing was written`);
  const { entries, close } = await openStoreOf(options);
  const tell = createTeller();
  const progress = (written: number): void => tell(`${written} entries written`);
  try {
    const counts = await writeToFile(file, entries(), { nowMs: Date.now(), progress });
    print(options, { file, counts }, () => [
      `${sum(counts)} entries: ${listOf(counts)}`,
      `${file} is worth nothing without STORE_ENCRYPTION_KEYS, which are not in it`,
    ]);
  } finally {
    await close();
  }
}

async function restore(file: string, options: RestoreOptions): Promise<void> {
  const { erasedIn, restoreFile } = await import('../backup-file.ts');
  // Whatever is wrong with either file is said before anything is written.
  const erased = options.erased === undefined ? [] : await erasedIn(options.erased);
  const { store, entries, encryptionKeys, close } = await openStoreOf(options);
  let restored: Awaited<ReturnType<typeof restoreFile>>;
  try {
    const place = { store, entries, encryptionKeys };
    const tell = createTeller();
    restored = await restoreFile(file, place, {
      clock: Date.now,
      progress: (read) => tell(`${read} entries read`),
    });
  } finally {
    await close();
  }
  const again = await eraseAgain(options, erased);
  const { counts, over } = restored;
  const writtenAt = isoTime(restored.writtenAtMs);
  const told = { file, written_at: writtenAt, counts, over, erased_again: again };
  print(options, told, () => [
    `${sum(counts)} entries of ${writtenAt}: ${listOf(counts)}`,
    ...(over > 0 ? [`${over} ${over === 1 ? 'was' : 'were'} over meanwhile`] : []),
    options.erased === undefined
      ? 'who was erased since then is back: give the lines of the log from then on with --erased'
      : `${again.length} who were erased since then are being erased again`,
    'everybody signs in anew; links in mails of before lead nowhere',
    'what was taken away since is back: blocks, operators, API keys, apps, ways in',
  ]);
}

async function openStoreOf({ config: fileName }: PeopleOptions) {
  const { loadConfig } = await import('../../config/load.ts');
  const { inOrder } = await import('../../domain/dated.ts');
  const { openRaw } = await import('../../store/raw.ts');
  const { store: settings } = loadConfig({ fileName, env: process.env }).config;
  const encryptionKeys = inOrder(settings.encryptionKeys, Date.now());
  const { store, entries } = await openRaw(settings.url, Date.now);
  return { store, entries, encryptionKeys, close: (): Promise<void> => store.close() };
}

/** @returns those whom the backup knew and who are not erased in it. */
async function eraseAgain(options: PeopleOptions, erased: readonly string[]): Promise<string[]> {
  if (erased.length === 0) return [];
  const { withPeople } = await import('./people.ts');
  const again: string[] = [];
  await withPeople(options, async ({ accounts, erasure }) => {
    for (const id of erased) {
      const account = await accounts.find(id);
      if (!account || account.status === 'erased') continue;
      await erasure.eraseAccount(id);
      again.push(id);
    }
  });
  return again;
}

const sum = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((all, some) => all + some, 0);

const listOf = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([kind, number]) => `${number} ${kind}`)
    .join(', ');
