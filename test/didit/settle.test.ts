import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { DiditDecision } from '../../src/didit/port.ts';
import { DiditError } from '../../src/didit/port.ts';
import { createSettle } from '../../src/didit/settle.ts';
import { type Attempt, type Capture, newAttempt } from '../../src/domain/attempt.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import type { Turn } from '../../src/domain/turn.ts';
import { createAttempts } from '../../src/store/attempts.ts';
import { createBell } from '../../src/store/bell.ts';
import { createHeldEnrolments } from '../../src/store/held-enrolments.ts';
import { openStore } from '../../src/store/open.ts';
import { createTurns } from '../../src/store/turns.ts';
import { placeOf } from '../../src/web/place.ts';
import { chromeOnLinux } from '../support/browser.ts';
import { events as sampleEvents } from '../domain/samples.ts';

const startedAtMs = Date.UTC(2026, 10, 22, 10);
const chrome = { browser: 'Chrome', system: 'Linux', address: '203.0.113.7' };
const approved: DiditDecision = {
  decision: {
    ...{ diditSessionId: 'session-1', diditSessionKind: 'user', status: 'Approved' },
    ...{ environment: 'live', workflowId: 'workflow-1', vendorData: 'person-1' },
    ...{ workflowVersion: 1, sharedFromDiditSessionId: undefined },
    ...{ nonceHash: 'metadata-nonce', warnings: [], reviewCount: 0, createdAtMs: startedAtMs },
    livenessChecks: [{ status: 'Approved', method: 'PASSIVE', score: 96 }],
    faceMatches: [{ status: 'Approved', score: 96, sourceDiditSessionId: 'session-1' }],
  },
  seen: [chrome],
};
const withStatus = (status: string): DiditDecision => ({
  ...approved,
  decision: { ...approved.decision, status },
});

let nowMs: number;
beforeEach(() => {
  nowMs = startedAtMs;
});

/** A captured attempt in a store, its turn taken, and a Didit that decides what it is told to. */
async function underWay() {
  const clock = (): number => nowMs;
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  const [attempts, turns, bell] = [
    createAttempts(store, clock),
    createTurns(store, clock),
    createBell(store),
  ];
  onTestFinished(async () => {
    await bell.close();
    await store.close();
  });
  const holder = { interactionUid: 'uid-1', attemptId: 'attempt-1' };
  const device = { id: 'device-1', deviceClass: 'unknown' } as const;
  const asker = { ...holder, device: 'device-1', deviceClass: 'unknown' } as const;
  await turns.take('enrolment-1', { ...asker, untilMs: startedAtMs + 300_000 });
  const capture: Capture = {
    ...{ diditSessionId: 'session-1', callbackNonceHash: 'callback-nonce' },
    ...{ enrolmentId: 'enrolment-1', device },
    place: placeOf('203.0.113.200', { browser: chromeOnLinux, system: chromeOnLinux }),
    expectation: {
      ...{ diditSessionId: 'session-1', environment: 'live', workflowId: 'workflow-1' },
      ...{ vendorData: 'person-1', nonceHash: 'metadata-nonce', livenessMethods: ['PASSIVE'] },
      ...{ minimumLivenessScore: 80, minimumFaceMatchScore: 85 },
      ...{ reference: 'portrait', workflowVersion: 1, decoy: false },
      ...{ startedAtMs, expiresAtMs: startedAtMs + 300_000 },
    },
  };
  const of = { interactionUid: 'uid-1', id: 'attempt-1' };
  await attempts.start(
    newAttempt({
      ...{ ...of, kind: 'login', reference: 'ABCD-EFGH', createdAtMs: startedAtMs },
      client: { id: 'first', name: 'First', host: 'first.example' },
      request: { loginHint: undefined, uiLocales: undefined },
      expiresAtMs: startedAtMs + 900_000,
    }),
  );
  const identity = { identifier: 'ana', accountId: 'account-1' };
  await attempts.propose(of, { type: 'identified', identity });
  await attempts.propose(of, [sampleEvents.decided, { type: 'captured', capture }]);
  const events: AuditEvent[] = [];
  const declined: object[] = [];
  const alarms: string[] = [];
  const heard: string[] = [];
  await bell.listen('uid-1', () => void heard.push('look again'));

  return {
    ...{ attempts, store, events, heard, declined, alarms, of },
    turn: async () => JSON.parse((await store.get('turn:enrolment-1'))?.value ?? '{}') as Turn,
    settleWith: (
      readDecision: () => DiditDecision | Promise<DiditDecision>,
      attemptId = 'attempt-1',
    ) =>
      createSettle({
        ...{ attempts, turns, bell, placeOf, clock, held: createHeldEnrolments(store) },
        sleep: () => Promise.resolve(),
        alarm: (reason) => void alarms.push(reason),
        limits: { declined: (who) => Promise.resolve(void declined.push(who)) },
        didit: {
          readDecision: async () => readDecision(),
          readEnrolment: () => Promise.reject(new Error('this is a login')),
        },
        record: (event) => void events.push(event),
      })({ interactionUid: 'uid-1', attemptId }),
    attempt: async (): Promise<Attempt | undefined> => (await attempts.load('uid-1'))?.attempt,
    isTurnFree: async () => {
      const other = { interactionUid: 'u', attemptId: 'a', device: 'device-2' };
      const untilMs = nowMs + 300_000;
      const taken = await turns.take('enrolment-1', { ...other, deviceClass: 'unknown', untilMs });
      return taken.turn !== undefined;
    },
  };
}

