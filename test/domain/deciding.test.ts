/** What an attempt takes: the policy's word, the app's wish and what this browser can show, each against the others. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { acr, acrName, satisfies } from '../../src/domain/assurance.ts';
import { type Attempt, transition } from '../../src/domain/attempt.ts';
import {
  type AssuranceRequest,
  type DeviceProof,
  type Reach,
  classOf,
  mayEndWith,
  settleOn,
} from '../../src/domain/deciding.ts';
import type { Action } from '../../src/domain/policy.ts';
import { isOver, standing } from '../../src/domain/standing.ts';
import {
  capture,
  events,
  expectation,
  fresh,
  identified,
  identity,
  legOf,
  startMs,
} from './samples.ts';

const actions = ['skip', 'selfie', 'selfie_active', 'fallback', 'deny', 'review'] as const;
const hourMs = 3_600_000;
const key: DeviceProof = { id: 'key-1', kind: 'key', actedAtMs: startMs - 30 * hourMs };
const passkey: DeviceProof = { ...key, id: 'passkey-1', kind: 'passkey' };
const live: Reach = { environment: 'live', hasActive: true };
const passiveOnly: Reach = { ...live, hasActive: false };

/** How much is asked of a person by an action that lets them in; the others let nobody in. */
const effort = { skip: 0, selfie: 1, selfie_active: 2 } as const;
const letsIn = (action: Action): action is keyof typeof effort => action in effort;

const names = Object.values(acr);
const someNames = fc.uniqueArray(fc.constantFrom(acr.device, ...names), { minLength: 1 });
const asks = {
  essentialAcr: someNames,
  minimumAcr: fc.constantFrom(acr.device, ...names),
  wantedAcr: someNames,
  isNewActAsked: fc.constant(true as const),
  maxAgeSeconds: fc.constantFrom(0, 60, 29 * 3600, 30 * 3600, 31 * 3600),
};
/** Few ask for everything at once, or hardly anything would answer them. */
const anyRequest: fc.Arbitrary<AssuranceRequest> = fc.oneof(
  fc.record(asks, { requiredKeys: [] }),
  fc
    .tuple(fc.record(asks), fc.constantFrom(...Object.keys(asks)))
    .map(([all, only]) => ({ [only]: all[only as keyof typeof asks] })),
);
const anyDevice = fc.constantFrom(undefined, key, passkey);
const anyReach = fc.record({
  environment: fc.constant('live' as const),
  hasActive: fc.boolean(),
});
const anyAction = fc.constantFrom('skip', ...actions);
const runs = { numRuns: 3_000 };

/** Every action × device × request: far fewer than could be listed, and all of them. */
const requests: Record<string, AssuranceRequest> = {
  nothing: {},
  'a device': { essentialAcr: [acr.device] },
  'a selfie': { essentialAcr: [acr.selfie] },
  'a selfie and a device': { essentialAcr: [acr.selfieDevice] },
  movement: { essentialAcr: [acr.selfieActive] },
  'a passkey': { essentialAcr: [acr.passkey] },
  'at least a selfie': { minimumAcr: acr.selfie },
  'at least a selfie and a device': { minimumAcr: acr.selfieDevice },
  'a selfie, if you please': { wantedAcr: [acr.selfie] },
  'movement, if you please': { wantedAcr: [acr.selfieActive] },
  'something new': { isNewActAsked: true },
  'what is younger than a day': { maxAgeSeconds: 86_400 },
  'what is younger than two days': { maxAgeSeconds: 2 * 86_400 },
};

/** In the order none, key, passkey; `>` where there is active liveness and it makes a difference. */
const settled: Record<keyof typeof requests, string> = {
  nothing: 'selfie skip selfie',
  'a device': 'selfie skip selfie',
  'a selfie': 'selfie selfie selfie',
  'a selfie and a device': 'selfie selfie selfie',
  movement: 'selfie selfie>selfie_active selfie>selfie_active',
  'a passkey': 'selfie selfie selfie',
  'at least a selfie': 'selfie selfie selfie',
  'at least a selfie and a device': 'selfie selfie selfie',
  'a selfie, if you please': 'selfie selfie selfie',
  'movement, if you please': 'selfie selfie>selfie_active selfie>selfie_active',
  'something new': 'selfie selfie selfie',
  'what is younger than a day': 'selfie selfie selfie',
  'what is younger than two days': 'selfie skip selfie',
};

