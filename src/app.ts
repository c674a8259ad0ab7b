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
import type { Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { withAudit } from './app-audit.ts';
import { createCostSide } from './app-cost.ts';
import { type Answers, type Configured, type Doors, openDoors } from './app-doors.ts';
import { createDiditSide, openDidit } from './app-didit.ts';
import { openLogin } from './app-login.ts';
import { createOperations } from './app-operations.ts';
import { openPages } from './app-pages.ts';
import { createPeople, enrolPeople, withOwnPages } from './app-people.ts';
import { createWatch, readStandings } from './app-watch.ts';
import type { Environment, ReadFile } from './config/environment.ts';
import { createPolicies } from './config/policies.ts';
import { createBudget } from './didit/budget.ts';
import { inOrder } from './domain/dated.ts';
import type { Clock, Sleep } from './domain/environment.ts';
import type { Alarm, AuditEvent } from './domain/event.ts';
import type { SendMail, WrittenMail } from './domain/message.ts';
import { closeStreams } from './login/waiting.ts';
import { authorizationByPost } from './oidc/authorization-by-post.ts';
import { putBackInteractions } from './oidc/interactions.ts';
import { noteLogouts } from './oidc/logout-history.ts';
import { refuseMalformed } from './oidc/parameters.ts';
import { createOidcSide } from './oidc/side.ts';
import { type OpenedStore, createStoreOpener } from './store/open.ts';
import { smallRandom } from './store/random.ts';
import { type Records, createRecords } from './store/records.ts';
import { watchStore } from './store/watched.ts';
import type { Store } from './store/store.ts';
import type { Assets } from './web/assets.ts';
import { brakeAuthorizations } from './web/brake.ts';
import { createEdge } from './web/edge.ts';
import { createFace } from './web/face.ts';
import { securityHeaders } from './web/headers.ts';
import { type ShowPage, answerProblems } from './web/respond.ts';
import { inScope } from './web/scope.ts';
import { type Log, recordTo } from './web/telemetry.ts';
import { createMetrics } from './web/metrics.ts';
import { createWhereabouts } from './web/whereabouts.ts';

export interface AppOptions extends Configured {
  log: Log;
  /** Where the configuration was read from, for whoever puts new keys there. */
  readFrom?: { fileName: string | undefined; env: Environment };
  /** How the files of policies are read, by whoever hears of it when one changes. */
  readFile?: ReadFile;
  clock?: Clock;
  sleep?: Sleep;
  fetch?: typeof fetch;
  /** `Server-Timing` on every answer: for the demo alone. */
  showTimings?: boolean;
  /** Told of every audit event besides the log. */
  onEvent?: (event: AuditEvent) => void;
  onAlarm?: (alarm: Alarm) => void;
  /** Gets the mails of a development provider without a mail server. */
  onMail?: (mail: WrittenMail) => void;
  /** Instead of the mails that the configuration describes. */
  sendMail?: SendMail | 'none';
}

export type App = Doors;

export async function createApp(options: AppOptions): Promise<App> {
  const { log } = options;
  const tools = createTools(options);
  const openStore = createStoreOpener();

  async function build(now: Configured): Promise<Answers> {
    const { url, encryptionKeys } = now.config.store;
    const opened = await openStore({ url, encryptionKeys, clock: tools.clock, log });
    for (const warning of opened.warnings) log.warn(warning);
    try {
      const store = watchStore(opened.store, tools.watch.store);
      return await assemble({ ...options, ...now }, tools, { ...opened, store });
    } catch (error) {
      // A connection that stays open would keep a process alive that serves nobody.
      await opened.store.close();
      throw error;
    }
  }

  return openDoors({ ...options, ...tools }, await build(options), build);
}

async function assemble(options: AppOptions, plain: Tools, opened: OpenedStore): Promise<Answers> {
  const { config, log } = options;
  const { audit, tally, tools } = withAudit(config, plain, { store: opened.store, log });
  const { clock } = tools;
  const cookieKeys = inOrder(config.cookies.keys, clock());
  const whereabouts = await createWhereabouts(config.networks, { log });
  const policies = createPolicies(config, options.clients.clients, options.readFile);
  log.info('policies', { names: policies.list.map(({ name }) => name) });
  // Every selfie opens one face; more than that is somebody who reads them for another reason.
  const isUsual = createBudget(config.didit.createsPerMinute, clock);
  const { limits } = config;
  const cost = await createCostSide(options, tools, opened.store);
  const { budget, spending } = cost;
  const records = createRecords(opened.store, { ...tools, limits, isUsual, budget });
  const { store, accounts, bell } = records;
  await enrolPeople(options, tools, records);
  const { show, languageFor, assets, writeMail } = createFace(config, clock, cost.notice);
  const { api, close: closeDidit } = openDidit(config.didit, log, { ...tools, ...cost.didit });
  const people = await createPeople(options, tools, records, { writeMail, didit: api });
  const { sendMail: mail } = people;
  const sideTools = { ...tools, didit: api, policies, mail, spending };
  const didit = createDiditSide(config, log, sideTools, records);

  const oidc = await createOidcSide(
    {
      ...{ ...config, jwks: options.jwks, clients: withOwnPages(options) },
      cookieKeys,
      environment: config.didit.environment,
      pkceRequired: config.pkce.required,
      isOpen: people.mayAnybodyEnrol,
      hasPasskeys: people.ways.passkeys.isPossible,
      hasActive: config.didit.workflows.active !== undefined,
    },
    { ...tools, ...records, log, show },
  );
  const { provider } = oidc;
  const door = await openLogin(options, tools, {
    ...{ oidc, records, api, didit, people, policies, whereabouts, spending, cookieKeys },
    ...{ show, languageFor },
  });

  mount(options, tools, {
    ...{
      provider,
      store,
      show,
      assets,
      steps: [...door.routes, ...openPages(config, show, clock)],
    },
    webhook: didit.webhook,
    afterwards: noteLogouts(records, clock),
  });

  const operations = await createOperations(options, tools, {
    ...{ oidc, records, policies, audit, tally, didit: api, mail, spending: cost },
    ...{ clients: withOwnPages(options), erasure: people.leaving.erasure },
  });
  return {
    ...doorOf(provider, tools, config),
    ...operations,
    operate: (req, res) => inScope(() => operations.operate(req, res)),
    opened,
    sendAway: () => closeStreams(door.streams),
    sides: [
      didit.reconcile,
      oidc,
      people,
      cost.sideFor(mail),
      whereabouts,
      {
        start(): void {
          hearOfChanges(accounts, log);
          readStandings(tools, { ...records, audit, streams: door.streams });
        },
        stop: () => bell.close(),
      },
      { stop: () => closeDidit() },
      { stop: () => audit.close() },
      { stop: () => store.close() },
    ],
  };
}

function doorOf(
  provider: Provider,
  { watch }: Tools,
  { issuer, trustProxy }: AppOptions['config'],
): Pick<Answers, 'admit' | 'answer'> {
  const handle = provider.callback();
  return {
    admit: createEdge(issuer, trustProxy),
    answer: (req, res) => watch.inRequest(req, () => void handle(req, res)),
  };
}

function hearOfChanges(accounts: Records['accounts'], log: Log): void {
  accounts.listen().catch((error: unknown) => {
    log.warn('changes of accounts are heard of late', { error: String(error) });
  });
}

/** What a request meets, in its order; the library's own endpoints come last. */
function mount(
  { config, log }: AppOptions,
  { clock, random, watch }: Tools,
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
  provider.use(watch.requests);
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
  const metrics = createMetrics();
  const alarm = (reason: Alarm['reason'], attempt?: { id: string }): void => {
    const about = attempt ? { attempt: attempt.id } : {};
    const raised: Alarm = { event: 'operator.alarm', atMs: clock(), reason, ...about };
    log.warn(raised.event, { reason, ...about });
    metrics.alarm(reason);
    onAlarm?.(raised);
  };
  const showTimings = options.showTimings ?? false;
  const enrolled = new Set<string>();
  return {
    metrics,
    watch: createWatch({ metrics, log, clock, alarm, showTimings }),
    alarm,
    /** Accounts files that were read, by their content: a reload has no reason to go over all people again. */
    enrolled,
    clock,
    sleep,
    fetch,
    random: (bytes: number): string => smallRandom(bytes).toString('base64url'),
    hash: (text: string): string => createHash('sha256').update(text).digest('base64url'),
    record(event: AuditEvent): void {
      logEvent(event);
      metrics.record(event);
      onEvent?.(event);
    },
  };
}

export type Tools = ReturnType<typeof createTools>;
