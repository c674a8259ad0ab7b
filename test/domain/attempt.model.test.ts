/**
 * The attempt against a model of the door: whatever happens, in whatever order and at whatever
 * time, it opens when `mayOpen` says so, and never else.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Attempt,
  type AttemptEvent,
  type Capture,
  transition,
} from '../../src/domain/attempt.ts';
import { isOver, standing } from '../../src/domain/standing.ts';
import { acr } from '../../src/domain/assurance.ts';
import type { VerdictOutcome } from '../../src/domain/decision.ts';
import type { Action } from '../../src/domain/policy.ts';
import {
  callbackNonceHash,
  capture,
  captured,
  decided,
  events,
  fresh,
  identified,
  identity,
  legOf,
  startMs,
} from './samples.ts';
import { helpingWith, onPhone } from './phone-stories.ts';

interface Step {
  event: AttemptEvent;
  atMs: number;
  /** Did it change the attempt? */
  isTaken?: boolean;
}

const diditSessionId = fc.constantFrom('didit-session-1', 'didit-session-1', 'didit-session-2');
const nonceHash = fc.constantFrom(callbackNonceHash, callbackNonceHash, 'another', '');
const locality = fc.oneof(
  { weight: 8, arbitrary: fc.constant('agrees') },
  { weight: 4, arbitrary: fc.constant('cannot_tell') },
  { weight: 1, arbitrary: fc.constantFrom('differs', 'unknown') },
);
const harmless = fc.constantFrom('approved', 'pending');
const denying = fc.constantFrom('declined', 'in_review', 'not_finished');

const judgement = (outcomes: fc.Arbitrary<VerdictOutcome>) =>
  fc.record({
    type: fc.constant('judged'),
    diditSessionId,
    verdict: outcomes.map((outcome) => ({ outcome, reason: outcome })),
    locality,
  });

const leg = fc.constantFrom('mail', 'totp', 'recovery');
const accountId = fc.constantFrom(identity.accountId, identity.accountId, 'account-of-ben');

/** The typed factors: as a rule asked for and then right. */
const typing: fc.Arbitrary<readonly AttemptEvent[]> = fc.oneof(
  { weight: 4, arbitrary: leg.map(legOf) },
  {
    weight: 2,
    arbitrary: fc
      .record({ type: fc.constant('factor_chosen'), factor: leg })
      .map((event) => [event]),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        ...{ type: fc.constant('leg_proven'), leg, accountId },
        environment: fc.constant('live'),
      })
      .map((event) => [event]),
  },
  { weight: 2, arbitrary: fc.constant([events.finished]) },
);

const actions: readonly Action[] = [
  'skip',
  'selfie',
  'selfie_active',
  'fallback',
  'deny',
  'review',
];
const decisionOn = (action: Action, hasActive: boolean): AttemptEvent => ({
  type: 'decided',
  decision: { ...events.decided.decision, action },
  reach: { environment: 'live', hasActive },
});
/** When somebody last acted in the browser that a key is in: as old as some request allows, and just too old. */
const hourMs = 3_600_000;
const device = fc.record({
  id: fc.constant('key-1'),
  kind: fc.constantFrom('key', 'key', 'passkey'),
  actedAtMs: fc.constantFrom(startMs - 30 * hourMs, startMs - hourMs, startMs - hourMs + 60_000),
});
const keyShown = fc.record({ type: fc.constant('device_proven'), accountId, device });
const anyDecision = fc.oneof(
  { weight: 4, arbitrary: fc.boolean().map((hasActive) => decisionOn('skip', hasActive)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...actions), fc.boolean())
      .map(([action, hasActive]) => decisionOn(action, hasActive)),
  },
);

/** The policy's turn, as a rule with a key; and the camera, which may come of it. */
const judging: fc.Arbitrary<readonly AttemptEvent[]> = fc.oneof(
  { weight: 3, arbitrary: keyShown.map((event) => [event]) },
  { weight: 3, arbitrary: anyDecision.map((event) => [event]) },
  { weight: 2, arbitrary: fc.tuple(keyShown, anyDecision) },
  { weight: 1, arbitrary: fc.constant([events.captured]) },
  { weight: 1, arbitrary: fc.constant([events.approved, events.returned]) },
  { weight: 1, arbitrary: fc.constant([events.finished]) },
);

