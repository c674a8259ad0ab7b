/** The dashboard, the rules for alerts and the table of metrics against the metrics themselves. */
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createMetrics } from '../../src/web/metrics.ts';
import { read, section } from './support.ts';

const metrics = createMetrics();
const ours = metrics.registry.getMetricsAsArray().map(({ name }) => name);

interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
}
interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

const alerts = (parse(read('ops/prometheus/alerts.yaml')) as Rules).groups.flatMap(
  ({ rules }) => rules,
);
const { panels } = JSON.parse(read('ops/grafana/didit-oidc.json')) as Dashboard;

/** What a query reads: whatever is no label, no word of the language and no time. */
function metricsIn(query: string): string[] {
  const plain = query
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\b(by|without)\s*\([^)]*\)/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ');
  const words = /^(sum|max|min|abs|rate|increase|histogram_quantile|or|and|unless|by)$/;
  return (plain.match(/[a-z][a-z0-9_]*/gi) ?? []).filter((word) => !words.test(word));
}

const baseOf = (name: string): string => name.replace(/_(bucket|count|sum)$/, '');

test('every metric of the dashboard and of the alerts is one that is served', async () => {
  const served = (await metrics.text()).body;
  const queries = [
    ...alerts.map(({ expr }) => expr),
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  const used = new Set(queries.flatMap(metricsIn).map(baseOf));
  expect(used.size).toBeGreaterThan(20);
  for (const name of used) expect(served).toContain(`# TYPE ${name} `);
  // And every query reads something.
  for (const query of queries) expect(metricsIn(query)).not.toEqual([]);
});

test('every metric of ours stands in the table, and the dashboard shows it', () => {
  const table = section(read('docs/observability.md'), '## Metrics');
  const documented = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name);
  expect(documented.sort()).toEqual([...ours].sort());
  const shown = new Set(
    panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => metricsIn(expr).map(baseOf))),
  );
  const notShown = ours.filter((name) => !shown.has(name));
  expect(notShown).toEqual(['audit_verified_timestamp_seconds']);
});

test('the names that others rely on are there', () => {
  const promised = [
    ...['login_attempts_total', 'didit_request_duration_seconds', 'webhook_events_total'],
    ...['verdict_wait_seconds', 'verdict_to_browser_seconds', 'reviews_open', 'sse_connections'],
    ...['store_operation_seconds', 'didit_sessions_created_total', 'didit_cost_dollars_total'],
  ];
  expect(ours).toEqual(expect.arrayContaining(promised));
});

test('every alert has a name of its own and says what is the matter', () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  for (const { annotations } of alerts) expect(annotations.summary).toMatch(/\.$/);
});
