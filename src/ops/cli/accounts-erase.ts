/** `didit-oidc accounts erase|erasure`: let somebody leave, and see what was done about it. */
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { asPlainLine } from '../../domain/line.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { ErasureReport } from '../../enrol/erasure-job.ts';
import type { Account } from '../../store/accounts.ts';
import {
  type OperatorOptions,
  type PeopleOptions,
  findPerson,
  operatorCommand,
  peopleCommand,
  print,
  printAll,
  recordBy,
  withPeople,
} from './people.ts';

interface EraseOptions extends OperatorOptions {
  face?: true;
  yes?: true;
}

export function addErasureCommands(accounts: Command): void {
  operatorCommand(
    accounts,
    'erase <identifier>',
    'erase an account, here and at Didit: by e-mail address, user name or sub',
  )
    .option('--face', 'the face and the consent to it alone; the account lives on')
    .option('--yes', 'do not ask whether this is meant')
    .action(erase);
  peopleCommand(
    accounts,
    'erasure [identifier]',
    'what was done to erase somebody, by their sub; without one, whose erasure is not complete',
  ).action(report);
}

async function erase(identifier: string, options: EraseOptions): Promise<void> {
  await withPeople(options, async (people) => {
    const record = recordBy(options.operator, people.record);
    const account = await findPerson(people, identifier);
    const { id, status } = account;
    if (status === 'erased') throw new Error(`${id} was erased before`);
    const what = options.face ? 'face' : 'account';
    if (!options.yes && process.stdin.isTTY && !(await isMeant(account, what))) {
      throw new Error('nothing was erased');
    }
    await (options.face ? people.erasure.eraseFace(id) : people.erasure.eraseAccount(id));
    record({ event: 'account.erasure_planned', atMs: Date.now(), account: id, reason: what });
    print(options, { sub: id, erasing: what }, () => [
      `the ${what} of ${id} counts for nothing any more`,
      `the running provider erases the rest, here and at Didit: didit-oidc accounts erasure ${id}`,
    ]);
  });
}

async function isMeant({ email, username, id }: Account, what: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const name = email ?? username ?? id;
  const answer = await terminal.question(
    asPlainLine(`Erase the ${what} of ${name}? It cannot be undone (yes): `),
  );
  terminal.close();
  return answer.trim().toLowerCase() === 'yes';
}

async function report(identifier: string | undefined, options: PeopleOptions): Promise<void> {
  await withPeople(options, async (people) => {
    if (identifier === undefined) {
      const reports = await Array.fromAsync(people.erasure.unfinished());
      const next = 'every erasure is complete; name somebody for the report of theirs';
      printAll(
        options,
        { unfinished: reports.map(view) },
        { lines: reports.flatMap(linesOf), next },
      );
      return;
    }
    const { id } = await findPerson(people, identifier);
    const found = await people.erasure.report(id);
    if (!found) throw new Error(`nothing of ${id} was erased, or it is too long ago`);
    print(options, view(found), () => linesOf(found));
  });
}

function view({ accountId, scope, requestedAtMs, finishedAtMs, tries, steps }: ErasureReport) {
  return {
    ...{ sub: accountId, scope, asked_at: isoTime(requestedAtMs), tries },
    ...(finishedAtMs === undefined ? {} : { finished_at: isoTime(finishedAtMs) }),
    steps: Object.entries(steps).map(([step, { doneAtMs, ...state }]) => ({
      ...{ step, ...state },
      ...(doneAtMs === undefined ? {} : { done_at: isoTime(doneAtMs) }),
    })),
  };
}

function linesOf(found: ErasureReport): string[] {
  const { accountId, scope, requestedAtMs, finishedAtMs, tries, steps } = found;
  const begun = `${accountId}: ${scope}, asked for ${isoTime(requestedAtMs)}`;
  const end =
    finishedAtMs === undefined
      ? `  not complete after ${tries} tries; it goes on by itself`
      : `  complete ${isoTime(finishedAtMs)}`;
  const lines = Object.entries(steps).map(([step, state]) => {
    const { doneAtMs, count, failure } = state;
    const when = doneAtMs === undefined ? 'open'.padEnd(24) : isoTime(doneAtMs);
    const many = count === undefined ? '' : `, ${count}`;
    const why = doneAtMs === undefined && failure !== undefined ? `, last: ${failure}` : '';
    return `  ${when}  ${step}${many}, ${state.tries} tries${why}`;
  });
  return [begun, ...lines, end];
}
