/** Reports of what selfies cost, over a meter in a real store. */
import { expect, it, onTestFinished } from 'vitest';
import type { Check, Outcome, Pricing } from '../../src/domain/budget.ts';
import { createSpendingReports } from '../../src/ops/spending.ts';
import { createMeter } from '../../src/store/meter.ts';
import { openStore } from '../../src/store/open.ts';

const noon = Date.UTC(2026, 10, 24, 12);
const pricing: Pricing = {
  prices: { passive: 0.1, active: 0.2, document: 0.3 },
  ...{ freePerMonth: 0, freeOutcomes: ['declined', 'not_finished'] },
};

it('the app that costs most comes first, not the one that began most', async () => {
  const clock = () => noon;
  const { store } = await openStore({ url: 'sqlite::memory:', encryptionKeys: [], clock });
  onTestFinished(() => store.close());
  const meter = createMeter(store, {
    ...{ clock, failed: (error) => expect(error).toBeUndefined() },
    isFree: (outcome) => pricing.freeOutcomes.includes(outcome),
  });
  function count(client: string, check: Check, outcomes: Outcome[]): void {
    const reason = check === 'document' ? 'enrol' : 'login';
    for (const outcome of outcomes) {
      const about = { client, reason, check, startedAtMs: noon, units: 1_000 } as const;
      meter.began(about);
      meter.ended(about, outcome);
    }
  }
  count('busy', 'passive', ['declined', 'declined', 'declined', 'approved']);
  count('dear', 'document', ['approved']);
  count('none', 'passive', ['declined']);
  count('nil', 'passive', ['not_finished', 'not_finished']);
  await meter.flush();
  const reports = createSpendingReports({ meter, pricing, clock });
  const report = await reports.report({ fromDay: '2026-11-01', toDay: '2026-11-24' });
  expect(report.byClient.map(({ client, dollars }) => [client, dollars])).toEqual([
    ...[['dear', 0.3] as const, ['busy', 0.1] as const],
    // Of those that cost nothing the busier one.
    ...[['nil', 0] as const, ['none', 0] as const],
  ]);
  expect(report.byReason.map(({ reason }) => reason)).toEqual(['enrol', 'login']);
});
