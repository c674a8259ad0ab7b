/**
 * The composition root: configuration in, a running provider out. This is the only file that knows every room,
 * and the only one that puts them together; read it as the table of contents of the run time.
 *
 * A request meets, in this order: the edge (host, forwarded headers) → the request log → problems become answers →
 * security headers → what the library's endpoints need around them → assets → Didit's webhook → the login's steps →
 * the library's own endpoints.
 */
import { createHash, randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { JWK } from 'jose';
import type { Config } from './config/schema.ts';
import { parseSecret } from './config/secrets.ts';
import { createDiditApi } from './didit/api.ts';
import { createReconcile } from './didit/reconcile.ts';
import { createDiditSessions } from './didit/sessions.ts';
import { createSettle } from './didit/settle.ts';
import { createWebhook } from './didit/webhook.ts';
import type { Clock, Sleep } from './domain/environment.ts';
import type { Alarm, AuditEvent } from './domain/event.ts';
import { enrolFromFile } from './enrol/accounts-file.ts';
import { createDecoy } from './enrol/decoy.ts';
import type { Factor } from './fallback/factor.ts';
import { createLoginRoutes } from './login/routes.ts';
import { type OpenStreams, closeStreams } from './login/waiting.ts';
import { authorizationByPost } from './oidc/authorization-by-post.ts';
import type { Clients } from './oidc/clients.ts';
import { putBackInteractions } from './oidc/interactions.ts';
import { refuseMalformed } from './oidc/parameters.ts';
import { createOidcSide } from './oidc/side.ts';
import { createHealthListener } from './ops/health.ts';
import { type Listeners, createListeners } from './ops/listeners.ts';
import { createAccounts } from './store/accounts.ts';
import { createAttempts } from './store/attempts.ts';
import { createBell } from './store/bell.ts';
import { createLimits } from './store/limits.ts';
import { type OpenedStore, openStore } from './store/open.ts';
import { createPortraits } from './store/portraits.ts';
import { smallRandom } from './store/random.ts';
import type { Store } from './store/store.ts';
import { createTurns } from './store/turns.ts';
import { loadAssets } from './web/assets.ts';
import { brakeAuthorizations } from './web/brake.ts';
import { createEdge } from './web/edge.ts';
import { createFormTokens } from './web/forms.ts';
import { securityHeaders } from './web/headers.ts';
import { readLogo } from './web/logo.ts';
import { createPages } from './web/pages.ts';
import { placeOf } from './web/place.ts';
import { answerProblems, createShowPage } from './web/respond.ts';
import { type Log, logRequests, recordTo } from './web/telemetry.ts';

export interface AppOptions {
  config: Config;
  jwks: { keys: JWK[] };
  clients: Clients;
  log: Log;
  clock?: Clock;
  sleep?: Sleep;
  fetch?: typeof fetch;
  /** Told of every audit event besides the log. */
  onEvent?: (event: AuditEvent) => void;
  onAlarm?: (alarm: Alarm) => void;
  /** The ways in besides a selfie, in the order in which they are offered. */
  factors?: readonly Factor[];
}

export interface App extends Listeners {
  /** For counting what is sent to Redis; undefined with the embedded store. */
  redis: OpenedStore['redis'];
}

const views = new URL('../views', import.meta.url).pathname;

export async function createApp(options: AppOptions): Promise<App> {
  const { config, log } = options;
  const tools = createTools(options);
  const { url, encryptionKeys } = config.store;
  const opened = await openStore({ url, encryptionKeys, clock: tools.clock, log });
  for (const warning of opened.warnings) log.warn(warning);
  try {
    return await assemble(options, tools, opened);
  } catch (error) {
    // A connection that stays open would keep a process alive that serves nobody.
    await opened.store.close();
    throw error;
  }
}

async function assemble(options: AppOptions, tools: Tools, opened: OpenedStore): Promise<App> {
  const { config, log } = options;
  const { clock, random } = tools;
  const records = createRecords(opened.store, tools, config);
  const { store, accounts, bell } = records;
  if (config.accountsFile) {
    const added = await enrolFromFile(config.accountsFile, { ...records, random });
    log.info('accounts from the file', { added });
  }
  const { show, assets } = createPublicFace(config);
  const didit = createDiditSide(options, tools, records);
  const decoy = await createDecoy(
    config.didit.decoyPortraitFile,
    config.cookies.keys[0] ?? '',
    log,
  );

  const oidc = await createOidcSide(
    {
      ...{ ...config, jwks: options.jwks, clients: options.clients },
      cookieKeys: config.cookies.keys,
      environment: config.didit.environment,
      pkceRequired: config.pkce.required,
    },
    { ...tools, ...records, log, show },
  );
  const { provider, subjectFor } = oidc;
  const streams: OpenStreams = new Map();
  const { issuer } = config;
  const settings = { ...config.didit, issuer, workflowId: config.didit.workflows.passive };
  const login = createLoginRoutes(
    {
      ...{ settings, provider, subjectFor, show, placeOf, ...tools, ...records, didit: didit.api },
      ...{ decoy, factors: options.factors ?? [] },
      formTokens: createFormTokens(config.cookies.keys),
      claimDiditSession: (id, { interactionUid, id: attemptId }) =>
        didit.sessions.claim(id, { interactionUid, attemptId }),
      expectVerdict: ({ interactionUid, id: attemptId }) =>
        didit.reconcile.expect({ interactionUid, attemptId }),
    },
    streams,
  );

  provider.use(logRequests(log, () => performance.now()));
  provider.use(answerProblems({ show, log, random }));
  provider.use(securityHeaders(issuer));
  provider.use(brakeAuthorizations(config.limits.authorizationsPerMinute));
  provider.use(refuseMalformed);
  provider.use(authorizationByPost);
  provider.use(putBackInteractions(store, clock));
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/assets/')) assets.serve(ctx);
    else await next();
  });
  provider.use(didit.webhook);
  provider.use(login);

  let isServing = true;
  const handle = provider.callback();
  const listeners = createListeners({
    public: { host: config.host, port: config.port, admit: createEdge(issuer, config.trustProxy) },
    management: config.management,
    publicListener: (req, res) => void handle(req, res),
    managementListener: createHealthListener({
      pingStore: () => store.ping(),
      isServing: () => isServing,
    }),
    opened() {
      didit.reconcile.start();
      oidc.start();
      accounts.listen().catch((error: unknown) => {
        log.warn('changes of accounts are heard of late', { error: String(error) });
      });
    },
    closing() {
      isServing = false;
      closeStreams(streams);
    },
    async closed() {
      await didit.reconcile.stop();
      await oidc.stop();
      await bell.close();
      await store.close();
    },
  });
  return { ...listeners, redis: opened.redis };
}

