/** Deleting at Didit what was begun because of somebody: a few at a time, in a pace that leaves Didit time for logins. */
import type { Clock } from '../domain/environment.ts';
import type { DiditTraces } from '../store/didit-traces.ts';
import type { Store } from '../store/store.ts';

/** Didit's write limit is 300 a minute, and every login needs one of them. All processes share this one. */
const deletionsPerMinute = 60;
/** So that one go takes less time than the lease of whoever does it. */
const mostAtOnce = 5;

export interface DiditErasing {
  /**
   * Each resolves when it is gone, also when there was nothing; rejects with a DiditError when that is not sure.
   * `erasure`: the person wants it so, and nothing of the face may be kept behind it.
   */
  deleteSession(diditSessionId: string, purpose?: 'erasure'): Promise<unknown>;
  /** The faces that Didit has stored for this person. */
  deleteTemplates(vendorData: string): Promise<unknown>;
  deleteUser(vendorData: string): Promise<unknown>;
}

export interface DeletionTools {
  store: Store;
  traces: DiditTraces;
  didit: Pick<DiditErasing, 'deleteSession'>;
  clock: Clock;
}

export interface Deleted {
  count: number;
  /** There are more, for the next time. */
  isMore: boolean;
  /** The first one; what failed stays listed. */
  failure?: unknown;
}

export type DeleteDiditSessions = (
  accountId: string | undefined,
  which: {
    untilMs: number;
    /** The check that the account's face came from goes with that face, not before. */
    spared?: string | undefined;
    purpose?: 'erasure';
  },
) => Promise<Deleted>;

export function createDiditDeletions(tools: DeletionTools): DeleteDiditSessions {
  const { store, traces, didit, clock } = tools;

  async function isWithinBudget(): Promise<boolean> {
    const minute = Math.floor(clock() / 60_000);
    const spent = await store.increment(`budget:deletions-${minute}`, { ttlSeconds: 120 });
    return spent <= deletionsPerMinute;
  }

  return async function deleteSome(accountId, { untilMs, spared, purpose }) {
    const listed = await traces.list(accountId, untilMs, mostAtOnce + 2);
    const found = listed.filter(({ diditSessionId }) => diditSessionId !== spared);
    const result: Deleted = { count: 0, isMore: found.length > mostAtOnce };
    for (const { diditSessionId } of found.slice(0, mostAtOnce)) {
      if (!(await isWithinBudget())) return { ...result, isMore: true };
      try {
        await didit.deleteSession(diditSessionId, purpose);
      } catch (error) {
        result.failure ??= error;
        continue;
      }
      await traces.remove(accountId, diditSessionId);
      result.count += 1;
    }
    return result;
  };
}
