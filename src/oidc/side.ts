/** This room put together: the library, what it may call, and what it would call by itself. */
import type { Provider } from 'oidc-provider';
import type { Clock, Random } from '../domain/environment.ts';
import type { Accounts } from '../store/accounts.ts';
import type { Store } from '../store/store.ts';
import { createOutgoing } from '../web/outgoing.ts';
import type { ShowPage } from '../web/respond.ts';
import { type Log, logProvider } from '../web/telemetry.ts';
import { createAccountSessions } from './account-sessions.ts';
import { createFindAccount } from './claims.ts';
import { addedClients } from './client-registry.ts';
import { validateClients } from './clients.ts';
import { createEndings } from './endings.ts';
import { keysInUse } from './keys.ts';
import { createLogoutOutbox } from './logout-outbox.ts';
import { nonceSecretOf } from './nonce-secret.ts';
import { createProviderPages } from './pages.ts';
import { type ProviderSettings, createProvider } from './provider.ts';
import { type SignIns, createSignIns } from './sign-ins.ts';
import { type SubjectFor, createSubjects } from './subjects.ts';

export interface OidcSide {
  provider: Provider;
  subjectFor: SubjectFor;
  signIns: SignIns;
  /** By the look of an address; see web/outgoing.ts. */
  whyNotCalled: (address: string) => string | undefined;
  /** What is done besides answering: sessions are ended, relying parties told. */
  start(): void;
  stop(): Promise<void>;
}

export interface OidcTools {
  store: Store;
  accounts: Accounts;
  clock: Clock;
  random: Random;
  log: Log;
  show: ShowPage;
}

export async function createOidcSide(
  settings: Omit<ProviderSettings, 'hasHandoff' | 'nonceSecret'> & {
    outgoing: { allowPrivateNetworks: boolean };
  },
  { store, accounts, clock, random, log, show }: OidcTools,
): Promise<OidcSide> {
  const outgoing = createOutgoing({
    anywhere: settings.outgoing.allowPrivateNetworks,
    exceptions: settings.clients.privateAddresses,
  });
  await outgoing.test();
  const subjectFor = await createSubjects(store, random);
  const accountSessions = createAccountSessions(store, clock, settings.session.maxAgeSeconds);
  const jwks = await keysInUse(settings.jwks, clock());
  const { secret: nonceSecret } = await nonceSecretOf(store, { clock, random }).load();
  const hasHandoff = await anyHandoff(store);
  const provider = createProvider(
    { ...settings, jwks, nonceSecret, hasHandoff },
    {
      ...{ store, clock, subjectFor, accountSessions },
      ...{ fetch: outgoing.fetch, whyNotCalled: outgoing.whyNotCalled },
      findAccount: createFindAccount(accounts),
      isRevoked: (...proof) => accounts.isRevoked(...proof),
      pages: createProviderPages(show),
    },
  );
  logProvider(log, provider);
  await validateClients(provider, settings.clients);
  const outbox = createLogoutOutbox(provider, {
    ...{ store, clock },
    noted: (note) => log.info('backchannel logout', note),
    failed: (error) => log.error('backchannel logout failed', { error: String(error) }),
  });
  const endings = createEndings(provider, {
    ...{ store, clock, accountSessions },
    noted: (note) => log.info('sessions ended', note),
    failed: (error) => log.error('ending sessions failed', { error: String(error) }),
  });
  return {
    ...{ provider, subjectFor, signIns: createSignIns(provider, accountSessions) },
    whyNotCalled: outgoing.whyNotCalled,
    start() {
      outbox.start();
      endings.start();
    },
    async stop() {
      await endings.stop();
      await outbox.stop();
      await outgoing.close();
    },
  };
}

async function anyHandoff(store: Store): Promise<boolean> {
  for await (const { metadata } of addedClients(store)) {
    if (metadata.handoff) return true;
  }
  return false;
}