const helping = helpingWith(judgement(harmless), nonceHash);

/** Events that end an attempt are rarer, so that most sequences get somewhere before they come. */
const anyEvent: fc.Arbitrary<AttemptEvent> = fc.oneof(
  { weight: 8, arbitrary: judgement(harmless) },
  { weight: 1, arbitrary: judgement(denying) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('returned'), nonceHash }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('arrived_elsewhere'), nonceHash }) },
  { weight: 4, arbitrary: fc.constant(events.finished) },
  { weight: 1, arbitrary: fc.constant(events.identified) },
  {
    weight: 1,
    arbitrary: fc.constant<AttemptEvent>({
      type: 'identified',
      identity: { identifier: 'nobody', accountId: undefined },
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('captured'),
      capture: diditSessionId.map((id) => ({
        ...capture,
        diditSessionId: id,
        expectation: { ...capture.expectation, diditSessionId: id },
      })),
    }),
  },
  { weight: 1, arbitrary: fc.constant<AttemptEvent>({ type: 'superseded' }) },
  { weight: 1, arbitrary: fc.constant<AttemptEvent>({ type: 'gave_up', reason: 'cancelled' }) },
);

/** On, just before and just after every limit that the rules know. */
const gapMs = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 500) },
  { weight: 2, arbitrary: fc.constantFrom(2_999, 3_000, 3_001) },
  { weight: 1, arbitrary: fc.constantFrom(60_000, 119_999, 120_000, 120_001) },
  { weight: 2, arbitrary: fc.constantFrom(59_999, 60_000, 89_999, 90_000) },
);

const stepsOf = (some: fc.Arbitrary<readonly AttemptEvent[]>): fc.Arbitrary<Step[]> =>
  fc.array(fc.record({ some, gapMs }), { maxLength: 14, size: 'max' }).map((steps) => {
    let atMs = startMs;
    return steps.flatMap(({ some: those, gapMs: gap }) =>
      those.map((event) => ({ event, atMs: (atMs += gap) })),
    );
  });

const oneEvent = anyEvent.map((event) => [event]);

const asks = (request: Partial<Attempt['request']>): Attempt => ({
  ...identified,
  request: { ...identified.request, ...request },
});
const asked = [
  ...[identified, identified, fresh, asks({ maxAgeSeconds: 3_600 }), asks({ isNewActAsked: true })],
  ...[asks({ essentialAcr: [acr.selfie] }), asks({ minimumAcr: acr.device })],
];

/**
 * Most are of a selfie; the others are of somebody who types, and perhaps takes a selfie after all, or of a browser
 * with a key, before a policy that says this and that, or of one that hands its selfie off to a phone.
 */
const story: fc.Arbitrary<{ from: Attempt; steps: Step[] }> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      from: fc.constantFrom(fresh, captured, captured),
      steps: stepsOf(oneEvent),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      from: fc.constantFrom(fresh, identified, identified),
      steps: stepsOf(
        fc.oneof({ weight: 12, arbitrary: typing }, { weight: 1, arbitrary: oneEvent }),
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      from: fc.constantFrom(...asked),
      steps: stepsOf(
        fc.oneof(
          { weight: 10, arbitrary: judging },
          { weight: 1, arbitrary: typing },
          { weight: 1, arbitrary: oneEvent },
        ),
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      from: fc.constantFrom(decided, onPhone, onPhone),
      steps: stepsOf(
        fc.oneof(
          { weight: 14, arbitrary: helping },
          { weight: 1, arbitrary: judging },
          { weight: 1, arbitrary: oneEvent },
        ),
      ),
    }),
  },
);

/** Every attempt that the story passes through, the first and the last included. */
function statesOf({ from, steps }: { from: Attempt; steps: readonly Step[] }): Attempt[] {
  const states = [from];
  for (const { event, atMs } of steps) states.push(transition(states.at(-1)!, event, atMs).attempt);
  return states;
}

const over = (attempt: Attempt): boolean => isOver(attempt);
const runs = { numRuns: 3_000 };

/**
 * The rules in the words of the requirements, over what happened and not over what was stored.
 * The capture was made for `sessionId`, and nothing before now has ended the attempt.
 */
