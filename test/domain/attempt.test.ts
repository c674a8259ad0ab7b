import { describe, expect, test } from 'vitest';
import { type Attempt, type AttemptEvent, transition } from '../../src/domain/attempt.ts';
import { foreignWaitMs, isOver, standing, verdictFreshForMs } from '../../src/domain/standing.ts';
import type { Locality } from '../../src/domain/locality.ts';
import type { FactorName } from '../../src/domain/message.ts';
import type { VerdictOutcome } from '../../src/domain/decision.ts';
import {
  callbackNonceHash,
  capture,
  captureEndsMs,
  captured,
  decided,
  events,
  fresh,
  identified,
  identity,
  judgedAtMs,
  legOf,
  play,
  startMs,
} from './samples.ts';

const decidedOn = { ...events.decided.decision, atMs: startMs };

const judged = (outcome: VerdictOutcome, locality: Locality = 'agrees'): AttemptEvent => ({
  ...events.approved,
  verdict: { outcome, reason: outcome },
  locality,
});

describe('the way through', () => {
  test('an attempt goes from a name to a proof, and each step shows where it stands', () => {
    expect(standing(fresh, startMs)).toEqual({ at: 'identify' });
    expect(standing(identified, startMs)).toEqual({ at: 'capture', identity });
    const waiting = { at: 'waiting', opensAtMs: undefined };
    expect(standing(captured, startMs)).toEqual({ ...waiting, returned: false });

    const back = play(captured, [events.returned], judgedAtMs);
    expect(standing(back, judgedAtMs)).toEqual({ ...waiting, returned: true });
    const both = play(back, [events.approved], judgedAtMs + 500);
    const proof = {
      accountId: 'account-of-ana',
      acr: 'urn:didit-oidc:acr:selfie',
      amr: ['face'],
      provenAtMs: judgedAtMs + 500,
    };
    expect(standing(both, judgedAtMs + 700)).toEqual({ at: 'ready', proof });

    const end = transition(both, events.finished, judgedAtMs + 700);
    expect(end).toEqual({
      attempt: {
        ...fresh,
        phase: 'consumed',
        identity,
        capture,
        decision: decidedOn,
        decidedAtMs: judgedAtMs + 500,
        returnedAtMs: judgedAtMs,
        endedAtMs: judgedAtMs + 700,
        proof,
      },
    });
    expect(standing(end.attempt, judgedAtMs + 900)).toEqual({ at: 'consumed' });
  });

  test('[AS-09] the time of the proof is the verdict’s, however late the browser is', () => {
    const late = judgedAtMs + verdictFreshForMs;
    const back = play(play(captured, [events.approved]), [events.returned], late);
    expect(play(back, [events.finished], late)).toMatchObject({
      phase: 'consumed',
      proof: { provenAtMs: judgedAtMs, amr: ['face'] },
    });
  });

  test('[VD-11] a selfie in the sandbox says so in its class', () => {
    const sandbox = {
      ...capture,
      expectation: { ...capture.expectation, environment: 'sandbox' },
    } as const;
    const steps = [
      events.decided,
      { type: 'captured', capture: sandbox } as const,
      events.approved,
      events.returned,
      events.finished,
    ];
    expect(play(identified, steps)).toMatchObject({
      proof: { acr: 'urn:didit-oidc:acr:selfie:test' },
    });
  });

  test('[AB-01] a name that names nobody never opens the door, whatever is said of its selfie', () => {
    const nobody = { identifier: 'nobody@example.com', accountId: undefined };
    const attempt = play(fresh, [
      { type: 'identified', identity: nobody },
      events.decided,
      events.captured,
      events.returned,
      events.approved,
    ]);
    expect(attempt).toMatchObject({ phase: 'captured', verdict: { reason: 'approved' } });
    expect(standing(attempt, judgedAtMs)).toEqual({ at: 'denied', reason: 'declined' });
    expect(play(attempt, [events.finished])).toMatchObject({ phase: 'denied', reason: 'declined' });
  });

  test.each<[string, Attempt, AttemptEvent]>([
    ['a capture before a name', fresh, events.captured],
    ['[XD-08] a capture before the policy has decided', identified, events.captured],
    ['a decision before a name', fresh, events.decided],
    ['a decision after the capture', captured, events.decided],
    ['a verdict before a capture', identified, events.approved],
    ['a return before a capture', identified, events.returned],
    ['another name after the first', identified, events.identified],
    ['another name after the capture', captured, events.identified],
    ['another capture after the first', captured, events.captured],
  ])('%s is out of order', (_, attempt, event) => {
    expect(transition(attempt, event, judgedAtMs)).toEqual({ attempt, refused: 'out_of_order' });
  });

  test('finishing is refused wherever a part is missing, and leaves everything as it was', () => {
    const halves = [events.approved, events.returned].map((half) => play(captured, [half]));
    for (const attempt of [fresh, identified, captured, ...halves]) {
      const refused = transition(attempt, events.finished, judgedAtMs);
      expect(refused).toEqual({ attempt, refused: 'not_ready' });
    }
  });
});

