/** The composition root's other half: Didit's side, put together for app.ts. */
import { randomInt } from 'node:crypto';
import { isOnLoopback, isPlainHttp } from './config/addresses.ts';
import type { Config } from './config/schema.ts';
import { parseSecret } from './config/secrets.ts';
import { type DiditApiOptions, createDiditApi } from './didit/api.ts';
import { mediaLimits } from './didit/media.ts';
import { createReconcile } from './didit/reconcile.ts';
import { createDiditSessions } from './didit/sessions.ts';
import { type SettleTools, createSettle } from './didit/settle.ts';
import { createWebhook } from './didit/webhook.ts';
import type { DiditTraces } from './store/didit-traces.ts';
import type { Store } from './store/store.ts';
import { createOutgoing } from './web/outgoing.ts';
import { placeOf } from './web/place.ts';
import type { Log } from './web/telemetry.ts';

type Tools = Pick<SettleTools, 'record' | 'sleep'> &
  Pick<DiditApiOptions, 'fetch' | 'hash' | 'clock' | 'alarm'>;
type Records = Pick<SettleTools, 'attempts' | 'turns' | 'limits' | 'bell' | 'held'> & {
  store: Store;
  traces: DiditTraces;
};

/** Didit's API alone, for whoever has no logins. */
export function openDidit(
  config: Config['didit'],
  log: Pick<Log, 'warn'>,
  tools: Pick<Tools, 'fetch' | 'hash' | 'clock' | 'alarm'>,
) {
  const { apiBaseUrl, hostedOrigins, mediaOrigins } = config;
  const isOnThisMachine = isPlainHttp(apiBaseUrl) && isOnLoopback(apiBaseUrl);
  const exceptions = new Map<string, []>();
  const portraits = createOutgoing({ anywhere: isOnThisMachine, exceptions, ...mediaLimits });
  const media = {
    origins: [...mediaOrigins, apiBaseUrl, ...hostedOrigins],
    allowPlainHttp: isOnThisMachine,
    fetch: portraits.fetch,
  };
  const warn = (message: string): void => log.warn(message);
  return { api: createDiditApi({ ...config, ...tools, media, warn }), close: portraits.close };
}

/** Ask Didit (api), be told (webhook), or look for oneself (reconcile): the last two end in settle. */
export function createDiditSide(config: Config['didit'], log: Log, tools: Tools, records: Records) {
  const { clock, hash, alarm } = tools;
  const { api, close } = openDidit(config, log, tools);
  const sessions = createDiditSessions(records.store, records.traces);
  const settle = createSettle({ ...records, ...tools, didit: api, placeOf });
  const failed = (error: unknown): void => log.error('reconcile failed', { error: String(error) });
  const reconcile = createReconcile({
    ...{ store: records.store, settle, clock, failed },
    chance: () => randomInt(2 ** 32) / 2 ** 32,
  });
  const webhook = createWebhook({
    secrets: config.webhookSecrets.flatMap((text) => parseSecret(text) ?? []),
    addresses: config.webhookAddresses,
    acceptPrefixedSignature: config.acceptPrefixedSignature,
    applicationId: config.applicationId,
    ...{ diditSessions: sessions, settle, reconcile, clock, hash, alarm },
    counted: (result, note) => log.info('webhook', { result, ...note }),
  });
  return { api, sessions, reconcile, webhook, close };
}
