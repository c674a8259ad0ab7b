/**
 * account/ is the person's own page. To the provider it is one more relying party, of the house: it sends the browser
 * to `/auth` like any other, gets a code, and learns who it is, how (`acr`) and when (`auth_time`). So whatever a login
 * has to prove is proven in one place, and "show once more that it is you" is an ordinary request with `prompt=login`.
 *
 * Its session lives for an hour, ends with the sign-in that it came from, and is kept under the hash of its cookie.
 */
import { createHash, createHmac } from 'node:crypto';
import type { RouterContext } from '@koa/router';
import type { AuthorizationCode, ClientMetadata, Provider } from 'oidc-provider';
import type { Clock, Hash, Random } from '../domain/environment.ts';
import { Problem } from '../domain/problem.ts';
import type { Account, Accounts } from '../store/accounts.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import { type Store, update } from '../store/store.ts';

export const accountClientId = 'account';

export interface AccountSession {
  schema: 1;
  accountId: string;
  acr: string;
  /** Seconds, as in the ID token. */
  authTime: number;
  /** The provider's own session that it hangs on. */
  oidcSessionUid: string;
  /** The device key of this sign-in was there long before it: it is no second look at the same face. */
  hasOldKey?: true;
  /** When a second thing was shown besides: a code of an app, or a recovery code. */
  confirmedAtMs?: number;
  /** A recovery was waited for: until then this session may set up new ways in. */
  recoveredUntilMs?: number;
}

/** Somebody who is on their page, as of now. */
export interface Visitor {
  /** What the session is kept under; forms are bound to it. */
  id: string;
  session: AccountSession;
  account: Account;
}

export interface SessionTools {
  issuer: string;
  provider: Provider;
  accounts: Accounts;
  familiar: Pick<FamiliarRecords, 'load'>;
  /** So long a new device key is no second factor for changes. */
  keyCooldownSeconds: number;
  store: Store;
  clock: Clock;
  random: Random;
  hash: Hash;
  /** For what is asked of the browser to bring back. */
  secret: string;
}

export type AccountSessions = ReturnType<typeof createAccountSessions>;

const ttlSeconds = 3_600;
const flowMs = 90 * 60_000;
const recoveredForMs = 15 * 60_000;

export function accountClient(issuer: string, operator: string): ClientMetadata {
  return {
    client_id: accountClientId,
    client_name: operator,
    token_endpoint_auth_method: 'none',
    redirect_uris: [`${issuer}/account/callback`],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    first_party: true,
  };
}

const isSamePerson = (one: AccountSession, other: AccountSession): boolean =>
  one.accountId === other.accountId;

function cookiesAt(issuer: string) {
  const isTls = issuer.startsWith('https:');
  const names = isTls
    ? { session: '__Host-account', flow: '__Host-account-flow' }
    : { session: '_account', flow: '_account_flow' };
  const cookie = {
    ...{ signed: true, httpOnly: true, path: '/', overwrite: true, secure: isTls },
    sameSite: 'lax',
  } as const;
  return { names, cookie };
}

async function isByOldKey(
  { familiar, clock, keyCooldownSeconds }: SessionTools,
  { accountId, authTime }: AccountSession,
): Promise<boolean> {
  const { keys } = await familiar.load(accountId);
  const oldMs = clock() - keyCooldownSeconds * 1000;
  return keys.some(
    ({ actedAtMs, addedAtMs }) => Math.floor(actedAtMs / 1000) === authTime && addedAtMs <= oldMs,
  );
}

function proofOf({ accountId, acr, authTime, sessionUid }: AuthorizationCode): AccountSession {
  if (!accountId || !acr || authTime === undefined || !sessionUid) {
    throw new Problem('internal', 'a code without a proof');
  }
  return { schema: 1, accountId, acr, authTime, oidcSessionUid: sessionUid };
}

