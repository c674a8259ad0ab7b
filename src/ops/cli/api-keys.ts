/** `didit-oidc api-keys …`: keys of programs for the admin API. */
import type { Command } from 'commander';
import { all, withActs } from './acting.ts';
import { type OperatorOptions, operatorCommand, print, printAll } from './people.ts';
import { collect } from './typed.ts';

interface AddOptions extends OperatorOptions {
  name: string;
  scope: string[];
  expiresAt?: string;
}

interface Key {
  id: string;
  name: string;
  scopes: string[];
  expires_at?: string;
  used_on?: string;
}

export function addApiKeysCommand(program: Command): void {
  const keys = program.command('api-keys').description('keys of programs for the admin API');
  operatorCommand(keys, 'add', 'make a key; it is printed this once')
    .requiredOption('--name <name>', 'which program it is for')
    .requiredOption(
      '--scope <scope>',
      'what it may do, as docs/admin-api.md lists it; several times for several',
      collect,
    )
    .option('--expires-at <time>', 'when it ends: 2027-01-31T00:00:00Z')
    .action(add);
  operatorCommand(keys, 'list', 'list them, the oldest first').action(list);
  operatorCommand(keys, 'revoke <id>', 'a key counts no more').action(revoke);
}

async function add({ name, scope: scopes, expiresAt, ...options }: AddOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const end = expiresAt === undefined ? {} : { expires_at: expiresAt };
    const made = await perform('api-keys.add', { body: { name, scopes, ...end } });
    print(options, made, () => [`${String(made['token'])}   (shown this once)`]);
  });
}

async function list(options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    const keys = (await all(perform, 'api-keys.list', 'keys')) as unknown as Key[];
    const lines = keys.map(({ id, name, scopes, expires_at: end, used_on: used }) =>
      [
        ...[id, name, scopes.join(' '), `used ${used ?? 'never'}`],
        ...(end === undefined ? [] : [`until ${end}`]),
      ].join('  '),
    );
    const next = 'a program gets one by: didit-oidc api-keys add';
    printAll(options, { keys }, { lines, next });
  });
}

async function revoke(id: string, options: OperatorOptions): Promise<void> {
  await withActs(options, async (perform) => {
    await perform('api-keys.revoke', { params: { id } });
    print(options, { id, revoked: true }, () => [`${id} counts no more`]);
  });
}
