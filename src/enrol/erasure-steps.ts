/** What each step of an erasure does. All of them may be done twice: a process can die between doing and noting. */
import type { Accounts } from '../store/accounts.ts';
import type { Departed } from '../store/departed.ts';
import type { DiditTraces } from '../store/didit-traces.ts';
import type { FactorRecords } from '../store/factors.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import type { HeldEnrolments } from '../store/held-enrolments.ts';
import type { History } from '../store/history.ts';
import type { Operators } from '../store/operators.ts';
import type { Portraits } from '../store/portraits.ts';
import type { Reviews } from '../store/reviews.ts';
import type { Tickets } from '../store/tickets.ts';
import type { Turns } from '../store/turns.ts';
import type { DeleteDiditSessions, DiditErasing } from './didit-deletions.ts';
import type { ErasureJob, ErasureStep, Remains } from './erasure-job.ts';

export interface StepTools {
  accounts: Accounts;
  operators: Pick<Operators, 'forget'>;
  portraits: Portraits;
  turns: Turns;
  factors: FactorRecords;
  familiar: FamiliarRecords;
  history: History;
  tickets: Tickets;
  reviews: Pick<Reviews, 'erase'>;
  held: HeldEnrolments;
  departed: Departed;
  traces: DiditTraces;
  didit: DiditErasing;
  deleteDiditSessions: DeleteDiditSessions;
  /** Takes the account its access; done when the erasure began, unless the process died over it. */
  takeAccess: (job: ErasureJob) => Promise<void>;
}

export interface StepResult {
  count?: number;
  /** There is more to do, for which this was not the time. */
  isMore?: boolean;
  failure?: unknown;
}

type Work = (job: ErasureJob, remains: Remains) => Promise<StepResult>;

export function createErasureSteps(tools: StepTools): Readonly<Record<ErasureStep, Work>> {
  const { accounts, portraits, turns, factors, history, tickets, departed, traces, didit } = tools;
  const { held, familiar } = tools;

  async function deleteDiditSessions(
    { accountId, scope, requestedAtMs }: ErasureJob,
    { enrolments }: Remains,
  ): Promise<StepResult> {
    const own = enrolments.flatMap(({ diditSessionId }) => diditSessionId ?? []);
    await each(own, async (diditSessionId) => {
      await didit.deleteSession(diditSessionId, 'erasure');
      await traces.remove(accountId, diditSessionId);
    });
    // Who lives on may have been enrolled and signed in anew meanwhile.
    const isAccount = scope === 'account';
    const untilMs = isAccount ? Number.MAX_SAFE_INTEGER : requestedAtMs;
    const spared = isAccount ? undefined : (await accounts.find(accountId))?.enrolment;
    const rest = await tools.deleteDiditSessions(accountId, {
      ...{ untilMs, spared: spared?.diditSessionId, purpose: 'erasure' },
    });
    const isDone = !rest.isMore && rest.failure === undefined;
    return { ...rest, count: rest.count + (isDone ? own.length : 0) };
  }

  return {
    async access(job) {
      await tools.takeAccess(job);
      if (job.scope === 'account') await tools.operators.forget(job.accountId);
      return {};
    },
    async portraits({ accountId, scope }, { enrolments }) {
      // One that waits to become the face is none any more, unless it is the one that did.
      if (scope !== 'replaced_face') await held.forget(accountId);
      return each(enrolments, ({ id }) => portraits.erase(id));
    },
    turns: (_, { enrolments }) => each(enrolments, ({ id }) => turns.forget(id)),
    async names({ accountId }, { names }) {
      const all = names.flatMap(({ email, username }) => [email ?? [], username ?? []].flat());
      await each(all, (name) => departed.remember(name));
      await each(names, (named) => accounts.giveUpNames(accountId, named));
      return { count: all.length };
    },
    async factors({ accountId }) {
      const erased = [await factors.erase(accountId), await familiar.erase(accountId)];
      return { count: erased.filter(Boolean).length };
    },
    async history({ accountId }) {
      await history.prune(accountId, Number.MAX_SAFE_INTEGER);
      return {};
    },
    async tickets({ accountId }) {
      await tickets.erase(accountId);
      return {};
    },
    async reviews({ accountId }) {
      await tools.reviews.erase(accountId);
      return {};
    },
    didit_sessions: deleteDiditSessions,
    didit_faces: (_, { enrolments }) =>
      each(enrolments, ({ vendorData }) => didit.deleteTemplates(vendorData)),
    didit_users: (_, { enrolments }) =>
      each(enrolments, ({ vendorData }) => didit.deleteUser(vendorData)),
  };
}

async function each<T>(list: readonly T[], work: (one: T) => Promise<unknown>) {
  for (const one of list) await work(one);
  return { count: list.length };
}
