/** The composition root's piece for Didit: asking it, hearing from it, and what its verdicts lead to. */
import { randomInt } from 'node:crypto';
import { isOnLoopback, isPlainHttp } from './config/addresses.ts';
import type { Watch } from './app-watch.ts';
import type { Config } from './config/schema.ts';
import { parseSecret } from './config/secrets.ts';
import { type DiditApiOptions, createDiditApi } from './didit/api.ts';
import { createCountEnd } from './didit/count-end.ts';
import { mediaLimits } from './didit/media.ts';
import { createOpenReview } from './didit/open-review.ts';
import { createReconcile } from './didit/reconcile.ts';
import { createDiditSessions } from './didit/sessions.ts';
import { type SettleTools, createSettle } from './didit/settle.ts';
import { createWebhook } from './didit/webhook.ts';
import { type WithdrawTools, createWithdraw } from './didit/withdraw.ts';
import type { SendMail } from './domain/message.ts';
import { refreshTokenSeconds } from './oidc/provider.ts';
import type { DiditTraces } from './store/didit-traces.ts';
import type { Reviews } from './store/reviews.ts';
import type { Store } from './store/store.ts';
import { createOutgoing } from './web/outgoing.ts';
import { placeOf } from './web/place.ts';
import type { Metrics } from './web/metrics.ts';
import { inScope } from './web/scope.ts';
import type { Log } from './web/telemetry.ts';

type Tools = Pick<SettleTools, 'record' | 'sleep' | 'spending'> & { metrics: Metrics } & Pick<
    DiditApiOptions,
    'fetch' | 'hash' | 'clock' | 'alarm'
  >;
type Records = Pick<
  SettleTools & WithdrawTools,
  'attempts' | 'turns' | 'limits' | 'bell' | 'held' | 'accounts' | 'familiar' | 'history'
> & { store: Store; traces: DiditTraces; reviews: Reviews };

/** Didit's API alone, for whoever has no logins. */
export function openDidit(
  config: Config['didit'],
  log: Pick<Log, 'warn'>,
  tools: Pick<DiditApiOptions, 'fetch' | 'hash' | 'clock' | 'alarm' | 'isOff' | 'heard'> & {
    watch?: Pick<Watch, 'didit'>;
  },
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
  return {
    api: createDiditApi({ ...config, ...tools, watch: tools.watch?.didit, media, warn }),
    close: portraits.close,
  };
}

/** Be told by Didit (webhook), or look for oneself (reconcile): both end in settle. */
export function createDiditSide(
  { didit: config, session }: Pick<Config, 'didit' | 'session'>,
  log: Log,
  tools: Tools & Pick<SettleTools, 'didit' | 'policies'> & { mail: SendMail | undefined },
  records: Records,
) {
  const { clock, hash, alarm } = tools;
  // As long as anything can hang on a sign-in: a session, and a refresh token from its end.
  const keptSeconds = session.maxAgeSeconds + refreshTokenSeconds;
  const sessions = createDiditSessions(records.store, records.traces, keptSeconds);
  const openReview = createOpenReview({ ...records, ...tools });
  const settle = createSettle({
    ...{ ...records, ...tools, sessions, placeOf },
    withdraw: createWithdraw({ ...records, ...tools }),
    openReview,
  });
  const failed = (error: unknown): void => log.error('reconcile failed', { error: String(error) });
  const reconcile = createReconcile({
    ...{ store: records.store, diditSessions: sessions, clock, failed },
    settle: (...ring) => inScope(() => settle(...ring)),
    chance: () => randomInt(2 ** 32) / 2 ** 32,
  });
  const webhook = createWebhook({
    secrets: config.webhookSecrets.flatMap((text) => parseSecret(text) ?? []),
    addresses: config.webhookAddresses,
    acceptPrefixedSignature: config.acceptPrefixedSignature,
    applicationId: config.applicationId,
    ...{ diditSessions: sessions, settle, reconcile, clock, hash, alarm },
    countEnd: createCountEnd({ sessions, spending: tools.spending }),
    counted(result, note) {
      tools.metrics.webhook(result);
      log.info('webhook', { result, ...note });
    },
  });
  return { sessions, reconcile, webhook, openReview };
}
