import type { Command } from 'commander';
import { complain } from './complaint.ts';
import { type PeopleOptions, peopleCommand, print } from './people.ts';

/** `config check`, `config print` and `config reference`. */
export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .description('check, print or document the configuration');

  peopleCommand(
    config,
    'check',
    'report everything that is wrong with the configuration at once',
  ).action(check);

  peopleCommand(
    config,
    'print',
    'print what is in force and where it came from, without secrets',
  ).action(async (options: PeopleOptions) => {
    const { config: loaded, origins } = await load(options);
    const { describeConfig, settingsInForce } = await import('../../config/print.ts');
    const settings = options.json ? settingsInForce(loaded, origins) : [];
    print(options, { settings }, () => describeConfig(loaded, origins).trimEnd().split('\n'));
  });

  config
    .command('reference')
    .description('write docs/configuration.md, config/schema.json and config/example.yaml')
    .option('--check', 'write nothing, fail when a file differs')
    .option('--directory <directory>', 'root of the project', '.')
    .action(async (options: { check?: true; directory: string }) => {
      const { checkReference, writeReference } = await import('./reference.ts');
      if (options.check) checkReference(options.directory);
      else writeReference(options.directory);
    });
}

async function check(options: PeopleOptions): Promise<void> {
  const { ConfigurationError } = await import('../../config/problems.ts');
  const { strangeVariables } = await import('../../config/strange-variables.ts');
  const strange = strangeVariables(process.env);
  // Before what is wrong: it may be why.
  for (const line of strange) complain(line);
  try {
    await load(options);
    print(options, { valid: true }, () => ['configuration is valid']);
  } catch (error) {
    if (!(error instanceof ConfigurationError) || !options.json) throw error;
    process.exitCode = 1;
    print(options, { valid: false, problems: error.problems }, () => []);
  }
}

async function load(options: PeopleOptions) {
  const { loadConfig } = await import('../../config/load.ts');
  return loadConfig({ fileName: options.config, env: process.env });
}
