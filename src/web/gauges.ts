/** How things stand: some are set by whoever knows, others are read when somebody scrapes. */
import { Gauge, type Registry } from 'prom-client';
import type { CircuitState } from '../domain/outage.ts';
import { clientLabels } from './labels.ts';

/** Of Didit, as people notice it. */
const outageStates = ['up', 'failing', 'off', 'maintenance'] as const;
export type DiditSeen = (typeof outageStates)[number];

const breakerLevels = { closed: 0, 'half-open': 1, open: 2 } satisfies Record<CircuitState, number>;

/** Undefined where it is not known now; what it throws counts as that. */
export type Reading = () => Promise<number | undefined> | number | undefined;

/** What is read at each scrape. */
export interface Readings {
  reviewsOpen: Reading;
  oldestReviewSeconds: Reading;
  sseConnections: Reading;
  /** 1 when it was whole, 0 when not. */
  auditIntact: Reading;
  auditVerifiedSeconds: Reading;
  /** How many things wait in each of these queues. */
  queues: Readonly<Record<string, Reading>>;
}

type Single = Exclude<keyof Readings, 'queues'>;
type Sources = Partial<Record<Single, Reading>> & { queues: Record<string, Reading> };

export function createGauges(registers: Registry[]) {
  const sources: Sources = { queues: {} };
  createRead(registers, sources);
  return {
    ...createSet(registers),
    /** Where the gauges that are read at each scrape are read from; may be said bit by bit. */
    readFrom({ queues = {}, ...others }: Partial<Readings>): void {
      Object.assign(sources, others);
      Object.assign(sources.queues, queues);
    },
  };
}

function createRead(registers: Registry[], sources: Sources): void {
  const single = (name: string, help: string, which: Single): void => {
    new Gauge({
      ...{ registers, name, help },
      async collect() {
        const value = await attempt(sources[which]);
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  };
  single('reviews_open', 'Cases that wait for an operator.', 'reviewsOpen');
  single(
    'review_oldest_seconds',
    'How long the oldest open case has waited; 0 without one.',
    'oldestReviewSeconds',
  );
  single('sse_connections', 'Waiting pages that listen to this process.', 'sseConnections');
  single('audit_intact', 'Whether the last check of the audit log found it whole.', 'auditIntact');
  single(
    'audit_verified_timestamp_seconds',
    'When the audit log was last checked, in seconds since 1970.',
    'auditVerifiedSeconds',
  );
  new Gauge({
    ...{ registers, name: 'queue_length', labelNames: ['queue'] },
    help: 'What waits to be written, sent or told, by queue.',
    async collect() {
      for (const [queue, reading] of Object.entries(sources.queues)) {
        const value = await attempt(reading);
        if (value === undefined) this.remove(queue);
        else this.set({ queue }, value);
      }
    },
  });
}

/** A scrape is most useful when something fails, so nothing that fails may fail it. */
async function attempt(reading: Reading | undefined): Promise<number | undefined> {
  try {
    return await reading?.();
  } catch {
    return undefined;
  }
}

function createSet(registers: Registry[]) {
  const gauge = <Name extends string = string>(
    name: string,
    help: string,
    labelNames: Name[] = [],
  ): Gauge<Name> => new Gauge({ registers, name, help, labelNames });

  const outage = gauge('didit_outage', 'Didit as people notice it: 1 for the state.', ['state']);
  const breakers = gauge(
    'didit_breaker_state',
    'The breaker of each operation at Didit: 0 closed, 1 trying, 2 open.',
    ['operation'],
  );
  const skew = gauge('clock_skew_seconds', "Our clock minus Didit's, as its answers show.");
  const budget = gauge(
    'didit_budget_used_ratio',
    'What was spent this month, as a share of the hard cap; of `all` or of a client.',
    ['client'],
  );
  const forecast = gauge('didit_forecast_dollars', 'What this month will cost as it goes.');
  const reloadFailed = gauge(
    'config_reload_failed',
    'Whether the configuration as it is now could not be taken on, and the one before is in force.',
  );
  reloadFailed.set(0);
  // Not 0, which would be a finding: nobody has looked yet.
  for (const unknown of [skew, forecast]) unknown.remove();
  const clientLabel = clientLabels();
  const setOutage = (now: DiditSeen): void => {
    for (const state of outageStates) outage.set({ state }, state === now ? 1 : 0);
  };
  setOutage('up');

  return {
    outage: setOutage,
    breaker(operation: string, state: CircuitState): void {
      breakers.set({ operation }, breakerLevels[state]);
    },
    /** Those of whoever answers from now on. */
    breakersClosed(): void {
      breakers.reset();
    },
    clockSkew(ms: number): void {
      skew.set(ms / 1000);
    },
    /** @param ratios of clients by their id. Whoever is not among them has used nothing, or has no cap. */
    budgetUsed({ all, clients }: { all?: number; clients: ReadonlyMap<string, number> }): void {
      budget.reset();
      if (all !== undefined) budget.set({ client: 'all' }, all);
      for (const [client, ratio] of clients) budget.set({ client: clientLabel(client) }, ratio);
    },
    forecast(dollars: number): void {
      forecast.set(dollars);
    },
    reloadFailed(hasFailed: boolean): void {
      reloadFailed.set(hasFailed ? 1 : 0);
    },
  };
}
