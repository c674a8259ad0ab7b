/**
 * The composition root: configuration in, a running provider out. This is the only file that knows every room,
 * and with the other app-*.ts the only one that puts them together; read it as the table of contents of the run time.
 *
 * A request meets, in this order: the edge (host, forwarded headers) → the request log → problems become answers →
 * security headers → what the library's endpoints need around them → assets → Didit's webhook → the login's steps →
 * the library's own endpoints.
 */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { JWK } from 'jose';
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { openDoors } from './app-doors.ts';
import { createDiditSide, openDidit } from './app-didit.ts';
import { createPeople, enrolPeople, openToPeople, withAccountPage } from './app-people.ts';
import { createPolicies } from './config/policies.ts';
import type { Config } from './config/schema.ts';
import { createBudget } from './didit/budget.ts';
import type { Attempt } from './domain/attempt.ts';
import type { Clock, Sleep } from './domain/environment.ts';
import type { Alarm, AuditEvent } from './domain/event.ts';
import type { SendMail, WrittenMail } from './domain/message.ts';
import { createDecoy } from './enrol/decoy.ts';
import { createLoginRoutes } from './login/routes.ts';
import { createHandoffCodes } from './login/handoff-codes.ts';
import { createHandoffRoutes } from './login/handoff-routes.ts';
import type { OpenStreams } from './login/waiting.ts';
import { authorizationByPost } from './oidc/authorization-by-post.ts';
import type { Clients } from './oidc/clients.ts';
import { putBackInteractions } from './oidc/interactions.ts';
import { noteLogouts } from './oidc/logout-history.ts';
import { refuseMalformed } from './oidc/parameters.ts';
import { createOidcSide } from './oidc/side.ts';
import type { Listeners } from './ops/listeners.ts';
import { type OpenedStore, openStore } from './store/open.ts';
import { smallRandom } from './store/random.ts';
import { type Records, createRecords } from './store/records.ts';
import { keptSecret } from './store/secrets.ts';
import type { Store } from './store/store.ts';
import type { Assets } from './web/assets.ts';
import { brakeAuthorizations } from './web/brake.ts';
import { createFace } from './web/face.ts';
import { createFormTokens } from './web/forms.ts';
import { securityHeaders } from './web/headers.ts';
import { placeOf } from './web/place.ts';
import { createPolicyRoute } from './web/policy.ts';
import { type ShowPage, answerProblems } from './web/respond.ts';
import { type Log, logRequests, recordTo } from './web/telemetry.ts';
import { createWhereabouts } from './web/whereabouts.ts';

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
  /** Gets the mails of a development provider without a mail server. */
  onMail?: (mail: WrittenMail) => void;
  /** Instead of the mails that the configuration describes. */
  sendMail?: SendMail | 'none';
}

export interface App extends Listeners {
  /** For counting what is sent to Redis; undefined with the embedded store. */
  redis: OpenedStore['redis'];
}

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
  const { clock } = tools;
  const whereabouts = await createWhereabouts(config.networks, { log });
  const policies = createPolicies(config, options.clients.clients);
  log.info('policies', { names: policies.list.map(({ name }) => name) });
  // Every selfie opens one face; more than that is somebody who reads them for another reason.
  const isUsual = createBudget(config.didit.createsPerMinute, clock);
  const { limits } = config;
  const records = createRecords(opened.store, { ...tools, limits, isUsual });
  const { store, accounts, bell } = records;
  await enrolPeople(options, tools, records);
  const { issuer } = config;
  const { show, languageFor, assets, writeMail } = createFace(config, clock);
  const { api, close: closeDidit } = openDidit(config.didit, log, tools);
  const { decoyPortraitFile } = config.didit;
  const decoy = await createDecoy(decoyPortraitFile, config.cookies.keys[0] ?? '', log);
  const people = await createPeople(options, tools, records, { writeMail, didit: api });
  const { sendMail: mail } = people;
  const didit = createDiditSide(config, log, { ...tools, didit: api, policies, mail }, records);

  const oidc = await createOidcSide(
    {
      ...{ ...config, jwks: options.jwks, clients: withAccountPage(options) },
      cookieKeys: config.cookies.keys,
      environment: config.didit.environment,
      pkceRequired: config.pkce.required,
      isOpen: people.mayAnybodyEnrol,
      hasPasskeys: people.ways.passkeys.isPossible,
      hasActive: config.didit.workflows.active !== undefined,
    },
    { ...tools, ...records, log, show },
  );
  const { provider, subjectFor } = oidc;
  const streams: OpenStreams = new Map();
  const { passive: workflowId, active: activeWorkflowId, kyc } = config.didit.workflows;
  const settings = {
    ...config.didit,
    issuer,
    workflowId,
    activeWorkflowId,
    enrolmentWorkflowId: kyc,
  };
  const loginTools = {
    ...{ settings, provider, subjectFor, show, placeOf, ...tools, ...records, didit: api },
    ...{ ...people.ways, decoy, policies, whereabouts, mail, languageFor },
    formTokens: createFormTokens(config.cookies.keys),
    handoffCodes: createHandoffCodes(await keptSecret(store, 'handoff', tools.random)),
    claimDiditSession(id: string, attempt: Attempt) {
      const { interactionUid, id: attemptId } = attempt;
      const accountId = 'identity' in attempt ? attempt.identity.accountId : undefined;
      return didit.sessions.claim(id, { interactionUid, attemptId }, accountId);
    },
    openReview: didit.openReview,
    expectVerdict: ({ interactionUid, id: attemptId }: Attempt) =>
      didit.reconcile.expect({ interactionUid, attemptId }),
  };
  const { enrolment, routes } = await openToPeople(options, loginTools, people, { oidc, records });
  const login = createLoginRoutes({ ...loginTools, enrolment }, streams);
  const phones = createHandoffRoutes({ ...loginTools, enrolment }, streams);

  mount(options, tools, {
    ...{
      provider,
      store,
      show,
      assets,
      steps: [login, phones, ...routes, createPolicyRoute(show, config.people)],
    },
    webhook: didit.webhook,
    afterwards: noteLogouts(records, clock),
  });

  const listeners = openDoors(options, { provider, store, streams }, [
    didit.reconcile,
    oidc,
    people,
    whereabouts,
    { start: () => hearOfChanges(accounts, log), stop: () => bell.close() },
    { stop: () => closeDidit() },
    { stop: () => store.close() },
  ]);
  return { ...listeners, redis: opened.redis };
}

function hearOfChanges(accounts: Records['accounts'], log: Log): void {
  accounts.listen().catch((error: unknown) => {
    log.warn('changes of accounts are heard of late', { error: String(error) });
  });
}

/** What a request meets, in its order; the library's own endpoints come last. */
function mount(
  { config, log }: AppOptions,
  { clock, random }: Tools,
  parts: {
    provider: Provider;
    store: Store;
    show: ShowPage;
    assets: Assets;
    webhook: Middleware;
    steps: readonly Middleware[];
    afterwards: Middleware;
  },
): void {
  const { provider, store, show, assets } = parts;
  provider.use(logRequests(log, () => performance.now()));
  provider.use(answerProblems({ show, log, random }));
  provider.use(securityHeaders(config.issuer));
  provider.use(brakeAuthorizations(config.limits.authorizationsPerMinute));
  provider.use(refuseMalformed);
  provider.use(authorizationByPost);
  provider.use(putBackInteractions(store, clock));
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/assets/')) assets.serve(ctx);
    else await next();
  });
  provider.use(parts.webhook);
  for (const step of parts.steps) provider.use(step);
  provider.use(parts.afterwards);
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

export type Tools = ReturnType<typeof createTools>;
