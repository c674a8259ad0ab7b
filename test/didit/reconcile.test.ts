import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { DiditError } from '../../src/didit/port.ts';
import { createReconcile } from '../../src/didit/reconcile.ts';
import type { DiditSessionOf, Settled } from '../../src/didit/settle.ts';
import { openStore } from '../../src/store/open.ts';

beforeEach(() => vi.useFakeTimers({ now: Date.UTC(2026, 10, 22, 10) }));
afterEach(() => vi.useRealTimers());

const of = { interactionUid: 'uid-1', attemptId: 'attempt-1' };
const beforeMs = Date.UTC(2026, 10, 22, 10);

type Answer = (one: DiditSessionOf) => Promise<Settled>;

/** `processes` that share a store, and the times at which any of them read a decision. */
async function start(answer: Answer, processes = 1) {
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
    createReconcile({ store, settle, clock: Date.now, failed }),
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

it('[CB-07] while there is none it is read again every three seconds', async () => {
  const { reconcile, readAtMs } = await start(() => Promise.resolve('pending'));
  await reconcile.expect(of);
  await pass(60);
  const gaps = readAtMs.slice(1).map((at, index) => at - readAtMs[index]!);
  expect(new Set(gaps)).toEqual(new Set([3_000]));
  expect(readAtMs).toHaveLength(20);
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
  const { reconcile, readAtMs } = await start(() => Promise.resolve('approved'), 4);
  await reconcile.expect(of);
  await pass(30);
  expect(readAtMs).toHaveLength(1);
});

it('[CB-07] all of them together read at most sixty times a minute; who waits comes later', async () => {
  const { reconcile, readAtMs } = await start(() => Promise.resolve('approved'), 2);
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