describe('where the policy would skip the selfie and the app asks for', () => {
  test.each(Object.entries(settled))('%s: without a key, with one, with a passkey', (what, row) => {
    const request = requests[what] ?? {};
    const found = [undefined, key, passkey].map((device) => {
      const [without, withIt] = [passiveOnly, live].map((reach) =>
        settleOn('skip', { request, device }, reach, startMs),
      );
      return without === withIt ? without : `${without}>${withIt}`;
    });
    expect(found.join(' ')).toBe(row);
  });
});

describe('[AS-03] whatever the app asks for, in every combination,', () => {
  test('a selfie is skipped only for a key, and only where that answers all that was asked', () => {
    let skipped = 0;
    fc.assert(
      fc.property(anyAction, anyDevice, anyRequest, anyReach, (action, device, request, reach) => {
        const to = settleOn(action, { request, device }, reach, startMs);
        if (to !== 'skip') return;
        skipped += 1;
        const { isNewActAsked, maxAgeSeconds = Infinity, wantedAcr = [] } = request;
        expect([action, device?.kind, isNewActAsked]).toEqual(['skip', 'key', undefined]);
        expect(startMs - key.actedAtMs).toBeLessThanOrEqual(maxAgeSeconds * 1000);
        expect(mayEndWith(request, acr.device)).toBe(true);
        if (wantedAcr.length > 0) {
          expect(wantedAcr.some((want) => satisfies(acr.device, want))).toBe(true);
        }
      }),
      runs,
    );
    expect(skipped).toBeGreaterThan(20);
  });

  test('more is asked than the policy would, or the same, and never less', () => {
    let raised = 0;
    fc.assert(
      fc.property(anyAction, anyDevice, anyRequest, anyReach, (action, device, request, reach) => {
        const to = settleOn(action, { request, device }, reach, startMs);
        if (!letsIn(action)) {
          expect(to).toBe(action);
        } else if (letsIn(to)) {
          expect(effort[to]).toBeGreaterThanOrEqual(effort[action]);
          if (effort[to] > effort[action]) raised += 1;
        } else {
          // The only way from one who may come in to one who may not.
          expect([action, to, reach.hasActive]).toEqual(['selfie_active', 'fallback', false]);
        }
      }),
      runs,
    );
    expect(raised).toBeGreaterThan(100);
  });

  test('movement is asked for only where there is a workflow for it', () => {
    fc.assert(
      fc.property(anyAction, anyDevice, anyRequest, (action, device, request) => {
        const to = settleOn(action, { request, device }, passiveOnly, startMs);
        expect(to).not.toBe('selfie_active');
      }),
      runs,
    );
    expect(settleOn('selfie_active', { request: {} }, passiveOnly, startMs)).toBe('fallback');
    expect(settleOn('selfie_active', { request: {} }, live, startMs)).toBe('selfie_active');
  });

  test('what can be reached by asking for movement is reached', () => {
    fc.assert(
      fc.property(anyDevice, anyRequest, (device, request) => {
        const hasDevice = device !== undefined;
        const [plain, active] = (['selfie', 'selfie_active'] as const).map((one) =>
          mayEndWith(request, classOf(one, hasDevice, live) ?? ''),
        );
        const to = settleOn('selfie', { request, device }, live, startMs);
        if (!plain && active && !request.wantedAcr) expect(to).toBe('selfie_active');
        if (plain && !request.wantedAcr) expect(to).toBe('selfie');
      }),
      runs,
    );
  });
});

