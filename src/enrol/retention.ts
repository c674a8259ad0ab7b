/**
 * What nobody asks to be erased goes by itself, once a day: selfies at Didit whose time is over, faces of people who
 * have not come for long, whom nobody came for who was invited, and what is too old in their histories, among the
 * explanations and among the reviews. Looking and deleting are apart: the look at everybody is quick, and what it
 * finds is done bit by bit, in any process, at Didit's pace.
 *
 * A process that dies over a sweep leaves it to the next, which begins it again: what was done is not found a second
 * time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DiditError } from '../didit/port.ts';
import type { Clock } from '../domain/environment.ts';
import type { Account, Accounts } from '../store/accounts.ts';
import type { DiditTraces } from '../store/didit-traces.ts';
import { type DueList, createDueList } from '../store/due.ts';
import type { Explanations } from '../store/explanations.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import { type History, historyKeptSeconds } from '../store/history.ts';
import type { Reviews } from '../store/reviews.ts';
import { type Store, update } from '../store/store.ts';
import type { DeleteDiditSessions } from './didit-deletions.ts';
import type { ErasureRequests } from './erasure-requests.ts';
import { isUncollected } from './invitation.ts';

export interface RetentionTools {
  store: Store;
  accounts: Accounts;
  history: History;
  familiar: Pick<FamiliarRecords, 'erase'>;
  explanations: Pick<Explanations, 'prune'>;
  traces: DiditTraces;
  reviews: Pick<Reviews, 'erase' | 'prune'>;
  erasure: Pick<ErasureRequests, 'eraseFace' | 'eraseAccount'>;
  deleteDiditSessions: DeleteDiditSessions;
  settings: { diditSessionsKeptSeconds: number; inactiveSeconds: number };
  clock: Clock;
  failed: (error: unknown) => void;
}

export type Retention = Pick<DueList, 'start' | 'stop'>;

interface State {
  schema: 1;
  /** Before that nobody noted who signed in, so that nobody had been away for long. */
  sinceMs: number;
  /** When a sweep was complete. */
  sweptAtMs?: number;
}

const everyMs = 86_400_000;
const lookedAtOnce = 50;
/** Longer than a look at a million accounts takes. */
const leaseMs = 3_600_000;
const moreInMs = 5_000;
const afterFailureMs = 600_000;
const keptSeconds = 400 * 86_400;

const sweepTask = 'sweep';
const stateKey = 'retention:state';

export function createRetention(tools: RetentionTools): Retention {
  const { store, accounts, history, traces, reviews, clock, failed, settings } = tools;
  const due = createDueList({
    ...{ store, clock, failed, leaseMs, keptSeconds },
    index: 'retention:due',
    work: (task) => (task === sweepTask ? sweep() : deleteOldSessions(task)),
  });
  const taskFor = (accountId: string | undefined): string => `didit ${accountId ?? ''}`;
  const oldBeforeMs = (): number => clock() - settings.diditSessionsKeptSeconds * 1000;

  async function sweep(): Promise<number> {
    const { sinceMs, sweptAtMs = -Infinity } = await readState();
    const againInMs = sweptAtMs + everyMs - clock();
    if (againInMs > 0) return againInMs;
    const rest = createRest();
    for await (const account of accounts.list()) {
      await lookAt(account, sinceMs);
      await rest();
    }
    await listOldSessions(undefined, undefined);
    await tools.explanations.prune();
    await reviews.prune();
    await store.put(stateKey, JSON.stringify({ schema: 1, sinceMs, sweptAtMs: clock() }));
    return everyMs;
  }

  function readState(): Promise<State> {
    return update<State>(store, stateKey, (current) => {
      if (current !== undefined) return { result: JSON.parse(current) as State };
      const result: State = { schema: 1, sinceMs: clock() };
      return { value: JSON.stringify(result), result };
    });
  }

  async function lookAt(account: Account, sinceMs: number): Promise<void> {
    const { id, status, enrolment } = account;
    if (isUncollected(account, clock())) await forgetUncollected(account);
    await listOldSessions(id, enrolment?.diditSessionId);
    // Nothing should have been written about somebody who was erased, but two may have passed each other.
    const isErased = status === 'erased';
    const keptMs = isErased ? 0 : historyKeptSeconds * 1000;
    await history.prune(id, clock() - keptMs);
    if (isErased) await reviews.erase(id);
    if (isErased) await tools.familiar.erase(id);
    if (await isInactive(account, sinceMs)) await tools.erasure.eraseFace(id);
  }

  /** First nobody can come any more: whoever does in this very moment is not erased. */
  async function forgetUncollected({ id }: Account): Promise<void> {
    const meanwhile = { isOver: false };
    await accounts.change(id, (now) => {
      meanwhile.isOver = isUncollected(now, clock());
      return meanwhile.isOver ? { ...now, status: 'held' } : now;
    });
    if (meanwhile.isOver) await tools.erasure.eraseAccount(id);
  }

  async function isInactive(account: Account, sinceMs: number): Promise<boolean> {
    const { id, enrolment, createdAtMs } = account;
    const cutoffMs = clock() - settings.inactiveSeconds * 1000;
    const knownMs = Math.max(createdAtMs, enrolment?.enrolledAtMs ?? 0, sinceMs);
    if (!enrolment || knownMs > cutoffMs) return false;
    return !(await history.hasSignedIn(id, cutoffMs));
  }

  async function listOldSessions(
    accountId: string | undefined,
    spared: string | undefined,
  ): Promise<void> {
    const old = await traces.list(accountId, oldBeforeMs(), 2);
    if (old.some(({ diditSessionId }) => diditSessionId !== spared)) {
      await due.add(taskFor(accountId), 0);
    }
  }

  async function deleteOldSessions(task: string): Promise<number | undefined> {
    const accountId = task.slice(taskFor(undefined).length) || undefined;
    const account = accountId === undefined ? undefined : await accounts.find(accountId);
    const { isMore, failure } = await tools.deleteDiditSessions(accountId, {
      untilMs: oldBeforeMs(),
      spared: account?.enrolment?.diditSessionId,
    });
    if (failure === undefined) return isMore ? moreInMs : undefined;
    if (!(failure instanceof DiditError)) failed(failure);
    return afterFailureMs;
  }

  return {
    start() {
      // Whichever process is first finds out whether it is time.
      due.add(sweepTask, 0).catch(failed);
      due.start();
    },
    stop: due.stop,
  };
}

/** Of a process that has many to look at, half is for whoever waits for a page meanwhile. */
function createRest(): () => Promise<void> {
  let [looked, beganMs] = [0, performance.now()];
  return async function rest(): Promise<void> {
    looked += 1;
    if (looked % lookedAtOnce !== 0) return;
    await sleep(performance.now() - beganMs);
    beganMs = performance.now();
  };
}
