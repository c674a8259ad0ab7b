/** `didit-oidc grants …`: which apps have a share in somebody's sign-ins. */
import type { Command } from 'commander';
import { subOf, withActs } from './acting.ts';
import { type OperatorOptions, operatorCommand, print, printAll } from './people.ts';

interface Grant {
  client: string;
  sessions: number;
}

export function addGrantsCommand(program: Command): void {
  const grants = program.command('grants').description('what apps have got of people');
  operatorCommand(
    grants,
    'list <identifier>',
    'which apps one person is signed in to: by e-mail address, user name or sub',
  ).action(list);
  operatorCommand(
    grants,
    'end <identifier> <client>',
    'all that this app has got of somebody counts no more, refresh tokens too; it may ask again',
  ).action(end);
}

async function list(identifier: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    const { grants } = await perform('grants.list', { params: { id } });
    const lines = (grants as Grant[]).map(({ client, sessions }) =>
      [client, `by ${sessions} ${sessions === 1 ? 'sign-in' : 'sign-ins'}`].join('  '),
    );
    const next = 'they are signed in to no app';
    printAll(options, { sub: id, grants }, { lines, next });
  });
}

async function end(identifier: string, client: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const id = await subOf(identifier, perform);
    await perform('grants.end', { params: { id, client } });
    print(options, { sub: id, ended: client }, () => [`what ${client} has got counts no more`]);
  });
}
