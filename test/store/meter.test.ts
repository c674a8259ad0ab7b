/** The meter: what is written is counted once, and what was charged is given back when it is over, and not before. */
import { expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../src/domain/budget.ts';
import { createMeter } from '../../src/store/meter.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

const noon = Date.UTC(2026, 10, 24, 12);
const [minute, hour] = [60_000, 3_600_000];
const dayOf = (ms: number): number => Math.floor(ms / 86_400_000);

async function metered(startMs = noon) {
  const now = { ms: startMs };
  const clock = () => now.ms;
  const { store: inner } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => inner.close());
  /** So many writes arrive, and their answers do not. */
  const lost = { answers: 0 };
  const store: Store = {
    ...inner,
    async put(...args) {
      const version = await inner.put(...args);
      if (lost.answers-- > 0) throw new StoreUnavailable({ cause: 'timed out' });
      return version;
    },
  };
  const failures: unknown[] = [];
  const isFree = (outcome: Outcome) => outcome === 'declined' || outcome === 'not_finished';
  const createOne = () =>
    createMeter(store, { clock, failed: (error) => void failures.push(error), isFree });
  const of = () =>
    ({
      client: 'wiki',
      reason: 'login',
      check: 'passive',
      startedAtMs: now.ms,
      units: 10,
    }) as const;
  const meter = createOne();
  const counts = async () => (await meter.read(dayOf(startMs), dayOf(startMs)))[0]!.rows[0]?.counts;
  return { now, lost, failures, createOne, of, meter, counts };
}

it('a write whose answer was lost is counted once, also with others between', async () => {
  const { lost, failures, createOne, of, meter, counts, now } = await metered();
  lost.answers = 1;
  meter.began(of());
  await meter.flush();
  expect(failures.map(String)).toEqual(['StoreUnavailable: the store does not answer']);
  for (let others = 0; others < 10; others += 1) {
    const other = createOne();
    other.began(of());
    await other.flush();
  }
  meter.began(of());
  await meter.flush();
  meter.ended(of(), 'approved');
  await meter.flush();
  expect(await counts()).toEqual({ created: 12, approved: 1 });
  now.ms += 3 * hour;
  expect(await Array.fromAsync(meter.takeOpen())).toMatchObject([{ client: 'wiki', units: 110 }]);
});

it('what was taken to be given back is there again once it was put back', async () => {
  const { now, of, meter } = await metered();
  meter.began(of());
  await meter.flush();
  now.ms += 3 * hour;
  const taken = await Array.fromAsync(meter.takeOpen());
  expect(taken).toEqual([{ hour: noon / hour, client: 'wiki', units: 10 }]);
  expect(await Array.fromAsync(meter.takeOpen())).toEqual([]);
  meter.putBack(taken[0]!);
  await meter.flush();
  expect(await Array.fromAsync(meter.takeOpen())).toEqual(taken);
});

it('a selfie that may still be under way is not given back', async () => {
  const { now, of, meter } = await metered(noon + 59 * minute);
  meter.began(of());
  await meter.flush();
  // Its sign-in may last for an hour from then, and what Didit says of it comes a moment later.
  now.ms += 61 * minute;
  expect(await Array.fromAsync(meter.takeOpen())).toEqual([]);
  now.ms += 4 * minute;
  expect(await Array.fromAsync(meter.takeOpen())).toEqual([]);
  now.ms += minute;
  expect(await Array.fromAsync(meter.takeOpen())).toMatchObject([{ units: 10 }]);
});

it('what was abandoned before midnight is given back after it', async () => {
  const midnight = Date.UTC(2026, 10, 25);
  const { now, of, meter } = await metered(midnight - minute);
  meter.began(of());
  await meter.flush();
  now.ms = midnight + 2 * hour;
  expect(await Array.fromAsync(meter.takeOpen())).toMatchObject([{ client: 'wiki', units: 10 }]);
});