describe('the verdict', () => {
  test('[XD-01] alone does not open the door', () => {
    const attempt = play(captured, [events.approved]);
    expect(standing(attempt, judgedAtMs + foreignWaitMs)).toMatchObject({ at: 'waiting' });
  });

  test('[CB-02] of another Didit session is refused, whatever it says', () => {
    for (const outcome of ['approved', 'declined', 'in_review', 'pending'] as const) {
      const event = { ...judged(outcome), diditSessionId: 'didit-session-2' } as AttemptEvent;
      expect(transition(captured, event, judgedAtMs)).toEqual({
        attempt: captured,
        refused: 'other_session',
      });
    }
  });

  test('[WH-11] any order of answers ends as the first that denies has it, else approved', () => {
    const answers = ['pending', 'in_review', 'approved', 'declined', 'not_finished'] as const;
    for (const order of permutations(answers)) {
      const steps = order.map((outcome) => judged(outcome));
      const denial = order.find((outcome) => outcome !== 'pending' && outcome !== 'approved');
      expect(
        play(captured, [events.returned, ...steps, events.finished]),
        order.join(),
      ).toMatchObject({ phase: 'denied', reason: denial });
      expect(
        play(captured, [...steps, events.returned, events.finished]),
        order.join(),
      ).toMatchObject({ phase: 'denied', reason: denial });
    }
  });

  test('[WH-11] pending after approved is ignored; declined after it, before use, denies', () => {
    const both = play(captured, [events.returned, judged('approved'), judged('pending')]);
    expect(standing(both, judgedAtMs)).toMatchObject({ at: 'ready' });
    expect(play(both, [judged('declined')])).toMatchObject({ phase: 'denied', reason: 'declined' });
  });

  test('[VD-09] is as old as its first announcement: a repeated ring does not freshen it', () => {
    const both = play(captured, [events.returned, events.approved]);
    const again = transition(both, events.approved, judgedAtMs + verdictFreshForMs);
    expect(again).toEqual({ attempt: both });
  });

  test('[VD-09] is good for exactly two minutes, and a late finish ends the attempt', () => {
    const both = play(captured, [events.returned, events.approved]);
    const lastMs = judgedAtMs + verdictFreshForMs;
    expect(standing(both, lastMs)).toMatchObject({ at: 'ready' });
    expect(standing(both, lastMs + 1)).toEqual({ at: 'denied', reason: 'stale' });
    const late = transition(both, events.finished, lastMs + 1);
    expect(late).toMatchObject({
      attempt: { phase: 'denied', reason: 'stale' },
      refused: 'not_ready',
    });
  });
});

