/**
 * The composition root's piece for people. How they are written to, sign in without a selfie, and leave
 * (`createPeople`); and, once there is a provider, how they come in and what their own page does (`openToPeople`).
 */
import { readFile } from 'node:fs/promises';
import type { Middleware } from 'koa';
import { createDisavowRoutes } from './account/disavow.ts';
import { createStopRoutes } from './account/recovery.ts';
import type { AccountTools } from './account/room.ts';
import { createAccountRoutes } from './account/routes.ts';
import { accountClient, createAccountSessions } from './account/session.ts';
import type { openDidit } from './app-didit.ts';
import { createMailSide } from './app-mail.ts';
import type { AppOptions, Tools } from './app.ts';
import { consoleOrigin } from './config/addresses.ts';
import type { Config } from './config/schema.ts';
import type { SendMail } from './domain/message.ts';
import { enrolFromFile } from './enrol/accounts-file.ts';
import { type Admissions, createAdmissions } from './enrol/admission.ts';
import { createEnrolment } from './enrol/enrolment.ts';
import { createInvitationRoutes } from './enrol/invitation.ts';
import { createRecoveryRoutes } from './enrol/recovery-routes.ts';
import { createPeopleSide } from './enrol/side.ts';
import { createOtherWays } from './fallback/factors.ts';
import { removeFactor } from './fallback/remove.ts';
import type { Enrolment } from './login/enrolment.ts';
import type { LoginTools } from './login/room.ts';
import type { Clients } from './oidc/clients.ts';
import { isOwnClient, ownClientIds } from './oidc/own-client.ts';
import type { OidcSide } from './oidc/side.ts';
import { consoleClient } from './ops/console/client.ts';
import type { Enrolment as Face } from './store/accounts.ts';
import type { Records } from './store/records.ts';
import { keptSecret } from './store/secrets.ts';
import type { WriteMail } from './web/mail-words.ts';

type Didit = ReturnType<typeof openDidit>['api'];

export type People = Awaited<ReturnType<typeof createPeople>>;

export async function createPeople(
  options: AppOptions,
  tools: Tools,
  records: Records,
  { writeMail, didit }: { writeMail: WriteMail; didit: Didit },
) {
  const { config, log, onMail } = options;
  const { store } = records;
  const mailer = createMailSide(config, { ...tools, store, log, write: writeMail }, onMail);
  const sendMail = options.sendMail === 'none' ? undefined : (options.sendMail ?? mailer?.send);
  const ways = await createOtherWays({
    ...{ ...tools, store, issuer: config.issuer, sendMail },
    issuerName: operatorName(options),
  });
  const leaving = createPeopleSide({
    ...{ ...records, ...tools, factors: records.factorRecords, didit },
    ...{ settings: config.people, mail: sendMail },
    failed: (error) => log.error('erasing failed', { error: String(error) }),
  });
  return {
    ...{ sendMail, ways, leaving },
    mayAnybodyEnrol: config.registration === 'open' && canEnrol(config, sendMail),
    start(): void {
      mailer?.start();
      leaving.start();
    },
    async stop(): Promise<void> {
      await leaving.stop();
      await mailer?.stop();
    },
  };
}

/** Who is in the operator's file and not here yet. */
export async function enrolPeople(
  { config, log }: AppOptions,
  { random, hash, enrolled }: Tools,
  records: Records,
): Promise<void> {
  if (config.accountsFile === undefined) return;
  const content = hash(config.store.url + (await readFile(config.accountsFile, 'utf8')));
  if (enrolled.has(content)) return;
  const { added, departed } = await enrolFromFile(config.accountsFile, { ...records, random });
  enrolled.add(content);
  log.info('accounts from the file', { added });
  if (departed > 0) log.warn('the accounts file names people who were erased', { departed });
}

