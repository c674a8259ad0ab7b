import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type LegName,
  acr,
  acrName,
  legsProof,
  passkeyProof,
  satisfies,
  selfieProof,
  suffices,
} from '../../src/domain/assurance.ts';

const names = Object.values(acr);
const all = [...names, ...names.map((name) => acrName(name, 'sandbox'))];
const oneName = fc.constantFrom(...all);

test('the names are the ones that relying parties were told', () => {
  expect(acr).toEqual({
    device: 'urn:didit-oidc:acr:device',
    fallback: 'urn:didit-oidc:acr:fallback',
    selfieHandoff: 'urn:didit-oidc:acr:selfie-handoff',
    selfie: 'urn:didit-oidc:acr:selfie',
    selfieDevice: 'urn:didit-oidc:acr:selfie-device',
    selfieActive: 'urn:didit-oidc:acr:selfie-active',
    passkey: 'phr',
  });
});

/** A row is what somebody has, a column what is wanted; both in the order above. */
const order = {
  device: '1 0 0 0 0 0 0',
  fallback: '0 1 0 0 0 0 0',
  selfieHandoff: '0 1 1 0 0 0 0',
  selfie: '1 1 1 1 0 0 0',
  selfieDevice: '1 1 1 1 1 0 0',
  selfieActive: '1 1 1 1 1 1 0',
  passkey: '0 0 0 0 0 0 1',
} satisfies Record<keyof typeof acr, string>;

test.each(Object.entries(order))('[AS-03] what %s satisfies is as the table says', (have, row) => {
  for (const environment of ['live', 'sandbox'] as const) {
    const name = acrName(acr[have as keyof typeof acr], environment);
    const found = names.map((want) => Number(satisfies(name, acrName(want, environment))));
    expect(found.join(' ')).toBe(row);
  }
});

test('[AS-03] the order is reflexive, antisymmetric and transitive', () => {
  for (const a of all) {
    expect(satisfies(a, a)).toBe(true);
    for (const b of all) {
      if (a !== b && satisfies(a, b)) expect(satisfies(b, a), `${a} ${b}`).toBe(false);
      for (const c of all) {
        if (satisfies(a, b) && satisfies(b, c)) expect(satisfies(a, c), `${a} ${c}`).toBe(true);
      }
    }
  }
});

test('[VD-11] a live class never answers a test one, or back', () => {
  for (const have of names) {
    for (const want of names) {
      expect(satisfies(have, acrName(want, 'sandbox'))).toBe(false);
      expect(satisfies(acrName(have, 'sandbox'), want)).toBe(false);
    }
  }
});

test('[AS-03] a name that nobody here gives is satisfied by itself alone', () => {
  const hostile = fc.oneof(
    fc.string(),
    fc.constantFrom('constructor', '__proto__', 'toString', '', ':test', 'phrh', `${acr.selfie} `),
    oneName.map((name) => name.toUpperCase()),
    oneName.map((name) => `${name}:test:test`),
  );
  fc.assert(
    fc.property(oneName, hostile, (known, other) => {
      fc.pre(!all.includes(other));
      expect(satisfies(known, other)).toBe(false);
      expect(satisfies(other, known)).toBe(false);
      expect(satisfies(other, other)).toBe(true);
    }),
  );
});

test('[AS-02] a selfie claims a face and a selfie’s class, not what a passkey would', () => {
  const provenAtMs = Date.UTC(2026, 10, 22);
  const proof = { accountId: 'ana', amr: ['face'], provenAtMs };
  const taken = { decidedAtMs: provenAtMs, livenessMethods: ['PASSIVE'], hasDevice: false };
  expect(selfieProof('ana', taken, 'live')).toEqual({ ...proof, acr: acr.selfie });
  expect(selfieProof('ana', taken, 'sandbox')).toEqual({
    ...proof,
    acr: `${acr.selfie}:test`,
  });
});

test('[FB-06] one leg is not enough, nor the same one twice; any two are', () => {
  const legs: LegName[] = ['mail', 'totp', 'recovery'];
  expect(suffices([])).toBe(false);
  for (const one of legs) {
    expect(suffices([one]), one).toBe(false);
    for (const other of legs) expect(suffices([one, other])).toBe(one !== other);
  }
  expect(suffices(legs)).toBe(true);
});

test('[AS-01] two codes are called what they are, and never a face', () => {
  const proof = { accountId: 'account', acr: acr.fallback, provenAtMs: 7 };
  const amrOf: [LegName[], string[]][] = [
    [
      ['mail', 'totp'],
      ['otp', 'mca'],
    ],
    [
      ['recovery', 'mail'],
      ['otp', 'mca'],
    ],
    [['totp', 'recovery'], ['otp']],
  ];
  for (const [legs, amr] of amrOf) {
    expect(legsProof('account', legs, 7, 'live')).toEqual({ ...proof, amr });
  }
  expect(legsProof('account', ['mail', 'totp'], 7, 'sandbox').acr).toBe(`${acr.fallback}:test`);
});

test('[AS-02] a passkey is two factors in one, and nobody says that its key is in hardware', () => {
  expect(passkeyProof('ana', 7, 'live')).toEqual({
    ...{ accountId: 'ana', acr: 'phr', provenAtMs: 7 },
    amr: ['swk', 'user', 'pop', 'mfa'],
  });
  expect(passkeyProof('ana', 7, 'sandbox').acr).toBe('phr:test');
});