describe('the return', () => {
  test('[XD-05] needs the nonce of this capture', () => {
    const event = { type: 'returned', nonceHash: capture.expectation.nonceHash } as const;
    const wrong = { attempt: captured, refused: 'wrong_nonce' };
    expect(transition(captured, event, judgedAtMs)).toEqual(wrong);
    expect(transition(captured, { ...event, nonceHash: '' }, judgedAtMs)).toEqual(wrong);
  });

  test('[XD-05] spends the nonce, and a second return changes nothing', () => {
    const back = play(captured, [events.returned]);
    const again = transition(back, events.returned, judgedAtMs + 5_000);
    expect(again).toEqual({ attempt: back, refused: 'spent' });
  });

  test('[XD-03] by another browser ends the attempt, before and after the own return', () => {
    for (const steps of [[], [events.returned], [events.approved, events.returned]]) {
      const end = transition(play(captured, steps), events.arrivedElsewhere, judgedAtMs);
      expect(end.refused).toBeUndefined();
      expect(end.attempt.phase).toBe('foreign');
      const later = play(end.attempt, [events.approved, events.returned, events.finished]);
      expect(later).toEqual(end.attempt);
    }
  });

  test('[XD-03] by another browser with a wrong nonce ends nothing', () => {
    const event = { type: 'arrived_elsewhere', nonceHash: 'guessed' } as const;
    for (const attempt of [fresh, identified, captured]) {
      const refused = transition(attempt, event, judgedAtMs);
      expect(refused).toEqual({ attempt, refused: 'wrong_nonce' });
    }
  });
});

describe('locality', () => {
  test.each(['differs', 'unknown'] as const)('[XD-07] "%s" denies', (locality) => {
    const steps = [judged('approved', locality), events.returned, events.finished];
    expect(play(captured, steps)).toMatchObject({ phase: 'denied', reason: 'elsewhere' });
  });

  test.each(['differs', 'unknown'] as const)(
    '[XD-07] "%s" in a later reading denies what an earlier one allowed',
    (locality) => {
      const both = play(captured, [events.returned, events.approved]);
      expect(play(both, [judged('approved', locality)])).toMatchObject({
        phase: 'denied',
        reason: 'elsewhere',
      });
    },
  );

  test.each([
    ['verdict', 'return', judged('approved', 'cannot_tell'), events.returned],
    ['return', 'verdict', events.returned, judged('approved', 'cannot_tell')],
  ])('[XD-03] where it cannot be told the door waits, %s before %s', (_1, _2, first, second) => {
    const laterMs = judgedAtMs + 1_000;
    const both = play(play(captured, [first]), [second], laterMs);
    const opensAtMs = laterMs + foreignWaitMs;
    const waiting = { at: 'waiting', returned: true, opensAtMs };
    expect(standing(both, laterMs)).toEqual(waiting);
    expect(transition(both, events.finished, opensAtMs - 1)).toEqual({
      attempt: both,
      refused: 'not_ready',
    });
    expect(play(both, [events.arrivedElsewhere], opensAtMs - 1).phase).toBe('foreign');
    expect(play(both, [events.finished], opensAtMs).phase).toBe('consumed');
  });
});

describe('an account that was changed while the selfie was taken', () => {
  const both = play(captured, [events.approved, events.returned]);

  test.each([
    ['has another face now', { enrolmentId: 'enrolment-2' }],
    ['has none any more', { enrolmentId: undefined }],
    ['is gone or blocked', undefined],
  ])('[VD-10] lets nobody in when it %s', (_, account) => {
    const late = transition(both, { type: 'finished', account }, judgedAtMs);
    expect(late).toMatchObject({
      attempt: { phase: 'denied', reason: 'changed' },
      refused: 'not_ready',
    });
    expect(play(late.attempt, [events.finished]).phase).toBe('denied');
  });
});

