/** What the commands about people have in common: their options, the store that they open, how they print. */
import type { Command } from 'commander';
import type { ErasureRequests } from '../../enrol/erasure-requests.ts';
import type { Account, Accounts } from '../../store/accounts.ts';
import type { FactorRecords } from '../../store/factors.ts';
import type { Portraits } from '../../store/portraits.ts';

export interface PeopleOptions {
  config?: string;
  json?: true;
}

export interface People {
  accounts: Accounts;
  factors: FactorRecords;
  portraits: Portraits;
  erasure: ErasureRequests;
  random: (bytes: number) => string;
}

/** A command below `accounts`, with the options that all of them have. */
export function peopleCommand(parent: Command, signature: string, description: string): Command {
  return parent
    .command(signature)
    .description(description)
    .option('--config <file>', 'configuration file (or CONFIG_FILE)')
    .option('--json', 'print JSON');
}

export async function withPeople(
  { config: fileName }: PeopleOptions,
  work: (people: People) => Promise<void>,
): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts');
  const { randomKey } = await import('../../config/keys.ts');
  const { createErasureRequests } = await import('../../enrol/erasure-requests.ts');
  const { createAccounts } = await import('../../store/accounts.ts');
  const { createFactorRecords } = await import('../../store/factors.ts');
  const { openStore } = await import('../../store/open.ts');
  const { createPortraits } = await import('../../store/portraits.ts');
  const { config } = loadConfig({ fileName, env: process.env });
  const clock = Date.now;
  const { store } = await openStore({ ...config.store, clock });
  try {
    const accounts = createAccounts(store, { clock, random: randomKey });
    await work({
      ...{ accounts, random: randomKey, factors: createFactorRecords(store) },
      erasure: createErasureRequests({ store, accounts, clock }),
      portraits: createPortraits(store, () => {
        // Where nobody keeps the trace that it leaves.
        throw new Error('the command line opens no face');
      }),
    });
  } finally {
    await store.close();
  }
}

/** @param named an e-mail address, a user name, or the `sub`, which is all that an erased account has left. */
export async function findPerson(
  { accounts }: Pick<People, 'accounts'>,
  named: string,
): Promise<Account> {
  const id = (await accounts.idOf(named)) ?? named;
  const account = await accounts.find(id);
  if (!account) throw new Error(`nobody signs in as "${named}"`);
  return account;
}

/** @throws when it is no name that can stand in a log. */
export function operatorName(given: string): string {
  const name = given.trim();
  if (!/^[\p{L}\p{N}._@+-]{1,64}$/u.test(name)) {
    throw new Error('an operator has a name of letters, digits and . _ @ + -, of 64 at most');
  }
  return name;
}

/** JSON for programs, or lines for people. */
export function print(
  { json }: PeopleOptions,
  value: unknown,
  lines: () => readonly string[],
): void {
  const text = json ? JSON.stringify(value) : lines().join('\n');
  if (text !== '') process.stdout.write(`${text}\n`);
}
