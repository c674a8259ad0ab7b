import { describe, expect, test } from 'vitest';
import type { Attempt, AttemptEvent, AttemptKind, Capture } from '../../src/domain/attempt.ts';
import { transition } from '../../src/domain/attempt.ts';
import {
  type Side,
  claimForMs,
  compareHandoff,
  mayBeHandedOff,
  typeForMs,
  wrongCodesAtMost,
} from '../../src/domain/handoff.ts';
import { standing } from '../../src/domain/standing.ts';
import {
  callbackNonceHash,
  capture,
  decided,
  events,
  identified,
  identity,
  judgedAtMs,
  play,
  startMs,
} from './samples.ts';

const desktop: Side = {
  place: { network: '192.0.2/24', browser: 'Chrome', system: 'Windows' },
  country: 'DE',
};
const phone = { network: '198.51.100/24', browser: 'Safari', system: 'iOS' };
const ofPhone = {
  codeHash: 'code',
  cookieHash: 'cookie',
  from: desktop,
  relation: 'same_country',
} as const;

const offered = {
  ...{ type: 'handed_off', codeHash: 'code', salt: 'salt', from: desktop, environment: 'live' },
  deviceClass: 'unknown',
} as const satisfies AttemptEvent;
const claimed = {
  ...{ type: 'claimed', codeHash: 'code', cookieHash: 'cookie', place: phone },
} as const satisfies AttemptEvent;
const taken: Capture = { ...capture, place: phone, handoff: ofPhone };
const captured = { type: 'captured', capture: taken } as const satisfies AttemptEvent;
const returned = {
  ...{ type: 'returned', nonceHash: callbackNonceHash, cookieHash: 'cookie' },
} as const satisfies AttemptEvent;
const shown = { type: 'code_shown', hash: 'right' } as const satisfies AttemptEvent;
const typed = (hash: string): AttemptEvent => ({ type: 'code_typed', hash });

const onPhone = play(decided, [offered, claimed, captured], startMs);
const approved = play(onPhone, [returned, events.approved], judgedAtMs);
const withCode = play(approved, [shown], judgedAtMs);

const at = (attempt: Attempt, nowMs: number): string => standing(attempt, nowMs).at;
const reasonOf = (attempt: Attempt): string =>
  attempt.phase === 'denied' ? attempt.reason : attempt.phase;

describe('the way through', () => {
  test('a code goes to the phone and another one back, and each step shows where it stands', () => {
    const waits = play(decided, [offered], startMs);
    expect(standing(waits, startMs)).toEqual({ at: 'handed_off', untilMs: startMs + claimForMs });
    const mine = play(waits, [claimed], startMs);
    expect(standing(mine, startMs)).toEqual({ at: 'handed_off', untilMs: undefined });
    expect(at(onPhone, startMs)).toBe('waiting');
    expect(standing(approved, judgedAtMs)).toEqual({ at: 'type_code', untilMs: undefined });
    const untilMs = judgedAtMs + typeForMs;
    expect(standing(withCode, judgedAtMs)).toEqual({ at: 'type_code', untilMs });
    const open = play(withCode, [typed('right')], judgedAtMs + 5_000);
    expect(play(open, [events.finished], judgedAtMs + 6_000)).toMatchObject({
      phase: 'consumed',
      capture: { handoff: ofPhone },
      proof: {
        accountId: identity.accountId,
        acr: 'urn:didit-oidc:acr:selfie-handoff',
        amr: ['face', 'mca'],
        provenAtMs: judgedAtMs,
      },
    });
  });

  test('[AS-01] a key that the desktop showed before raises nothing', () => {
    const device = { id: 'key', kind: 'key', actedAtMs: startMs } as const;
    const withKey = play(
      identified,
      [
        { type: 'device_proven', accountId: identity.accountId, device },
        ...[events.decided, offered, claimed, captured],
      ],
      startMs,
    );
    const steps = [returned, events.approved, shown, typed('right'), events.finished];
    const proof = { acr: 'urn:didit-oidc:acr:selfie-handoff', amr: ['face', 'mca'] };
    expect(play(withKey, steps)).toMatchObject({ phase: 'consumed', proof });
  });
});

