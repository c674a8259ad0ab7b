/**
 * enrol/ is how people and their reference faces come in. So far there is one way: a file that the operator
 * writes, read at each start; who is there already is left as they are.
 */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { Random } from '../domain/environment.ts';
import type { Accounts, Enrolment } from '../store/accounts.ts';
import { type Portraits, maximumPortraitBytes } from '../store/portraits.ts';

const person = z
  .strictObject({
    email: z.email().optional(),
    username: z.string().min(1).optional(),
    name: z.string().optional(),
    groups: z.array(z.string()).default([]),
    /** A JPEG or PNG file, relative to this one. */
    portrait: z.string().optional(),
    /** What Didit already knows this person by, when they were enrolled there before. */
    vendor_data: z.string().min(1).optional(),
  })
  .refine(({ email, username }) => email !== undefined || username !== undefined, {
    error: 'a person needs an email or a username to sign in by',
  });

const file = z.strictObject({ accounts: z.array(person) });
type Person = z.output<typeof person>;

export interface EnrolTools {
  accounts: Accounts;
  portraits: Portraits;
  random: Random;
}

/** @returns how many were added. @throws one Error with every problem of the file; nobody was added then. */
export async function enrolFromFile(fileName: string, tools: EnrolTools): Promise<number> {
  const people = await readPeople(fileName);
  const portraits = await readPortraits(fileName, people);
  let added = 0;
  for (const [index, one] of people.entries()) {
    if (await addPerson(one, portraits[index], tools)) added += 1;
  }
  return added;
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

async function addPerson(
  { vendor_data, email, username, name, groups }: Person,
  image: Buffer | undefined,
  { accounts, portraits, random }: EnrolTools,
): Promise<boolean> {
  const names = [email, username].filter((one) => one !== undefined);
  const known = await Promise.all(names.map((one) => accounts.idOf(one)));
  if (known.some((id) => id !== undefined)) return false;
  const ids = { id: random(16), vendorData: vendor_data ?? random(16) };
  const enrolment: Enrolment = { ...ids, ...(image ? await portraits.save(ids, image) : {}) };
  const fields = {
    groups,
    ...(email === undefined ? {} : { email }),
    ...(username === undefined ? {} : { username }),
    ...(name === undefined ? {} : { name }),
  };
  return (await accounts.add(fields, image || vendor_data ? enrolment : undefined)) !== undefined;
}

const jpeg = Buffer.from([0xff, 0xd8, 0xff]);
const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** @throws with the reason when it is no picture that Didit would take. */
export async function readPortrait(fileName: string): Promise<Buffer> {
  const image = await readFile(fileName);
  const isImage = [jpeg, png].some((magic) => image.subarray(0, magic.length).equals(magic));
  if (!isImage) throw new Error(`${fileName}: a portrait is a JPEG or PNG file`);
  if (image.length > maximumPortraitBytes) {
    throw new Error(`${fileName}: a portrait has at most ${maximumPortraitBytes / 1024} KiB`);
  }
  return image;
}