test('in a sandbox every class says so, and a live name is out of reach', () => {
  const sandbox: Reach = { environment: 'sandbox', hasActive: true };
  for (const action of actions) {
    for (const hasDevice of [true, false]) {
      const [test, real] = [classOf(action, hasDevice, sandbox), classOf(action, hasDevice, live)];
      expect(test).toBe(real && acrName(real, 'sandbox'));
    }
  }
  const device = key;
  const asked = (name: string) =>
    settleOn('skip', { request: { essentialAcr: [name] }, device }, sandbox, startMs);
  expect(asked(acrName(acr.device, 'sandbox'))).toBe('skip');
  expect(asked(acr.device)).toBe('selfie');
});

const accountId = identity.accountId;
const shown = { type: 'device_proven', accountId, device: key } as const;
const decided = (action: Action, reach = live) =>
  ({ type: 'decided', decision: { ...events.decided.decision, action }, reach }) as const;
const after = (attempt: Attempt, event: Parameters<typeof transition>[1], nowMs = startMs) =>
  transition(attempt, event, nowMs);
const asking = (request: AssuranceRequest): Attempt => ({
  ...identified,
  request: { ...identified.request, ...request },
});
const withKey = after(identified, shown).attempt;

describe('[FB-03] a key', () => {
  it('is taken for the person who was named, and makes the policy look again', () => {
    const decidedBefore = after(identified, decided('fallback')).attempt;
    const taken = after(decidedBefore, shown);
    expect(taken.refused).toBeUndefined();
    expect(taken.attempt).toMatchObject({ phase: 'identified', device: key });
    expect(taken.attempt).not.toHaveProperty('decision');
  });

  it('of somebody else is refused, and of anybody where the name is nobody’s', () => {
    const other = after(identified, { ...shown, accountId: 'account-of-ben' });
    expect(other).toEqual({ attempt: identified, refused: 'other_account' });
    const nobody = after(fresh, {
      type: 'identified',
      identity: { identifier: 'nobody', accountId: undefined },
    }).attempt;
    expect(after(nobody, shown)).toEqual({ attempt: nobody, refused: 'other_account' });
  });

  it.each(['enrol', 're_enrol', 'recovery'] as const)(
    'says nothing in an attempt of the kind %s, and neither does the policy',
    (kind) => {
      const enrolling = after({ ...fresh, kind }, { type: 'admitted', identity }).attempt;
      for (const event of [shown, ...actions.map((action) => decided(action))]) {
        expect(after(enrolling, event)).toEqual({ attempt: enrolling, refused: 'out_of_order' });
      }
    },
  );

  it('comes too late for a selfie that is under way', () => {
    const under = after(after(identified, decided('selfie')).attempt, {
      type: 'captured',
      capture,
    }).attempt;
    expect(under.phase).toBe('captured');
    for (const event of [shown, decided('skip'), decided('selfie_active')]) {
      expect(after(under, event)).toEqual({ attempt: under, refused: 'out_of_order' });
    }
  });
});

