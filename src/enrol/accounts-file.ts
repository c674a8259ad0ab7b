/**
 * enrol/ is how people and their reference faces come in, and how they leave. The simplest way in is a file that the
 * operator writes, read at each start; who is there already is left as they are.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Departed } from '../store/departed.ts';
import {
  type EnrolTools,
  type Person,
  addPerson,
  namesOf,
  person,
  readPortrait,
} from './person.ts';

const file = z.strictObject({ accounts: z.array(person) });

/**
 * Who was erased and is still in the file stays away.
 * @returns how many were added, and how many stayed away.
 * @throws one Error with every problem of the file; nobody was added then.
 */
export async function enrolFromFile(
  fileName: string,
  tools: EnrolTools & { departed: Departed },
): Promise<{ added: number; departed: number }> {
  const people = await readPeople(fileName);
  const portraits = await readPortraits(fileName, people);
  const counts = { added: 0, departed: 0 };
  for (const [index, one] of people.entries()) {
    const left = await Promise.all(namesOf(one).map((name) => tools.departed.has(name)));
    if (left.includes(true)) counts.departed += 1;
    else if (await addPerson(one, portraits[index], tools)) counts.added += 1;
  }
  return counts;
}

async function readPeople(fileName: string): Promise<Person[]> {
  const document = parseDocument(await readFile(fileName, 'utf8'));
  const [broken] = document.errors;
  if (broken) throw new Error(`${fileName}: ${broken.message}`);
  const parsed = file.safeParse(document.toJS());
  if (!parsed.success) throw new Error(`${fileName}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data.accounts;
}

async function readPortraits(fileName: string, people: Person[]): Promise<(Buffer | undefined)[]> {
  const read = await Promise.allSettled(
    people.map(async ({ portrait }) =>
      portrait === undefined ? undefined : readPortrait(resolve(dirname(fileName), portrait)),
    ),
  );
  const problems = read.filter((one) => one.status === 'rejected');
  if (problems.length > 0) {
    throw new Error(problems.map(({ reason }) => (reason as Error).message).join('\n'));
  }
  return read.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
}
