/** `didit-oidc accounts …`: who there is, and whether they may come in. */
import type { Command } from 'commander';
import type { Account } from '../../store/accounts.ts';
import { addActsOnAccounts } from './accounts-acts.ts';
import { addEnrolCommands } from './accounts-enrol.ts';
import { addErasureCommands } from './accounts-erase.ts';
import { addFileCommands } from './accounts-file.ts';
import { addRecoverCommand } from './accounts-recover.ts';
import { type PeopleOptions, findPerson, peopleCommand, print, withPeople } from './people.ts';

export function addAccountsCommand(program: Command): void {
  const accounts = program.command('accounts').description('people');
  peopleCommand(accounts, 'list', 'list everybody').action(list);
  peopleCommand(
    accounts,
    'show <identifier>',
    'show one account: by e-mail address, user name or sub',
  ).action(show);
  addFileCommands(accounts);
  addEnrolCommands(accounts);
  addRecoverCommand(accounts);
  addErasureCommands(accounts);
  addActsOnAccounts(accounts);
}

async function list(options: PeopleOptions): Promise<void> {
  const { describeAccount } = await import('../../enrol/export.ts');
  await withPeople(options, async ({ accounts }) => {
    const all = await Array.fromAsync(accounts.list());
    all.sort((a, b) => a.createdAtMs - b.createdAtMs);
    print(options, { accounts: all.map(describeAccount) }, () => all.map(lineOf));
  });
}

function lineOf({ id, status, enrolment, email, username }: Account): string {
  const names = [email, username].filter((name) => name !== undefined);
  return [id, status.padEnd(7), enrolment ? 'face   ' : 'no face', names.join(', ')]
    .join('  ')
    .trimEnd();
}

async function show(identifier: string, options: PeopleOptions): Promise<void> {
  const { describeAccount } = await import('../../enrol/export.ts');
  await withPeople(options, async (people) => {
    const account = await findPerson(people, identifier);
    const planned = await people.erasure.planned(account.id);
    const shown = {
      ...describeAccount(account),
      ...(planned && {
        erasure: { what: planned.what, at: new Date(planned.readyAtMs).toISOString() },
      }),
    };
    const width = Math.max(...Object.keys(shown).map((key) => key.length));
    print(options, shown, () =>
      Object.entries(shown).map(([key, value]) => `${key.padEnd(width)}  ${textOf(value)}`),
    );
  });
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
