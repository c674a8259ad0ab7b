/**
 * What is counted, for Prometheus. One registry an app, since several apps may live in one process.
 *
 * No label has a person in it: labels are words of ours and the ids of clients, and of those only the first two
 * hundred, so that whoever registers clients cannot fill the memory of whoever scrapes. docs/observability.md is the
 * table of all of them.
 */
import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { createEventMetrics } from './event-metrics.ts';
import { createGauges } from './gauges.ts';
import { bounded, clientLabels, perLabel, perLabels } from './labels.ts';

export type Metrics = ReturnType<typeof createMetrics>;

const buckets = {
  store: [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  request: [0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  didit: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 10],
};

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    ...{ registers, name: 'http_request_duration_seconds', buckets: buckets.request },
    help: 'How long a request to the public listener took, by route.',
    labelNames: ['route', 'status'],
  });
  const calls = new Histogram({
    ...{ registers, name: 'didit_request_duration_seconds', buckets: buckets.didit },
    help: "How long a request to Didit's API took; one that is repeated counts each time.",
    labelNames: ['operation', 'outcome'],
  });
  const operations = new Histogram({
    ...{ registers, name: 'store_operation_seconds', buckets: buckets.store },
    help: 'How long the store took, by verb.',
    labelNames: ['operation'],
  });
  const failures = new Counter({
    ...{ registers, name: 'store_failures_total' },
    help: 'What the store refused or did not answer, by verb.',
    labelNames: ['operation'],
  });
  const webhooks = new Counter({
    ...{ registers, name: 'webhook_events_total' },
    help: 'Webhooks that came, by what became of them.',
    labelNames: ['result'],
  });

  const requestTook = perLabels((route, status) => requests.labels(route, status));
  const callTook = perLabels((operation, outcome) => calls.labels(operation, outcome));
  const storeTook = perLabel((operation) => operations.labels(operation));
  const storeFailed = perLabel((operation) => failures.labels(operation));
  const rang = perLabel((result) => webhooks.labels(result));

  return {
    ...createEventMetrics(registers),
    ...createGauges(registers),
    ...createCostMetrics(registers),
    /** @param status the first digit is enough to see what fails. */
    requestTook(route: string, status: number, ms: number): void {
      requestTook(route, `${Math.floor(status / 100)}xx`).observe(ms / 1000);
    },
    diditTook(operation: string, outcome: string, ms: number): void {
      callTook(operation, outcome).observe(ms / 1000);
    },
    storeTook(operation: string, ms: number): void {
      storeTook(operation).observe(ms / 1000);
    },
    storeFailed(operation: string): void {
      storeFailed(operation).inc();
    },
    webhook(result: string): void {
      rang(result).inc();
    },
    /** What `GET /metrics` answers: ours, and those of the process. */
    async text(): Promise<{ type: string; body: string }> {
      const [own, process] = await Promise.all([registry.metrics(), ofProcess().metrics()]);
      return { type: registry.contentType, body: `${own}\n${process}` };
    },
    /** Ours, for whoever checks their names. */
    registry,
  };
}

/** What Didit is asked to do is what it bills for; see domain/budget.ts for what that comes to. */
function createCostMetrics(registers: Registry[]) {
  const created = new Counter({
    ...{ registers, name: 'didit_sessions_created_total' },
    help: 'Checks that were created at Didit, by client and by what for.',
    labelNames: ['client', 'reason'],
  });
  const dollars = new Counter({
    ...{ registers, name: 'didit_cost_dollars_total' },
    help: 'What the checks of this process cost, by the configured price.',
  });
  const clientLabel = clientLabels();
  const reasonLabel = bounded(50);
  const createdFor = perLabels((client, reason) => created.labels(client, reason));
  return {
    sessionCreated(client: string, reason: string): void {
      createdFor(clientLabel(client), reasonLabel(reason)).inc();
    },
    /** At its price: what is free in a month is known to nobody before the bill. */
    spent(cost: number): void {
      dollars.inc(cost);
    },
  };
}

let processRegistry: Registry | undefined;

/**
 * Memory, event loop, garbage collection: of the process, whichever app is asked. They begin with the first scrape,
 * so that nobody pays for measurements that nobody reads.
 */
function ofProcess(): Registry {
  if (!processRegistry) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}
