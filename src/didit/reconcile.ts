/**
 * For webhooks that do not come, and for those at which Didit did not answer: an attempt whose browser is back and whose verdict is not is put on a list, and
 * any process reads the decision when it is due, then less and less often. A process that dies in between loses that
 * one reading, and the waiting page puts the attempt back.
 */
import type { Clock } from '../domain/environment.ts';
import { createDueList } from '../store/due.ts';
import type { Store } from '../store/store.ts';
import { DiditError } from './port.ts';
import type { DiditSessionOf, DiditSessions } from './sessions.ts';
import type { Settle } from './settle.ts';

export interface Reconcile {
  /** Reads at once; for who asks again soon, nothing is read sooner than it would be. */
  expect(of: DiditSessionOf): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** Until the second look at one attempt, and until the next from some time on. Each wait is half as long again. */
const firstWaitMs = 2_000;
const longestWaitMs = 15_000;
/** Longer than an attempt waits. */
const looksKeptSeconds = 900;
/** A page that is asked for over and over must not use up the readings of everybody. */
const askAgainAfterSeconds = 10;
/** Didit's lowest documented limit is 100 decision reads a minute; webhooks need some of them. */
const readsPerMinute = 60;

export function createReconcile(tools: {
  store: Store;
  diditSessions: Pick<DiditSessions, 'find'>;
  settle: Settle;
  clock: Clock;
  /** 0 to 1, so that many who began to wait together do not come back together. */
  chance: () => number;
  failed: (error: unknown) => void;
}): Reconcile {
  const { store, diditSessions, settle, clock, chance, failed } = tools;
  const due = createDueList({
    ...{ store, clock, failed, work: readOne },
    index: 'reconcile:due',
    keptSeconds: 3_600,
  });

  async function withinBudget(): Promise<boolean> {
    const minute = Math.floor(clock() / 60_000);
    const reads = await store.increment(`budget:decisions-${minute}`, { ttlSeconds: 120 });
    return reads <= readsPerMinute;
  }

  /** Between three and five quarters of the wait that is due. */
  async function waitMs(attemptId: string): Promise<number> {
    const options = { ttlSeconds: looksKeptSeconds };
    const looks = await store.increment(`looks:${attemptId}`, options);
    const dueMs = Math.min(firstWaitMs * 1.5 ** (looks - 1), longestWaitMs);
    return Math.round(dueMs * (0.75 + chance() / 2));
  }

  async function readOne(member: string): Promise<void> {
    const [interactionUid, attemptId, approved] = JSON.parse(member) as [string, string, string?];
    const later = async (): Promise<void> => due.add(member, await waitMs(attemptId));
    if (!(await withinBudget())) return later();
    const known = approved === undefined ? undefined : await diditSessions.find(approved);
    try {
      if ((await settle({ ...known, interactionUid, attemptId })) === 'pending') await later();
    } catch (error) {
      await later();
      if (!(error instanceof DiditError)) throw error;
    }
  }

  return {
    async expect({ interactionUid, attemptId, signIn }) {
      const options = { ttlSeconds: askAgainAfterSeconds, ifAbsent: true };
      // The attempt may be gone by then: what it opened is found by the session.
      const approved = signIn?.accepted.diditSessionId;
      const member = JSON.stringify([interactionUid, attemptId, ...(approved ? [approved] : [])]);
      const isNew = await store.put(`expected:${approved ?? attemptId}`, '', options);
      if (isNew !== undefined) await due.add(member, 0);
    },
    start: due.start,
    stop: due.stop,
  };
}
