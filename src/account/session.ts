/**
 * account/ is the person's own page, one more relying party of the house; see oidc/own-client.ts.
 *
 * Its session lives for an hour, ends with the sign-in that it came from, and is kept under the hash of its cookie.
 */
import type { RouterContext } from '@koa/router';
import type { ClientMetadata, Provider } from 'oidc-provider';
import type { Clock, Hash, Random } from '../domain/environment.ts';
import {
  type OwnProof,
  createOwnClient,
  type OwnClientId,
  ownClientMetadata,
  stillSignedIn,
} from '../oidc/own-client.ts';
import type { Account, Accounts } from '../store/accounts.ts';
import type { FamiliarRecords } from '../store/familiar.ts';
import { type Store, update } from '../store/store.ts';

const accountClientId: OwnClientId = 'account';

export interface AccountSession extends OwnProof {
  schema: 1;
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
const recoveredForMs = 15 * 60_000;

const redirectUriAt = (issuer: string): string => `${issuer}/account/callback`;

export function accountClient(issuer: string, operator: string): ClientMetadata {
  return ownClientMetadata(accountClientId, { name: operator, redirectUri: redirectUriAt(issuer) });
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
  { accountId, authTime }: OwnProof,
): Promise<boolean> {
  const { keys } = await familiar.load(accountId);
  const oldMs = clock() - keyCooldownSeconds * 1000;
  return keys.some(
    ({ actedAtMs, addedAtMs }) => Math.floor(actedAtMs / 1000) === authTime && addedAtMs <= oldMs,
  );
}

export function createAccountSessions(tools: SessionTools) {
  const { issuer, provider, store, clock, random, hash, secret } = tools;
  const { names, cookie } = cookiesAt(issuer);
  const keyOf = (id: string): string => `account-session:${id}`;
  const client = createOwnClient({
    ...{ clientId: accountClientId, issuer, redirectUri: redirectUriAt(issuer) },
    ...{ provider, random, secret, cookie: { name: names.flow, ...cookie } },
  });

  /**
   * @param wanted what the proof has to be, beside who: `prompt`, `acr_values`.
   * @param done what the page says when somebody has signed in: the text `account.done.…` of this name.
   */
  function begin(
    ctx: RouterContext,
    wanted: Readonly<Record<string, string>> = {},
    done?: 'proven',
  ): void {
    client.begin(ctx, wanted, done);
  }

  /** @returns where to go on: the sheet, or a farewell when nobody signed in. */
  async function callback(ctx: RouterContext): Promise<string> {
    const { proof, note: done } = await client.finish(ctx);
    if (!proof) return '/account/signed-out';
    const hasOldKey = await isByOldKey(tools, proof);
    const session: AccountSession = { schema: 1, ...proof, ...(hasOldKey ? { hasOldKey } : {}) };
    const before = await current(ctx);
    if (before) await store.delete(keyOf(before.id));
    // Whoever typed a code and then took a selfie has shown both, in whichever order.
    if (before?.session.confirmedAtMs !== undefined && isSamePerson(before.session, session)) {
      session.confirmedAtMs = before.session.confirmedAtMs;
    }
    const cookieValue = random(32);
    await store.put(keyOf(hash(cookieValue)), JSON.stringify(session), { ttlSeconds });
    ctx.cookies.set(names.session, cookieValue, { ...cookie, maxAge: ttlSeconds * 1000 });
    return done === undefined ? '/account' : `/account?done=${done}`;
  }

  /** @returns undefined when nobody is signed in here, or is no longer. */
  async function current(ctx: RouterContext): Promise<Visitor | undefined> {
    const cookieValue = ctx.cookies.get(names.session, { signed: true });
    if (cookieValue === undefined) return undefined;
    const id = hash(cookieValue);
    const stored = await store.get(keyOf(id));
    if (!stored) return undefined;
    const session = JSON.parse(stored.value) as AccountSession;
    const account = await stillSignedIn(session, tools);
    return account && { id, session, account };
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
