/**
 * Enrolments that wait for people: Didit wants somebody to look at them, or somebody there has. One record an account,
 * the latest, with what its decision will be held against once more.
 */
import type { AttemptKind, Capture } from '../domain/attempt.ts';
import type { Store } from './store.ts';

/** Nobody needs the check any more that was not looked at for so long. */
const keptSeconds = 30 * 86_400;

export interface HeldEnrolment {
  schema: 1;
  kind: AttemptKind;
  diditSessionId: string;
  enrolmentId: string;
  expectation: Capture['expectation'];
  heldAtMs: number;
}

export type HeldEnrolments = ReturnType<typeof createHeldEnrolments>;

export function createHeldEnrolments(store: Store) {
  const keyOf = (accountId: string): string => `held-enrolment:${accountId}`;

  return {
    async hold(accountId: string, held: Omit<HeldEnrolment, 'schema'>): Promise<void> {
      const value = JSON.stringify({ schema: 1, ...held });
      await store.put(keyOf(accountId), value, { ttlSeconds: keptSeconds });
    },

    async find(accountId: string): Promise<HeldEnrolment | undefined> {
      const stored = await store.get(keyOf(accountId));
      return stored && (JSON.parse(stored.value) as HeldEnrolment);
    },

    forget: (accountId: string): Promise<boolean> => store.delete(keyOf(accountId)),
  };
}