describe('a decision', () => {
  it('that approves is saved, told, rung, and gives the turn back', async () => {
    const { settleWith, attempt, events, heard, isTurnFree } = await underWay();
    expect(await settleWith(() => approved)).toBe('approved');
    expect(await attempt()).toMatchObject({
      phase: 'captured',
      verdict: { reason: 'approved', decidedAtMs: startedAtMs, locality: 'agrees' },
    });
    expect(events).toEqual([
      {
        ...{ event: 'verdict.received', atMs: startedAtMs, attempt: 'attempt-1' },
        ...{
          account: 'account-1',
          client: 'first',
          reference: 'ABCD-EFGH',
          reason: 'approved, place agrees',
        },
      },
    ]);
    await vi.waitFor(() => expect(heard).toEqual(['look again']));
    expect(await isTurnFree()).toBe(true);
  });

  it.each([
    ['Declined', 'declined', 'declined'],
    ['In Review', 'in_review', 'in_review'],
    ['Abandoned', 'not_finished', 'not_finished'],
    ['Expired', 'not_finished', 'not_finished'],
    ['Resubmitted', 'not_finished', 'not_finished'],
    ['approved', 'declined', 'declined'],
  ])(
    'of status "%s" ends the attempt as %s, and gives the turn back',
    async (status, outcome, reason) => {
      const { settleWith, attempt, events, declined, isTurnFree } = await underWay();
      expect(await settleWith(() => withStatus(status))).toBe(outcome);
      expect(await attempt()).toMatchObject({ phase: 'denied', reason });
      expect(events.map(({ event }) => event)).toEqual(['verdict.received', 'login.denied']);
      expect(declined).toHaveLength(outcome === 'declined' ? 1 : 0);
      expect(await isTurnFree()).toBe(true);
    },
  );

  it.each(['Not Started', 'In Progress', 'Awaiting User'])(
    'of status "%s" changes nothing, and the turn stays taken',
    async (status) => {
      const { settleWith, attempt, events, heard, isTurnFree } = await underWay();
      const before = await attempt();
      expect(await settleWith(() => withStatus(status))).toBe('pending');
      expect(await attempt()).toEqual(before);
      expect([events, heard]).toEqual([[], []]);
      expect(await isTurnFree()).toBe(false);
    },
  );

  it('that approves a selfie taken elsewhere, or nobody knows where, denies', async () => {
    const elsewhere = { ...chrome, browser: 'Firefox' };
    for (const seen of [[elsewhere], [chrome, elsewhere], [], [{ ...chrome, system: '' }]]) {
      const { settleWith, attempt } = await underWay();
      await settleWith(() => ({ ...approved, seen }));
      expect(await attempt()).toMatchObject({ phase: 'denied', reason: 'elsewhere' });
    }
  });

  it('that many read at once leads to one verdict', async () => {
    const { settleWith, events } = await underWay();
    const all = await Promise.all(Array.from({ length: 20 }, () => settleWith(() => approved)));
    expect(new Set(all)).toEqual(new Set(['approved']));
    expect(await settleWith(() => approved)).toBe('approved');
    expect(events).toHaveLength(1);
  });

  it('that comes after the end, however it was reached, is not used', async () => {
    const { settleWith, attempts, attempt, events, of } = await underWay();
    await attempts.propose(of, { type: 'gave_up', reason: 'cancelled' });
    expect(await settleWith(() => approved)).toBe('over');
    expect(await attempt()).toMatchObject({ phase: 'denied', reason: 'cancelled' });
    expect(events).toEqual([]);
  });

  it('that comes while the attempt is ended is not used', async () => {
    const { settleWith, attempts, attempt, events, of } = await underWay();
    const outcome = await settleWith(async () => {
      await attempts.propose(of, { type: 'arrived_elsewhere', nonceHash: 'callback-nonce' });
      return approved;
    });
    expect(outcome).toBe('over');
    expect(await attempt()).toMatchObject({ phase: 'foreign' });
    expect(events).toEqual([]);
  });

  it('that comes when the time for the selfie is over is not used', async () => {
    const { settleWith, attempt, events } = await underWay();
    nowMs += 300_000;
    expect(await settleWith(() => approved)).toBe('over');
    expect(await attempt()).toMatchObject({ phase: 'expired' });
    expect(events.map(({ event }) => event)).toEqual(['login.expired']);
  });
});

