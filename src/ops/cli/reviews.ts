/** `didit-oidc reviews …`: the checks that people have to look at, and what they say of them. */
import type { Command } from 'commander';
import { isoTime } from '../../domain/iso-time.ts';
import type { ReviewCase } from '../../store/reviews.ts';
import { type PeopleOptions, operatorName, peopleCommand, print, printAll } from './people.ts';
import { withPeopleSide } from './people-side.ts';

interface ListOptions extends PeopleOptions {
  all?: true;
}

interface WordOptions extends PeopleOptions {
  operator: string;
  reason: string;
}

type Verb = 'approve' | 'decline';

const what: Readonly<Record<Verb, string>> = {
  approve:
    'it may be the person: invite them to another selfie, or let their face be enrolled; signs nobody in',
  decline: 'it is not, or nobody can tell',
};

export function addReviewsCommand(program: Command): void {
  const reviews = program.command('reviews').description('checks that people have to look at');
  peopleCommand(reviews, 'list', 'list the open cases, oldest first')
    .option('--all', 'those of ninety days, closed ones too')
    .action(list);
  peopleCommand(
    reviews,
    'show <case>',
    'show one: by its id, or by the reference that the person’s page shows',
  ).action(show);
  for (const verb of ['approve', 'decline'] as const) {
    peopleCommand(reviews, `${verb} <case>`, what[verb])
      .requiredOption('--operator <name>', 'who says so')
      .requiredOption('--reason <text>', 'why, in a line; the person may get to read it')
      .action((named: string, options: WordOptions) => close(verb, named, options));
  }
}

async function list(options: ListOptions): Promise<void> {
  const { caseView } = await import('../acts/reviews.ts');
  await withPeopleSide(options, async ({ reviews, config }) => {
    const wanted = await Array.fromAsync(reviews.list({ isOpen: !options.all }));
    const described = wanted.map((one) => caseView(one, config.didit.consoleUrl));
    const next = options.all
      ? 'nothing was opened in ninety days'
      : 'nobody waits; --all lists those that are closed';
    printAll(options, { reviews: described }, { lines: wanted.map(lineOf), next });
  });
}

function lineOf({ id, reference, openedAtMs, status, kind, account, client }: ReviewCase): string {
  const state = status.padEnd('approved'.length);
  return [id, reference, isoTime(openedAtMs), state, kind.padEnd(8), account, client.name].join(
    '  ',
  );
}

async function show(named: string, options: PeopleOptions): Promise<void> {
  const { caseView } = await import('../acts/reviews.ts');
  const { findReview } = await import('../../enrol/review.ts');
  await withPeopleSide(options, async (side) => {
    const found = caseView(await findReview(named, side), side.config.didit.consoleUrl);
    const rows = Object.entries(found).map(([key, value]) => [key, [value].flat().join(', ')]);
    const width = Math.max(...rows.map(([key = '']) => key.length));
    print(options, found, () =>
      rows.flatMap(([key = '', text]) => (text ? [`${key.padEnd(width)}  ${text}`] : [])),
    );
  });
}

async function close(verb: Verb, named: string, options: WordOptions): Promise<void> {
  const { approveReview, declineReview, findReview } = await import('../../enrol/review.ts');
  const word = { operator: operatorName(options.operator), reason: options.reason };
  await withPeopleSide(options, async (side) => {
    const found = await findReview(named, side);
    const work = verb === 'approve' ? approveReview : declineReview;
    const done = await work(found, word, side);
    print(options, { id: found.id, ...done }, () => linesOf(found, done));
  });
}

function linesOf(
  { id, kind, authTime }: ReviewCase,
  { state, mailed }: { state: string; mailed: boolean },
): string[] {
  if (state === 'waits') return [`${id} waits for a second operator`];
  const lines = [`${id} is ${state}`, ...(mailed ? ['the person is written to'] : [])];
  if (state === 'approved' && !mailed && authTime === undefined) {
    lines.push('there is no address to write to: tell the person that they may try again');
  }
  if (state === 'declined' && authTime !== undefined && kind !== 'login' && kind !== 'step_up') {
    lines.push('the face that it enrolled still counts: didit-oidc accounts erase SUB --face');
  }
  return lines;
}
