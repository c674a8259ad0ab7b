/** `didit-oidc audit …`: what happened, and whether all of it is still there. */
import type { Command } from 'commander';
import { type PeopleOptions, peopleCommand } from './people.ts';

export interface TimeOptions extends PeopleOptions {
  since?: string;
  until?: string;
}

export interface ListOptions extends TimeOptions {
  account?: string;
  client?: string;
  reference?: string;
  event?: string;
  limit: string;
}

export interface VerifyOptions extends PeopleOptions {
  anchor?: string;
}

const since = 'not before: an ISO time, or so long ago, for instance 36h or 7d';
const until = 'not after, written in the same way';

export function addAuditCommand(program: Command): void {
  const audit = program
    .command('audit')
    .description('what happened, in a chain that shows changes');
  withTimes(peopleCommand(audit, 'list', 'list entries, newest first'))
    .option('--account <identifier>', 'about this account: e-mail address, user name or sub')
    .option('--client <id>', 'at this relying party')
    .option('--reference <reference>', 'of the sign-in with this reference')
    .option('--event <name>', 'of this name, or of all that begin with it: login.denied, factor')
    .option('--limit <count>', 'so many at most', '50')
    .action(async (options: ListOptions) => (await work()).list(options));
  peopleCommand(
    audit,
    'show <reference>',
    'all of one sign-in, by the reference that the person’s page shows, and why it went so',
  ).action(async (reference: string, options: PeopleOptions) =>
    (await work()).show(reference, options),
  );
  peopleCommand(audit, 'verify', 'check that nothing was changed or taken out')
    .option('--anchor <seq:hash>', 'and that this block is still the one that was noted elsewhere')
    .action(async (options: VerifyOptions) => (await work()).verify(options));
  withTimes(
    peopleCommand(
      audit,
      'export',
      'write entries to standard output, oldest first, a JSON object a line',
    ),
  ).action(async (options: TimeOptions) => (await work()).exportAll(options));
}

const withTimes = (command: Command): Command =>
  command.option('--since <time>', since).option('--until <time>', until);

const work = () => import('./audit-work.ts');