describe('another factor', () => {
  const chosen = { type: 'factor_chosen', factor: 'passkey' } as const;
  const proof = {
    accountId: 'account-of-ana',
    acr: 'phr',
    amr: ['swk', 'user', 'pop', 'mfa'],
    provenAtMs: judgedAtMs,
  };
  const proven = { type: 'proven', proof } as const;

  test('opens the door to the account that it was asked of, once, and says what it was', () => {
    const asked = play(identified, [chosen]);
    expect(standing(asked, judgedAtMs)).toEqual({ at: 'factor', factor: 'passkey' });
    const shown = play(asked, [proven]);
    expect(standing(shown, judgedAtMs)).toEqual({ at: 'ready', proof });
    const end = play(shown, [events.finished]);
    expect(end).toMatchObject({ phase: 'consumed', proof });
    expect(transition(end, proven, judgedAtMs).refused).toBe('over');
  });

  test.each<[string, Attempt, AttemptEvent, string]>([
    ['nobody asked for', identified, proven, 'out_of_order'],
    ['comes while a selfie is taken', captured, proven, 'out_of_order'],
    [
      'is another person’s',
      play(identified, [chosen]),
      { type: 'proven', proof: { ...proof, accountId: 'account-of-ben' } },
      'other_account',
    ],
    ['is chosen while a selfie is taken', captured, chosen, 'out_of_order'],
  ])('that %s is refused', (_, attempt, event, refused) => {
    expect(transition(attempt, event, judgedAtMs)).toEqual({ attempt, refused });
  });

  test('is stale after two minutes, and no use for an account that is gone', () => {
    const shown = play(identified, [chosen, proven]);
    const lateMs = judgedAtMs + verdictFreshForMs + 1;
    expect(standing(shown, lateMs)).toEqual({ at: 'denied', reason: 'stale' });
    expect(play(shown, [events.finished], lateMs)).toMatchObject({ reason: 'stale' });
    expect(play(shown, [{ type: 'finished', account: undefined }])).toMatchObject({
      phase: 'denied',
      reason: 'changed',
    });
  });

  test('is put aside by a selfie', () => {
    expect(play(identified, [chosen, events.decided, events.captured], startMs)).toEqual(captured);
  });
});

describe('the typed factors', () => {
  const provenAtMs = judgedAtMs;
  const proof = {
    ...{ accountId: 'account-of-ana', acr: 'urn:didit-oidc:acr:fallback' },
    ...{ amr: ['otp', 'mca'], provenAtMs: judgedAtMs + 60_000 },
  };

  test('open the door together, to the account that they were asked of, and say when', () => {
    const first = play(identified, legOf('mail'));
    const mail = { name: 'mail', provenAtMs };
    expect(first).toEqual({ ...identified, legs: [mail] });
    expect(standing(first, judgedAtMs)).toEqual({ at: 'second_leg', shown: ['mail'] });
    const asked = play(first, [legOf('totp')[0]]);
    expect(standing(asked, judgedAtMs)).toEqual({ at: 'factor', factor: 'totp' });

    const both = play(asked, [legOf('totp')[1]], judgedAtMs + 60_000);
    const legs = [mail, { name: 'totp', provenAtMs: judgedAtMs + 60_000 }];
    expect(both).toEqual({ ...identified, phase: 'proven', legs, proof });
    expect(standing(both, judgedAtMs + 60_000)).toEqual({ at: 'ready', proof });
    const end = play(both, [events.finished], judgedAtMs + 61_000);
    expect(end).toMatchObject({ phase: 'consumed', proof });
    expect(end).not.toHaveProperty('legs');
  });

  test.each(['mail', 'totp', 'recovery'] as const)(
    '[FB-06] of which %s alone opens nothing, however often it is right',
    (leg) => {
      const first = play(identified, legOf(leg));
      expect(transition(first, legOf(leg)[0], judgedAtMs).refused).toBe('spent');
      expect(play(first, [...legOf(leg), events.finished])).toEqual(first);
      expect(transition(first, events.finished, judgedAtMs).refused).toBe('not_ready');
    },
  );

  test.each<[string, Attempt, AttemptEvent, string]>([
    ['nobody asked for', identified, legOf('mail')[1], 'out_of_order'],
    ['is another than the one asked for', askedFor('totp'), legOf('mail')[1], 'out_of_order'],
    ['comes while a passkey is asked for', askedFor('passkey'), legOf('mail')[1], 'out_of_order'],
    ['comes while a selfie is taken', captured, legOf('mail')[1], 'out_of_order'],
    [
      'is another person’s',
      askedFor('mail'),
      { ...legOf('mail')[1], accountId: 'account-of-ben' },
      'other_account',
    ],
  ])('that %s is refused', (_, attempt, event, refused) => {
    expect(transition(attempt, event, judgedAtMs)).toEqual({ attempt, refused });
  });

  test('[AS-01] count for nothing beside a selfie or a passkey, nor after one', () => {
    const first = play(identified, legOf('mail'));
    expect(play(first, [events.decided, events.captured], startMs)).toEqual(captured);
    const passkey = { ...proof, acr: 'phr', amr: ['swk', 'user', 'pop', 'mfa'] };
    const chosen = { type: 'factor_chosen', factor: 'passkey' } as const;
    const shown = play(first, [chosen, { type: 'proven', proof: passkey }]);
    expect(shown).toEqual({ ...identified, phase: 'proven', proof: passkey });
  });

  test('are of no use to a name without an account', () => {
    const nobody = { identifier: 'nobody@example.com', accountId: undefined };
    const attempt = play(fresh, [{ type: 'identified', identity: nobody }]);
    const refused = play(attempt, [...legOf('mail'), ...legOf('totp'), events.finished]);
    expect(refused).toMatchObject({ phase: 'identified', factor: 'totp' });
    expect(refused).not.toHaveProperty('legs');
  });
});

