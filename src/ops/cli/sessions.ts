/** `didit-oidc sessions …`: where somebody is signed in. */
import type { Command } from 'commander';
import { subOf, withActs } from './acting.ts';
import { type OperatorOptions, operatorCommand, print } from './people.ts';

interface EndOptions extends OperatorOptions {
  all?: true;
}

interface Session {
  id: string;
  signed_in_at: string;
  clients: string[];
}

export function addSessionsCommand(program: Command): void {
  const sessions = program.command('sessions').description('where people are signed in');
  operatorCommand(
    sessions,
    'list <identifier>',
    'sign-ins of one person: by e-mail address, user name or sub',
  ).action(list);
  operatorCommand(sessions, 'end <identifier> [session]', 'end one of them, or all; apps are told')
    .option('--all', 'all of them, and whatever else hangs on them')
    .action(end);
}

async function list(identifier: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    const { sessions } = await perform('sessions.list', { params: { id } });
    print(options, { sub: id, sessions }, () =>
      (sessions as Session[]).map((one) =>
        [one.id, one.signed_in_at, one.clients.join(', ')].join('  '),
      ),
    );
  });
}

async function end(
  identifier: string,
  session: string | undefined,
  options: EndOptions,
): Promise<void> {
  if ((session === undefined) === (options.all === undefined)) {
    throw new Error('either a session, as `sessions list` prints it, or --all');
  }
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    if (session === undefined) await perform('accounts.sign-out', { params: { id } });
    else await perform('sessions.end', { params: { id, session } });
    print(options, { sub: id, ended: session ?? 'all' }, () => [`${session ?? 'all'} ended`]);
  });
}
