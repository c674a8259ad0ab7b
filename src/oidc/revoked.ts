/**
 * A proof that turned out to be borrowed is taken back, and everything that hangs on it is gone: the session, codes,
 * refresh and access tokens. Each carries the time of its proof, and the account says which times are void.
 */
import type { Adapter, AdapterPayload, KoaContextWithOIDC } from 'oidc-provider';

/** Was this account's proof of that second (`auth_time`) taken back, as a whole or from that client? */
export type IsRevoked = (
  accountId: string,
  authTime: number,
  clientId?: string,
) => Promise<boolean>;

type AuthTimeOf = (payload: AdapterPayload) => unknown;

const authTimes: Readonly<Record<string, AuthTimeOf>> = {
  Session: (payload) => (payload as { loginTs?: unknown }).loginTs,
  AuthorizationCode: (payload) => (payload as { authTime?: unknown }).authTime,
  RefreshToken: (payload) => (payload as { authTime?: unknown }).authTime,
  // What a person allowed an app is taken back with the app, and is asked for again.
  Grant: ({ iat }) => iat,
  AccessToken: ({ extra }) => (extra as { auth_time?: unknown } | undefined)?.auth_time,
};

export function withoutRevoked(model: string, adapter: Adapter, isRevoked: IsRevoked): Adapter {
  const authTimeOf = authTimes[model];
  if (!authTimeOf) return adapter;

  async function unlessRevoked(
    payload: AdapterPayload | undefined,
  ): Promise<AdapterPayload | undefined> {
    if (!payload) return undefined;
    const { accountId, clientId } = payload;
    const authTime = authTimeOf?.(payload);
    if (accountId === undefined || typeof authTime !== 'number') return payload;
    // An app is taken back its grant, without which none of its codes and tokens is honoured. What it is granted
    // after that may hang on a sign-in from before.
    const ofApp = model === 'Grant' ? clientId : undefined;
    return (await isRevoked(accountId, authTime, ofApp)) ? undefined : payload;
  }

  return {
    ...adapter,
    find: async (id) => unlessRevoked((await adapter.find(id)) ?? undefined),
    findByUid: async (uid) => unlessRevoked((await adapter.findByUid(uid)) ?? undefined),
  };
}

/**
 * An access token has no proof of its own: it carries that of what it was issued for (RFC 9068 section 2.2.1), so that
 * an API can ask for more (RFC 9470). One that a program got for itself, without a person, carries none.
 */
export function proofOfToken({
  oidc,
}: KoaContextWithOIDC): { acr?: string; auth_time: number } | undefined {
  const { AuthorizationCode, RefreshToken } = oidc.entities;
  const { acr, authTime } = AuthorizationCode ?? RefreshToken ?? {};
  if (authTime === undefined) return undefined;
  return { ...(acr === undefined ? {} : { acr }), auth_time: authTime };
}
