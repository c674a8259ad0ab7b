/**
 * What is known of an erasure: one record an account, changed only by compare-and-set. While it is under way the record
 * names what has to go; once all of it is gone it says what was done, when and after how many tries, and nothing of
 * the person.
 */
import { type Store, update } from '../store/store.ts';
import type { Account, Enrolment } from '../store/accounts.ts';

/** `face`: the account lives on. `replaced_face`: a face that a newer one took the place of. */
export type ErasureScope = 'face' | 'replaced_face' | 'account';

export type Plannable = 'face' | 'account';

/** In the order in which they are tried; each can be done again without harm. */
export const erasureSteps = [
  /** Nothing of the account is honoured any more, or its face is not; the key of the portrait is gone. */
  'access',
  'portraits',
  'turns',
  'names',
  'factors',
  'history',
  'tickets',
  'reviews',
  'didit_sessions',
  'didit_faces',
  'didit_users',
] as const;
export type ErasureStep = (typeof erasureSteps)[number];

const stepsOfAFace: readonly ErasureStep[] = [
  ...['access', 'portraits', 'turns', 'didit_sessions', 'didit_faces', 'didit_users'],
] as ErasureStep[];

export function stepsOf(scope: ErasureScope): readonly ErasureStep[] {
  return scope === 'account' ? erasureSteps : stepsOfAFace;
}

export interface StepState {
  tries: number;
  /** How many there were, where there can be several. */
  count?: number;
  /** Of the last try that failed: a code, never what it was about. */
  failure?: string;
  doneAtMs?: number;
}

/** What has to go, for as long as it is not gone. */
export interface Remains {
  names: readonly Pick<Account, 'email' | 'username'>[];
  enrolments: readonly Pick<Enrolment, 'id' | 'vendorData' | 'diditSessionId'>[];
  /** Which text the person had agreed to. */
  consent?: string;
  /** In which language they are told that it is done. */
  locale?: string;
}

export interface ErasureReport {
  accountId: string;
  scope: ErasureScope;
  requestedAtMs: number;
  tries: number;
  steps: Partial<Record<ErasureStep, StepState>>;
  finishedAtMs?: number;
}

export interface ErasureJob extends ErasureReport {
  remains?: Remains;
  /** When the operator was told that it takes long. */
  alarmedAtMs?: number;
}

export interface ErasureRecord {
  schema: 1;
  /** When the face or the account is erased, if nobody stops it. */
  planned?: Partial<Record<Plannable, number>>;
  job?: ErasureJob;
}

export const erasureKeptSeconds = 400 * 86_400;

export function createErasureRecords(store: Store) {
  const keyOf = (accountId: string): string => `erasure:${accountId}`;
  const read = (text: string | undefined): ErasureRecord =>
    text === undefined ? { schema: 1 } : (JSON.parse(text) as ErasureRecord);

  return {
    async load(accountId: string): Promise<ErasureRecord> {
      return read((await store.get(keyOf(accountId)))?.value);
    },

    /** `next` is pure and may be called again; what it returns unchanged is not written. */
    change: (
      accountId: string,
      next: (record: ErasureRecord) => ErasureRecord,
    ): Promise<ErasureRecord> =>
      update<ErasureRecord>(store, keyOf(accountId), (current) => {
        const before = read(current);
        const result = next(before);
        if (result === before) return { result };
        return { value: JSON.stringify(result), ttlSeconds: erasureKeptSeconds, result };
      }),

    async *unfinished(): AsyncGenerator<ErasureReport> {
      for await (const { value } of store.scan('erasure')) {
        const { job } = read(value);
        if (job && job.finishedAtMs === undefined) yield reportOf(job);
      }
    },
  };
}

/** Takes the place of a job that is done, and takes in one that is not. */
export function mergeJobs(old: ErasureJob | undefined, job: ErasureJob): ErasureJob {
  if (!old?.remains) return job;
  const requestedAtMs = Math.max(job.requestedAtMs, old.requestedAtMs + 1);
  const scopes: readonly ErasureScope[] = ['account', 'face', 'replaced_face'];
  const ids = new Set(job.remains?.enrolments.map(({ id }) => id));
  const others = old.remains.enrolments.filter(({ id }) => !ids.has(id));
  return {
    ...{ ...job, requestedAtMs },
    scope: scopes.find((scope) => [old.scope, job.scope].includes(scope)) ?? job.scope,
    remains: {
      ...old.remains,
      ...job.remains,
      names: [...old.remains.names, ...(job.remains?.names ?? [])],
      enrolments: [...others, ...(job.remains?.enrolments ?? [])],
    },
  };
}

export function reportOf(job: ErasureJob): ErasureReport {
  const { remains: _, alarmedAtMs: __, ...report } = job;
  return report;
}
