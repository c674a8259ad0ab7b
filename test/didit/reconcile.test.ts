import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { DiditError } from '../../src/didit/port.ts';
import { createReconcile } from '../../src/didit/reconcile.ts';
import type { DiditSessionOf } from '../../src/didit/sessions.ts';
import type { Settled } from '../../src/didit/settle.ts';
import { openStore } from '../../src/store/open.ts';

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 10, 22, 10) }));
afterEach(() => vi.useRealTimers());

const of = { interactionUid: 'uid-1', attemptId: 'attempt-1' };
const beforeMs = Date.UTC(2026, 10, 22, 10);

type Answer = (one: DiditSessionOf) => Promise<Settled>;

/** `processes` that share a store, and the times at which any of them read a decision. */
async function start(
  answer: Answer,
  { processes = 1, chance = 0.5, known = undefined as DiditSessionOf | undefined } = {},
) {
  const { store } = await openStore({
    url: 'sqlite::memory:',
    encryptionKeys: [],
    clock: Date.now,
  });
  const readAtMs: number[] = [];
  const failures: unknown[] = [];
  const settle: Answer = (one) => {
    readAtMs.push(Date.now() - beforeMs);
    return answer(one);
  };
  const failed = (error: unknown): void => void failures.push(error);
  const all = Array.from({ length: processes }, () =>
    createReconcile({
      ...{ store, settle, clock: Date.now, chance: () => chance, failed },
      diditSessions: { find: () => Promise.resolve(known) },
    }),
  );
  for (const one of all) one.start();
  onTestFinished(async () => {
    await Promise.all(all.map((one) => one.stop()));
    await store.close();
  });
  return { reconcile: all[0]!, readAtMs, failures, store };
}

const pass = (seconds: number): Promise<unknown> => vi.advanceTimersByTimeAsync(seconds * 1000);

it('a decision that is late is read at once, and not again once there is a verdict', async () => {
  for (const result of ['approved', 'declined', 'over'] as const) {
    const { reconcile, readAtMs } = await start(() => Promise.resolve(result));
    const startMs = Date.now() - beforeMs;
    await reconcile.expect(of);
    await pass(60);
    expect(readAtMs).toHaveLength(1);
    expect(readAtMs[0]! - startMs).toBeLessThanOrEqual(500);
  }
});

const gapsOf = (readAtMs: readonly number[]): number[] =>
  readAtMs.slice(1).map((at, index) => at - readAtMs[index]!);

it('[CB-07] while there is none it is read again, less and less often', async () => {
  const { reconcile, readAtMs } = await start(() => Promise.resolve('pending'));
  await reconcile.expect(of);
  await pass(110);
  // Whether something is due is looked at every half second.
  const dueMs = [2_000, 3_000, 4_500, 6_750, 10_125, 15_000, 15_000, 15_000, 15_000, 15_000];
  const lateMs = gapsOf(readAtMs).map((gapMs, at) => gapMs - dueMs[at]!);
  expect(lateMs).toHaveLength(dueMs.length);
  for (const late of lateMs) expect([late >= 0, late <= 500]).toEqual([true, true]);
});

it('[CB-07] who began to wait together does not come back together', async () => {
  const first: number[] = [];
  for (const chance of [0, 0.999]) {
    const { reconcile, readAtMs } = await start(() => Promise.resolve('pending'), { chance });
    await reconcile.expect(of);
    await pass(5);
    first.push(gapsOf(readAtMs)[0]!);
  }
  expect(first).toEqual([1_500, 2_500]);
});

it('[CB-07] a page that is asked for twice a second uses up the readings of nobody else', async () => {
  const { reconcile, readAtMs } = await start(() => Promise.resolve('pending'));
  for (let asked = 0; asked < 240; asked += 1) {
    await reconcile.expect(of);
    await pass(0.5);
  }
  // By itself it is read eleven times, and every ten seconds it may be asked for.
  expect(readAtMs.length).toBeLessThanOrEqual(11 + 12);
});

it('a reading that was lost with its process is made when the page asks again', async () => {
  const { reconcile, readAtMs, store } = await start(() => Promise.resolve('approved'));
  await reconcile.expect(of);
  // As a process leaves it that took it off the list and died.
  expect(await store.indexRemove('reconcile:due', JSON.stringify(Object.values(of)))).toBe(true);
  await pass(9);
  expect(readAtMs).toEqual([]);
  await pass(2);
  await reconcile.expect(of);
  await pass(1);
  expect(readAtMs).toHaveLength(1);
});

it('however many pages ask for it, it is read once', async () => {
  const { reconcile, readAtMs } = await start(() => Promise.resolve('approved'));
  for (let pages = 0; pages < 20; pages += 1) await reconcile.expect(of);
  await pass(60);
  expect(readAtMs).toHaveLength(1);
});

it('a Didit that does not answer is asked again, silently', async () => {
  let answered = 0;
  const { reconcile, readAtMs, failures } = await start(() =>
    answered++ < 2
      ? Promise.reject(new DiditError('unavailable', 'no answer'))
      : Promise.resolve('approved'),
  );
  await reconcile.expect(of);
  await pass(60);
  expect(readAtMs).toHaveLength(3);
  expect(failures).toEqual([]);
});

it('a defect is told, and neither it nor its attempt stops the others', async () => {
  const { reconcile, readAtMs, failures } = await start(({ attemptId }) =>
    attemptId === 'broken' ? Promise.reject(new Error('defect')) : Promise.resolve('approved'),
  );
  await reconcile.expect({ ...of, attemptId: 'broken' });
  await reconcile.expect(of);
  await pass(2);
  expect(failures).toHaveLength(1);
  expect(readAtMs).toHaveLength(2);
  await pass(3);
  expect(readAtMs).toHaveLength(3);
});

it('of several processes one reads', async () => {
  const { reconcile, readAtMs } = await start(() => Promise.resolve('approved'), { processes: 4 });
  await reconcile.expect(of);
  await pass(30);
  expect(readAtMs).toHaveLength(1);
});

it('[CB-07] all of them together read at most sixty times a minute; who waits comes later', async () => {
  const { reconcile, readAtMs } = await start(() => Promise.resolve('approved'), { processes: 2 });
  for (let at = 0; at < 100; at += 1) await reconcile.expect({ ...of, attemptId: `a-${at}` });
  await pass(59);
  expect(readAtMs).toHaveLength(60);
  await pass(61);
  expect(readAtMs).toHaveLength(100);
});

it('stopping waits for what is being read, and then nothing is read any more', async () => {
  const { promise, resolve } = Promise.withResolvers<Settled>();
  const { reconcile, readAtMs } = await start(() => promise);
  await reconcile.expect(of);
  await pass(2);
  expect(readAtMs).toHaveLength(1);
  let isStopped = false;
  const stopped = reconcile.stop().then(() => (isStopped = true));
  await pass(5);
  expect(isStopped).toBe(false);
  resolve('pending');
  await stopped;
  await pass(60);
  expect(readAtMs).toHaveLength(1);
});