export function createAccountSessions(tools: SessionTools) {
  const { issuer, provider, accounts, store, clock, random, hash, secret } = tools;
  const { names, cookie } = cookiesAt(issuer);
  const redirectUri = `${issuer}/account/callback`;
  const keyOf = (id: string): string => `account-session:${id}`;

  /** From what the browser holds, and nothing that has to be kept here: strangers may begin as often as they like. */
  const derived = (flow: string, use: string): string =>
    createHmac('sha256', secret).update(`account ${use} ${flow}`).digest('base64url');

  /**
   * @param wanted what the proof has to be, beside who: `prompt`, `acr_values`.
   * @param done what the page says when somebody has signed in: the text `account.done.…` of this name.
   */
  function begin(
    ctx: RouterContext,
    wanted: Readonly<Record<string, string>> = {},
    done?: 'proven',
  ): void {
    const flow = random(32) + (done ? `.${done}` : '');
    ctx.cookies.set(names.flow, flow, { ...cookie, maxAge: flowMs });
    const challenge = createHash('sha256').update(derived(flow, 'verifier')).digest('base64url');
    const query = new URLSearchParams({
      ...{ client_id: accountClientId, response_type: 'code', scope: 'openid' },
      ...{ redirect_uri: redirectUri, state: derived(flow, 'state') },
      ...{ code_challenge: challenge, code_challenge_method: 'S256', ...wanted },
    });
    ctx.status = 303;
    ctx.redirect(`/auth?${query.toString()}`);
  }

  /**
   * The code is redeemed here, under the checks of the token endpoint.
   * @returns where to go on: the sheet, or a farewell when nobody signed in.
   */
  async function callback(ctx: RouterContext): Promise<string> {
    const flow = ctx.cookies.get(names.flow, { signed: true });
    ctx.cookies.set(names.flow, null, cookie);
    const { code, state, iss, error } = ctx.query;
    if (flow === undefined || state !== derived(flow, 'state') || iss !== issuer) {
      throw new Problem('malformed', 'a callback that nobody here asked for');
    }
    if (error !== undefined || typeof code !== 'string') return '/account/signed-out';
    const session = await redeem(code, derived(flow, 'verifier'));
    const before = await current(ctx);
    if (before) await store.delete(keyOf(before.id));
    // Whoever typed a code and then took a selfie has shown both, in whichever order.
    if (before?.session.confirmedAtMs !== undefined && isSamePerson(before.session, session)) {
      session.confirmedAtMs = before.session.confirmedAtMs;
    }
    const cookieValue = random(32);
    await store.put(keyOf(hash(cookieValue)), JSON.stringify(session), { ttlSeconds });
    ctx.cookies.set(names.session, cookieValue, { ...cookie, maxAge: ttlSeconds * 1000 });
    const [, done] = flow.split('.');
    return done === undefined ? '/account' : `/account?done=${done}`;
  }

  async function redeem(value: string, verifier: string): Promise<AccountSession> {
    const code = await provider.AuthorizationCode.find(value);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const isOurs =
      code?.clientId === accountClientId &&
      code.redirectUri === redirectUri &&
      code.codeChallenge === challenge;
    if (!isOurs) throw new Problem('malformed', 'a code that was not issued for this');
    await code.consume();
    const session = proofOf(code);
    const hasOldKey = await isByOldKey(tools, session);
    return hasOldKey ? { ...session, hasOldKey } : session;
  }

  /** @returns undefined when nobody is signed in here, or is no longer. */
  async function current(ctx: RouterContext): Promise<Visitor | undefined> {
    const cookieValue = ctx.cookies.get(names.session, { signed: true });
    if (cookieValue === undefined) return undefined;
    const id = hash(cookieValue);
    const stored = await store.get(keyOf(id));
    if (!stored) return undefined;
    const session = JSON.parse(stored.value) as AccountSession;
    const { accountId, authTime, oidcSessionUid } = session;
    const account = await accounts.find(accountId);
    if (account?.status !== 'active' || (await accounts.isRevoked(accountId, authTime))) {
      return undefined;
    }
    const oidcSession = await provider.Session.findByUid(oidcSessionUid);
    return oidcSession?.accountId === accountId ? { id, session, account } : undefined;
  }

  async function note({ id }: Visitor, more: Partial<AccountSession>): Promise<void> {
    await update<undefined>(store, keyOf(id), (stored) => {
      if (stored === undefined) return { result: undefined };
      const session = { ...(JSON.parse(stored) as AccountSession), ...more };
      return { value: JSON.stringify(session), ttlSeconds, result: undefined };
    });
  }

  const confirm = (visitor: Visitor): Promise<void> => note(visitor, { confirmedAtMs: clock() });
  const recovered = (visitor: Visitor): Promise<void> =>
    note(visitor, { recoveredUntilMs: clock() + recoveredForMs });

  async function end(ctx: RouterContext, { id }: Visitor): Promise<void> {
    ctx.cookies.set(names.session, null, cookie);
    await store.delete(keyOf(id));
  }

  return { begin, callback, current, confirm, recovered, end };
}
