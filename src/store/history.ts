/**
 * What a person's own page tells them: who signed in as them, where and how, and what was changed. One index an
 * account, ordered by time; an entry says no more than the person may read.
 */
import type { Clock } from '../domain/environment.ts';
import type { Action } from '../domain/policy.ts';
import type { FactorName, SeenIn } from '../domain/message.ts';
import type { Store } from './store.ts';

export type HistoryEntry = { atMs: number; reference?: string } &
  /** `authTime` (seconds) names the sign-in: sessions and tokens carry it too. */
  (
    | ({
        event: 'signed_in';
        client: string;
        acr: string;
        authTime: number;
        /** What the policy decided, and by which of its rules. */
        why?: { action: Action; rule: string };
      } & SeenIn)
    | { event: 'signed_out'; authTime: number }
    | ({ event: 'refused'; client: string; reason: string } & SeenIn)
    | ({ event: 'borrowed_selfie'; client: string } & SeenIn)
    | { event: 'factor_added' | 'factor_removed'; factor: FactorName; name?: string }
    | { event: 'face_enrolled' | 'face_replaced' | 'face_erased'; consent?: string }
    | { event: 'disavowed'; authTime: number }
    | { event: 'device_removed' }
    | { event: 'address_changed' | 'exported' | 'selfie_off' | 'selfie_on' | 'all_signed_out' }
    | { event: 'recovery_began' | 'recovery_done' | 'recovery_cancelled' }
    | { event: 'erasure_planned' | 'erasure_cancelled' }
  );

export type History = ReturnType<typeof createHistory>;

export const historyKeptSeconds = 400 * 86_400;
const shownAtMost = 500;
const pageOf = 100;

export function createHistory(store: Store, clock: Clock) {
  const keyOf = (accountId: string): string => `history:${accountId}`;

  /** Oldest first, page by page. */
  async function* since(accountId: string, sinceMs: number): AsyncGenerator<HistoryEntry> {
    let [min, limit] = [sinceMs, pageOf];
    let before = new Set<string>();
    for (;;) {
      const range = { min, max: Number.MAX_SAFE_INTEGER, limit };
      const page = await store.indexRange(keyOf(accountId), range);
      for (const { member } of page) {
        if (!before.has(member)) yield JSON.parse(member) as HistoryEntry;
      }
      const last = page.at(-1)?.score;
      if (page.length < limit || last === undefined) return;
      // Entries of one and the same time may lie on both sides of a page's end.
      before = new Set(page.filter(({ score }) => score === last).map(({ member }) => member));
      limit = last === min ? limit * 2 : pageOf;
      min = last;
    }
  }

  return {
    add: (accountId: string, entry: HistoryEntry): Promise<void> =>
      store.indexAdd(keyOf(accountId), JSON.stringify(entry), entry.atMs, historyKeptSeconds),

    /** Newest first, and of many the newest. */
    async list(
      accountId: string,
      sinceMs = clock() - historyKeptSeconds * 1000,
    ): Promise<HistoryEntry[]> {
      const entries = await Array.fromAsync(since(accountId, sinceMs));
      return entries.reverse().slice(0, shownAtMost);
    },

    since,

    async hasSignedIn(accountId: string, sinceMs: number): Promise<boolean> {
      for await (const { event } of since(accountId, sinceMs)) {
        if (event === 'signed_in') return true;
      }
      return false;
    },

    /** Forgets what is older, or all of it. */
    async prune(accountId: string, beforeMs: number): Promise<void> {
      for (;;) {
        const range = { min: 0, max: beforeMs, limit: pageOf };
        const old = await store.indexRange(keyOf(accountId), range);
        await Promise.all(old.map(({ member }) => store.indexRemove(keyOf(accountId), member)));
        if (old.length < pageOf) return;
      }
    },
  };
}
