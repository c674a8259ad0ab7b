/** Why a sign-in went as it did: of every attempt that is over, in order, and without what it must not say. */
import { describe, expect, it, test } from 'vitest';
import { acr } from '../../src/domain/assurance.ts';
import { type Attempt, type AttemptEvent, transition } from '../../src/domain/attempt.ts';
import { explain, plainly } from '../../src/domain/explain.ts';
import type { Action } from '../../src/domain/policy.ts';
import {
  callbackNonceHash,
  capture,
  captured,
  events,
  fresh,
  identified,
  identity,
  legOf,
  play,
  startMs,
} from './samples.ts';

const at = (attempt: Attempt, ...steps: [AttemptEvent, number][]): Attempt =>
  steps.reduce((before, [event, ms]) => transition(before, event, startMs + ms).attempt, attempt);

const consumed = at(
  captured,
  [events.returned, 20_000],
  [events.approved, 21_500],
  [events.finished, 23_000],
);
const { decision: _, ...enrolling } = { ...captured, kind: 'enrol' } as Attempt & {
  decision?: unknown;
};
const decided = (action: Action): AttemptEvent => ({
  type: 'decided',
  decision: {
    ...{ action, policy: 'strict', rule: 'on Tor' },
    signals: { tor: true, device: 'new', failures: 3 },
  },
  reach: { environment: 'live', hasActive: true },
});

test('a selfie is told in the order in which it happened', () => {
  expect(explain(consumed)).toEqual({
    ...{ schema: 1, reference: 'ABCD-EFGH', attempt: 'attempt-1', kind: 'login' },
    client: { id: 'wiki', name: 'Acme Wiki' },
    ...{ beganAtMs: startMs, outcome: 'signed_in', acr: acr.selfie, amr: ['face'], selfies: 1 },
    decision: { action: 'selfie', policy: 'standard', rule: 'new device', signals: {} },
    steps: [
      { step: 'decided', afterMs: 0 },
      { step: 'selfie_begun', afterMs: 0 },
      { step: 'browser_back', afterMs: 20_000 },
      { step: 'verdict', afterMs: 21_500 },
      { step: 'ended', afterMs: 23_000 },
    ],
  });
});

test('a skipped selfie is none that was paid for, and its class is that of a device', () => {
  const device = { id: 'key-1', kind: 'key', actedAtMs: startMs - 90_000_000 } as const;
  const skipped = at(
    identified,
    [{ type: 'device_proven', accountId: identity.accountId, device }, 0],
    [decided('skip'), 10],
    [events.finished, 900],
  );
  expect(explain(skipped)).toMatchObject({
    ...{ outcome: 'signed_in', acr: acr.device, amr: ['swk', 'pop'], selfies: 0 },
    steps: [
      { step: 'decided', afterMs: 10 },
      { step: 'ended', afterMs: 900 },
    ],
  });
  expect(plainly(explain(skipped)!)).toBe(
    `Somebody who came to Acme Wiki was spared a selfie (rule “on Tor” of policy strict) and was signed in with ${acr.device} after 0.9 s.`,
  );
});

describe('an attempt that is', () => {
  it.each([
    ['new', fresh],
    ['named', identified],
    ['decided on', at(identified, [decided('fallback'), 0])],
    ['before the camera', captured],
    ['approved', play(captured, [events.approved, events.returned])],
    ['proven', play(identified, [...legOf('mail'), ...legOf('totp')])],
  ])('%s only is not explained yet', (_, attempt) => {
    expect(explain(attempt)).toBeUndefined();
  });

  const declined: AttemptEvent = {
    ...events.approved,
    verdict: { outcome: 'declined', reason: 'face_match_score' },
  };
  it.each<[string, Attempt, string]>([
    [
      'refused by the policy',
      at(identified, [decided('deny'), 50]),
      'Somebody who came to Acme Wiki was refused (rule “on Tor” of policy strict) and was not signed in: a rule of the policy refuses it (refused) after 0.1 s.',
    ],
    [
      'held for review',
      at(identified, [decided('review'), 0]),
      'Somebody who came to Acme Wiki was held for a person to look at (rule “on Tor” of policy strict) and was not signed in: somebody has to look at the check first (in_review) after 0.0 s.',
    ],
    [
      'left by another way',
      at(identified, [decided('fallback'), 0], [{ type: 'gave_up', reason: 'other_way' }, 9_000]),
      'Somebody who came to Acme Wiki was asked for something else than a selfie first (rule “on Tor” of policy strict) and was not signed in: another way was chosen (other_way) after 9.0 s.',
    ],
    [
      'by two codes',
      at(
        identified,
        ...[...legOf('mail'), ...legOf('totp')].map((event): [AttemptEvent, number] => [
          event,
          5_000,
        ]),
        [events.finished, 6_000],
      ),
      `Somebody who came to Acme Wiki chose another way than a selfie and was signed in with ${acr.fallback} after 6.0 s.`,
    ],
    [
      'declined',
      at(captured, [declined, 20_000]),
      'Somebody who came to Acme Wiki was asked for a selfie (rule “new device” of policy standard) and was not signed in: Didit declined the check (declined: face_match_score) after 20.0 s.',
    ],
    [
      'foreign',
      at(captured, [{ type: 'arrived_elsewhere', nonceHash: callbackNonceHash }, 30_000]),
      'Somebody who came to Acme Wiki was asked for a selfie (rule “new device” of policy standard) and was stopped, since the selfie came from another browser after 30.0 s.',
    ],
    [
      'expired',
      at(captured, [events.approved, 300_000]),
      'Somebody who came to Acme Wiki was asked for a selfie (rule “new device” of policy standard) and ran out of time after 300.0 s.',
    ],
    [
      'begun anew',
      at(fresh, [{ type: 'superseded' }, 1_000]),
      'Somebody who came to Acme Wiki had not begun a selfie and began anew after 1.0 s.',
    ],
    [
      'an enrolment whose face was not kept',
      at(enrolling, [events.approved, 4_000], [{ type: 'gave_up', reason: 'unavailable' }, 5_000]),
      'Somebody who came to Acme Wiki enrolled and was not signed in: the face could not be kept (enrolment_not_kept) after 5.0 s.',
    ],
  ])('%s is one plain sentence', (_, attempt, sentence) => {
    const explanation = explain(attempt)!;
    expect(plainly(explanation)).toBe(sentence);
    const afterMs = explanation.steps.map((step) => step.afterMs);
    expect(afterMs).toEqual(afterMs.toSorted((one, other) => one - other));
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
  });
});

test('no address, name, nonce, face or place of a person is in any of it', () => {
  const canaries = [
    ...[identity.identifier, identity.accountId, callbackNonceHash, capture.diditSessionId],
    ...[capture.enrolmentId, capture.expectation.vendorData, capture.expectation.nonceHash],
    ...[capture.place.network ?? '', capture.device.id, 'score', 'interaction-1'],
  ];
  const ends = [
    consumed,
    at(captured, [{ type: 'arrived_elsewhere', nonceHash: callbackNonceHash }, 1]),
    at(identified, [decided('deny'), 0]),
  ];
  for (const attempt of ends) {
    const explanation = explain(attempt)!;
    const text = JSON.stringify(explanation) + plainly(explanation);
    for (const canary of canaries) expect(text).not.toContain(canary);
  }
});
