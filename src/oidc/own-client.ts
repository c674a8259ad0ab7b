/**
 * Pages of ours that know who is there: a person's own page, and the operators' console. To the provider each is one
 * more relying party, of the house: it sends the browser to `/auth` like any other, gets a code, and learns who it is,
 * how (`acr`) and when (`auth_time`). So whatever a login has to prove is proven in one place, and "show once more that
 * it is you" is an ordinary request with `prompt=login`.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Context } from 'koa';
import type { AuthorizationCode, ClientMetadata, Provider } from 'oidc-provider';
import type { Random } from '../domain/environment.ts';
import { Problem } from '../domain/problem.ts';
import type { Account, Accounts } from '../store/accounts.ts';

/** What a sign-in to a page of ours has shown. */
export interface OwnProof {
  accountId: string;
  acr: string;
  /** Seconds, as in the ID token. */
  authTime: number;
  /** The provider's own session that it hangs on. */
  oidcSessionUid: string;
}

export interface OwnClientOptions {
  clientId: string;
  issuer: string;
  redirectUri: string;
  provider: Provider;
  random: Random;
  /** For what is asked of the browser to bring back. */
  secret: string;
  /** Where the browser keeps what it has to bring back. */
  cookie: { name: string; path: string; secure: boolean };
}

/** What came back; `note` is what `begin` was given. No proof: nobody signed in, and `error` says how that ended. */
export type CameBack = { note?: string } & (
  { proof: OwnProof } | { proof?: undefined; error: string }
);

/** A person's own page, and the operators' console: nobody else's client is called so. */
export const ownClientIds = ['account', 'console'] as const;
export type OwnClientId = (typeof ownClientIds)[number];

export const isOwnClient = (id: string): boolean =>
  (ownClientIds as readonly string[]).includes(id);

const flowMs = 90 * 60_000;

export function ownClientMetadata(
  clientId: OwnClientId,
  { name, redirectUri }: { name: string; redirectUri: string },
): ClientMetadata {
  return {
    client_id: clientId,
    client_name: name,
    token_endpoint_auth_method: 'none',
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    first_party: true,
  };
}

export function createOwnClient(options: OwnClientOptions) {
  const { clientId, issuer, redirectUri, provider, random, secret } = options;
  const { name, ...attributes } = options.cookie;
  const cookie = {
    ...{ signed: true, httpOnly: true, overwrite: true, ...attributes },
    sameSite: 'lax',
  } as const;

  /** From what the browser holds, and nothing that has to be kept here: strangers may begin as often as they like. */
  const derived = (flow: string, use: string): string =>
    createHmac('sha256', secret).update(`${clientId} ${use} ${flow}`).digest('base64url');
  const challengeOf = (verifier: string): string =>
    createHash('sha256').update(verifier).digest('base64url');

  /**
   * @param wanted what the proof has to be, beside who: `prompt`, `acr_values`.
   * @param note comes back with the browser, signed; letters and digits.
   */
  function begin(ctx: Context, wanted: Readonly<Record<string, string>> = {}, note?: string): void {
    const flow = random(32) + (note === undefined ? '' : `.${note}`);
    ctx.cookies.set(name, flow, { ...cookie, maxAge: flowMs });
    const query = new URLSearchParams({
      ...{ client_id: clientId, response_type: 'code', scope: 'openid' },
      ...{ redirect_uri: redirectUri, state: derived(flow, 'state') },
      ...{ code_challenge: challengeOf(derived(flow, 'verifier')), code_challenge_method: 'S256' },
      ...wanted,
    });
    ctx.status = 303;
    ctx.redirect(`${issuer}/auth?${query.toString()}`);
  }

  /**
   * The code is redeemed here, under the checks of the token endpoint.
   * @throws Problem `malformed` for what nobody here asked for.
   */
  async function finish(ctx: Context): Promise<CameBack> {
    const flow = ctx.cookies.get(name, { signed: true });
    ctx.cookies.set(name, null, cookie);
    const { code, state, iss, error } = ctx.query;
    if (flow === undefined || state !== derived(flow, 'state') || iss !== issuer) {
      throw new Problem('malformed', 'a callback that nobody here asked for');
    }
    const [, note] = flow.split('.');
    const noted = note === undefined ? {} : { note };
    if (typeof error === 'string') return { ...noted, error };
    if (typeof code !== 'string') return { ...noted, error: 'invalid_request' };
    return { ...noted, proof: await redeem(code, derived(flow, 'verifier')) };
  }

  async function redeem(value: string, verifier: string): Promise<OwnProof> {
    const code = await provider.AuthorizationCode.find(value);
    const isOurs =
      code?.clientId === clientId &&
      code.redirectUri === redirectUri &&
      code.codeChallenge === challengeOf(verifier);
    if (!isOurs) throw new Problem('malformed', 'a code that was not issued for this');
    await code.consume();
    return proofOf(code);
  }

  return { begin, finish };
}

function proofOf({ accountId, acr, authTime, sessionUid }: AuthorizationCode): OwnProof {
  if (!accountId || !acr || authTime === undefined || !sessionUid) {
    throw new Problem('internal', 'a code without a proof');
  }
  return { accountId, acr, authTime, oidcSessionUid: sessionUid };
}

/** @returns whose sign-in it is; undefined as soon as the account, the proof or the session is no more. */
export async function stillSignedIn(
  { accountId, authTime, oidcSessionUid }: OwnProof,
  { accounts, provider }: { accounts: Accounts; provider: Provider },
): Promise<Account | undefined> {
  const account = await accounts.find(accountId);
  if (account?.status !== 'active' || (await accounts.isRevoked(accountId, authTime))) {
    return undefined;
  }
  const oidcSession = await provider.Session.findByUid(oidcSessionUid);
  return oidcSession?.accountId === accountId ? account : undefined;
}
