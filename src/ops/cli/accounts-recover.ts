/** `didit-oidc accounts recover`: for somebody who has nothing left to sign in by, opened by two operators. */
import type { Command } from 'commander';
import {
  type PeopleOptions,
  findPerson,
  operatorName,
  peopleCommand,
  print,
  recordBy,
  whoever,
  withFormerName,
} from './people.ts';
import { requireWorkflow, withPeopleSide } from './people-side.ts';

interface RecoverOptions extends PeopleOptions {
  operator?: string;
  link?: true;
}

export function addRecoverCommand(accounts: Command): void {
  withFormerName(
    peopleCommand(
      accounts,
      'recover <identifier>',
      'open a recovery: one operator asks for it, another approves it, and then it waits',
    ),
  )
    .option('--operator <name>', 'who asks for it, or approves it')
    .option('--link', 'print the link for the person, once it has waited')
    .action(recover);
}

async function recover(identifier: string, options: RecoverOptions): Promise<void> {
  const { operator: named, link } = options;
  if (named === undefined && link === undefined) {
    throw new Error('either --operator NAME, or --link once the recovery has waited');
  }
  const operator = operatorName(named ?? whoever);
  const { openRecovery, recoveryLink } = await import('../../enrol/recovery.ts');
  await withPeopleSide(options, async (side) => {
    requireWorkflow(side.config);
    const account = await findPerson(side, identifier);
    const { id } = account;
    if (link) {
      const record = recordBy(operator, side.record);
      const made = await recoveryLink(account, { ...side, record });
      const until = new Date(made.untilMs).toISOString();
      print(options, { sub: id, link: made.link, until }, () => [
        `for ${id}, in one browser, until ${until}:`,
        made.link,
      ]);
      return;
    }
    const opened = await openRecovery(account, operator, side);
    if (opened.state === 'asked') {
      print(options, { sub: id, recovery: 'asked' }, () => [
        `${operator} asks to recover ${id}; another operator has to approve it within a day`,
      ]);
      return;
    }
    const ready = new Date(opened.readyAtMs).toISOString();
    print(options, { sub: id, recovery: 'waits', ready }, () => [
      `the recovery of ${id} waits until ${ready}, and the person is told`,
    ]);
  });
}
