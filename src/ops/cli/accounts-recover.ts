/** `didit-oidc accounts recover`: for somebody who has nothing left to sign in by, opened by two operators. */
import type { Command } from 'commander';
import { type PeopleOptions, findPerson, operatorName, peopleCommand, print } from './people.ts';
import { requireWorkflow, withPeopleSide } from './people-side.ts';

interface RecoverOptions extends PeopleOptions {
  by?: string;
  link?: true;
}

export function addRecoverCommand(accounts: Command): void {
  peopleCommand(
    accounts,
    'recover <identifier>',
    'open a recovery: one operator asks for it, another approves it, and then it waits',
  )
    .option('--by <operator>', 'who asks for it, or approves it')
    .option('--link', 'print the link for the person, once it has waited')
    .action(recover);
}

async function recover(identifier: string, options: RecoverOptions): Promise<void> {
  const { by, link } = options;
  if ((by === undefined) === (link === undefined)) {
    throw new Error('either --by OPERATOR, or --link once the recovery has waited');
  }
  const operator = by === undefined ? undefined : operatorName(by);
  const { openRecovery, recoveryLink } = await import('../../enrol/recovery.ts');
  await withPeopleSide(options, async (side) => {
    requireWorkflow(side.config);
    const account = await findPerson(side, identifier);
    const { id } = account;
    if (operator === undefined) {
      const made = await recoveryLink(account, side);
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