describe('[XD-13] the offer', () => {
  test.each<AttemptKind>(['enrol', 're_enrol', 'recovery'])('is none in %s', (kind) => {
    const attempt = { ...decided, kind };
    expect(mayBeHandedOff(attempt, 'live')).toBe(false);
    expect(transition(attempt, offered, startMs).refused).toBe('out_of_order');
  });

  test('is none where the app insists on more', () => {
    for (const request of [
      { essentialAcr: ['urn:didit-oidc:acr:selfie'] },
      { minimumAcr: 'urn:didit-oidc:acr:selfie-device' },
      { essentialAcr: ['urn:didit-oidc:acr:selfie-handoff:test'] },
    ]) {
      const attempt = { ...decided, request: { ...decided.request, ...request } };
      expect(transition(attempt, offered, startMs).refused).toBe('out_of_order');
    }
  });

  test('comes after the policy, and only where that wants a selfie', () => {
    expect(transition(identified, offered, startMs).refused).toBe('out_of_order');
    const decision = { ...events.decided.decision, action: 'fallback' } as const;
    const otherFirst = play(identified, [{ ...events.decided, decision }], startMs);
    expect(transition(otherFirst, offered, startMs).refused).toBe('out_of_order');
  });

  test('made anew makes the one before it worthless, unless a phone has taken that on', () => {
    const anew = play(decided, [offered, { ...offered, codeHash: 'another' }], startMs);
    expect(transition(anew, claimed, startMs).refused).toBe('wrong_code');
    const mine = play(decided, [offered, claimed], startMs);
    expect(transition(mine, { ...offered, codeHash: 'another' }, startMs).refused).toBe('spent');
  });

  test('is over after 90 seconds', () => {
    const waits = play(decided, [offered], startMs);
    const lastMs = startMs + claimForMs - 1;
    expect(transition(waits, claimed, lastMs).refused).toBeUndefined();
    expect(transition(waits, claimed, lastMs + 1).refused).toBe('late');
    expect(at(waits, lastMs + 1)).toBe('capture');
  });

  test('is dropped by another way in, and by a selfie where it was asked for', () => {
    const away = play(decided, [offered, { type: 'factor_chosen', factor: 'mail' }], startMs);
    expect(transition(away, claimed, startMs).refused).toBe('wrong_code');
    const here = play(decided, [offered, claimed, events.captured], startMs);
    expect(here).not.toHaveProperty('handoff');
    const steps = [events.approved, events.returned, events.finished];
    expect(play(here, steps)).toMatchObject({
      proof: { acr: 'urn:didit-oidc:acr:selfie', amr: ['face'] },
    });
  });
});

describe('[XD-13] the claim', () => {
  const other = { ...claimed, cookieHash: 'of another phone' };

  test('is the same one when the same phone makes it twice', () => {
    const mine = play(decided, [offered, claimed], startMs);
    expect(transition(mine, claimed, startMs + 1)).toEqual({ attempt: mine });
  });

  test('by a second browser cancels both, before the selfie and after it', () => {
    const mine = play(decided, [offered, claimed], startMs);
    for (const attempt of [mine, onPhone, approved, withCode]) {
      expect(transition(attempt, other, judgedAtMs).attempt.phase).toBe('foreign');
    }
  });

  test('by a code of another hand-off is none', () => {
    const waits = play(decided, [offered], startMs);
    expect(transition(waits, { ...claimed, codeHash: 'x' }, startMs).refused).toBe('wrong_code');
  });
});

describe('[XD-13] the selfie is the phone’s', () => {
  test.each<[string, AttemptEvent[], Capture]>([
    ['without a claim', [offered], taken],
    ['of nothing that was offered', [], taken],
    [
      'of another phone',
      [offered, claimed],
      { ...taken, handoff: { ...ofPhone, cookieHash: 'x' } },
    ],
    [
      'of another hand-off',
      [offered, claimed],
      { ...taken, handoff: { ...ofPhone, codeHash: 'x' } },
    ],
    ['in another system', [offered, claimed], { ...taken, place: { ...phone, system: 'Android' } }],
    ['in another browser', [offered, claimed], { ...taken, place: { ...phone, browser: 'Edge' } }],
  ])('none begins %s', (_name, before, wrong) => {
    const attempt = play(decided, before, startMs);
    const event = { type: 'captured', capture: wrong } as const;
    expect(transition(attempt, event, startMs)).toEqual({ attempt, refused: 'out_of_order' });
  });

  test('it may begin in another network than it was claimed in', () => {
    const moved = { ...taken, place: { ...phone, network: '203.0.113/24' } };
    const event = { type: 'captured', capture: moved } as const;
    expect(play(decided, [offered, claimed, event], startMs).phase).toBe('captured');
  });

  test('nobody but the phone comes back from it, with the right nonce either', () => {
    const { cookieHash: _, ...fromDesktop } = returned;
    for (const event of [fromDesktop, { ...returned, cookieHash: 'of another phone' }]) {
      expect(transition(onPhone, event, judgedAtMs)).toEqual({
        attempt: onPhone,
        refused: 'wrong_nonce',
      });
    }
    const atDesk = play(decided, [events.captured], startMs);
    expect(transition(atDesk, returned, judgedAtMs).refused).toBe('wrong_nonce');
  });
});