describe('the end', () => {
  test('[XD-11] comes with the capture’s own deadline, which is not the interaction’s', () => {
    const both = play(captured, [events.approved, events.returned], captureEndsMs - 1);
    expect(standing(both, captureEndsMs - 1)).toMatchObject({ at: 'ready' });
    expect(standing(both, captureEndsMs)).toEqual({ at: 'expired' });
    for (const event of Object.values(events)) {
      const late = transition(both, event, captureEndsMs);
      expect(late).toMatchObject({ attempt: { phase: 'expired' }, refused: 'over' });
    }
  });

  test('[XD-11] is never later than the interaction’s, whatever the capture says', () => {
    const long = { ...capture, expectation: { ...capture.expectation, expiresAtMs: Infinity } };
    const attempt = play(decided, [{ type: 'captured', capture: long }]);
    for (const one of [fresh, identified, attempt]) {
      expect(standing(one, fresh.expiresAtMs - 1).at).not.toBe('expired');
      expect(standing(one, fresh.expiresAtMs)).toEqual({ at: 'expired' });
    }
  });

  test('keeps what may still be asked: who it was, why, which capture, and when', () => {
    const both = play(captured, [events.approved, events.returned]);
    const end = play(both, [{ type: 'gave_up', reason: 'other_way' }]);
    const kept = {
      ...{ identity, capture, decision: decidedOn },
      ...{ decidedAtMs: judgedAtMs, returnedAtMs: judgedAtMs, endedAtMs: judgedAtMs },
    };
    expect(end).toEqual({ ...fresh, phase: 'denied', reason: 'other_way', ...kept });
    expect(standing(end, judgedAtMs)).toEqual({ at: 'denied', reason: 'other_way' });
  });

  test('may come from any live phase, by giving up or by another attempt', () => {
    for (const attempt of [fresh, identified, captured]) {
      const gaveUp = play(attempt, [{ type: 'gave_up', reason: 'cancelled' }]);
      expect(gaveUp).toMatchObject({ phase: 'denied', reason: 'cancelled' });
      expect(play(attempt, [{ type: 'superseded' }]).phase).toBe('superseded');
      expect([isOver(attempt), isOver(gaveUp)]).toEqual([false, true]);
    }
  });

  test('[VD-08] a consumed attempt is not consumed again, nor by another nonce or session', () => {
    const end = play(captured, [events.approved, events.returned, events.finished]);
    expect(end.phase).toBe('consumed');
    const more: AttemptEvent[] = [
      ...Object.values(events),
      judged('declined'),
      { type: 'returned', nonceHash: callbackNonceHash + '2' },
      { type: 'superseded' },
      { type: 'gave_up', reason: 'limited' },
    ];
    for (const event of more) {
      expect(transition(end, event, judgedAtMs)).toEqual({ attempt: end, refused: 'over' });
    }
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

function askedFor(factor: FactorName): Attempt {
  return play(identified, [{ type: 'factor_chosen', factor }]);
}
