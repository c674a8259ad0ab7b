/** `didit-oidc operators …`: who runs the service. The first comes by a link that is printed here. */
import type { Command } from 'commander';
import { type Role, isRole, roles } from '../../domain/operator.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Changed } from '../../store/operators.ts';
import {
  type OperatorOptions,
  type PeopleOptions,
  findPerson,
  operatorCommand,
  operatorName,
  peopleCommand,
  print,
  printAll,
  withFormerName,
} from './people.ts';
import { withPeopleSide } from './people-side.ts';

interface LinkOptions extends OperatorOptions {
  role?: string;
  email?: string;
}

export function addOperatorsCommand(program: Command): void {
  const operators = program.command('operators').description('who runs the service');
  const changing = (signature: string, description: string): Command =>
    withFormerName(operatorCommand(operators, signature, description));
  changing('link', 'print a link, for an hour and once, that makes an operator')
    .option('--role <role>', `${roles.join(', ')}; admin for the first of all, else viewer`)
    .option('--email <address>', 'whose it is; they need no account yet')
    .action(link);
  peopleCommand(operators, 'list', 'list everybody who runs the service').action(list);
  changing('role <identifier> <role>', 'give an operator another role').action(setRole);
  changing('remove <identifier>', 'let somebody run the service no longer').action(remove);
}

function parseRole(text: string): Role {
  if (!isRole(text)) throw new Error(`there is no role "${text}", but ${roles.join(', ')}`);
  return text;
}

async function link({ role, email, operator, ...options }: LinkOptions): Promise<void> {
  const { consoleOrigin } = await import('../../config/addresses.ts');
  const { person } = await import('../../enrol/person.ts');
  if (!person.shape.email.safeParse(email).success) {
    throw new Error(`"${email}" is no e-mail address`);
  }
  const { linkForOperator } = await import('../operators.ts');
  await withPeopleSide(options, async (side) => {
    const { config, mail, operators } = side;
    const isFirst = (await operators.list()).length === 0;
    const wanted = role === undefined ? (isFirst ? 'admin' : 'viewer') : parseRole(role);
    const made = await linkForOperator(
      { role: wanted, email, by: operatorName(operator) },
      {
        ...side,
        consoleOrigin: consoleOrigin(config.management),
        canEnrol: config.didit.workflows.kyc !== undefined && mail !== undefined,
      },
    );
    const until = new Date(made.untilMs).toISOString();
    print(options, { link: made.link, role: wanted, until, sub: made.account?.id }, () => [
      `makes ${email ?? 'whoever follows it'} an operator (${wanted}), once, until ${until}:`,
      made.link,
    ]);
  });
}

async function list(options: PeopleOptions): Promise<void> {
  await withPeopleSide(options, async ({ operators, accounts }) => {
    const all = await Promise.all(
      (await operators.list()).map(async ({ accountId: sub, role, sinceMs, by }) => {
        const { email, username, status = 'gone' } = (await accounts.find(sub)) ?? {};
        return { sub, role, status, name: email ?? username, since: isoTime(sinceMs), by };
      }),
    );
    const lines = all.map(({ sub, role, status, name = '' }) =>
      [sub, role.padEnd('reviewer'.length), status.padEnd('blocked'.length), name]
        .join('  ')
        .trimEnd(),
    );
    const next = 'the first comes by a link: didit-oidc operators link';
    printAll(options, { operators: all }, { lines, next });
  });
}

async function setRole(
  identifier: string,
  role: string,
  { operator, ...options }: OperatorOptions,
): Promise<void> {
  const wanted = parseRole(role);
  const { changeOperator } = await import('../operators.ts');
  await withPeopleSide(options, async (side) => {
    const { id } = await findPerson(side, identifier);
    const change = { role: wanted, by: operatorName(operator) };
    const keys = orThrow(id, await changeOperator(id, change, side));
    print(options, { sub: id, role: wanted, revoked_keys: keys }, () => [
      ...[`${id} is ${wanted}`, ...keys.map(keyLine)],
    ]);
  });
}

async function remove(
  identifier: string,
  { operator, ...options }: OperatorOptions,
): Promise<void> {
  const { changeOperator } = await import('../operators.ts');
  await withPeopleSide(options, async (side) => {
    const { id } = await findPerson(side, identifier);
    const keys = orThrow(id, await changeOperator(id, { by: operatorName(operator) }, side));
    print(options, { sub: id, removed: true, revoked_keys: keys }, () => [
      ...[`${id} runs the service no longer`, ...keys.map(keyLine)],
    ]);
  });
}

/** @returns the ids of the keys that ended with it. */
function orThrow(id: string, { change, revoked }: Changed): string[] {
  if (change === 'unknown') throw new Error(`${id} is no operator`);
  if (change === 'last_admin') throw new Error(`${id} is the last admin, and stays so`);
  return revoked.map((key) => key.id);
}

const keyLine = (id: string): string => `the key ${id}, which they had made, counts no more`;
