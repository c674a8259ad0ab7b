/** What is read of the decision of an enrolment, and what is left where it is. */
import { describe, expect, test } from 'vitest';
import { toDecision } from '../../src/didit/decision.ts';
import { toEnrolment } from '../../src/didit/enrolment.ts';
import { diditDecision, diditEnrolment } from '../../src/didit/wire.ts';

const hash = (text: string): string => `hash of ${text}`;
const read = (wire: object) => toEnrolment(diditEnrolment.parse(wire), hash);

const document = {
  ...{ status: 'Approved', verification_method: 'document', document_type: 'Passport' },
  ...{ first_name: ' ANA  MARIA', last_name: 'NÚÑEZ', full_name: 'ANA MARIA NÚÑEZ' },
  ...{ date_of_birth: '1990-02-28', age: 36, gender: 'F', nationality: 'ESP' },
  ...{ issuing_state: 'ESP', document_number: 'XDA123456', personal_number: '99887766P' },
  ...{ address: 'Calle Mayor 1', parsed_address: { city: 'Toledo' }, place_of_birth: 'Lugo' },
  portrait_image: 'https://media.example/document.jpg?X-Amz-Signature=1',
  front_image: 'https://media.example/front.jpg',
  mrz: { mrz_string: 'P<ESPNUNEZ<<ANA<MARIA' },
  extra_fields: { blood_group: '0+' },
  warnings: [{ risk: 'DATA_INCONSISTENT', log_type: 'warning' }],
  matches: [{ session_id: 'of-somebody-else', is_blocklisted: true, user_details: { x: 'Eve' } }],
};
const wire = {
  ...{ session_id: 'session-1', session_kind: 'user', status: 'Approved', environment: 'live' },
  ...{ workflow_id: 'workflow-kyc', workflow_version: 2, vendor_data: 'person-1' },
  ...{ metadata: { nonce: 'secret-nonce' }, created_at: '2026-11-22T10:00:00Z', reviews: [] },
  id_verifications: [document],
  liveness_checks: [
    {
      ...{ status: 'Approved', method: 'PASSIVE', score: 96, age_estimation: 34.567 },
      reference_image: 'https://media.example/selfie.jpg?X-Amz-Signature=2',
      video_url: 'https://media.example/video.mp4',
      face_quality: 71.25,
      matches: [{ session_id: 'of-a-twin', similarity_percentage: 98.765, status: 'Approved' }],
    },
  ],
  face_matches: [{ status: 'Approved', score: 88.2, source_image_session_id: null }],
  ip_analyses: [{ ip_address: '203.0.113.7', browser_family: 'Chrome', os_family: 'Linux' }],
};

describe('the decision of an enrolment', () => {
  test('keeps what it is judged by, the document’s warnings among them', () => {
    expect(read(wire).decision).toEqual({
      ...toDecision(diditDecision.parse(wire), hash).decision,
      documentChecks: [{ status: 'Approved' }],
      warnings: [{ risk: 'DATA_INCONSISTENT', logType: 'warning' }],
      ...{ lastReviewAtMs: undefined, reviewers: [] },
    });
    expect(read(wire).seen).toEqual([
      { address: '203.0.113.7', browser: 'Chrome', system: 'Linux' },
    ]);
  });

  test('[VD-13] says where it was taken over from', () => {
    const shared = { ...wire, shared_from_session: 'session-0' };
    expect(read(shared).decision.sharedFromDiditSessionId).toBe('session-0');
    const login = toDecision(diditDecision.parse(shared), hash).decision;
    expect(login.sharedFromDiditSessionId).toBe('session-0');
    expect(read(wire).decision.sharedFromDiditSessionId).toBeUndefined();
  });

  test('has empty lists for what did not run, and no facts or portrait then', () => {
    const open = read({ session_id: 's', status: 'In Progress', id_verifications: null });
    expect(open.decision).toMatchObject({ documentChecks: [], livenessChecks: [] });
    expect(open).toMatchObject({ facts: {}, portraitUrl: undefined });
  });

  test.each([
    ['a document without a status', { id_verifications: [{ first_name: 'Ana' }] }],
    ['a name that is no text', { id_verifications: [{ status: 'Approved', first_name: 7 }] }],
    ['a document that is no list', { id_verifications: {} }],
  ])('[VD-14] is another format with %s', (_, change) => {
    expect(diditEnrolment.safeParse({ ...wire, ...change }).success).toBe(false);
  });
});