function mayOpen(
  past: readonly Step[],
  { diditSessionId: sessionId, handoff }: Capture,
  nowMs: number,
): boolean {
  const verdicts = past.filter(
    ({ event }) =>
      event.type === 'judged' &&
      event.diditSessionId === sessionId &&
      event.verdict.outcome === 'approved',
  );
  const back = past.find(
    ({ event }) =>
      event.type === 'returned' &&
      event.nonceHash === callbackNonceHash &&
      event.cookieHash === handoff?.cookieHash,
  );
  const [verdict] = verdicts;
  if (verdict?.event.type !== 'judged' || !back) return false;
  const isElsewhere = verdicts.some(
    ({ event }) =>
      event.type === 'judged' && event.locality !== 'agrees' && event.locality !== 'cannot_tell',
  );
  if (isElsewhere) return false;
  if (nowMs - verdict.atMs > 120_000 || nowMs >= startMs + 300_000) return false;
  const waitMs = verdict.event.locality === 'cannot_tell' ? 3_000 : 0;
  return nowMs >= Math.max(verdict.atMs, back.atMs) + waitMs;
}

/**
 * The same for a selfie on a phone: besides, its code was shown there when all else was right, and then typed, within
 * a minute. How many wrong ones came before is asked below.
 */
function mayOpenByPhone(past: readonly Step[], taken: Capture, nowMs: number): boolean {
  let shownAtMs: number | undefined;
  let isTyped = false;
  for (const [at, { event, atMs }] of past.entries()) {
    if (isTyped || !mayOpen(past.slice(0, at), taken, atMs)) continue;
    if (event.type === 'code_shown') shownAtMs ??= atMs;
    const isInTime = shownAtMs !== undefined && atMs < shownAtMs + 60_000;
    if (event.type === 'code_typed' && event.hash === 'right' && isInTime) isTyped = true;
  }
  return isTyped && mayOpen(past, taken, nowMs);
}

/** A phone takes a selfie only if it was the first to bring the code that was offered last, within ninety seconds. */
function mayTake(past: readonly Step[], taken: Required<Capture>['handoff']): boolean {
  let offer: { codeHash: string; atMs: number } | undefined;
  let owner: string | undefined;
  for (const { event, atMs, isTaken } of past) {
    if (!isTaken) continue;
    if (event.type === 'handed_off') [offer, owner] = [{ ...event, atMs }, undefined];
    // Whoever goes another way, or shows a key, has to be offered it anew.
    if (event.type === 'factor_chosen' || event.type === 'device_proven') offer = undefined;
    if (event.type !== 'claimed') continue;
    if (owner !== undefined || event.codeHash !== offer?.codeHash) return false;
    if (atMs >= offer.atMs + 90_000) return false;
    owner = event.cookieHash;
  }
  return offer?.codeHash === taken.codeHash && owner === taken.cookieHash;
}

/** The same for whoever types: two different codes of this person, each of which was asked for at that time. */
function mayOpenByLegs(past: readonly Step[], isSomebody: boolean, nowMs: number): boolean {
  let asked: string | undefined;
  let lastMs = -Infinity;
  const right = new Set<string>();
  for (const { event, atMs } of past) {
    if (right.size === 2) break;
    if (event.type === 'factor_chosen' && !right.has(event.factor)) asked = event.factor;
    const isRight = event.type === 'leg_proven' && event.leg === asked;
    if (!isRight || !isSomebody || event.accountId !== identity.accountId) continue;
    right.add(event.leg);
    [asked, lastMs] = [undefined, atMs];
  }
  return right.size === 2 && nowMs - lastMs <= 120_000 && nowMs < startMs + 900_000;
}

/**
 * The same for whoever has a key: the policy said to skip while this person's key was the last that was shown, and
 * nothing newer was asked for, then or now.
 */
