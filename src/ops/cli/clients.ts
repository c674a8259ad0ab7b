/** `didit-oidc clients secret`: a client secret, and the hash that goes into the clients file. */
import type { Command } from 'commander';

export function addClientsCommand(program: Command): void {
  const clients = program.command('clients').description('relying parties');
  clients
    .command('secret')
    .description('make a client secret and the hash to write into the clients file')
    .option('--json', 'machine-readable')
    .action(async ({ json }: { json?: boolean }) => {
      const { randomKey } = await import('../../config/keys.ts');
      const { hashSecret } = await import('../../oidc/adapter.ts');
      const secret = randomKey();
      const made = { client_secret: secret, client_secret_hash: hashSecret(secret) };
      const lines = json
        ? JSON.stringify(made)
        : [
            `client_secret (for the relying party):   ${made.client_secret}`,
            `client_secret_hash (for CLIENTS_FILE):   ${made.client_secret_hash}`,
          ].join('\n');
      process.stdout.write(`${lines}\n`);
    });
}
