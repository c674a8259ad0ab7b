/**
 * Many people at once, from a file that an operator has: all of them are looked at before anybody is added, so that a
 * file with a mistake in it adds nobody, and all its mistakes are told together.
 */
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { normaliseIdentifier } from '../store/account-names.ts';
import type { Accounts } from '../store/accounts.ts';
import { type Row, readRows } from './people-rows.ts';
import {
  type EnrolTools,
  type Person,
  addPerson,
  namesOf,
  person,
  readPortrait,
} from './person.ts';

export interface LineProblem {
  line: number;
  problem: string;
}

const toldAtMost = 1_000;

/** Nobody was added. */
export class PeopleFileError extends Error {
  readonly problems: readonly LineProblem[];

  constructor(fileName: string, problems: readonly LineProblem[]) {
    const told = problems.slice(0, toldAtMost);
    const lines = told.map(({ line, problem }) => `  line ${line}: ${problem}`);
    const more = problems.length - told.length;
    if (more > 0) lines.push(`  and ${more} more`);
    super([`nobody was added from ${fileName}:`, ...lines].join('\n'));
    this.name = 'PeopleFileError';
    this.problems = problems;
  }
}

export interface ImportOptions {
  /** Only look. */
  dryRun: boolean;
  /** Leave people alone who are there already, as after an import that broke off; else they are a mistake. */
  skipExisting: boolean;
  progress?: (far: { checked: number; added: number }) => void;
}

export interface Imported {
  /** How many there are to add, or would be. */
  people: number;
  added: number;
  skipped: number;
  /** Whose names somebody else got while the file was being read. */
  refused: readonly LineProblem[];
}

/** @throws PeopleFileError with everything that is wrong. */
export async function importPeople(
  fileName: string,
  tools: EnrolTools,
  { dryRun, skipExisting, progress = () => undefined }: ImportOptions,
): Promise<Imported> {
  let checked = 0;
  const look = (): void => progress({ checked: (checked += 1), added: 0 });
  const { good, skipped } = await examine(fileName, tools.accounts, { skipExisting, look });
  const found = { people: good.size, skipped, added: 0, refused: [] as LineProblem[] };
  if (dryRun) return found;
  for await (const row of readRows(fileName)) {
    if (!good.has(row.line)) continue;
    const one = person.parse(row.fields);
    const image = one.portrait === undefined ? undefined : await portraitOf(fileName, one.portrait);
    if (await addPerson(one, image, tools)) found.added += 1;
    else found.refused.push({ line: row.line, problem: 'somebody signs in by that name now' });
    progress({ checked, added: found.added });
  }
  return found;
}

/** @param look hears of each line. @returns the lines of those who are to be added. */
async function examine(
  fileName: string,
  accounts: Accounts,
  { skipExisting, look }: { skipExisting: boolean; look: () => void },
) {
  const problems: LineProblem[] = [];
  const good = new Set<number>();
  let skipped = 0;
  const isNew = createDoubles(await knownVendorData(accounts));
  for await (const row of readRows(fileName)) {
    look();
    const read = readPerson(row);
    if (!read.one) {
      problems.push(...read.problems.map((problem) => ({ line: row.line, problem })));
      continue;
    }
    const names = namesOf(read.one);
    const ids = await Promise.all(names.map((name) => accounts.idOf(name)));
    // Names of two people are a mistake all the same.
    if (skipExisting && ids[0] !== undefined && new Set(ids).size === 1) {
      skipped += 1;
      continue;
    }
    const taken = names.filter((_, at) => ids[at] !== undefined);
    const found = [
      ...taken.map((name) => `somebody signs in as "${name}" already`),
      ...isNew(read.one, row.line),
      ...(await problemsOfPortrait(fileName, read.one)),
    ];
    problems.push(...found.map((problem) => ({ line: row.line, problem })));
    if (found.length === 0) good.add(row.line);
  }
  problems.sort((a, b) => a.line - b.line);
  if (problems.length > 0) throw new PeopleFileError(fileName, problems);
  return { good, skipped };
}

function readPerson(
  row: Row,
): { one: Person; problems?: never } | { one?: never; problems: string[] } {
  if (row.problem !== undefined) return { problems: [row.problem] };
  const parsed = person.safeParse(row.fields);
  if (parsed.success) return { one: parsed.data };
  return { problems: parsed.error.issues.map(describeIssue) };
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

/** Two people must share neither a name nor a face. */
function createDoubles(vendorDataInUse: ReadonlySet<string>) {
  const lineOfName = new Map<string, number>();
  const lineOfVendorData = new Map<string, number>();
  return function doublesOf(one: Person, line: number): string[] {
    const names = new Set(namesOf(one).map(normaliseIdentifier));
    const doubles = [...names].flatMap((name) => {
      const other = lineOfName.get(name);
      lineOfName.set(name, other ?? line);
      return other === undefined ? [] : [`"${name}" stands on line ${other} too`];
    });
    const { vendor_data } = one;
    if (vendor_data === undefined) return doubles;
    const other = lineOfVendorData.get(vendor_data);
    lineOfVendorData.set(vendor_data, other ?? line);
    if (other !== undefined) doubles.push(`its vendor_data stands on line ${other} too`);
    if (vendorDataInUse.has(vendor_data)) doubles.push('its vendor_data is that of somebody else');
    return doubles;
  };
}

async function knownVendorData(accounts: Accounts): Promise<Set<string>> {
  const known = new Set<string>();
  for await (const { enrolment } of accounts.list()) {
    if (enrolment) known.add(enrolment.vendorData);
  }
  return known;
}

async function problemsOfPortrait(fileName: string, { portrait }: Person): Promise<string[]> {
  if (portrait === undefined) return [];
  try {
    await portraitOf(fileName, portrait);
    return [];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return [code === undefined ? message : `the portrait "${portrait}" cannot be read (${code})`];
  }
}

/** A name in the file is relative to the file. */
const portraitOf = (fileName: string, portrait: string): Promise<Buffer> =>
  readPortrait(resolve(dirname(fileName), portrait));
