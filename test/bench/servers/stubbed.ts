/**
 * Ours, with a stub in the place of the login: the real provider, adapter and sealed store, and everything that a
 * request passes on its way there (edge, log, problems, headers). Put together like src/app.ts.
 */
import { createServer } from 'node:http';
import { pino } from 'pino';
import { authorizationByPost } from '../../../src/oidc/authorization-by-post.ts';
import { createAccountSessions } from '../../../src/oidc/account-sessions.ts';
import { createFindAccount } from '../../../src/oidc/claims.ts';
import { parseClients } from '../../../src/oidc/clients.ts';
import { putBackInteractions } from '../../../src/oidc/interactions.ts';
import type { ProviderPages } from '../../../src/oidc/pages.ts';
import { refuseMalformed } from '../../../src/oidc/parameters.ts';
import { createProvider } from '../../../src/oidc/provider.ts';
import { createSubjects } from '../../../src/oidc/subjects.ts';
import { createAccounts } from '../../../src/store/accounts.ts';
import { openStore } from '../../../src/store/open.ts';
import { smallRandom } from '../../../src/store/random.ts';
import { createEdge } from '../../../src/web/edge.ts';
import { securityHeaders } from '../../../src/web/headers.ts';
import { answerProblems } from '../../../src/web/respond.ts';
import { createMetrics } from '../../../src/web/metrics.ts';
import { observeRequests } from '../../../src/web/observe.ts';
import { createLog } from '../../../src/web/telemetry.ts';
import { testClients } from '../../support/testbed.ts';
import { announceReady, readSettings } from './measured.ts';

const { port, jwks, cookieKey, clientSecret, storeUrl, encryptionKey } = readSettings();
const issuer = `http://127.0.0.1:${port}`;
const random = (bytes: number): string => smallRandom(bytes).toString('base64url');
const clock = Date.now;

const { store } = await openStore({ url: storeUrl, encryptionKeys: [encryptionKey], clock });
const accounts = createAccounts(store, { clock, random });
await accounts.listen();
// Each login is another person's: else the account would always be one that was read a moment ago.
const people = await Promise.all(
  Array.from({ length: 5_000 }, (_, number) =>
    accounts.add({ email: `person-${number}@example.com`, name: 'Ana', groups: ['staff'] }),
  ),
);
let logins = 0;

/** The requests of the benchmark lead to no page; one that does has failed. */
const noPage = (): never => {
  throw new Error('a page was shown');
};
const noPages: ProviderPages = { error: noPage, logout: noPage, loggedOut: noPage };

const provider = createProvider(
  {
    issuer,
    jwks,
    nonceSecret: 'a secret of nonces',
    cookieKeys: [cookieKey],
    clients: parseClients(JSON.stringify({ clients: testClients(clientSecret) })),
    environment: 'sandbox',
    hasPasskeys: false,
    session: { ttlSeconds: 28_800, maxAgeSeconds: 1_209_600 },
    pkceRequired: true,
    dynamicRegistration: { enabled: false },
    isOpen: false,
    hasActive: false,
    hasHandoff: false,
  },
  {
    ...{ store, clock, findAccount: createFindAccount(accounts), pages: noPages, fetch },
    subjectFor: await createSubjects(store, random),
    accountSessions: createAccountSessions(store, clock, 1_209_600),
    whyNotCalled: () => undefined,
    isRevoked: (accountId, authTime) => accounts.isRevoked(accountId, authTime),
  },
);
const log = createLog('info', pino.destination({ dest: '/dev/null', sync: true }));
const metrics = createMetrics();
provider.use(
  observeRequests({
    log,
    metrics,
    now: () => performance.now(),
    spans: undefined,
    showTimings: false,
  }),
);
provider.use(answerProblems({ show: noPage, log, random }));
provider.use(securityHeaders(issuer));
provider.use(refuseMalformed);
provider.use(authorizationByPost);
provider.use(putBackInteractions(store, clock));
provider.use(async function stubInteraction(ctx, next) {
  if (!ctx.path.startsWith('/interaction/')) {
    await next();
    return;
  }
  const accountId = people[logins % people.length]!.id;
  logins += 1;
  const login = { accountId, acr: 'urn:didit-oidc:acr:selfie:test', amr: ['face'] };
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, { login, consent: {} });
});

const admit = createEdge(issuer, false);
const listener = provider.callback();
createServer((req, res) => {
  if (admit(req, res)) void listener(req, res);
}).listen(port, '127.0.0.1', () => {
  announceReady();
});
