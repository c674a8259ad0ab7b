/**
 * What a person's own page tells them: who signed in as them, where and how, and what was changed. One index an
 * account, ordered by time; an entry says no more than the person may read.
 */
import type { Clock } from '../domain/environment.ts';
import type { FactorName, SeenIn } from '../domain/message.ts';
import type { Store } from './store.ts';

export type HistoryEntry = { atMs: number; reference?: string } &
  /** `authTime` (seconds) names the sign-in: sessions and tokens carry it too. */
  (
    | ({ event: 'signed_in'; client: string; acr: string; authTime: number } & SeenIn)
    | { event: 'signed_out'; authTime: number }
    | ({ event: 'refused'; client: string; reason: string } & SeenIn)
    | ({ event: 'borrowed_selfie'; client: string } & SeenIn)
    | { event: 'factor_added' | 'factor_removed'; factor: FactorName; name?: string }
    | { event: 'face_enrolled' | 'face_replaced' | 'face_erased'; consent?: string }
    | { event: 'disavowed'; authTime: number }
    | { event: 'address_changed' | 'exported' | 'selfie_off' | 'selfie_on' | 'all_signed_out' }
    | { event: 'recovery_began' | 'recovery_done' | 'recovery_cancelled' }
    | { event: 'erasure_planned' | 'erasure_cancelled' }
  );

export type History = ReturnType<typeof createHistory>;

const keptSeconds = 400 * 86_400;
const shownAtMost = 500;

export function createHistory(store: Store, clock: Clock) {
  const keyOf = (accountId: string): string => `history:${accountId}`;

  return {
    add: (accountId: string, entry: HistoryEntry): Promise<void> =>
      store.indexAdd(keyOf(accountId), JSON.stringify(entry), entry.atMs, keptSeconds),

    /** Newest first. */
    async list(accountId: string, sinceMs = clock() - keptSeconds * 1000): Promise<HistoryEntry[]> {
      const range = { min: sinceMs, max: Number.MAX_SAFE_INTEGER, limit: shownAtMost };
      const entries = await store.indexRange(keyOf(accountId), range);
      return entries.map(({ member }) => JSON.parse(member) as HistoryEntry).reverse();
    },

    /** Forgets what is older, or all of it. */
    async prune(accountId: string, beforeMs: number): Promise<void> {
      for (;;) {
        const range = { min: 0, max: beforeMs, limit: shownAtMost };
        const old = await store.indexRange(keyOf(accountId), range);
        await Promise.all(old.map(({ member }) => store.indexRemove(keyOf(accountId), member)));
        if (old.length < shownAtMost) return;
      }
    },
  };
}
