/**
 * Erasing people, for as long as it takes. Each erasure is a job on a list that all processes share: a step that was
 * done is ticked off with its time, one that failed is tried again after a pause, and never given up. Whoever dies
 * over a job leaves it to the next, a lease later.
 */
import { DiditError } from '../didit/port.ts';
import type { RaiseAlarm, Record } from '../domain/event.ts';
import type { SendMail } from '../domain/message.ts';
import { type DueList, createDueList } from '../store/due.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type ErasureJob, type ErasureStep, type StepState, stepsOf } from './erasure-job.ts';
import {
  type ErasureRequests,
  type RequestTools,
  createErasureRequests,
  readTask,
  takeAccess,
} from './erasure-requests.ts';
import { type StepResult, type StepTools, createErasureSteps } from './erasure-steps.ts';

export type ErasureTools = RequestTools &
  Omit<StepTools, 'takeAccess'> & {
    record: Record;
    /** Absent where nobody can be written to. */
    mail?: SendMail | undefined;
    alarm: RaiseAlarm;
    failed: (error: unknown) => void;
  };

export type Erasure = Omit<ErasureRequests, 'begin' | 'records' | 'place' | 'carryOutPlan'> &
  Pick<DueList, 'start' | 'stop'>;

/** After a try in which something failed: a moment's outage, a long one, and then every hour. */
const pausesMs = [1_000, 5_000, 30_000, 120_000, 600_000];
const longestPauseMs = 3_600_000;
/** When nothing failed and there is only more to do. */
const nextMs = 2_000;
/** A try makes a handful of calls to Didit, of some seconds each at worst. */
const leaseMs = 30_000;
const alarmAfterMs = 86_400_000;

export function createErasure(tools: ErasureTools): Erasure {
  const { clock, accounts, history, record, alarm, failed } = tools;
  const { records, place, begin, carryOutPlan, ...requests } = createErasureRequests(tools);
  const steps = createErasureSteps({
    ...tools,
    async takeAccess(job) {
      const unknown = await takeAccess(accounts, job, clock());
      // A newer face is not what this job is about; of an account nothing may stay.
      if (unknown && job.scope === 'account') await begin(job.accountId, 'account');
    },
  });
  const due = createDueList({ ...place, leaseMs, failed, work });

  async function work(task: string): Promise<number | undefined> {
    const [what, accountId] = readTask(task);
    if (what === 'plan') return carryOutPlan(accountId);
    const { job } = await records.load(accountId);
    return job?.remains ? workOff(job) : undefined;
  }

  async function workOff(job: ErasureJob): Promise<number | undefined> {
    const { accountId: account, scope: reason, tries } = job;
    // Whoever asked may have been a command, whose log nobody keeps. A restore has to know of it also when the database
    // was lost before it was complete.
    if (tries === 0) record({ event: 'account.erasure_began', atMs: clock(), account, reason });
    let hasFailed = false;
    for (const step of stepsOf(job.scope)) {
      if (job.steps[step]?.doneAtMs !== undefined) continue;
      const result = await attempt(step, job);
      hasFailed ||= result.failure !== undefined;
      await note(job, step, result);
    }
    const after = await change(job, (now) => ({ ...now, tries: now.tries + 1 }));
    // Somebody asked for more meanwhile; that is a job of its own. Or another process was as far already.
    if (after === undefined) return 0;
    if (!after.remains) return undefined;
    if (isDone(after)) return finish(after);
    await alarmIfLate(after);
    return hasFailed ? (pausesMs[after.tries - 1] ?? longestPauseMs) : nextMs;
  }

  async function attempt(step: ErasureStep, job: ErasureJob): Promise<StepResult> {
    try {
      return await steps[step](job, job.remains ?? { names: [], enrolments: [] });
    } catch (failure) {
      if (failure instanceof StoreUnavailable) throw failure;
      return { failure };
    }
  }

  async function note(job: ErasureJob, step: ErasureStep, result: StepResult): Promise<void> {
    const { failure } = result;
    if (failure !== undefined && !(failure instanceof DiditError)) failed(failure);
    await change(job, (now) => ({
      ...now,
      steps: { ...now.steps, [step]: stateAfter(now.steps[step], result, clock()) },
    }));
  }

  /** @returns undefined when the job is another one by now; nothing was changed then. */
  async function change(
    { accountId, requestedAtMs }: ErasureJob,
    next: (job: ErasureJob) => ErasureJob,
  ): Promise<ErasureJob | undefined> {
    const isSame = (job: ErasureJob | undefined): job is ErasureJob =>
      job?.remains !== undefined && job.requestedAtMs === requestedAtMs;
    const { job } = await records.change(accountId, (before) =>
      isSame(before.job) ? { ...before, job: next(before.job) } : before,
    );
    return job?.requestedAtMs === requestedAtMs ? job : undefined;
  }

  async function finish(job: ErasureJob): Promise<undefined> {
    const { accountId, scope, requestedAtMs, remains } = job;
    if (scope === 'face') {
      // With the time of the request, so that telling it twice is telling it once.
      const consent = remains?.consent === undefined ? {} : { consent: remains.consent };
      await history.add(accountId, { event: 'face_erased', atMs: requestedAtMs, ...consent });
    }
    const finishedAtMs = clock();
    // Before the addresses are forgotten: whoever dies in between tells it twice rather than never.
    await tell(job, finishedAtMs);
    await change(job, ({ remains: _, ...rest }) => ({ ...rest, finishedAtMs }));
    record({ event: 'account.erased', atMs: finishedAtMs, account: accountId, reason: scope });
  }

  /** Everybody to whom it matters; of a face that was replaced they have been told. */
  async function tell({ accountId, scope, remains }: ErasureJob, atMs: number): Promise<void> {
    if (scope === 'replaced_face') return;
    const kind = scope === 'face' ? 'face_erased' : 'erased';
    const names = scope === 'face' ? [await accounts.find(accountId)] : (remains?.names ?? []);
    const addresses = new Set(names.flatMap((named) => named?.email ?? []));
    for (const address of addresses) {
      await tools.mail?.({ address, locale: remains?.locale }, { kind, atMs });
    }
  }

  async function alarmIfLate(job: ErasureJob): Promise<void> {
    const nowMs = clock();
    if (nowMs - (job.alarmedAtMs ?? job.requestedAtMs) < alarmAfterMs) return;
    alarm('erasure_late');
    await change(job, (now) => ({ ...now, alarmedAtMs: nowMs }));
  }

  return { ...requests, start: due.start, stop: due.stop };
}

function isDone({ scope, steps }: ErasureJob): boolean {
  return stepsOf(scope).every((step) => steps[step]?.doneAtMs !== undefined);
}

function stateAfter(
  before: StepState | undefined,
  { count, isMore, failure }: StepResult,
  nowMs: number,
): StepState {
  const { tries = 0, count: counted } = before ?? {};
  const total = count === undefined ? counted : (counted ?? 0) + count;
  const isStepDone = failure === undefined && isMore !== true;
  return {
    tries: tries + 1,
    ...(total === undefined ? {} : { count: total }),
    ...(failure === undefined ? {} : { failure: codeOf(failure) }),
    ...(isStepDone ? { doneAtMs: before?.doneAtMs ?? nowMs } : {}),
  };
}

/** An error of another kind could quote what it was about, and the report must not. */
function codeOf(failure: unknown): string {
  return failure instanceof DiditError ? failure.failure : 'unexpected';
}
