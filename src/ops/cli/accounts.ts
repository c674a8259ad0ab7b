/** `didit-oidc accounts block|unblock`: lock somebody out, or let them in again. */
import type { Command } from 'commander';
import type { Account } from '../../store/accounts.ts';

export function addAccountsCommand(program: Command): void {
  const accounts = program.command('accounts').description('people');
  const verbs = { block: 'blocked', unblock: 'active' } as const;
  for (const [verb, status] of Object.entries(verbs)) {
    accounts
      .command(`${verb} <identifier>`)
      .description(`${verb} the account with this e-mail address or user name`)
      .option('--config <file>', 'configuration file (or CONFIG_FILE)')
      .action((identifier: string, options: { config?: string }) =>
        setStatus(identifier, status, options.config),
      );
  }
}

async function setStatus(
  identifier: string,
  status: Account['status'],
  fileName: string | undefined,
): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts');
  const { randomKey } = await import('../../config/keys.ts');
  const { createAccounts } = await import('../../store/accounts.ts');
  const { openStore } = await import('../../store/open.ts');
  const { config } = loadConfig({ fileName, env: process.env });
  const { store } = await openStore({ ...config.store, clock: Date.now });
  try {
    const accounts = createAccounts(store, { clock: Date.now, random: randomKey });
    const id = await accounts.idOf(identifier);
    if (id === undefined || !(await accounts.setStatus(id, status))) {
      throw new Error(`nobody signs in as "${identifier}"`);
    }
    process.stdout.write(`${id} is ${status}\n`);
  } finally {
    await store.close();
  }
}
