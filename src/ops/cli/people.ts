/** What the commands about people have in common: their options, the store that they open, how they print. */
import { type Command, Option } from 'commander';
import type { Record } from '../../domain/event.ts';
import { asPlainLine } from '../../domain/line.ts';
import type { ErasureRequests } from '../../enrol/erasure-requests.ts';
import type { Account, Accounts } from '../../store/accounts.ts';
import type { FactorRecords } from '../../store/factors.ts';
import type { Portraits } from '../../store/portraits.ts';
import { openRecording } from './recording.ts';

export interface PeopleOptions {
  config?: string;
  json?: true;
}

export interface OperatorOptions extends PeopleOptions {
  /** As it was typed: operatorName() reads it. */
  operator: string;
}

export interface People {
  accounts: Accounts;
  factors: FactorRecords;
  portraits: Portraits;
  erasure: ErasureRequests;
  record: Record;
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

/** Whom the audit log names where nobody was named. */
export const whoever = 'command-line';

/** A command of which the audit log says who gave it. */
export function operatorCommand(parent: Command, signature: string, description: string): Command {
  return peopleCommand(parent, signature, description).option(
    '--operator <name>',
    'who does it, for the audit log',
    whoever,
  );
}

/** What `--operator` was called here once. */
export function withFormerName(command: Command): Command {
  return command
    .addOption(new Option('--by <name>').hideHelp())
    .on('option:by', (name: string) => void command.setOptionValue('operator', name));
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
  const { createLog } = await import('../../web/telemetry.ts');
  const { config } = loadConfig({ fileName, env: process.env });
  const clock = Date.now;
  const { store } = await openStore({ ...config.store, clock });
  const log = createLog('warn', { write: (line) => void process.stderr.write(line) });
  const { audit, record } = await openRecording(config, { store, log });
  try {
    const accounts = createAccounts(store, { clock, random: randomKey });
    await work({
      ...{ accounts, random: randomKey, record, factors: createFactorRecords(store) },
      erasure: createErasureRequests({ store, accounts, clock }),
      portraits: createPortraits(store, () => {
        // Where nobody keeps the trace that it leaves.
        throw new Error('the command line opens no face');
      }),
    });
  } finally {
    await audit.close();
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

/** As print(), of what may be nothing at all. @param next what to do then. */
export function printAll(
  options: PeopleOptions,
  value: unknown,
  { lines, next }: { lines: readonly string[]; next: string },
): void {
  if (!options.json && lines.length === 0) process.stderr.write(`none; ${next}\n`);
  print(options, value, () => lines);
}

/** Tells of each event who did it. */
export function recordBy(operator: string, record: Record): Record {
  const operators = [operatorName(operator)];
  return (event) => record({ operators, ...event });
}

/** JSON for programs, or lines for people: whatever an app or a person is called, a line stays that line. */
export function print(
  { json }: PeopleOptions,
  value: unknown,
  lines: () => readonly string[],
): void {
  const text = json ? JSON.stringify(value) : lines().map(asPlainLine).join('\n');
  if (text !== '') process.stdout.write(`${text}\n`);
}