describe('[XD-13] the code that goes back', () => {
  test('without it an approved selfie opens nothing', () => {
    for (const attempt of [approved, withCode]) {
      expect(transition(attempt, events.finished, judgedAtMs)).toEqual({
        attempt,
        refused: 'not_ready',
      });
    }
  });

  test('is shown only once the selfie is good, and stays the same', () => {
    for (const attempt of [
      decided,
      onPhone,
      play(onPhone, [returned]),
      play(onPhone, [events.approved]),
    ]) {
      expect(transition(attempt, shown, judgedAtMs).refused).toBe('not_ready');
    }
    const again = transition(withCode, { ...shown, hash: 'another' }, judgedAtMs + 1_000);
    expect(again).toEqual({ attempt: withCode });
  });

  test('waits for a stranger where the place of the phone cannot be told', () => {
    const unsure = play(onPhone, [returned, { ...events.approved, locality: 'cannot_tell' }]);
    expect(at(unsure, judgedAtMs + 2_999)).toBe('waiting');
    expect(at(unsure, judgedAtMs + 3_000)).toBe('type_code');
    const stranger = { type: 'arrived_elsewhere', nonceHash: callbackNonceHash } as const;
    expect(play(unsure, [stranger]).phase).toBe('foreign');
  });

  test('is not right before it was shown', () => {
    expect(transition(approved, typed('right'), judgedAtMs).refused).toBe('not_ready');
  });

  test('is right at the fifth try; the sixth finds it over, right or not', () => {
    const wrong = Array.from({ length: wrongCodesAtMost - 1 }, () => typed('wrong'));
    const nearly = play(withCode, wrong);
    expect(at(play(nearly, [typed('right')]), judgedAtMs)).toBe('ready');
    const over = play(nearly, [typed('wrong')]);
    expect(reasonOf(over)).toBe('wrong_code');
    expect(transition(over, typed('right'), judgedAtMs).refused).toBe('over');
  });

  test('comes too late after 60 seconds', () => {
    const lastMs = judgedAtMs + typeForMs - 1;
    expect(at(play(withCode, [typed('right')], lastMs), lastMs)).toBe('ready');
    expect(reasonOf(play(withCode, [typed('right')], lastMs + 1))).toBe('stale');
    expect(reasonOf(play(withCode, [events.finished], lastMs + 1))).toBe('stale');
  });

  test('is no use to a name without an account', () => {
    const nobody = { ...withCode, identity: { identifier: 'x', accountId: undefined } } as Attempt;
    expect(standing(nobody, judgedAtMs)).toEqual({ at: 'denied', reason: 'declined' });
  });
});

describe('how the two networks relate', () => {
  const at2 = (network: string | undefined, country: string | undefined): Side => ({
    place: { ...phone, network },
    country,
  });
  test.each([
    [at2('192.0.2/24', 'FR'), 'same_network'],
    [at2('198.51.100/24', 'DE'), 'same_country'],
    [at2('198.51.100/24', 'FR'), 'other_country'],
    [at2('198.51.100/24', undefined), 'cannot_tell'],
    [at2(undefined, undefined), 'cannot_tell'],
  ])('%o is %s', (to, relation) => {
    expect(compareHandoff(desktop, to)).toBe(relation);
  });

  test('two networks that nobody knows are not the same', () => {
    const nowhere = at2(undefined, undefined);
    expect(compareHandoff(nowhere, nowhere)).toBe('cannot_tell');
  });
});