/** What the rooms take from the outside world, and whom they tell. */
function createTools(options: AppOptions) {
  const { log, onEvent, onAlarm, clock = Date.now, fetch = globalThis.fetch } = options;
  const { sleep = wait } = options;
  const logEvent = recordTo(log);
  return {
    clock,
    sleep,
    fetch,
    random: (bytes: number): string => smallRandom(bytes).toString('base64url'),
    hash: (text: string): string => createHash('sha256').update(text).digest('base64url'),
    record(event: AuditEvent): void {
      logEvent(event);
      onEvent?.(event);
    },
    alarm: (reason: Alarm['reason'], attempt?: { id: string }): void => {
      const about = attempt ? { attempt: attempt.id } : {};
      const alarm: Alarm = { event: 'operator.alarm', atMs: clock(), reason, ...about };
      log.warn(alarm.event, { reason, ...about });
      onAlarm?.(alarm);
    },
  };
}

type Tools = ReturnType<typeof createTools>;

/** What is kept in the store. */
function createRecords(store: Store, { clock, random, alarm }: Tools, { limits }: Config) {
  return {
    store,
    accounts: createAccounts(store, { clock, random }),
    portraits: createPortraits(store),
    attempts: createAttempts(store, clock),
    turns: createTurns(store, clock),
    limits: createLimits(store, { clock, alarm, settings: limits }),
    bell: createBell(store),
  };
}

type Records = ReturnType<typeof createRecords>;

function createPublicFace({ issuer, operator, didit }: Config) {
  const { colour, logo, ...words } = operator;
  const assets = loadAssets({ directory: `${views}/assets`, colour });
  const pages = createPages({
    viewsDirectory: views,
    operator: { ...words, name: words.name ?? new URL(issuer).host, logo: logo && readLogo(logo) },
    sandbox: didit.environment === 'sandbox',
    assets,
  });
  return { assets, show: createShowPage(pages) };
}

/** Ask Didit (api), be told (webhook), or look for oneself (reconcile): the last two end in settle. */
function createDiditSide({ config, log }: AppOptions, tools: Tools, records: Records) {
  const { clock } = tools;
  const warn = (message: string): void => log.warn(message);
  const api = createDiditApi({ ...config.didit, ...tools, warn });
  const sessions = createDiditSessions(records.store);
  const settle = createSettle({ ...records, ...tools, didit: api, placeOf });
  const failed = (error: unknown): void => log.error('reconcile failed', { error: String(error) });
  const reconcile = createReconcile({
    ...{ store: records.store, settle, clock, failed },
    chance: () => randomInt(2 ** 32) / 2 ** 32,
  });
  const webhook = createWebhook({
    secrets: config.didit.webhookSecrets.flatMap((text) => parseSecret(text) ?? []),
    addresses: config.didit.webhookAddresses,
    acceptPrefixedSignature: config.didit.acceptPrefixedSignature,
    applicationId: config.didit.applicationId,
    ...{ diditSessions: sessions, settle, reconcile, clock, hash: tools.hash, alarm: tools.alarm },
    counted: (result, note) => log.info('webhook', { result, ...note }),
  });
  return { api, sessions, reconcile, webhook };
}