function mayOpenBySkip(
  past: readonly Step[],
  { request, identity: { accountId: whose } }: Extract<Attempt, { phase: 'proven' }>,
  nowMs: number,
): boolean {
  let shown: { kind: string; actedAtMs: number } | undefined;
  const { isNewActAsked, maxAgeSeconds = Infinity, essentialAcr, minimumAcr } = request;
  const isAnswer = !essentialAcr && (minimumAcr === undefined || minimumAcr === acr.device);
  const isNew = (atMs: number): boolean =>
    shown !== undefined && atMs - shown.actedAtMs <= maxAgeSeconds * 1000;
  for (const { event, atMs } of past) {
    if (event.type === 'device_proven' && event.accountId === whose) shown = event.device;
    if (event.type !== 'decided' || event.decision.action !== 'skip') continue;
    const maySkip = shown?.kind === 'key' && !isNewActAsked && isAnswer && isNew(atMs);
    if (maySkip) return isNew(nowMs) && nowMs - atMs <= 120_000 && nowMs < startMs + 900_000;
  }
  return false;
}

describe('[RL-09] whatever happens, an attempt', () => {
  test('opens the door when its verdict and return, two legs, a key or a phone’s code say so, and never else', () => {
    let opened = 0;
    let openedByLegs = 0;
    let openedBySkip = 0;
    let openedByPhone = 0;
    fc.assert(
      fc.property(story, ({ from, steps }) => {
        let attempt = from;
        let past: Step[] = [];
        let hasShownKey = false;
        for (const step of steps) {
          if (attempt.phase === 'captured') {
            const isSomebody = attempt.identity.accountId !== undefined;
            const isOnPhone = attempt.capture.handoff !== undefined;
            const rules = isOnPhone ? mayOpenByPhone : mayOpen;
            const may = isSomebody && rules(past, attempt.capture, step.atMs);
            expect(standing(attempt, step.atMs).at === 'ready').toBe(may);
            if (may && isOnPhone) openedByPhone += 1;
            else if (may) opened += 1;
          } else if (attempt.phase === 'proven' && attempt.skippedAtMs !== undefined) {
            const may = mayOpenBySkip(past, attempt, step.atMs);
            expect(standing(attempt, step.atMs).at === 'ready').toBe(may);
            if (may) openedBySkip += 1;
            // What was proven was proven by the key, and when its person last acted with it.
            const last = past.findLast(({ event }) => event.type === 'device_proven');
            expect(attempt.proof).toMatchObject({ acr: acr.device, amr: ['swk', 'pop'] });
            if (
              last?.event.type === 'device_proven' &&
              last.event.accountId === identity.accountId
            ) {
              expect(attempt.proof.provenAtMs).toBe(attempt.device?.actedAtMs);
            }
          } else if (attempt.phase === 'identified' || attempt.phase === 'proven') {
            const isSomebody = attempt.identity.accountId !== undefined;
            const may = mayOpenByLegs(past, isSomebody, step.atMs);
            expect(standing(attempt, step.atMs).at === 'ready').toBe(may);
            if (may) openedByLegs += 1;
          } else {
            expect(standing(attempt, step.atMs).at).not.toBe('ready');
          }
          const before = attempt;
          attempt = transition(attempt, step.event, step.atMs).attempt;
          const pastOf = past;
          const isOnItsWay = attempt.phase === before.phase || attempt.phase === 'proven';
          past = isOnItsWay ? [...past, { ...step, isTaken: attempt !== before }] : [];
          if (attempt.phase === 'captured' && before !== attempt) {
            const { decision } = attempt;
            expect(['selfie', 'selfie_active']).toContain(decision?.action);
          }
          if (before.phase === 'identified' && attempt.phase === 'captured') {
            const { handoff } = attempt.capture;
            if (handoff) expect(mayTake(pastOf, handoff)).toBe(true);
          }
          const wrong = past.filter(
            ({ event }) => event.type === 'code_typed' && event.hash === 'wrong',
          );
          // Some of them may have come when none was asked for.
          if (attempt.phase === 'captured' && attempt.handoff) {
            expect(attempt.handoff.wrongCodes ?? 0).toBeLessThanOrEqual(Math.min(wrong.length, 4));
          }
          const isTheirKey =
            step.event.type === 'device_proven' && step.event.accountId === identity.accountId;
          if (isTheirKey && before.phase === 'identified') hasShownKey = !over(attempt);
          if (attempt.phase === 'consumed' && before.phase === 'captured') {
            const isOnPhone = before.capture.handoff !== undefined;
            expect(attempt.proof.amr.includes('pop')).toBe(hasShownKey && !isOnPhone);
            expect(attempt.proof.acr === acr.selfieHandoff).toBe(isOnPhone);
          }
          if (attempt.phase === 'consumed' && before !== attempt) {
            expect(step.event.type).toBe('finished');
            expect(attempt.proof.accountId).toBe(identity.accountId);
          }
        }
      }),
      { numRuns: 3 * runs.numRuns },
    );
    // Else the rules would have been tried on closed doors alone.
    expect(opened).toBeGreaterThan(100);
    expect(openedByLegs).toBeGreaterThan(100);
    expect(openedBySkip).toBeGreaterThan(100);
    expect(openedByPhone).toBeGreaterThan(100);
  });

  test('says "ready" exactly when finishing would consume it, with the same proof', () => {
    fc.assert(
      fc.property(story, gapMs, (told, gap) => {
        const nowMs = (told.steps.at(-1)?.atMs ?? startMs) + gap;
        for (const attempt of statesOf(told).filter((one) => !over(one))) {
          const where = standing(attempt, nowMs);
          const { attempt: end } = transition(attempt, events.finished, nowMs);
          expect(end.phase === 'consumed' && end.proof).toEqual(
            where.at === 'ready' && where.proof,
          );
        }
      }),
      runs,
    );
  });

  test('never changes once it is over', () => {
    fc.assert(
      fc.property(story, ({ from, steps }) => {
        let attempt = from;
        for (const { event, atMs } of steps) {
          const next = transition(attempt, event, atMs);
          if (over(attempt)) expect(next).toEqual({ attempt, refused: 'over' });
          attempt = next.attempt;
        }
      }),
      runs,
    );
  });

  test('can only expire after its deadline', () => {
    fc.assert(
      fc.property(story, anyEvent, fc.nat(1e9), (told, event, lateMs) => {
        for (const attempt of statesOf(told).filter((one) => !over(one))) {
          const endsMs = attempt.phase === 'captured' ? startMs + 300_000 : startMs + 900_000;
          const late = transition(attempt, event, endsMs + lateMs);
          expect(late).toMatchObject({ attempt: { phase: 'expired' }, refused: 'over' });
          expect(standing(attempt, endsMs + lateMs)).toEqual({ at: 'expired' });
        }
      }),
      runs,
    );
  });

  test('is not changed by an event that comes again, at once or later', () => {
    fc.assert(
      fc.property(story, anyEvent, gapMs, (told, event, gap) => {
        const nowMs = told.steps.at(-1)?.atMs ?? startMs;
        const once = transition(statesOf(told).at(-1)!, event, nowMs).attempt;
        const again = transition(once, event, nowMs).attempt;
        // A capture that was over before it was taken expires as soon as anything happens.
        if (standing(once, nowMs).at !== 'expired') expect(again).toEqual(once);
        // With time the door may open and the deadline pass; nothing else comes of a repetition.
        if (event.type === 'finished' || standing(once, nowMs + gap).at === 'expired') return;
        expect(transition(once, event, nowMs + gap).attempt).toEqual(once);
      }),
      runs,
    );
  });

  test('stands the same whether the verdict or the browser came first', () => {
    fc.assert(
      fc.property(
        judgement(fc.oneof(harmless, denying)),
        nonceHash,
        gapMs,
        (verdict, hash, gap) => {
          const back = { type: 'returned', nonceHash: hash } as const;
          const nowMs = startMs + 1_000;
          const one = [verdict, back].map((event) => ({ event, atMs: nowMs }));
          const [first, second] = [one, one.toReversed()].map((steps) => {
            const end = statesOf({ from: captured, steps }).at(-1)!;
            return standing(end, nowMs + gap);
          });
          expect(first).toEqual(second);
        },
      ),
      runs,
    );
  });

  test('means the same after it was written down and read again', () => {
    fc.assert(
      fc.property(story, anyEvent, gapMs, (told, event, gap) => {
        const nowMs = (told.steps.at(-1)?.atMs ?? startMs) + gap;
        for (const attempt of statesOf(told)) {
          const read = JSON.parse(JSON.stringify(attempt)) as Attempt;
          expect(read).toEqual(attempt);
          expect(standing(read, nowMs)).toEqual(standing(attempt, nowMs));
          expect(transition(read, event, nowMs)).toEqual(transition(attempt, event, nowMs));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