describe('the facts', () => {
  const factsOf = (change: object) =>
    read({ ...wire, id_verifications: [{ ...document, ...change }] }).facts;

  test('are names, date of birth and the document’s key, as they were read', () => {
    expect(read(wire).facts).toEqual({
      ...{ givenName: 'ANA MARIA', familyName: 'NÚÑEZ', birthdate: '1990-02-28' },
      documentKey: 'ESP:Passport:XDA123456',
    });
  });

  test.each([
    [null],
    [''],
    ['28/02/1990'],
    ['1990-02-30'],
    ['1990-13-01'],
    ['1990-2-8'],
    ['1990-02-28T00:00:00Z'],
    ['+01990-02-28'],
  ])('have no date of birth where there is none in the calendar: %s', (date_of_birth) => {
    expect(factsOf({ date_of_birth })).not.toHaveProperty('birthdate');
  });

  test('keep names in every script, and nothing that steers a page or a terminal', () => {
    expect(
      factsOf({ first_name: '山田\u0000\u001b[2J太郎', last_name: 'a\u202ebc' }),
    ).toMatchObject({
      ...{ givenName: '山田 [2J太郎', familyName: 'a bc' },
    });
    // A joiner is a letter's form in some scripts.
    expect(factsOf({ first_name: 'می\u200cخواهم' }).givenName).toBe('می\u200cخواهم');
    expect(factsOf({ first_name: 'x'.repeat(201), last_name: ' \n' })).not.toHaveProperty(
      'givenName',
    );
    expect(factsOf({ last_name: ' \n' })).not.toHaveProperty('familyName');
  });

  test.each([{ issuing_state: null }, { document_type: ' ' }, { document_number: undefined }])(
    'have no key of a document that is not named in full: %j',
    (change) => {
      expect(factsOf(change)).not.toHaveProperty('documentKey');
    },
  );
});

describe('the portrait', () => {
  test('is the selfie of this check, and the picture on the document where there is none', () => {
    expect(read(wire).portraitUrl).toContain('/selfie.jpg');
    const noSelfie = { ...wire, liveness_checks: [{ status: 'Approved', reference_image: null }] };
    expect(read(noSelfie).portraitUrl).toContain('/document.jpg');
    const noPicture = { ...noSelfie, id_verifications: [{ ...document, portrait_image: null }] };
    expect(read(noPicture).portraitUrl).toBeUndefined();
  });
});

test('[BD-05] nothing else of a document is read: no number, address, age, picture or nonce', () => {
  const kept = JSON.stringify({ ...read(wire), portraitUrl: undefined });
  for (const left of [
    ...['99887766P', 'Calle Mayor', 'Toledo', 'Lugo', 'P<ESP', '0+', '34.567', '71.25', '36'],
    ...['front.jpg', 'video.mp4', 'document.jpg', 'selfie.jpg', '"secret-nonce', '"F"'],
  ]) {
    expect(kept.includes(left), left).toBe(false);
  }
  // A login reads nothing of a document at all.
  const login = JSON.stringify(toDecision(diditDecision.parse(wire), hash));
  expect(login).not.toMatch(/ANA|NÚÑEZ|1990|ESP|XDA|media\.example|DATA_INCONSISTENT/);
});

test('[BD-10] whom a face resembles, and how old it looks, is left unread', () => {
  expect(JSON.stringify(read(wire))).not.toMatch(/of-a-twin|98\.765|of-somebody-else|Eve|34\.567/);
});
