/** The side about money and outages as app.ts makes it: at a start, at a reload, and after a restore. */
import { expect, it, onTestFinished } from 'vitest';
import { createCostSide } from '../../src/app-cost.ts';
import { cost } from '../../src/config/schema-cost.ts';
import { openStore } from '../../src/store/open.ts';
import { createMetrics } from '../../src/web/metrics.ts';

const noon = Date.UTC(2026, 10, 24, 12);

function deployed() {
  const clock = () => noon;
  const metrics = createMetrics();
  const warnings: string[] = [];
  const silent = () => undefined;
  const log = {
    info: silent,
    error: silent,
    problem: silent,
    warn: (text: string) => void warnings.push(text),
  };
  const open = async () => {
    const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
    onTestFinished(() => store.close());
    return store;
  };
  const config = { cost: cost.parse({ freePerMonth: 0, hardPerMonth: 0.2 }) };
  const sideOn = (store: Awaited<ReturnType<typeof open>>) =>
    createCostSide(
      { config: config as Parameters<typeof createCostSide>[0]['config'], log },
      { clock, metrics, record: silent, alarm: silent },
      store,
    );
  return { open, sideOn, metrics, warnings };
}

it('after a reload the metrics show the breakers of whoever answers then', async () => {
  const { open, sideOn, metrics } = deployed();
  const store = await open();
  const level = async () =>
    /^didit_breaker_state\{operation="create"\} (\d)/m.exec((await metrics.text()).body)?.[1];
  const before = await sideOn(store);
  before.didit.heard('create', 'open');
  expect(await level()).toBe('2');
  const after = (await sideOn(store)).sideFor(undefined);
  // It may never come to that: what is built after it may be wrong.
  expect(await level()).toBe('2');
  after.start();
  onTestFinished(() => after.stop());
  expect(await level()).toBeUndefined();
});

it('after a restore, which brings the meter back and no counters, a cap that was reached still is', async () => {
  const { open, sideOn, warnings } = deployed();
  const [lost, restored] = [await open(), await open()];
  const { meter } = await sideOn(lost);
  const of = {
    client: 'wiki',
    reason: 'login',
    check: 'passive',
    startedAtMs: noon,
    units: 1_000,
  } as const;
  for (let selfies = 0; selfies < 2; selfies += 1) {
    meter.began(of);
    meter.ended(of, 'approved');
  }
  await meter.flush();
  for await (const { key, value } of lost.scan('meter')) await restored.put(key, value);
  expect(warnings).toEqual([]);

  const { budget } = await sideOn(restored);
  expect(warnings).toHaveLength(1);
  const windows = budget.windowsOf({ clientId: 'wiki', units: 1_000, atMs: noon });
  const full = await restored.spend('limit:everybody:all', windows, 3_000_000);
  expect(full && budget.fullCap(full)).toEqual({ whose: 'all', span: 'month' });
  // A reload finds that they count already.
  await sideOn(restored);
  expect(warnings).toHaveLength(1);
});
