/** Somebody new, in the pure core: nothing is taken out of its order, and a face never comes in by a login. */
import { describe, expect, test } from 'vitest';
import {
  type Attempt,
  type AttemptEvent,
  type AttemptKind,
  attemptAtMostMs,
  newAttempt,
  transition,
} from '../../src/domain/attempt.ts';
import { standing } from '../../src/domain/standing.ts';
import { capture, decided, events, fresh, identified, startMs } from './samples.ts';

const address = 'nora@example.com';
const identity = { identifier: address, accountId: 'account-of-nora' };
const given: AttemptEvent = { type: 'address_given', address };
const confirmed: AttemptEvent = { type: 'address_confirmed', identity };
const admitted: AttemptEvent = { type: 'admitted', identity };
const byDocument: AttemptEvent = {
  type: 'captured',
  capture: { ...capture, expectation: { ...capture.expectation, reference: 'document' } },
};
const byFace: AttemptEvent = { type: 'captured', capture };

function begun(kind: AttemptKind): Attempt {
  const { id, interactionUid, reference, client, request, createdAtMs, expiresAtMs } = fresh;
  return newAttempt({
    ...{ id, kind, interactionUid, reference, client, request, createdAtMs, expiresAtMs },
  });
}

function after(attempt: Attempt, ...events: AttemptEvent[]): Attempt {
  return events.reduce((before, event) => {
    const { attempt: next, refused } = transition(before, event, startMs);
    expect(refused, event.type).toBeUndefined();
    return next;
  }, attempt);
}

const refusal = (attempt: Attempt, event: AttemptEvent) =>
  transition(attempt, event, startMs).refused;

const joining = after(begun('enrol'), given);
const known = after(joining, confirmed);

describe('an address', () => {
  test('may be given again until it is confirmed, and the last one counts', () => {
    const other = after(joining, { type: 'address_given', address: 'other@example.com' });
    expect(standing(other, startMs)).toEqual({ at: 'joining', address: 'other@example.com' });
    expect(refusal(other, confirmed)).toBe('other_account');
    expect(refusal(known, given)).toBe('out_of_order');
  });

  test('[EN-01] confirms itself alone, and nothing before it was given', () => {
    const identifier = 'victim@example.com';
    const others: AttemptEvent = {
      type: 'address_confirmed',
      identity: { ...identity, identifier },
    };
    expect(refusal(joining, others)).toBe('other_account');
    expect(refusal(begun('enrol'), confirmed)).toBe('out_of_order');
    expect(standing(known, startMs)).toEqual({ at: 'capture', identity });
  });

  test.each(['login', 'step_up', 're_enrol', 'recovery'] as const)(
    'is not asked in a %s',
    (kind) => {
      expect(refusal(begun(kind), given)).toBe('out_of_order');
    },
  );
});

test.each(['login', 'step_up'] as const)('[EN-02] nobody is admitted to a %s', (kind) => {
  expect(refusal(begun(kind), admitted)).toBe('out_of_order');
});

test('[EN-02] whoever merely says who they are enrols nobody', () => {
  for (const kind of ['enrol', 're_enrol', 'recovery'] as const) {
    expect(refusal(begun(kind), { type: 'identified', identity })).toBe('out_of_order');
  }
});

test('[EN-04] a login is compared with the face that is enrolled, an enrolment with a document, never the other way round', () => {
  expect(refusal(identified, byDocument)).toBe('out_of_order');
  expect(refusal(known, events.decided)).toBe('out_of_order');
  expect(refusal(known, byFace)).toBe('out_of_order');
  expect(after(decided, byFace).phase).toBe('captured');
  expect(after(known, byDocument).phase).toBe('captured');
  for (const kind of ['re_enrol', 'recovery'] as const) {
    const one = after(begun(kind), admitted);
    expect(refusal(one, byFace)).toBe('out_of_order');
    expect(after(one, byDocument).phase).toBe('captured');
  }
});

test('no face is wished by somebody new alone, once the address is theirs', () => {
  expect(after(known, { type: 'face_refused' })).toMatchObject({ withoutFace: true });
  for (const attempt of [joining, identified, after(begun('re_enrol'), admitted)]) {
    expect(refusal(attempt, { type: 'face_refused' })).toBe('out_of_order');
  }
});

test('[AX-03] time is given, never taken, and not beyond an hour', () => {
  const until = (untilMs: number) => after(known, { type: 'prolonged', untilMs }).expiresAtMs;
  expect(until(known.expiresAtMs - 1)).toBe(known.expiresAtMs);
  expect(until(known.expiresAtMs + 60_000)).toBe(known.expiresAtMs + 60_000);
  expect(until(Number.MAX_SAFE_INTEGER)).toBe(known.createdAtMs + attemptAtMostMs);
});
