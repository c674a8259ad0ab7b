import { describe, expect, test } from 'vitest';
import type { EnrolmentFacts } from '../../src/didit/port.ts';
import { identityHashes, isSamePerson } from '../../src/enrol/identity.ts';

const secret = 'a-secret-of-the-store-0123456789abcdef';
const ana: EnrolmentFacts = {
  ...{ givenName: 'José María', familyName: 'Núñez-Ortiz', birthdate: '1990-02-28' },
  documentKey: 'ESP:ID:X 123-456',
};
const same = (a: EnrolmentFacts, b: EnrolmentFacts): boolean =>
  isSamePerson(identityHashes(a, secret), identityHashes(b, secret));

describe('[EN-03] two enrolments are the same person’s', () => {
  test.each<[string, EnrolmentFacts]>([
    ['when nothing changed', ana],
    ['in capitals without accents', { ...ana, givenName: 'JOSE MARIA', familyName: 'NUNEZ ORTIZ' }],
    ['in the other Unicode form', { ...ana, givenName: 'José María'.normalize('NFD') }],
    ['with a wide space', { ...ana, givenName: ' José\u3000 María ' }],
    ['with a renewed document', { ...ana, documentKey: 'ESP:ID:Y999' }],
    ['without a document', { ...ana, documentKey: undefined } as unknown as EnrolmentFacts],
    ['after a wedding, by the document', { ...ana, familyName: 'Example' }],
    ['with the number written closer', { ...ana, documentKey: 'esp:id:x123456' }],
  ])('%s', (_, facts) => {
    expect(same(ana, facts)).toBe(true);
    expect(same(facts, ana)).toBe(true);
  });

  test.each<[string, EnrolmentFacts]>([
    ['somebody of the same day', { birthdate: '1990-02-28' }],
    ['somebody of the same name', { ...ana, birthdate: '1990-02-27', documentKey: 'ESP:ID:Y' }],
    ['the other document and name', { ...ana, givenName: 'Ana', documentKey: 'ESP:ID:Y' }],
    ['a document of another state', { documentKey: 'PRT:ID:X123456' }],
    ['a document of another type', { documentKey: 'ESP:P:X123456' }],
    ['parts that run into each other', { documentKey: 'ESP:IDX:123456' }],
    ['a name without a day', { givenName: 'José María', familyName: 'Núñez-Ortiz' }],
    ['nothing', {}],
  ])('and not with %s', (_, facts) => {
    expect(same(ana, facts)).toBe(false);
    expect(same(facts, ana)).toBe(false);
  });

  test('and nobody is the same as nobody', () => {
    expect(same({}, {})).toBe(false);
    expect(same({ birthdate: '1990-02-28' }, { birthdate: '1990-02-28' })).toBe(false);
    expect(same({ givenName: '--', birthdate: '1990-02-28' }, { birthdate: '1990-02-28' })).toBe(
      false,
    );
  });

  test('and names do not run into each other', () => {
    const birthdate = '1990-02-28';
    const one = { givenName: 'An', familyName: 'Nah', birthdate };
    expect(same(one, { givenName: 'Anna', familyName: 'h', birthdate })).toBe(false);
    expect(same({ givenName: 'An', birthdate }, { familyName: 'An', birthdate })).toBe(false);
  });

  test('in a script without capitals, too', () => {
    const kim = { givenName: '海翔', familyName: '山田', birthdate: '2001-05-17' };
    expect(same(kim, kim)).toBe(true);
    expect(same(kim, { ...kim, givenName: '海斗' })).toBe(false);
    // Marks that make another letter.
    const called = (givenName: string) => ({ givenName, birthdate: '2001-05-17' });
    expect(same(called('かほ'), called('がほ'))).toBe(false);
    expect(same(called('राम'), called('रम'))).toBe(false);
    expect(same(called('가나'), called('가나'.normalize('NFD')))).toBe(true);
  });
});

describe('[BD-05] what is kept of a document', () => {
  test('says nothing of it, and nothing to who has another key', () => {
    const kept = identityHashes(ana, secret);
    expect(Object.keys(kept)).toEqual(['person', 'document']);
    expect(kept.person).toMatch(/^[\w-]{43}$/);
    expect(kept.document).toMatch(/^[\w-]{43}$/);
    const elsewhere = identityHashes(ana, 'another-secret-of-another-store-012345');
    expect(isSamePerson(kept, elsewhere)).toBe(false);
    const all = [kept.person, kept.document, elsewhere.person, elsewhere.document];
    expect(new Set(all).size).toBe(4);
  });
});
