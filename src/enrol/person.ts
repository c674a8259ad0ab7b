/**
 * One person as an operator writes them down, whatever the kind of file: what may be said of them, and how they are
 * added. What is not listed here is refused, so that no file sets what only the person or the provider can bring
 * about: an id, a proof, a verified address.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Random } from '../domain/environment.ts';
import { operatorsGroup } from '../domain/operator.ts';
import type { Account, Accounts, Enrolment } from '../store/accounts.ts';
import { type Portraits, maximumPortraitBytes } from '../store/portraits.ts';

const line = z
  .string()
  .min(1)
  .max(254)
  .regex(/^\P{Cc}*$/u, 'has no line breaks or other control characters');

/** It says who runs the service, see store/operators.ts: nobody is in it because somebody wrote so. */
const reserved = `the group "${operatorsGroup}" is that of whoever runs the service`;

export const person = z
  .strictObject({
    email: z.email().max(254).optional(),
    username: line.optional(),
    name: line.optional(),
    given_name: line.optional(),
    family_name: line.optional(),
    groups: z.array(line.refine((name) => name !== operatorsGroup, reserved)).default([]),
    /** `invited`: they come later, by a link, and their address is not theirs before that. */
    status: z.enum(['invited', 'active', 'blocked']).default('active'),
    /** A JPEG or PNG file, relative to this one. */
    portrait: z.string().min(1).optional(),
    /** What Didit already knows this person by, when they were enrolled there before. */
    vendor_data: line.optional(),
  })
  .refine(({ email, username }) => email !== undefined || username !== undefined, {
    error: 'a person needs an email or a username to sign in by',
  });

export type Person = z.output<typeof person>;

export interface EnrolTools {
  accounts: Accounts;
  portraits: Portraits;
  random: Random;
}

export function namesOf({ email, username }: Pick<Person, 'email' | 'username'>): string[] {
  return [email, username].filter((name) => name !== undefined);
}

/** @returns undefined when one of the names is somebody's; nothing is changed then. */
export async function addPerson(
  added: Person,
  image: Buffer | undefined,
  { accounts, portraits, random }: EnrolTools,
): Promise<Account | undefined> {
  const { vendor_data, email, username, name, given_name, family_name, groups, status } = added;
  const known = await Promise.all(namesOf(added).map((one) => accounts.idOf(one)));
  if (known.some((id) => id !== undefined)) return undefined;
  const accountId = random(16);
  const ids = { id: random(16), vendorData: vendor_data ?? random(16) };
  const sealed = image ? await portraits.save(accountId, ids, image) : {};
  const enrolment: Enrolment = { ...ids, ...sealed };
  const fields = {
    ...{ id: accountId, groups, status },
    emailVerified: email !== undefined && status !== 'invited',
    ...(email === undefined ? {} : { email }),
    ...(username === undefined ? {} : { username }),
    ...(name === undefined ? {} : { name }),
    ...(given_name === undefined ? {} : { givenName: given_name }),
    ...(family_name === undefined ? {} : { familyName: family_name }),
  };
  const account = await accounts.add(fields, image || vendor_data ? enrolment : undefined);
  if (!account && image) await portraits.erase(ids.id);
  return account;
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
