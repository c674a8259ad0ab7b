/** `didit-oidc accounts block|unblock|remove`: lock somebody out, let them in again, or forget them. */
import type { Command } from 'commander';
import type { Accounts } from '../../store/accounts.ts';
import type { Portraits } from '../../store/portraits.ts';

interface People {
  accounts: Accounts;
  portraits: Portraits;
}

/** @returns what became of the account; undefined when there is none any more. */
type Verb = (people: People, id: string) => Promise<string | undefined>;

const verbs: Readonly<Record<string, Verb>> = {
  block: async ({ accounts }, id) =>
    (await accounts.setStatus(id, 'blocked')) ? 'blocked' : undefined,
  unblock: async ({ accounts }, id) =>
    (await accounts.setStatus(id, 'active')) ? 'active' : undefined,
  async remove({ accounts, portraits }, id) {
    const enrolment = (await accounts.find(id))?.enrolment;
    if (!(await accounts.remove(id))) return undefined;
    if (enrolment) await portraits.remove(enrolment.id);
    return 'removed';
  },
};

export function addAccountsCommand(program: Command): void {
  const accounts = program.command('accounts').description('people');
  for (const [verb, work] of Object.entries(verbs)) {
    accounts
      .command(`${verb} <identifier>`)
      .description(`${verb} the account with this e-mail address or user name`)
      .option('--config <file>', 'configuration file (or CONFIG_FILE)')
      .action((identifier: string, options: { config?: string }) =>
        withPeople(options.config, async (people) => {
          const id = await people.accounts.idOf(identifier);
          const result = id === undefined ? undefined : await work(people, id);
          if (result === undefined) throw new Error(`nobody signs in as "${identifier}"`);
          process.stdout.write(`${id} is ${result}\n`);
        }),
      );
  }
}

async function withPeople(
  fileName: string | undefined,
  work: (people: People) => Promise<void>,
): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts');
  const { randomKey } = await import('../../config/keys.ts');
  const { createAccounts } = await import('../../store/accounts.ts');
  const { openStore } = await import('../../store/open.ts');
  const { createPortraits } = await import('../../store/portraits.ts');
  const { config } = loadConfig({ fileName, env: process.env });
  const { store } = await openStore({ ...config.store, clock: Date.now });
  try {
    await work({
      accounts: createAccounts(store, { clock: Date.now, random: randomKey }),
      portraits: createPortraits(store),
    });
  } finally {
    await store.close();
  }
}
