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
  metrics.budgetUsed({ all: 0.5, clients: new Map([['wiki', 1]]) });
  metrics.budgetUsed({ all: 0, clients: new Map() });
  const lines = await textOf(metrics);
  expect(lines.filter((line) => line.startsWith('didit_budget_used_ratio{'))).toEqual([
    'didit_budget_used_ratio{client="all"} 0',
  ]);
});

it('an app that is called like a word of ours has a label of its own', async () => {
  const metrics = createMetrics();
  const clients = new Map([
    ['all', 0.2],
    ['other', 0.4],
    ['overall', 0.6],
  ]);
  metrics.budgetUsed({ all: 0.9, clients });
  for (const client of clients.keys()) metrics.sessionCreated(client, 'login');
  const lines = await textOf(metrics);
  expect(lines.filter((line) => line.startsWith('didit_budget_used_ratio{'))).toEqual([
    'didit_budget_used_ratio{client="all"} 0.9',
    'didit_budget_used_ratio{client="client all"} 0.2',
    'didit_budget_used_ratio{client="client other"} 0.4',
    'didit_budget_used_ratio{client="overall"} 0.6',
  ]);
  expect(lines.filter((line) => line.startsWith('didit_sessions_created_total{'))).toEqual([
    'didit_sessions_created_total{client="client all",reason="login"} 1',
    'didit_sessions_created_total{client="client other",reason="login"} 1',
    'didit_sessions_created_total{client="overall",reason="login"} 1',
  ]);
});
