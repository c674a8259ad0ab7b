/**
 * Sessions that end though nobody signed out (store/endings.ts). Nothing that hangs on them is honoured from the moment
 * that the account says so, see revoked.ts and claims.ts; here the relying parties are told, by back-channel logout, as
 * if the person had signed out.
 */
import type { Provider } from 'oidc-provider';
import type { Clock } from '../domain/environment.ts';
import { type DueList, createDueList } from '../store/due.ts';
import { endingsIndex, endingsKeptSeconds, parseEnding } from '../store/endings.ts';
import type { Store } from '../store/store.ts';
import type { AccountSessions } from './account-sessions.ts';
import type { BackChannelClient } from './logout-outbox.ts';
import { readSession } from './sessions.ts';

export interface EndingTools {
  store: Store;
  clock: Clock;
  accountSessions: AccountSessions;
  noted: (note: { account: string; sessions: number }) => void;
  failed: (error: unknown) => void;
}

const leaseMs = 60_000;

export function createEndings(provider: Provider, tools: EndingTools): DueList {
  const { store, accountSessions, noted } = tools;
  return createDueList({
    ...{ ...tools, leaseMs, work: end },
    index: endingsIndex,
    keptSeconds: endingsKeptSeconds,
  });

  async function end(member: string): Promise<void> {
    const { accountId, fromSeconds, untilSeconds } = parseEnding(member);
    let sessions = 0;
    for (const uid of await accountSessions.of(accountId)) {
      const session = await readSession(store, uid);
      // It may be over, or have been proven anew since.
      if (session?.accountId !== accountId) continue;
      const { loginTs = 0, authorizations = {} } = session;
      if (loginTs < fromSeconds || loginTs > untilSeconds) continue;
      for (const [clientId, { sid = '' }] of Object.entries(authorizations)) {
        await tell(clientId, accountId, sid);
      }
      sessions += 1;
    }
    noted({ account: accountId, sessions });
  }

  /** Through the queue, see logout-outbox.ts. */
  async function tell(clientId: string, accountId: string, sid: string): Promise<void> {
    const client = (await provider.Client.find(clientId)) as BackChannelClient | undefined;
    if (client?.backchannelLogoutUri) await client.backchannelLogout(accountId, sid);
  }
}