describe('what a decision says of whoever asked', () => {
  const elsewhere = { ...approved, seen: [{ ...chrome, browser: 'Firefox' }] };

  it.each([
    ['[AB-05] "Declined" is a failure', withStatus('Declined'), 1, []],
    ['an approval is none', approved, 0, []],
    ['[XD-17] an approval from another place is an arrival there', elsewhere, 0, ['foreign']],
    [
      '[XD-17] what nobody finished is a start that nobody answered',
      withStatus('Abandoned'),
      0,
      ['unanswered'],
    ],
    ['so is what nobody could decide', withStatus('In Review'), 0, ['unanswered']],
  ] as const)('%s', async (_name, decision, inARow, pressure) => {
    const { settleWith, turn } = await underWay();
    await settleWith(() => decision);
    const { failures, pressure: pressed } = await turn();
    expect(failures.unknown.inARow).toBe(inARow);
    expect(failures.known.inARow).toBe(0);
    expect(pressed.map(({ kind }) => kind)).toEqual(pressure);
  });

  it('a browser that is back has answered, whatever became of it', async () => {
    const { settleWith, turn, attempts, of } = await underWay();
    await attempts.propose(of, { type: 'returned', nonceHash: 'callback-nonce' });
    await settleWith(() => withStatus('Abandoned'));
    expect((await turn()).pressure).toEqual([]);
  });
});

it('an attempt that is gone, or not that one, or without a selfie, has nothing to settle', async () => {
  const unread = (): never => {
    throw new Error('nobody asked for a decision');
  };
  const { settleWith, attempts, store } = await underWay();
  expect(await settleWith(unread, 'attempt-0')).toBe('over');
  const old = await attempts.load('uid-1');
  await attempts.replace(old!, newAttempt({ ...old!.attempt }));
  expect(await settleWith(unread)).toBe('over');
  await store.delete('attempt:uid-1');
  expect(await settleWith(unread)).toBe('over');
});

it('an attempt that vanishes while the decision is read is over', async () => {
  const { settleWith, store, events } = await underWay();
  const outcome = await settleWith(async () => {
    await store.delete('attempt:uid-1');
    return approved;
  });
  expect(outcome).toBe('over');
  expect(events).toEqual([]);
});

it('a Didit that does not answer is the caller’s to deal with; nothing has changed', async () => {
  const { settleWith, attempt, isTurnFree } = await underWay();
  const before = await attempt();
  const failure = new DiditError('unavailable', 'no answer');
  await expect(settleWith(() => Promise.reject(failure))).rejects.toBe(failure);
  expect(await attempt()).toEqual(before);
  expect(await isTurnFree()).toBe(false);
});

describe('an attempt whose time is over', () => {
  it('is told so once, gives its turn back, and costs Didit no reading', async () => {
    const { settleWith, attempt, events, isTurnFree } = await underWay();
    nowMs += 300_001;
    let readings = 0;
    const read = (): DiditDecision => {
      readings += 1;
      return approved;
    };
    expect(await settleWith(read)).toBe('over');
    expect(await settleWith(read)).toBe('over');
    expect(readings).toBe(0);
    expect((await attempt())?.phase).toBe('expired');
    expect(events.map(({ event }) => event)).toEqual(['login.expired']);
    expect(await isTurnFree()).toBe(true);
  });
});
