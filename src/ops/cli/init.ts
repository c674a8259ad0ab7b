import type { Command } from 'commander';

interface InitOptions {
  issuer: string;
  directory: string;
}

/** `init`: a first configuration with fresh keys. */
export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description('write a configuration with fresh keys; nothing is overwritten')
    .requiredOption('--issuer <url>', 'public address of the provider')
    .option('--directory <directory>', 'where to write', '.')
    .action(async ({ issuer, directory }: InitOptions) => {
      const { writeFirstConfiguration } = await import('./first-configuration.ts');
      process.stdout.write(await writeFirstConfiguration(issuer, directory));
    });
}
