/**
 * Checks that people have to look at: one case for each, listed by time, for ninety days. It says who, when and what
 * for, and where Didit has the rest: no score, no address, no picture.
 */
import type { Attempt, AttemptKind } from '../domain/attempt.ts';
import type { Clock, Random } from '../domain/environment.ts';
import { forgetMembers, membersSince } from './index-pages.ts';
import { type Store, update } from './store.ts';

export interface ReviewCase {
  schema: 1;
  id: string;
  /** What the person's page shows. */
  reference: string;
  attempt: string;
  account: string;
  client: Pick<Attempt['client'], 'id' | 'name'>;
  kind: AttemptKind;
  /** Absent where the policy wanted somebody to look before any selfie was taken. */
  diditSessionId?: string;
  reason: 'in_review' | 'policy';
  /** `auth_time`, where somebody is signed in by this check: it was put in doubt afterwards. */
  authTime?: number;
  openedAtMs: number;
  status: 'open' | 'approved' | 'declined';
  /** Who closed it; of an open one, who was the first of two to approve. */
  closedBy: readonly string[];
  closedReason?: string;
  closedAtMs?: number;
}

export type NewReviewCase = Omit<
  ReviewCase,
  'schema' | 'id' | 'openedAtMs' | 'status' | 'closedBy' | 'closedReason' | 'closedAtMs'
>;

export type Reviews = ReturnType<typeof createReviews>;

const keptSeconds = 90 * 86_400;
const keptMs = keptSeconds * 1000;
const index = 'reviews';

const keyOf = (id: string): string => `review:${id}`;
const keyOfSession = (diditSessionId: string): string => `review-of:${diditSessionId}`;
/** What there is one open case about: a check at Didit, or a person whom the policy holds, however often they try. */
const keyOfSubject = ({ diditSessionId, account }: NewReviewCase): string =>
  diditSessionId === undefined ? `review-before-selfie:${account}` : keyOfSession(diditSessionId);
const indexOf = (account: string): string => `reviews-about:${account}`;

export function createReviews(store: Store, { clock, random }: { clock: Clock; random: Random }) {
  async function find(id: string): Promise<ReviewCase | undefined> {
    const stored = await store.get(keyOf(id));
    return stored && (JSON.parse(stored.value) as ReviewCase);
  }

  async function openOf(diditSessionId: string): Promise<ReviewCase | undefined> {
    const named = await store.get(keyOfSession(diditSessionId));
    const found = named && (await find(named.value));
    return found?.status === 'open' ? found : undefined;
  }

  /** Opens a case. @returns undefined when there is an open one about the same. */
  async function open(about: NewReviewCase): Promise<ReviewCase | undefined> {
    const key = keyOfSubject(about);
    const named = await store.get(key);
    if (named && (await find(named.value))?.status === 'open') return undefined;
    // In hexadecimal, so that a shell never takes one for an option.
    const id = Buffer.from(random(8), 'base64url').toString('hex');
    const openedAtMs = clock();
    const opened: ReviewCase = {
      ...{ schema: 1, id, ...about, openedAtMs },
      ...{ status: 'open', closedBy: [] },
    };
    // Listed before it is claimed: who dies in between leaves a case twice rather than none.
    await store.put(keyOf(id), JSON.stringify(opened), { ttlSeconds: keptSeconds });
    await store.indexAdd(index, id, openedAtMs, keptSeconds);
    await store.indexAdd(indexOf(about.account), id, openedAtMs, keptSeconds);
    const condition = named ? { ifVersion: named.version } : { ifAbsent: true };
    const claimed = await store.put(key, id, { ttlSeconds: keptSeconds, ...condition });
    if (claimed !== undefined) return opened;
    await remove(id, about.account);
    return undefined;
  }

  async function remove(id: string, account: string): Promise<void> {
    await store.delete(keyOf(id));
    await store.indexRemove(index, id);
    await store.indexRemove(indexOf(account), id);
  }

  /** Oldest first; of one account, or of everybody. */
  async function* list(account?: string): AsyncGenerator<ReviewCase> {
    const listed = account === undefined ? index : indexOf(account);
    for await (const id of membersSince(store, listed, clock() - keptMs)) {
      const found = await find(id);
      if (found) yield found;
    }
  }

  return {
    ...{ find, openOf, open, list },

    /**
     * Changes an open case under compare-and-set.
     * @param next may be called again; what it returns unchanged is not written.
     * @returns the case when this call changed it; undefined when it is closed, or as it was.
     */
    change: (
      id: string,
      next: (found: ReviewCase) => ReviewCase,
    ): Promise<ReviewCase | undefined> =>
      update<ReviewCase | undefined>(store, keyOf(id), (current) => {
        const before = current === undefined ? undefined : (JSON.parse(current) as ReviewCase);
        if (before?.status !== 'open') return { result: undefined };
        const result = next(before);
        if (result === before) return { result: undefined };
        const leftMs = before.openedAtMs + keptMs - clock();
        const ttlSeconds = Math.max(1, Math.ceil(leftMs / 1000));
        return { value: JSON.stringify(result), ttlSeconds, result };
      }),

    /** All that is about this account. */
    async erase(account: string): Promise<void> {
      for await (const id of membersSince(store, indexOf(account), 0)) {
        const found = await find(id);
        if (found) await store.delete(keyOfSubject(found));
        await remove(id, account);
      }
    },

    /** The records go by themselves; their places in the list are cleared away. */
    prune: (): Promise<void> => forgetMembers(store, index, clock() - keptMs),
  };
}
