/**
 * The composition root's piece for the audit log, that the commands need as well: what is recorded is written there,
 * and how sign-ins ended is counted.
 */
import type { Config } from './config/schema.ts';
import type { Clock, Hash } from './domain/environment.ts';
import type { Record } from './domain/event.ts';
import { type Audit, createAudit } from './store/audit.ts';
import { createExplanations } from './store/explanations.ts';
import type { Store } from './store/store.ts';
import { type Tally, createTally } from './store/tally.ts';
import { createAuditStream } from './web/audit-stream.ts';
import type { Log } from './web/telemetry.ts';

interface Heard {
  record: Record;
  clock: Clock;
  hash: Hash;
  fetch: typeof fetch;
}

/** @returns the same tools, with a `record` that the audit log and the tally hear too. */
export function withAudit<T extends Heard>(
  { audit: settings, issuer }: Pick<Config, 'audit' | 'issuer'>,
  tools: T,
  { store, log }: { store: Store; log: Log },
): { audit: Audit; tally: Tally; tools: T } {
  const { clock, hash, fetch } = tools;
  const { stream: url, streamToken: token, keptForSeconds: keptSeconds } = settings;
  const stream =
    url === undefined ? undefined : createAuditStream({ url, token, issuer }, { fetch, log });
  const audit = createAudit(store, {
    ...{ clock, hash, keptSeconds, explanations: createExplanations(store, clock) },
    failed: (error) => log.warn('the audit log is written late', { error: String(error) }),
    left: (events) => log.error('what the audit log lacks', { events }),
    ...(stream ? { written: stream.written } : {}),
  });
  const tally = createTally(store, {
    failed: (error) => log.warn('sign-ins are counted late', { error: String(error) }),
  });
  return {
    tally,
    audit: {
      ...audit,
      async close() {
        await Promise.all([audit.close(), tally.stop()]);
        await stream?.close();
      },
    },
    tools: {
      ...tools,
      record(event) {
        tools.record(event);
        audit.record(event);
        tally.record(event);
      },
    },
  };
}
