/** Whose document is shown: whoever tries an enrolment says so on the hosted page, or by the control call. */
import { z } from 'zod';

const word = z.string().trim().min(1).max(100);

/** Utopia issues the specimens of ICAO Doc 9303. */
export const person = z.strictObject({
  firstName: word.default('Test'),
  lastName: word.default('Person'),
  dateOfBirth: z.iso.date().default('1990-01-01'),
  /** ISO 3166-1 alpha-3, as documents have it. */
  issuingState: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('UTO'),
  documentType: word.default('Identity Card'),
  documentNumber: word.default('X1234567'),
});
export type Person = z.infer<typeof person>;

export const somebody: Person = person.parse({});

/** What the page asks for; the rest is the same for everybody there. */
export const personFields = [
  { name: 'first_name', key: 'firstName', label: 'First name', type: 'text' },
  { name: 'last_name', key: 'lastName', label: 'Last name', type: 'text' },
  { name: 'date_of_birth', key: 'dateOfBirth', label: 'Date of birth', type: 'date' },
  { name: 'document_number', key: 'documentNumber', label: 'Document number', type: 'text' },
] as const;

/** @returns undefined when something is said that no document says. */
export function personInForm(form: URLSearchParams): Person | undefined {
  const said = personFields.flatMap(({ name, key }) => {
    const value = form.get(name);
    return value === null ? [] : [[key, value]];
  });
  return person.safeParse(Object.fromEntries(said)).data;
}
