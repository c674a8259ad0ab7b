/** What keeps metrics small and true. */
import { expect, it } from 'vitest';
import { createMetrics } from '../../src/web/metrics.ts';

const textOf = async (metrics: ReturnType<typeof createMetrics>): Promise<string[]> =>
  (await metrics.text()).body.split('\n');

it('of clients the first two hundred have a label of their own, however many register', async () => {
  const metrics = createMetrics();
  for (let client = 1; client <= 250; client += 1)
    metrics.sessionCreated(`client-${client}`, 'login');
  const lines = await textOf(metrics);
  const counted = lines.filter((line) => line.startsWith('didit_sessions_created_total{'));
  expect(counted).toHaveLength(201);
  expect(counted).toContain('didit_sessions_created_total{client="client-200",reason="login"} 1');
  expect(counted).toContain('didit_sessions_created_total{client="other",reason="login"} 50');
});

it('a budget that nothing was spent of any more is not said to be what it was last month', async () => {
  const metrics = createMetrics();
  metrics.budgetUsed(
    new Map([
      ['all', 0.5],
      ['wiki', 1],
    ]),
  );
  metrics.budgetUsed(new Map([['all', 0]]));
  const lines = await textOf(metrics);
  expect(lines.filter((line) => line.startsWith('didit_budget_used_ratio{'))).toEqual([
    'didit_budget_used_ratio{client="all"} 0',
  ]);
});