describe('a decision', () => {
  it('to skip opens the door with what was proven then, and no face', () => {
    const { attempt } = after(withKey, decided('skip'));
    expect(attempt).toMatchObject({
      phase: 'proven',
      skippedAtMs: startMs,
      proof: { accountId, acr: acr.device, amr: ['swk', 'pop'], provenAtMs: key.actedAtMs },
    });
    expect(standing(attempt, startMs + 120_000).at).toBe('ready');
    expect(standing(attempt, startMs + 120_001)).toEqual({ at: 'denied', reason: 'stale' });
  });

  it('[PR-12] that a key answered in time is no answer once its last act is older than the app takes', () => {
    const ageSeconds = (startMs - key.actedAtMs) / 1000;
    const inTime = after(
      after(asking({ maxAgeSeconds: ageSeconds + 60 }), shown).attempt,
      decided('skip'),
    ).attempt;
    expect(standing(inTime, startMs + 60_000).at).toBe('ready');
    expect(standing(inTime, startMs + 60_001)).toEqual({ at: 'denied', reason: 'stale' });
    const late = transition(inTime, events.finished, startMs + 60_001);
    expect(late).toMatchObject({ attempt: { phase: 'denied' }, refused: 'not_ready' });
  });

  it('[PR-12] takes the age of an act as the app will see it, in whole seconds', () => {
    const device = { ...key, actedAtMs: startMs - 60_000 - 999 };
    const settle = (nowMs: number) =>
      settleOn('skip', { request: { maxAgeSeconds: 61 }, device }, live, nowMs);
    expect([settle(startMs), settle(startMs + 1)]).toEqual(['skip', 'selfie']);
  });

  it.each([undefined, passkey])('to skip without a key takes a selfie (%o)', (device) => {
    const from = device ? after(identified, { ...shown, device }).attempt : identified;
    const { attempt } = after(from, decided('skip'));
    expect(attempt).toMatchObject({ phase: 'identified', decision: { action: 'selfie' } });
    expect(standing(attempt, startMs).at).toBe('capture');
  });

  it.each([{ isNewActAsked: true } as const, { maxAgeSeconds: 3600 }, { maxAgeSeconds: 0 }])(
    '[PR-12] to skip is none where something new was asked for (%o)',
    (request) => {
      const from = after(asking(request), shown).attempt;
      const { attempt } = after(from, decided('skip'));
      expect(attempt).toMatchObject({ phase: 'identified', decision: { action: 'selfie' } });
    },
  );

  it.each([
    ['deny', 'refused'],
    ['review', 'in_review'],
  ] as const)(
    'to %s ends the attempt, with the decision kept and the key not',
    (action, reason) => {
      const { attempt } = after(withKey, decided(action));
      expect(isOver(attempt)).toBe(true);
      expect(attempt).toMatchObject({ phase: 'denied', reason, decision: { action } });
      expect(attempt).not.toHaveProperty('device');
      expect(after(attempt, decided('skip')).refused).toBe('over');
    },
  );

  it('for another factor first shows the ways, and takes no selfie', () => {
    const { attempt } = after(identified, decided('fallback'));
    expect(standing(attempt, startMs)).toEqual({ at: 'ways' });
    expect(after(attempt, { type: 'captured', capture }).refused).toBe('out_of_order');
  });

  it('is made anew once something else was shown, and may then be a selfie after all', () => {
    const first = after(identified, decided('fallback')).attempt;
    const shownOne = legOf('mail').reduce((one, event) => after(one, event).attempt, first);
    expect(standing(shownOne, startMs)).toEqual({ at: 'second_leg', shown: ['mail'] });
    expect(shownOne).not.toHaveProperty('decision');
    const selfie = after(shownOne, decided('selfie')).attempt;
    expect(standing(selfie, startMs).at).toBe('capture');
    const still = after(shownOne, decided('fallback')).attempt;
    expect(standing(still, startMs)).toEqual({ at: 'second_leg', shown: ['mail'] });
  });

  it.each([
    ['selfie_active', ['PASSIVE'], 'out_of_order'],
    ['selfie_active', [], 'out_of_order'],
    ['selfie_active', ['PASSIVE', 'ACTIVE_3D'], 'out_of_order'],
    ['selfie_active', ['ACTIVE_3D'], undefined],
    ['selfie', ['PASSIVE'], undefined],
    ['selfie', ['ACTIVE_3D'], undefined],
  ] as const)('for %s takes a selfie by %j: %s', (action, methods, refused) => {
    const { attempt } = after(identified, decided(action));
    const taken = {
      ...capture,
      expectation: { ...expectation, livenessMethods: [...methods] },
    };
    expect(after(attempt, { type: 'captured', capture: taken }).refused).toBe(refused);
  });

  it('is needed before a selfie, and before anybody is named there is none', () => {
    expect(after(identified, { type: 'captured', capture }).refused).toBe('out_of_order');
    for (const action of actions) {
      expect(after(fresh, decided(action))).toEqual({ attempt: fresh, refused: 'out_of_order' });
    }
  });
});
