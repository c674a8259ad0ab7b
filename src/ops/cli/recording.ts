/** What operators do from the command line stands in the audit log too, written before the command ends. */
import { createHash } from 'node:crypto';
import type { Config } from '../../config/schema.ts';
import type { Record } from '../../domain/event.ts';
import type { Audit } from '../../store/audit.ts';
import type { Store } from '../../store/store.ts';
import type { Log } from '../../web/telemetry.ts';

export interface Recording {
  audit: Audit;
  record: Record;
}

/** @param told hears of each event besides. */
export async function openRecording(
  config: Config,
  { store, log, told = () => undefined }: { store: Store; log: Log; told?: Record },
): Promise<Recording> {
  const { withAudit } = await import('../../app-audit.ts');
  const { audit, tools } = withAudit(
    config,
    { clock: Date.now, hash: sha256, fetch: globalThis.fetch, record: told },
    { store, log },
  );
  return { audit, record: tools.record };
}

export const sha256 = (text: string): string =>
  createHash('sha256').update(text).digest('base64url');
