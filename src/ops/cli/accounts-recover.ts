/** `didit-oidc accounts recover`: for somebody who has nothing left to sign in by, opened by two operators. */
import type { Command } from 'commander';
import { subOf, withActs } from './acting.ts';
import {
  type OperatorOptions,
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
  stop?: true;
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
    .option('--stop', 'it ends, and all that the person is signed in to; they are written to')
    .action(recover);
}

async function recover(identifier: string, options: RecoverOptions): Promise<void> {
  const { operator: named, link, stop } = options;
  if (link && stop) throw new Error('either --link or --stop');
  if (named === undefined && !link && !stop) {
    throw new Error('either --operator NAME, or --link once the recovery has waited, or --stop');
  }
  const operator = operatorName(named ?? whoever);
  if (stop) return stopOne(identifier, { ...options, operator });
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

async function stopOne(identifier: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    await perform('recoveries.stop', { params: { id } });
    print(options, { sub: id, recovery: 'stopped' }, () => [`the recovery of ${id} is stopped`]);
  });
}
