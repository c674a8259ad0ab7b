import type { Command } from 'commander';

export function addInitCommand(program: Command): void {
  program
    .command('init')
    .description('write a configuration with fresh keys; nothing is overwritten')
    .requiredOption('--issuer <url>', 'public address of the provider')
    .option('--directory <directory>', 'where to write', '.')
    .option('--operator <name>', 'who runs it, for pages and mails')
    .option('--support <address>', 'where people find a person who helps')
    .option('--data-controller <text>', 'whom people agree with, name and address')
    .option('--privacy <url>', 'your notice on privacy')
    .option('--registration <who>', 'who may enrol: off, invite or open')
    .option('--smtp-url <url>', 'mail server, with its password')
    .option('--mail-from <address>', 'sender of mails')
    .option('--store-url <url>', 'where records are kept')
    .option('--trust-proxy <number>', 'how many proxies stand in front (1, with --compose 2)')
    .option('--compose', 'for docker-compose.yml: also writes compose.env')
    .option('--json', 'print JSON')
    .action(async (options: Record<string, string> & { compose?: true; json?: true }) => {
      const { writeFirstConfiguration } = await import('./first-configuration.ts');
      const { nextSteps } = await import('./first-steps.ts');
      const { issuer = '', directory = '.', compose, json, ...answers } = options;
      const written = await writeFirstConfiguration({ issuer, directory, compose, answers });
      const { toFill, webhookUrl, ...others } = written;
      const shown = { ...others, to_fill: toFill, webhook_url: webhookUrl };
      process.stdout.write(json ? `${JSON.stringify(shown)}\n` : nextSteps(written, compose));
    });
}
