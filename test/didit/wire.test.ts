import { describe, expect, test } from 'vitest';
import {
  createDiditSessionResponse,
  diditDecision,
  diditLanguage,
  diditWebhookEvent,
  instantMs,
  readErrorBody,
} from '../../src/didit/wire.ts';

const created = {
  session_id: '11111111-2222-4333-8444-555555555555',
  session_number: 43762,
  session_token: '3FaJ9wLqX2Mz',
  url: 'https://verify.didit.me/en/session/3FaJ9wLqX2Mz',
  vendor_data: 'person-1',
  metadata: { nonce: 'n' },
  status: 'Not Started',
  workflow_id: '11111111-2222-4333-8444-666666666666',
  workflow_version: 3,
  callback: null,
};
const without = (field: keyof typeof created) =>
  Object.fromEntries(Object.entries(created).filter(([name]) => name !== field));

describe('the answer to create-session', () => {
  test('is read as documented, unknown fields dropped', () => {
    const parsed = createDiditSessionResponse.parse({ ...created, something_new: 1 });
    expect(parsed).toEqual(created);
  });

  test('may carry the hosted page as session_url', () => {
    const parsed = createDiditSessionResponse.parse({
      ...without('url'),
      session_url: 'https://a',
    });
    expect(parsed.url).toBe('https://a');
  });

  test('without any address is refused', () => {
    expect(createDiditSessionResponse.safeParse(without('url')).success).toBe(false);
  });

  test.each(['session_id', 'status'] as const)('without %s is refused', (field) => {
    expect(createDiditSessionResponse.safeParse(without(field)).success).toBe(false);
  });
});

describe('a decision', () => {
  const minimal = { session_id: 's', status: 'Approved' };

  test('whose features did not run, say null or nothing, has empty lists', () => {
    const parsed = diditDecision.parse({ ...minimal, liveness_checks: null, face_matches: null });
    expect(parsed).toMatchObject({ liveness_checks: [], face_matches: [], reviews: [] });
  });

  test('keeps a score of whatever type for the judge to refuse', () => {
    const parsed = diditDecision.parse({
      ...minimal,
      liveness_checks: [{ status: 'Approved', method: 'PASSIVE', score: '96' }],
      face_matches: [{ status: 'Approved', score: null }, { status: 'Not Finished' }],
    });
    expect(parsed.liveness_checks[0]?.score).toBe('96');
    expect(parsed.face_matches.map(({ score }) => score)).toEqual([null, undefined]);
  });

  test('keeps a status that nobody knows as it is', () => {
    expect(diditDecision.parse({ ...minimal, status: '承認済み' }).status).toBe('承認済み');
  });

  test.each([['Approved'], true, null, undefined])(
    '[VD-14] whose status is %j is refused',
    (status) => {
      expect(diditDecision.safeParse({ ...minimal, status }).success).toBe(false);
    },
  );

  test('names its features whether they are texts or objects', () => {
    const features = ['LIVENESS', { feature: 'FACE_MATCH', node_id: 'feature_face_match' }];
    expect(diditDecision.parse({ ...minimal, features }).features).toEqual([
      'LIVENESS',
      'FACE_MATCH',
    ]);
  });

  test.each([
    [{ nonce: 'n' }, { nonce: 'n' }],
    ['{"nonce":"n"}', { nonce: 'n' }],
    ['{"nonce":"n","nonce":"m"}', null],
    ['text', null],
    [['n'], null],
    [undefined, null],
  ])('whose metadata is %j says %j', (metadata, expected) => {
    const parsed = diditDecision.parse({ ...minimal, metadata }).metadata;
    expect(JSON.stringify(parsed)).toBe(JSON.stringify(expected));
  });
});

describe('a webhook event', () => {
  test("is read when it is the console's test, which lacks most fields", () => {
    const event = { webhook_type: 'status.updated', session_id: 's', timestamp: 1774970000 };
    expect(diditWebhookEvent.parse(event)).toMatchObject(event);
  });

  test('[WH-15] never hands its own decision on', () => {
    const event = { webhook_type: 'status.updated', session_id: 's', timestamp: 1, decision: {} };
    expect(diditWebhookEvent.parse(event)).not.toHaveProperty('decision');
  });
});

test.each([
  ['2026-03-31T15:13:20Z', 1774970000000],
  [1774970000, 1774970000000],
  ['yesterday', undefined],
  [null, undefined],
])('the instant %j is %j in milliseconds', (instant, ms) => {
  expect(instantMs(instant)).toBe(ms);
});

test.each([
  [{ workflow_id: ['A.', 'B.'] }, ['workflow_id: A.', 'workflow_id: B.']],
  [{ portrait_image: 'No stored face.' }, ['portrait_image: No stored face.']],
  [{ detail: 'No credits.' }, ['detail: No credits.']],
  ['<html>', []],
  [null, []],
])('the error body %j says %j', (body, said) => {
  expect(readErrorBody(body).map(({ field, message }) => `${field}: ${message}`)).toEqual(said);
});

test.each([
  ['ja', 'ja'],
  ['pt-BR', 'pt-BR'],
  ['PT-br', 'pt-BR'],
  ['de-AT', 'de'],
  ['zh-Hant-TW', 'zh'],
  ['gl fr-CA en', 'fr'],
  ['tlh', undefined],
  ['', undefined],
  [undefined, undefined],
])('ui_locales %j is the language %j', (uiLocales, language) => {
  expect(diditLanguage(uiLocales)).toBe(language);
});
