/**
 * For webhooks that do not come: an attempt whose browser is back and whose verdict is not is put on a list, and
 * any process reads the decision when it is due. Taking an entry off the list is the claim, so no two read the
 * same; a process that dies in between loses that one reading, and the waiting page puts the attempt back.
 */
import type { Clock } from '../domain/environment.ts';
import type { Store } from '../store/store.ts';
import { DiditError } from './port.ts';
import type { DiditSessionOf, Settle } from './settle.ts';

export interface Reconcile {
  expect(of: DiditSessionOf): Promise<void>;
  start(): void;
  stop(): Promise<void>;
}

const index = 'reconcile:due';
const indexTtlSeconds = 3_600;
/** Between two looks at one attempt, until it has expired. */
const againAfterMs = 3_000;
const everyMs = 500;
const batch = 20;
/** Didit's lowest documented limit is 100 decision reads a minute; webhooks need some of them. */
const readsPerMinute = 60;

export function createReconcile(tools: {
  store: Store;
  settle: Settle;
  clock: Clock;
  failed: (error: unknown) => void;
}): Reconcile {
  const { store, settle, clock, failed } = tools;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function schedule(of: DiditSessionOf, inMs: number): Promise<void> {
    const member = JSON.stringify([of.interactionUid, of.attemptId]);
    await store.indexAdd(index, member, clock() + inMs, indexTtlSeconds);
  }

  async function withinBudget(): Promise<boolean> {
    const minute = Math.floor(clock() / 60_000);
    const reads = await store.increment(`budget:decisions-${minute}`, { ttlSeconds: 120 });
    return reads <= readsPerMinute;
  }

  async function readOne(member: string): Promise<void> {
    if (!(await store.indexRemove(index, member))) return;
    const [interactionUid, attemptId] = JSON.parse(member) as [string, string];
    const of = { interactionUid, attemptId };
    const later = (): Promise<void> => schedule(of, againAfterMs);
    if (!(await withinBudget())) return later();
    try {
      if ((await settle(of)) === 'pending') await later();
    } catch (error) {
      await later();
      if (!(error instanceof DiditError)) throw error;
    }
  }

  async function round(): Promise<void> {
    const due = await store.indexRange(index, { min: 0, max: clock(), limit: batch });
    await Promise.all(due.map(({ member }) => readOne(member)));
  }

  return {
    expect: (of) => schedule(of, 0),
    start() {
      const tick = (): void => {
        running = round()
          .catch(failed)
          .finally(() => {
            if (timer !== undefined) timer = setTimeout(tick, everyMs).unref();
          });
      };
      timer = setTimeout(tick, everyMs).unref();
    },
    async stop() {
      clearTimeout(timer);
      timer = undefined;
      await running;
    },
  };
}
