/**
 * What a person's own page tells them: who signed in as them, where and how, and what was changed. One index an
 * account, ordered by time; an entry says no more than the person may read.
 */
import type { Clock } from '../domain/environment.ts';
import type { Action } from '../domain/policy.ts';
import type { FactorName, SeenIn } from '../domain/message.ts';
import { forgetMembers, membersSince } from './index-pages.ts';
import type { Store } from './store.ts';

export type HistoryEntry = { atMs: number; reference?: string } &
  /** `authTime` (seconds) names the sign-in: sessions and tokens carry it too. */
  (
    | ({
        event: 'signed_in';
        client: string;
        acr: string;
        authTime: number;
        /** What the policy decided, and by which of its rules; `isAsked`: the app asked for more than that. */
        why?: { action: Action; rule: string; isAsked?: true };
      } & SeenIn)
    | { event: 'signed_out'; authTime: number }
    | ({ event: 'refused'; client: string; reason: string } & SeenIn)
    | ({ event: 'borrowed_selfie'; client: string } & SeenIn)
    | { event: 'factor_added' | 'factor_removed'; factor: FactorName; name?: string }
    | { event: 'face_enrolled' | 'face_replaced' | 'face_erased'; consent?: string }
    | { event: 'disavowed'; authTime: number }
    | { event: 'device_removed' }
    | { event: 'withdrawn'; client: string; authTime: number }
    | { event: 'address_changed' | 'exported' | 'selfie_off' | 'selfie_on' | 'all_signed_out' }
    | { event: 'recovery_began' | 'recovery_done' | 'recovery_cancelled' }
    | { event: 'erasure_planned' | 'erasure_cancelled' }
  );

export type History = ReturnType<typeof createHistory>;

export const historyKeptSeconds = 400 * 86_400;
const shownAtMost = 500;

export function createHistory(store: Store, clock: Clock) {
  const keyOf = (accountId: string): string => `history:${accountId}`;

  /** Oldest first, page by page. */
  async function* since(accountId: string, sinceMs: number): AsyncGenerator<HistoryEntry> {
    for await (const member of membersSince(store, keyOf(accountId), sinceMs)) {
      yield JSON.parse(member) as HistoryEntry;
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
    prune: (accountId: string, beforeMs: number): Promise<void> =>
      forgetMembers(store, keyOf(accountId), beforeMs),
  };
}
