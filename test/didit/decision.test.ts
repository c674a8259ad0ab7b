import { expect, test } from 'vitest';
import { toDecision } from '../../src/didit/decision.ts';
import { diditDecision } from '../../src/didit/wire.ts';

const hash = (text: string): string => `hash of ${text}`;
const read = (wire: object) => toDecision(diditDecision.parse(wire), hash);

const wire = {
  session_id: 'session-1',
  session_kind: 'user',
  status: 'Approved',
  environment: 'live',
  workflow_id: 'workflow-1',
  vendor_data: 'person-1',
  metadata: { nonce: 'secret-nonce', purpose: 'returning_user_signin' },
  created_at: '2026-11-22T10:00:00Z',
  reviews: [{ user: 'API Client', new_status: 'Approved' }],
  liveness_checks: [
    {
      ...{ status: 'Approved', method: 'PASSIVE', score: 96, age_estimation: 34.567 },
      reference_image: 'https://media.example/face.jpg',
      warnings: [{ risk: 'LOW_LIVENESS_SCORE', log_type: 'warning' }],
    },
  ],
  face_matches: [{ status: 'Approved', score: '96', source_image_session_id: 'session-1' }],
  ip_analyses: [
    {
      ...{ ip_address: '203.0.113.7', browser_family: 'Chrome', os_family: 'Linux' },
      is_vpn_or_tor: true,
      warnings: [{ risk: 'VPN_DETECTED' }],
    },
    { ip_address: null },
  ],
};

test('a decision keeps what a verdict is judged by, and scores as they came', () => {
  expect(read(wire).decision).toEqual({
    ...{ diditSessionId: 'session-1', diditSessionKind: 'user', status: 'Approved' },
    ...{ environment: 'live', workflowId: 'workflow-1', vendorData: 'person-1' },
    nonceHash: 'hash of secret-nonce',
    sharedFromDiditSessionId: undefined,
    livenessChecks: [{ status: 'Approved', method: 'PASSIVE', score: 96 }],
    faceMatches: [{ status: 'Approved', score: '96', sourceDiditSessionId: 'session-1' }],
    warnings: [
      { risk: 'LOW_LIVENESS_SCORE', logType: 'warning' },
      { risk: 'VPN_DETECTED', logType: undefined },
    ],
    reviewCount: 1,
    createdAtMs: Date.UTC(2026, 10, 22, 10),
    isVpnOrTor: true,
    isDataCenter: false,
  });
});

test('[VD-03] whose session it is, is kept as Didit says it', () => {
  for (const session_kind of ['business', 'User', '']) {
    expect(read({ ...wire, session_kind }).decision.diditSessionKind).toBe(session_kind);
  }
});

test('the places in which Didit saw its page are all kept, also one that says nothing', () => {
  expect(read(wire).seen).toEqual([
    { address: '203.0.113.7', browser: 'Chrome', system: 'Linux' },
    { address: '', browser: '', system: '' },
  ]);
});

test('pictures, ages and the nonce itself are left behind', () => {
  expect(JSON.stringify(read(wire))).not.toMatch(/face\.jpg|34\.567|"secret-nonce/);
});

test('features that did not run are empty lists, and nothing is made up for what is absent', () => {
  const { decision, seen } = read({ session_id: 's', status: 'In Progress', face_matches: null });
  expect(decision).toMatchObject({ livenessChecks: [], faceMatches: [], warnings: [] });
  expect(decision).toMatchObject({ nonceHash: undefined, createdAtMs: undefined, reviewCount: 0 });
  expect(seen).toEqual([]);
});

test.each([
  ['as JSON text', JSON.stringify({ nonce: 'n' }), 'hash of n'],
  ['that is no text', { nonce: 7 }, undefined],
  ['in a list', [{ nonce: 'n' }], undefined],
  ['in broken JSON', '{"nonce":"n"', undefined],
  ['twice', '{"nonce":"m","nonce":"n"}', undefined],
])('a nonce %s is %s', (_name, metadata, expected) => {
  expect(read({ session_id: 's', status: 'Approved', metadata }).decision.nonceHash).toBe(expected);
});
