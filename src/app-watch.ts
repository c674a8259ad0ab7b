/** The composition root's piece that watches: what metrics, spans and the log are told of requests, the store and Didit. */
import type { IncomingMessage } from 'node:http';
import { createClockWatch } from './didit/clock.ts';
import { type WatchCall, failureOf } from './didit/transport.ts';
import type { Clock } from './domain/environment.ts';
import type { RaiseAlarm } from './domain/event.ts';
import type { OpenStreams } from './login/waiting.ts';
import type { Audit } from './store/audit.ts';
import type { Records } from './store/records.ts';
import type { WatchStore } from './store/watched.ts';
import type { Metrics } from './web/metrics.ts';
import { observeRequests } from './web/observe.ts';
import { currentScope, inScope, newScopeId } from './web/scope.ts';
import { type Spans, createSpans } from './web/spans.ts';
import type { Log } from './web/telemetry.ts';

interface WatchTools {
  metrics: Metrics;
  log: Log;
  clock: Clock;
  alarm: RaiseAlarm;
  showTimings: boolean;
}

const now = (): number => performance.now();

export type Watch = ReturnType<typeof createWatch>;

export function createWatch(tools: WatchTools) {
  const spans = createSpans();
  return {
    requests: observeRequests({ ...tools, now, spans }),
    store: createStoreWatch(tools, spans),
    didit: createDiditWatch(tools, spans),
    /** The rest of what a request leads to is its own. */
    inRequest: (req: IncomingMessage, work: () => void): void =>
      inScope(work, String(req.headers['traceparent'] ?? '')),
  };
}

function createStoreWatch({ metrics }: WatchTools, spans: Spans | undefined): WatchStore {
  async function measured<T>(verb: string, work: () => Promise<T>): Promise<T> {
    const startedMs = now();
    try {
      return await work();
    } catch (error) {
      metrics.storeFailed(verb);
      throw error;
    } finally {
      const tookMs = now() - startedMs;
      metrics.storeTook(verb, tookMs);
      const scope = currentScope();
      if (scope) scope.spentMs.store += tookMs;
    }
  }
  if (!spans) return (verb, _kind, work) => measured(verb, work);
  return (verb, kind, work) =>
    spans.call(`store ${verb} ${kind}`.trimEnd(), { 'db.operation.name': verb, kind }, () =>
      measured(verb, work),
    );
}

/**
 * The id that Didit gets is of this call alone, and made here: not the request's, which may be a proxy's, so that
 * nothing that comes from outside goes out again. The log has both, side by side.
 */
function createDiditWatch(tools: WatchTools, spans: Spans | undefined): WatchCall {
  const { metrics, log, clock, alarm } = tools;
  const compareClocks = createClockWatch({ clock, alarm, skewed: (ms) => metrics.clockSkew(ms) });

  const measured: WatchCall = async (operation, work) => {
    const [call, startedMs, askedAtMs] = [newScopeId(), now(), clock()];
    let outcome: string | undefined;
    try {
      const answer = await work(call);
      outcome = answer.status < 400 ? 'ok' : 'client_error';
      if (answer.dateMs !== undefined) compareClocks(askedAtMs, answer.dateMs);
      return answer;
    } catch (error) {
      outcome = failureOf(error);
      throw error;
    } finally {
      const tookMs = now() - startedMs;
      outcome ??= 'failed';
      metrics.diditTook(operation, outcome, tookMs);
      const scope = currentScope();
      if (scope) scope.spentMs.didit += tookMs;
      log.info('didit call', { operation, outcome, durationMs: Math.round(tookMs), call });
    }
  };
  if (!spans) return measured;
  return (operation, work) =>
    spans.call(`didit ${operation}`, { operation }, () => measured(operation, work));
}

/** More of them would be too many, however many there are. */
const countedAtMost = 1_000;

/** What is looked at when somebody scrapes, of whoever answers from now on: a few short reads. */
export function readStandings(
  { metrics, clock }: Pick<WatchTools, 'metrics' | 'clock'>,
  {
    store,
    reviews,
    streams,
    audit,
  }: Pick<Records, 'store' | 'reviews'> & { streams: OpenStreams; audit: Audit },
): void {
  const lengthOf = (index: string) => async (): Promise<number> =>
    (await store.indexRange(index, { min: 0, max: Infinity, limit: countedAtMost })).length;
  const waiting = shared(() => reviews.waiting(countedAtMost));
  const verified = shared(() => audit.lastVerified());
  metrics.readFrom({
    reviewsOpen: async () => (await waiting()).length,
    oldestReviewSeconds: async () => {
      const [oldest] = await waiting();
      return oldest === undefined ? 0 : Math.max(0, (clock() - oldest) / 1000);
    },
    sseConnections: () => streams.size,
    auditIntact: async () => {
      const { ok } = (await verified()) ?? {};
      return ok === undefined ? undefined : Number(ok);
    },
    auditVerifiedSeconds: async () => {
      const { atMs } = (await verified()) ?? {};
      return atMs === undefined ? undefined : atMs / 1000;
    },
    queues: { audit: audit.waiting, mail: lengthOf('mails:due'), logout: lengthOf('logout:due') },
  });
}

/** A scrape reads all gauges at once: two that are of one reading have it done once. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () =>
    (underWay ??= read().finally(() => {
      underWay = undefined;
    }));
}
