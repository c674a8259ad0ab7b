/** `didit-oidc keys …`: which keys there are, a new one of each kind, and the end of the old ones. */
import { readFileSync } from 'node:fs';
import { Argument, type Command } from 'commander';
import { isoTime } from '../../domain/iso-time.ts';
import type { RotateOptions, Rotated } from '../keys/rotate.ts';
import { type KeyEntry, type KeyUse, keyUses, keyView } from '../keys/uses.ts';
import { reseal } from './keys-reseal.ts';
import {
  type OperatorOptions,
  type PeopleOptions,
  operatorCommand,
  operatorName,
  peopleCommand,
  print,
  printAll,
} from './people.ts';
import { withKeys } from './keys-side.ts';

interface RotateCommandOptions extends OperatorOptions {
  now?: true;
  valueFile?: string;
}

export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('keys and secrets, and how they are rotated');
  peopleCommand(keys, 'list', 'every key by its id, and where it is in its life').action(list);
  operatorCommand(keys, 'rotate', 'put a new key in the place of the one in use')
    .addArgument(new Argument('<use>', 'which').choices(keyUses))
    .option('--now', 'use it at once: whoever does not know it yet is refused')
    .option(
      '--value-file <file>',
      'what Didit made: a webhook secret, an API key (- for standard input)',
    )
    .action(rotate);
  peopleCommand(keys, 'reseal', 'seal every record of the store with the newest key').action(
    reseal,
  );
  operatorCommand(keys, 'retire', 'take keys out of the files: one, or all that are over')
    .addArgument(new Argument('[use]', 'which').choices(keyUses))
    .argument('[id]', 'as `keys list` shows it')
    .action(retire);
}

async function list(options: PeopleOptions): Promise<void> {
  await withKeys(options, async ({ keys }) => {
    const all = await keys.list();
    print(options, { keys: all.map(keyView) }, () => all.map(lineOf));
  });
}

function lineOf({ use, id, alg = '', state, sinceMs, nextMs }: KeyEntry): string {
  const since = sinceMs === undefined ? '' : `since ${isoTime(sinceMs)}`;
  const next = nextMs === undefined ? '' : `until ${isoTime(nextMs)}`;
  const columns = [use.padEnd(7), id.padEnd(12), alg.padEnd(5), state.padEnd(9), since, next];
  return columns
    .filter((column) => column !== '')
    .join('  ')
    .trimEnd();
}

async function rotate(use: KeyUse, options: RotateCommandOptions): Promise<void> {
  if (use === 'webhook' || use === 'didit') {
    if (options.valueFile === undefined) {
      throw new Error(`Didit makes it: --value-file FILE has what it made, - is standard input`);
    }
  } else if (options.now) {
    process.stderr.write(`--now: ${risks[use]}\n`);
  }
  const { rotatedView } = await import('../keys/rotate.ts');
  await withKeys(options, async ({ keys, explain }) => {
    const rotateOptions: RotateOptions = {
      by: operatorName(options.operator),
      isNow: options.now === true,
      value: valueOf(options.valueFile),
    };
    const rotated = await explain(() => keys.rotate(use, rotateOptions));
    if (rotated) print(options, rotatedView(rotated), () => said(rotated));
  });
}

const risks: Readonly<Record<Exclude<KeyUse, 'webhook' | 'didit'>, string>> = {
  signing:
    'a relying party that keeps an older list of keys refuses what is signed until it looks again',
  cookies: 'a process that has not read the file yet takes new cookies for forged ones',
  store: 'a process that has not read the file yet cannot read what is written with the new key',
  dpop: 'a client that has a nonce is told once to use a new one',
};

function said({ use, ids, fromMs }: Rotated): string[] {
  const named = ids.length > 0 ? ` ${ids.join(' ')}` : '';
  const lines = [`${use}: a new key${named} is used from ${isoTime(fromMs)} on`];
  if (use === 'store') {
    lines.push('after that: didit-oidc keys reseal, then didit-oidc keys retire store OLD-ID');
  }
  if (use === 'webhook') lines.push('the old one counts for seven days more: change it at Didit');
  return lines;
}

function valueOf(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readFileSync(file === '-' ? 0 : file, 'utf8').trim();
}

async function retire(
  use: KeyUse | undefined,
  id: string | undefined,
  options: OperatorOptions,
): Promise<void> {
  if (use !== undefined && id === undefined) throw new Error('name the key: didit-oidc keys list');
  await withKeys(options, async ({ keys, recordsOf, explain }) => {
    const by = operatorName(options.operator);
    const gone = await explain(async () => {
      if (use === undefined || id === undefined) return keys.tidy({ by });
      await keys.retire(use, id, { by, recordsOf });
      return [id];
    });
    const lines = (gone ?? []).map((one) => `${one} is gone`);
    const next = 'no key is over yet: didit-oidc keys list';
    if (gone) printAll(options, { retired: gone }, { lines, next });
  });
}
