/**
 * For webhooks that do not come: an attempt whose browser is back and whose verdict is not is put on a list, and
 * any process reads the decision when it is due. A process that dies in between loses that one reading, and the
 * waiting page puts the attempt back.
 */
import type { Clock } from '../domain/environment.ts';
import { createDueList } from '../store/due.ts';
import type { Store } from '../store/store.ts';
import { DiditError } from './port.ts';
import type { DiditSessionOf, Settle } from './settle.ts';

export interface Reconcile {
  expect(of: DiditSessionOf): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

/** Between two looks at one attempt, until it has expired. */
const againAfterMs = 3_000;
/** Didit's lowest documented limit is 100 decision reads a minute; webhooks need some of them. */
const readsPerMinute = 60;

export function createReconcile(tools: {
  store: Store;
  settle: Settle;
  clock: Clock;
  failed: (error: unknown) => void;
}): Reconcile {
  const { store, settle, clock, failed } = tools;
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

  async function readOne(member: string): Promise<void> {
    const [interactionUid, attemptId] = JSON.parse(member) as [string, string];
    const later = (): Promise<void> => due.add(member, againAfterMs);
    if (!(await withinBudget())) return later();
    try {
      if ((await settle({ interactionUid, attemptId })) === 'pending') await later();
    } catch (error) {
      await later();
      if (!(error instanceof DiditError)) throw error;
    }
  }

  return {
    expect: ({ interactionUid, attemptId }) =>
      due.add(JSON.stringify([interactionUid, attemptId]), 0),
    start: due.start,
    stop: due.stop,
  };
}
