/** Where somebody is signed in, and to what: their sessions here, each with the apps that have a share in it. */
import type { Provider } from 'oidc-provider';
import type { AccountSessions } from './account-sessions.ts';

export interface SignIn {
  uid: string;
  /** Seconds, as in the ID token. */
  authTime: number;
  /** The ids of the apps. */
  clients: readonly string[];
}

export interface SignIns {
  of(accountId: string): Promise<SignIn[]>;
}

export function createSignIns(provider: Provider, accountSessions: AccountSessions): SignIns {
  return {
    async of(accountId) {
      const uids = [...new Set(await accountSessions.of(accountId))];
      const sessions = await Promise.all(uids.map((uid) => provider.Session.findByUid(uid)));
      return sessions.flatMap((session) => {
        // One that is over, or that somebody else has signed in to since.
        if (session?.accountId !== accountId || session.loginTs === undefined) return [];
        const clients = Object.keys(session.authorizations ?? {});
        return [{ uid: session.uid, authTime: session.loginTs, clients }];
      });
    },
  };
}
