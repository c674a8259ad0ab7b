/** What follows a verdict is done by whoever brings it, and made up for by whoever brings it again. */
import { beforeEach, describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/store/store.ts';
import { approved, startedAtMs, time, underWay, withStatus } from './under-way.ts';

beforeEach(() => void (time.nowMs = startedAtMs));

describe('a store that fails while those who wait are woken', () => {
  it.each([
    ['Approved', 'approved', ['verdict.received']],
    ['Declined', 'declined', ['verdict.received', 'login.denied']],
    ['In Review', 'in_review', ['verdict.received', 'login.denied']],
  ])('keeps nothing of what %s leads to from being done, once', async (status, outcome, told) => {
    const { settleWith, fails, events, ended, declined, reviews } = await underWay();
    fails.ring = 1;
    const read = () => withStatus(status);
    await expect(settleWith(read)).rejects.toThrow(StoreUnavailable);
    await settleWith(read);
    await settleWith(read);
    expect(events.map(({ event }) => event)).toEqual(told);
    expect(ended).toEqual([outcome]);
    expect(declined).toHaveLength(outcome === 'declined' ? 1 : 0);
    expect(reviews).toHaveLength(outcome === 'in_review' ? 1 : 0);
  });
});

it('what people have to look at is put before them when the first who tried could not', async () => {
  const { settleWith, fails, reviews } = await underWay();
  fails.openReview = 1;
  await expect(settleWith(() => withStatus('In Review'))).rejects.toThrow(StoreUnavailable);
  expect(reviews).toEqual([]);
  expect(await settleWith(() => withStatus('In Review'))).toBe('over');
  expect(await settleWith(() => withStatus('In Review'))).toBe('over');
  expect(reviews).toMatchObject([{ diditSessionId: 'session-1', reason: 'in_review' }]);
});

it('what Didit decided while the person gave up is counted, and nothing else comes of it', async () => {
  const { settleWith, attempts, of, ended, events } = await underWay();
  const outcome = await settleWith(async () => {
    await attempts.propose(of, { type: 'superseded' });
    return approved;
  });
  expect(outcome).toBe('over');
  expect(ended).toEqual(['approved']);
  expect(events).toEqual([]);
});
