/** `didit-oidc accounts …`: who there is, and whether they may come in. */
import type { Command } from 'commander';
import type { Account } from '../../store/accounts.ts';
import { addActsOnAccounts } from './accounts-acts.ts';
import { addEnrolCommands } from './accounts-enrol.ts';
import { addErasureCommands } from './accounts-erase.ts';
import { addFileCommands } from './accounts-file.ts';
import { addRecoverCommand } from './accounts-recover.ts';
import {
  type OperatorOptions,
  type PeopleOptions,
  findPerson,
  operatorCommand,
  peopleCommand,
  print,
  recordBy,
  withPeople,
} from './people.ts';

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
  const verbs = { block: 'blocked', unblock: 'active' } as const;
  for (const [verb, status] of Object.entries(verbs)) {
    operatorCommand(
      accounts,
      `${verb} <identifier>`,
      `${verb} the account with this e-mail address, user name or sub`,
    ).action((identifier: string, options: OperatorOptions) =>
      setStatus(identifier, status, options),
    );
  }
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

async function setStatus(
  identifier: string,
  status: 'active' | 'blocked',
  options: OperatorOptions,
): Promise<void> {
  const { hasYetToArrive } = await import('../../enrol/invitation.ts');
  await withPeople(options, async (people) => {
    const record = recordBy(options.operator, people.record);
    const account = await findPerson(people, identifier);
    const { id } = account;
    // Whoever is invited, or held over a recovery, is not let in by this.
    const isOther = status === 'active' && !['active', 'blocked'].includes(account.status);
    const next = status === 'active' && hasYetToArrive(account) ? 'invited' : status;
    if (isOther || !(await people.accounts.setStatus(id, next))) {
      throw new Error(`${id} is ${account.status}, and stays so`);
    }
    record({ event: 'account.changed', atMs: Date.now(), account: id, reason: next });
    print(options, { sub: id, status: next }, () => [`${id} is ${next}`]);
  });
}
