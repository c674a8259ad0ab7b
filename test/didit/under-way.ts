/** A sign-in that waits for a verdict, with all that settles it: the parts are real, but for Didit and whoever is told. */
import { onTestFinished } from 'vitest';
import { loadPolicy } from '../../src/config/policies.ts';
import type { DiditDecision } from '../../src/didit/port.ts';
import type { Ring } from '../../src/didit/look.ts';
import { createDiditSessions } from '../../src/didit/sessions.ts';
import { createSettle } from '../../src/didit/settle.ts';
import type { SelfieSignIn } from '../../src/didit/withdraw.ts';
import { type Attempt, type Capture, newAttempt } from '../../src/domain/attempt.ts';
import type { AuditEvent } from '../../src/domain/event.ts';
import type { Turn } from '../../src/domain/turn.ts';
import type { Account } from '../../src/store/accounts.ts';
import { createAttempts } from '../../src/store/attempts.ts';
import { createBell } from '../../src/store/bell.ts';
import { createDiditTraces } from '../../src/store/didit-traces.ts';
import { createHeldEnrolments } from '../../src/store/held-enrolments.ts';
import { createHistory } from '../../src/store/history.ts';
import { openStore } from '../../src/store/open.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { createTurns } from '../../src/store/turns.ts';
import { placeOf } from '../../src/web/place.ts';
import { chromeOnLinux } from '../support/browser.ts';
import { events as sampleEvents } from '../domain/samples.ts';

export const startedAtMs = Date.UTC(2026, 10, 22, 10);
export const chrome = { browser: 'Chrome', system: 'Linux', address: '203.0.113.7' };
export const approved: DiditDecision = {
  decision: {
    ...{ diditSessionId: 'session-1', diditSessionKind: 'user', status: 'Approved' },
    ...{ environment: 'live', workflowId: 'workflow-1', vendorData: 'person-1' },
    ...{ workflowVersion: 1, sharedFromDiditSessionId: undefined },
    ...{ nonceHash: 'metadata-nonce', createdAtMs: startedAtMs, isVpnOrTor: false },
    ...{ warnings: [], reviewCount: 0, isDataCenter: false },
    livenessChecks: [{ status: 'Approved', method: 'PASSIVE', score: 96 }],
    faceMatches: [{ status: 'Approved', score: 96, sourceDiditSessionId: 'session-1' }],
  },
  seen: [chrome],
};
export const withStatus = (status: string): DiditDecision => ({
  ...approved,
  decision: { ...approved.decision, status },
});

/** The clock of all that is under way. */
export const time = { nowMs: startedAtMs };

interface Late {
  attemptId?: string;
  signIn?: SelfieSignIn | undefined;
  ring?: Ring;
  isRevoked?: boolean;
}

/** A captured attempt in a store, its turn taken, and a Didit that decides what it is told to. */
export async function underWay() {
  const clock = (): number => time.nowMs;
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  const [attempts, turns] = [createAttempts(store, clock), createTurns(store, clock)];
  const bell = createBell(store);
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
  const ended: (string | undefined)[] = [];
  const alarms: string[] = [];
  const heard: string[] = [];
  const reviews: object[] = [];
  const withdrawn: string[] = [];
  const history = createHistory(store, clock);
  const sessions = createDiditSessions(store, createDiditTraces(store, clock), 90 * 86_400);
  const cost = {
    client: 'first',
    reason: 'login',
    check: 'passive',
    startedAtMs,
    units: 1,
  } as const;
  await sessions.claim('session-1', { ...holder, cost }, 'account-1');
  /** How often each of these fails, as a store does that is away for a moment. */
  const fails = { ring: 0, openReview: 0 };
  const mayFail = (what: keyof typeof fails): Promise<void> =>
    fails[what]-- > 0
      ? Promise.reject(new StoreUnavailable({ cause: `${what} is not answered` }))
      : Promise.resolve();
  await bell.listen('uid-1', () => void heard.push('look again'));

  return {
    ...{ attempts, store, events, heard, declined, ended, alarms, of, history },
    ...{ reviews, withdrawn, fails },
    kept: () => sessions.find('session-1'),
    turn: async () => JSON.parse((await store.get('turn:enrolment-1'))?.value ?? '{}') as Turn,
    settleWith: (
      readDecision: () => DiditDecision | Promise<DiditDecision>,
      { attemptId = 'attempt-1', signIn, ring, isRevoked = false }: Late = {},
    ) =>
      createSettle({
        ...{ attempts, turns, sessions, placeOf, clock, held: createHeldEnrolments(store) },
        bell: { ...bell, ring: (uid) => mayFail('ring').then(() => bell.ring(uid)) },
        spending: { ended: (_cost, outcome) => void ended.push(outcome) },
        sleep: () => Promise.resolve(),
        alarm: (reason) => void alarms.push(reason),
        limits: { declined: (who) => Promise.resolve(void declined.push(who)) },
        didit: {
          readDecision: async () => readDecision(),
          readEnrolment: () => Promise.reject(new Error('this is a login')),
        },
        record: (event) => void events.push(event),
        history,
        reviews: { isKnown: () => Promise.resolve(reviews.length > 0) },
        openReview: (about) => mayFail('openReview').then(() => void reviews.push(about)),
        accounts: {
          find: (id) => Promise.resolve({ id } as Account),
          isRevoked: () => Promise.resolve(isRevoked),
        },
        policies: { forClient: () => loadPolicy('standard') },
        withdraw: (_, reason) => Promise.resolve(withdrawn.push(reason) > 0),
      })({ interactionUid: 'uid-1', attemptId, ...(signIn ? { signIn } : {}) }, ring),
    attempt: async (): Promise<Attempt | undefined> => (await attempts.load('uid-1'))?.attempt,
    isTurnFree: async () => {
      const other = { interactionUid: 'u', attemptId: 'a', device: 'device-2' };
      const untilMs = time.nowMs + 300_000;
      const taken = await turns.take('enrolment-1', { ...other, deviceClass: 'unknown', untilMs });
      return taken.turn !== undefined;
    },
  };
}
