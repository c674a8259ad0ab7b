import type { Command } from 'commander';

interface FileOption {
  config?: string;
}

/** `config check`, `config print` and `config reference`. */
export function addConfigCommand(program: Command): void {
  const config = program
    .command('config')
    .description('check, print or document the configuration');

  config
    .command('check')
    .description('report everything that is wrong with the configuration at once')
    .option('--config <file>', 'configuration file (default: CONFIG_FILE)')
    .option('--json', 'print JSON')
    .action(async (options: FileOption & { json?: true }) => {
      const { strangeVariables } = await import('../../config/strange-variables.ts');
      const strange = strangeVariables(process.env);
      // Before what is wrong: it may be why.
      for (const line of strange) process.stderr.write(`${line}\n`);
      await load(options);
      process.stdout.write(options.json ? '{"valid":true}\n' : 'configuration is valid\n');
    });

  config
    .command('print')
    .description('print what is in force and where it came from, without secrets')
    .option('--config <file>', 'configuration file (default: CONFIG_FILE)')
    .action(async (options: FileOption) => {
      const { config: loaded, origins } = await load(options);
      const { describeConfig } = await import('../../config/print.ts');
      process.stdout.write(describeConfig(loaded, origins));
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

async function load(options: FileOption) {
  const { loadConfig } = await import('../../config/load.ts');
  return loadConfig({ fileName: options.config, env: process.env });
}