/** The operator's clients, and our own pages as more of them. @throws when one of the operator's has their name. */
export function withOwnPages(options: Pick<AppOptions, 'config' | 'clients'>): Clients {
  const { config, clients } = options;
  const taken = clients.clients.find(({ client_id: id }) => isOwnClient(id));
  if (taken) {
    throw new Error(`the client_id "${taken.client_id}" is that of the provider's own page`);
  }
  const name = operatorName(options);
  const console = consoleOrigin(config.management);
  const own = [
    accountClient(config.issuer, name),
    ...(console === undefined ? [] : [consoleClient(console, name)]),
  ];
  return { ...clients, clients: [...clients.clients, ...own] };
}

/** What a login needs of enrolment, and the routes beside it: the person's own page, and the links in mails. */
export async function openToPeople(
  options: AppOptions,
  login: Omit<LoginTools, 'enrolment'> & { didit: Didit },
  people: People,
  parts: { oidc: OidcSide; records: Records },
): Promise<{ enrolment: Enrolment | undefined; routes: readonly Middleware[] }> {
  const { config } = options;
  const { store } = parts.records;
  const { issuer } = config;
  const admissions = createAdmissions({
    ...login,
    store,
    issuer,
    clientIds: ownClientIds,
  });
  const enrolment = await createEnrolmentWith(options, login, people, parts.records, admissions);
  const account = await accountTools(options, login, people, parts, admissions);
  const links = {
    ...{ ...login, issuer, admissions, tickets: parts.records.tickets },
    consoleOrigin: consoleOrigin(config.management),
  };
  return {
    enrolment,
    routes: [
      createStopRoutes(account),
      createDisavowRoutes(account),
      createAccountRoutes(account),
      createInvitationRoutes(links),
      createRecoveryRoutes(links),
    ],
  };
}

/** Undefined where nobody can enrol: there is no workflow for it, or nobody can be written to. */
async function createEnrolmentWith(
  { config }: AppOptions,
  login: Omit<LoginTools, 'enrolment'> & { didit: Didit },
  { sendMail: mail, ways, leaving }: People,
  { store, tickets, held }: Records,
  admissions: Admissions,
): Promise<Enrolment | undefined> {
  const { mailCodes } = ways;
  if (!canEnrol(config, mail) || !mail || !mailCodes) return undefined;
  const enrolTools = {
    ...{ ...login, store, mail, mailCodes, otherWays: ways, tickets, held },
    registration: config.registration,
    identitySecret: await keptSecret(store, 'identity', login.random),
    eraseReplaced: (id: string, face: Face) => leaving.erasure.eraseReplaced(id, face),
  };
  return createEnrolment(enrolTools, (ctx, clientId) => admissions.admit(ctx, clientId));
}

async function accountTools(
  { config }: AppOptions,
  login: Omit<LoginTools, 'enrolment'>,
  { sendMail: mail, ways, leaving }: People,
  { oidc, records }: { oidc: OidcSide; records: Records },
  admissions: Admissions,
): Promise<AccountTools> {
  const { store, tickets } = records;
  const { provider, signIns } = oidc;
  const { issuer, people: periods, didit } = config;
  const secret = await keptSecret(store, 'account', login.random);
  return {
    ...{ ...login, ...periods, issuer, store, tickets, signIns, mail, mailCodes: ways.mailCodes },
    environment: didit.environment,
    cooldownSeconds: periods.changeCooldownSeconds,
    canEnrol: canEnrol(config, mail),
    sessions: createAccountSessions({
      ...{ ...login, issuer, store, secret },
      keyCooldownSeconds: periods.changeCooldownSeconds,
    }),
    otherWays: {
      ...ways,
      remove: (id, which, options) => removeFactor(ways.records, id, which, options),
    },
    erasure: leaving.erasure,
    exportOf: leaving.exportOf,
    admit: (ctx, admitted) => admissions.grant(ctx, admitted),
    clientName: async (id) => (await provider.Client.find(id))?.clientName ?? id,
  };
}

/** It takes a workflow, and an address that can be confirmed. */
const canEnrol = ({ didit }: Config, mail: SendMail | undefined): boolean =>
  didit.workflows.kyc !== undefined && mail !== undefined;

export const operatorName = ({
  config: { issuer, operator },
}: Pick<AppOptions, 'config'>): string => operator.name ?? new URL(issuer).host;
