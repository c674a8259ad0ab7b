/**
 * Asking for an erasure, now or later. Whoever asks is answered once the account, or its face, counts for nothing any
 * more; what lies elsewhere then goes step by step, by whichever process comes first (erasure.ts).
 */
import type { Clock } from '../domain/environment.ts';
import type { Account, Accounts, Enrolment } from '../store/accounts.ts';
import { type DuePlace, addDue } from '../store/due.ts';
import type { Store } from '../store/store.ts';
import {
  type ErasureJob,
  type ErasureRecord,
  type ErasureReport,
  type ErasureScope,
  type Plannable,
  createErasureRecords,
  erasureKeptSeconds,
  mergeJobs,
  reportOf,
} from './erasure-job.ts';

export interface RequestTools {
  store: Store;
  accounts: Accounts;
  clock: Clock;
}

export type ErasureRequests = ReturnType<typeof createErasureRequests>;

/** Should the process die before it has written down what it was asked for, there is nothing to be done yet. */
const unlessLostMs = 5_000;

const taskFor = (what: 'erase' | 'plan', accountId: string): string =>
  JSON.stringify([what, accountId]);

export const readTask = (task: string): ['erase' | 'plan', string] =>
  JSON.parse(task) as ['erase' | 'plan', string];

export function createErasureRequests(tools: RequestTools) {
  const { store, accounts, clock } = tools;
  const records = createErasureRecords(store);
  const place: DuePlace = {
    ...{ store, clock, index: 'erasure:due' },
    keptSeconds: erasureKeptSeconds,
  };

  /** First the job is written down and then the account changed: what has to go is known only to one of them. */
  async function begin(
    accountId: string,
    scope: ErasureScope,
    { face, ifPlanned }: { face?: Enrolment; ifPlanned?: Plannable } = {},
  ): Promise<void> {
    const erase = taskFor('erase', accountId);
    let account = await accounts.find(accountId);
    let condition = ifPlanned;
    while (account && account.status !== 'erased') {
      const asked = newJob(account, scope, face, clock());
      await addDue(place, erase, unlessLostMs);
      const meanwhile = { isCancelled: false };
      const { job } = await records.change(accountId, (before) => {
        meanwhile.isCancelled =
          condition !== undefined && before.planned?.[condition] === undefined;
        return meanwhile.isCancelled ? before : withJob(before, asked);
      });
      if (meanwhile.isCancelled || !job) return;
      condition = undefined;
      account = await takeAccess(accounts, job, clock());
    }
    await addDue(place, erase, 0);
  }

  /** @returns in how many milliseconds the rest is due; undefined when nothing is left. */
  async function carryOutPlan(accountId: string): Promise<number | undefined> {
    const { planned = {} } = await records.load(accountId);
    for (const what of ['account', 'face'] as const) {
      if ((planned[what] ?? Infinity) <= clock()) await begin(accountId, what, { ifPlanned: what });
    }
    const next = nextOf((await records.load(accountId)).planned);
    return next === Infinity ? undefined : Math.max(0, next - clock());
  }

  return {
    ...{ records, place, begin, carryOutPlan },

    /** The face and the consent to it; the account lives on. */
    eraseFace: (accountId: string): Promise<void> => begin(accountId, 'face'),

    /** A face in whose place the account has another one now. */
    eraseReplaced: (accountId: string, face: Enrolment): Promise<void> =>
      begin(accountId, 'replaced_face', { face }),

    eraseAccount: (accountId: string): Promise<void> => begin(accountId, 'account'),

    /** Erases the face or the account at that time, if nobody says otherwise until then. */
    async plan(accountId: string, what: Plannable, readyAtMs: number): Promise<void> {
      const task = taskFor('plan', accountId);
      await addDue(place, task, Math.max(readyAtMs - clock(), unlessLostMs));
      const { planned } = await records.change(accountId, (before) => ({
        ...before,
        planned: { ...before.planned, [what]: readyAtMs },
      }));
      await addDue(place, task, nextOf(planned) - clock());
    },

    /** @returns whether there was something to cancel; when it has begun it is too late. */
    async cancel(accountId: string): Promise<boolean> {
      let wasPlanned = false;
      await records.change(accountId, (before) => {
        const { planned, ...rest } = before;
        wasPlanned = planned !== undefined;
        return wasPlanned ? rest : before;
      });
      return wasPlanned;
    },

    /** What will be erased, and when; with the account goes its face. */
    async planned(accountId: string): Promise<{ what: Plannable; readyAtMs: number } | undefined> {
      const { account, face } = (await records.load(accountId)).planned ?? {};
      if (account !== undefined) return { what: 'account', readyAtMs: account };
      return face === undefined ? undefined : { what: 'face', readyAtMs: face };
    },

    /** Of the latest erasure: what was done and when. Nothing in it is about the person. */
    async report(accountId: string): Promise<ErasureReport | undefined> {
      const { job } = await records.load(accountId);
      return job && reportOf(job);
    },

    unfinished: () => records.unfinished(),
  };
}

