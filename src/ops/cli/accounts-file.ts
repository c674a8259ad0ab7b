/** `didit-oidc accounts import|export`: people from a file, and into one. */
import type { Command } from 'commander';
import { type OperatorOptions, operatorCommand, print, recordBy, withPeople } from './people.ts';
import { createTeller, printEach } from './progress.ts';

interface ImportCommandOptions extends OperatorOptions {
  dryRun?: true;
  skipExisting?: true;
}

export function addFileCommands(accounts: Command): void {
  operatorCommand(
    accounts,
    'import <file>',
    'add the people of a file, all or none of them: NDJSON, or CSV when it is called so',
  )
    .option('--dry-run', 'only look whether all of it is right')
    .option('--skip-existing', 'leave people alone who are there already')
    .action(importFile);
  operatorCommand(
    accounts,
    'export',
    'write everybody to standard output, a JSON object a line, without pictures and secrets',
  ).action(exportAll);
}

async function importFile(file: string, options: ImportCommandOptions): Promise<void> {
  const { PeopleFileError, importPeople } = await import('../../enrol/people-file.ts');
  const { dryRun = false, skipExisting = false } = options;
  await withPeople(options, async (people) => {
    const record = recordBy(options.operator, people.record);
    try {
      const tell = createTeller();
      const result = await importPeople(file, people, {
        ...{ dryRun, skipExisting },
        progress: ({ checked, added }) => tell(`${checked} lines checked, ${added} people added`),
      });
      if (result.refused.length > 0) process.exitCode = 1;
      const reason = `${result.added} from a file`;
      if (!dryRun) record({ event: 'account.created', atMs: Date.now(), reason });
      print(options, result, () => [
        dryRun ? `${result.people} people would be added` : `${result.added} people added`,
        ...(skipExisting ? [`${result.skipped} are there already`] : []),
        ...result.refused.map(({ line, problem }) => `line ${line} was not added: ${problem}`),
      ]);
    } catch (error) {
      if (!(error instanceof PeopleFileError) || !options.json) throw error;
      process.exitCode = 1;
      print(options, { added: 0, problems: error.problems }, () => []);
    }
  });
}

async function exportAll(options: OperatorOptions): Promise<void> {
  const { exportPeople } = await import('../../enrol/export.ts');
  await withPeople(options, async (people) => {
    const record = recordBy(options.operator, people.record);
    record({ event: 'account.exported', atMs: Date.now(), reason: 'everybody' });
    await printEach(exportPeople(people), 'people');
  });
}
