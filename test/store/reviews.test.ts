import { expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { type NewReviewCase, createReviews } from '../../src/store/reviews.ts';
import { random } from '../support/newcomers.ts';

const day = 86_400_000;
const about: NewReviewCase = {
  ...{ reference: 'ABCD-EFGH', attempt: 'attempt-1', account: 'account-1', kind: 'login' },
  ...{ client: { id: 'first', name: 'First' }, diditSessionId: 'session-1', reason: 'in_review' },
};

async function start() {
  const time = { nowMs: Date.UTC(2026, 10, 22) };
  const clock = (): number => time.nowMs;
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => store.close());
  const reviews = createReviews(store, { clock, random });
  const listed = async (account?: string) =>
    (await Array.fromAsync(reviews.list({ account }))).map(({ diditSessionId }) => diditSessionId);
  const places = () => store.indexRange('reviews', { min: 0, max: time.nowMs, limit: 10 });
  return { time, store, reviews, listed, places };
}

it('there is one open case about a Didit session, however many ask at once', async () => {
  const { reviews, listed } = await start();
  const all = await Promise.all(Array.from({ length: 10 }, () => reviews.open(about)));
  const opened = all.filter((one) => one !== undefined);
  expect(opened).toHaveLength(1);
  expect(await listed()).toEqual(['session-1']);
  expect(await reviews.openOf('session-1')).toEqual(opened[0]);
});

it('without a Didit session there is one open case about a person, beside those about theirs', async () => {
  const { reviews, listed } = await start();
  const { diditSessionId: _, ...person } = { ...about, reason: 'policy' } as const;
  await reviews.open(about);
  const all = await Promise.all(Array.from({ length: 10 }, () => reviews.open(person)));
  expect(all.filter((one) => one !== undefined)).toHaveLength(1);
  expect(await listed('account-1')).toHaveLength(2);
  expect(await reviews.open({ ...person, account: 'account-2' })).toBeDefined();
  await reviews.erase('account-1');
  expect(await listed()).toHaveLength(1);
  expect(await reviews.open(person)).toBeDefined();
});

it('one that is closed is not changed any more, and makes room for another', async () => {
  const { reviews, listed } = await start();
  const { id } = (await reviews.open(about))!;
  const closed = await reviews.change(id, (now) => ({ ...now, status: 'declined' }));
  expect(closed?.status).toBe('declined');
  expect(await reviews.change(id, (now) => ({ ...now, status: 'approved' }))).toBeUndefined();
  expect((await reviews.find(id))?.status).toBe('declined');
  expect(await reviews.openOf('session-1')).toBeUndefined();
  const next = await reviews.open(about);
  expect(next?.id).not.toBe(id);
  expect(await listed()).toEqual(['session-1', 'session-1']);
});

it('they are listed by time, for ninety days, and then nothing is left', async () => {
  const { reviews, listed, time, places } = await start();
  await reviews.open(about);
  time.nowMs += 60 * day;
  await reviews.open({ ...about, diditSessionId: 'session-2', account: 'account-2' });
  expect(await listed()).toEqual(['session-1', 'session-2']);
  expect(await listed('account-2')).toEqual(['session-2']);
  time.nowMs += 29 * day;
  await reviews.prune();
  expect(await listed()).toHaveLength(2);
  time.nowMs += 2 * day;
  expect(await listed()).toEqual(['session-2']);
  await reviews.prune();
  expect(await places()).toHaveLength(1);
});

it('those of one account are erased, and no other', async () => {
  const { reviews, listed, places, store } = await start();
  for (const one of ['session-1', 'session-2'])
    await reviews.open({ ...about, diditSessionId: one });
  await reviews.open({ ...about, diditSessionId: 'session-3', account: 'account-2' });
  await reviews.erase('account-1');
  expect(await listed()).toEqual(['session-3']);
  expect(await listed('account-1')).toEqual([]);
  expect(await places()).toHaveLength(1);
  expect(await store.get('review-of:session-1')).toBeUndefined();
});

it('a page begins behind a case, of several of one moment too, also when it was closed meanwhile', async () => {
  const { reviews, time } = await start();
  const opened: string[] = [];
  for (let at = 0; at < 240; at += 1) {
    if (at % 3 === 0) time.nowMs += 1;
    const one = await reviews.open({ ...about, diditSessionId: `session-${at}` });
    opened.push(one?.id ?? '');
  }
  const idsOf = async (wanted: Parameters<typeof reviews.list>[0]) =>
    (await Array.fromAsync(reviews.list(wanted))).map(({ id }) => id);
  // Within a millisecond the order is the store's own.
  const all = await idsOf({ isOpen: true });
  expect(all.toSorted()).toEqual(opened.toSorted());
  for (const at of [0, 1, 2, 3, 118, 238, 239]) {
    const after = await reviews.find(all[at] ?? '');
    expect(await idsOf({ isOpen: true, after })).toEqual(all.slice(at + 1));
    expect(await idsOf({ account: 'account-1', after })).toEqual(all.slice(at + 1));
  }
  const after = await reviews.find(all[119] ?? '');
  await reviews.change(all[119] ?? '', (now) => ({ ...now, status: 'declined' }));
  await reviews.change(all[200] ?? '', (now) => ({ ...now, status: 'declined' }));
  const rest = all.slice(120).filter((id) => id !== all[200]);
  expect((await idsOf({ isOpen: true, after })).slice(-rest.length)).toEqual(rest);
  expect(await idsOf({ after })).toEqual(all.slice(120));
  expect(await idsOf({ account: 'account-1', isOpen: true, after })).toEqual(rest);
});