/** What is erased now need not be erased later. */
function withJob({ planned = {}, ...before }: ErasureRecord, asked: ErasureJob): ErasureRecord {
  const { face, account } = planned;
  const left = {
    ...(asked.scope === 'replaced_face' && face !== undefined ? { face } : {}),
    ...(asked.scope !== 'account' && account !== undefined ? { account } : {}),
  };
  const job = mergeJobs(before.job, asked);
  return { ...before, job, ...(Object.keys(left).length > 0 ? { planned: left } : {}) };
}

/** Infinity when nothing is planned. */
function nextOf(planned: ErasureRecord['planned']): number {
  return Math.min(...Object.values(planned ?? {}));
}

function newJob(
  account: Account,
  scope: ErasureScope,
  face: Enrolment | undefined,
  nowMs: number,
): ErasureJob {
  const enrolment = scope === 'replaced_face' ? face : account.enrolment;
  const { email, username, consent, locale } = account;
  const named = {
    ...(email === undefined ? {} : { email }),
    ...(username === undefined ? {} : { username }),
  };
  return {
    ...{ accountId: account.id, scope, requestedAtMs: nowMs, tries: 0, steps: {} },
    remains: {
      names: scope === 'account' ? [named] : [],
      enrolments: enrolment ? [idsOf(enrolment)] : [],
      ...(consent === undefined ? {} : { consent: consent.version }),
      ...(locale === undefined ? {} : { locale }),
    },
  };
}

function idsOf({ id, vendorData, diditSessionId }: Enrolment) {
  return { id, vendorData, ...(diditSessionId === undefined ? {} : { diditSessionId }) };
}

/**
 * Sessions and tokens, names and rights, or the face: from here on none of it counts, in every process.
 * @returns the account when it has something that the job does not know of; then nothing was taken.
 */
export async function takeAccess(
  accounts: Accounts,
  job: ErasureJob,
  nowMs: number,
): Promise<Account | undefined> {
  let unknown: Account | undefined;
  await accounts.change(job.accountId, (account) => {
    unknown = isKnownTo(job, account) ? undefined : account;
    return unknown ? account : without(account, job, nowMs);
  });
  // Relying parties are told that it is over, too.
  if (!unknown && job.scope === 'account') await accounts.signOutEverywhere(job.accountId);
  return unknown;
}

function isKnownTo({ scope, remains }: ErasureJob, account: Account): boolean {
  const { enrolment, email, username } = account;
  if (scope === 'replaced_face') return true;
  const hasFace =
    enrolment === undefined || remains?.enrolments.some(({ id }) => id === enrolment.id) === true;
  const isNamed = remains?.names.some((one) => one.email === email && one.username === username);
  return hasFace && (scope === 'face' || isNamed === true);
}

function without(account: Account, { scope }: ErasureJob, nowMs: number): Account {
  if (scope === 'replaced_face') return account;
  if (scope === 'account') {
    return {
      ...{ schema: 1, id: account.id, status: 'erased', emailVerified: false, groups: [] },
      ...{ createdAtMs: nowMs, updatedAtMs: nowMs, voidUntil: Math.floor(nowMs / 1000) },
    };
  }
  const { enrolment: _, consent: __, selfieOff: ___, ...rest } = account;
  return { ...rest, updatedAtMs: nowMs };
}
