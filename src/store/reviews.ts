/**
 * Checks that people have to look at: one case for each, listed by time, for ninety days. It says who, when and what
 * for, and where Didit has the rest: no score, no address, no picture.
 */
import type { Attempt, AttemptKind } from '../domain/attempt.ts';
import type { Clock, Random } from '../domain/environment.ts';
import { forgetMembers, inGroups, membersSince } from './index-pages.ts';
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
  /** Of an open one: somebody is about to close it, and until then nobody else may. */
  closing?: { by: string; untilMs: number };
  closedReason?: string;
  closedAtMs?: number;
}

export type NewReviewCase = Omit<
  ReviewCase,
  'schema' | 'id' | 'openedAtMs' | 'status' | 'closedBy' | 'closing' | 'closedReason' | 'closedAtMs'
>;

export interface CasesWanted {
  account?: string | undefined;
  /** Only those that nobody has closed. */
  isOpen?: boolean;
  /** Only those behind this one; it may have been closed meanwhile. */
  after?: ReviewCase | undefined;
}

export type Reviews = ReturnType<typeof createReviews>;

const keptSeconds = 90 * 86_400;
const keptMs = keptSeconds * 1000;
const index = 'reviews';
/** By when they were opened, those that nobody has closed. */
const openIndex = 'reviews-open';

const keyOf = (id: string): string => `review:${id}`;
const keyOfSession = (diditSessionId: string): string => `review-of:${diditSessionId}`;
/** What there is one open case about: a check at Didit, or a person whom the policy holds, however often they try. */
const keyOfSubject = ({ diditSessionId, account }: NewReviewCase): string =>
  diditSessionId === undefined ? `review-before-selfie:${account}` : keyOfSession(diditSessionId);
const indexOf = (account: string): string => `reviews-about:${account}`;

export function createReviews(store: Store, { clock, random }: { clock: Clock; random: Random }) {
  const sinceMs = (): number => clock() - keptMs;

  async function find(id: string): Promise<ReviewCase | undefined> {
    const stored = await store.get(keyOf(id));
    return stored && (JSON.parse(stored.value) as ReviewCase);
  }

  /** Whether there is a case about this check, or was. */
  const isKnown = async (diditSessionId: string): Promise<boolean> =>
    (await store.get(keyOfSession(diditSessionId))) !== undefined;

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
    await store.indexAdd(openIndex, id, openedAtMs, keptSeconds);
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
    await store.indexRemove(openIndex, id);
    await store.indexRemove(indexOf(account), id);
  }

  /** Oldest first; of one account, or of everybody. Whose time is over is not there. */
  async function* list(wanted: CasesWanted = {}): AsyncGenerator<ReviewCase> {
    const { account, isOpen, after } = wanted;
    const ofAll = isOpen ? openIndex : index;
    const listed = account === undefined ? ofAll : indexOf(account);
    yield* casesOf(store, membersSince(store, listed, after?.openedAtMs ?? sinceMs()), wanted);
  }

  return {
    ...{ find, isKnown, openOf, open, list },

    /**
     * Changes an open case under compare-and-set.
     * @param next may be called again; what it returns unchanged is not written.
     * @returns the case when this call changed it; undefined when it is closed, or as it was.
     */
    async change(
      id: string,
      next: (found: ReviewCase) => ReviewCase,
    ): Promise<ReviewCase | undefined> {
      const changed = await update<ReviewCase | undefined>(store, keyOf(id), (current) => {
        const before = current === undefined ? undefined : (JSON.parse(current) as ReviewCase);
        if (before?.status !== 'open') return { result: undefined };
        const result = next(before);
        if (result === before) return { result: undefined };
        const leftMs = before.openedAtMs + keptMs - clock();
        const ttlSeconds = Math.max(1, Math.ceil(leftMs / 1000));
        return { value: JSON.stringify(result), ttlSeconds, result };
      });
      if (changed && changed.status !== 'open') await store.indexRemove(openIndex, id);
      return changed;
    },

    /** When each of those that nobody has closed was opened, oldest first. */
    async waiting(atMost: number): Promise<number[]> {
      const range = { min: sinceMs(), max: Infinity, limit: atMost };
      return (await store.indexRange(openIndex, range)).map(({ score }) => score);
    },

    /** All that is about this account. */
    async erase(account: string): Promise<void> {
      for await (const id of membersSince(store, indexOf(account), 0)) {
        const found = await find(id);
        if (found) await store.delete(keyOfSubject(found));
        await remove(id, account);
      }
    },

    /** The records go by themselves; their places in the list are cleared away. */
    async prune(): Promise<void> {
      await forgetMembers(store, index, sinceMs());
      await forgetMembers(store, openIndex, sinceMs());
    },
  };
}

async function* casesOf(
  store: Store,
  listed: AsyncIterable<string>,
  { isOpen, after }: CasesWanted,
): AsyncGenerator<ReviewCase> {
  const wantedOf = (cases: readonly ReviewCase[]): ReviewCase[] =>
    cases
      .slice(cases.findIndex(({ id }) => id === after?.id) + 1)
      .filter(({ status }) => !isOpen || status === 'open');
  // Of the same millisecond as `after` there may be some before it, and some behind it.
  let same: ReviewCase[] = [];
  for await (const ids of inGroups(listed)) {
    for (const stored of await store.getMany(ids.map(keyOf))) {
      const found = stored && (JSON.parse(stored.value) as ReviewCase);
      if (!found) continue;
      if (found.openedAtMs === after?.openedAtMs) {
        same.push(found);
        continue;
      }
      yield* wantedOf(same);
      same = [];
      yield* wantedOf([found]);
    }
  }
  yield* wantedOf(same);
}
