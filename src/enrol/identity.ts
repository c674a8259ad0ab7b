/**
 * Whether two enrolments are the same person's, without keeping who that is: names, dates and documents are compared
 * as keyed hashes of what is left of them when accents, case and gaps are gone, since a machine reads the same
 * document a little differently each time.
 */
import { createHmac } from 'node:crypto';
import type { EnrolmentFacts } from '../didit/port.ts';
import type { IdentityHashes } from '../store/accounts.ts';

/** @param secret kept with the records: `keptSecret(store, 'identity', random)`. */
export function identityHashes(facts: EnrolmentFacts, secret: string): IdentityHashes {
  const keyed = (...parts: string[]): string =>
    createHmac('sha256', secret).update(parts.join('\0')).digest('base64url');
  const names = [facts.givenName, facts.familyName].map((name) => lettersOf(name ?? ''));
  // A date alone is shared by thousands, and so is a name.
  const isPerson = facts.birthdate !== undefined && names.some((name) => name !== '');
  const document = charactersOf(facts.documentKey ?? '');
  return {
    ...(isPerson ? { person: keyed('person 1', ...names, facts.birthdate ?? '') } : {}),
    ...(document === '' ? {} : { document: keyed('document 1', document) }),
  };
}

/**
 * The same name and date of birth, or the same document: people renew documents and change names, hardly ever both at
 * once. What neither of them says is no likeness.
 */
export function isSamePerson(a: IdentityHashes, b: IdentityHashes): boolean {
  const agrees = (key: keyof IdentityHashes): boolean => a[key] !== undefined && a[key] === b[key];
  return agrees('person') || agrees('document');
}

/** JOSÉ MARÍA, José-María and Jose Maria are one name. */
function lettersOf(name: string): string {
  return plain(name)
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}

/** The colons between state, type and number stay, so that no two keys run into each other. */
function charactersOf(documentKey: string): string {
  return plain(documentKey).replace(/[^\p{L}\p{N}:]+/gu, '');
}

/** Accents are left out where passports leave them out; in other scripts they make another letter. */
const accents = /(?<=[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu;

function plain(text: string): string {
  return text.normalize('NFKD').replace(accents, '').toUpperCase();
}
