/**
 * Who is at the console. Its session is looked at anew with each request: it is over as soon as the person's sign-in
 * is taken back, they are blocked, or they are no longer an operator; and after twelve hours in any case.
 */
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import { acr, acrName, satisfies } from '../../domain/assurance.ts';
import type { Clock, Hash, Random } from '../../domain/environment.ts';
import type { Record as RecordEvent } from '../../domain/event.ts';
import { type Role, hasRole } from '../../domain/operator.ts';
import { type OwnProof, createOwnClient, stillSignedIn } from '../../oidc/own-client.ts';
import type { Account, Accounts } from '../../store/accounts.ts';
import type { Operators } from '../../store/operators.ts';
import type { Store } from '../../store/store.ts';
import { consoleClientId, redirectUriAt } from './client.ts';

interface ConsoleSession extends OwnProof {
  schema: 1;
  /**
   * They came by a one-time link, in a browser that had no key yet: a selfie alone was enough, this once, for what the
   * link gives to whoever follows it and for no more.
   */
  byLink?: Role;
}

export interface Visitor {
  /** What the session is kept under; forms are bound to it. */
  id: string;
  proof: OwnProof;
  account: Account;
  role: Role;
}

export interface ConsoleSessionTools {
  issuer: string;
  origin: string;
  environment: 'live' | 'sandbox';
  provider: Provider;
  accounts: Accounts;
  operators: Operators;
  store: Store;
  clock: Clock;
  random: Random;
  hash: Hash;
  record: RecordEvent;
  secret: string;
}

export type ConsoleSessions = ReturnType<typeof createConsoleSessions>;

const longestSeconds = 12 * 3_600;
const path = '/console';

/** For the sign-in of a one-time link, and for nothing else. */
const linkNote = 'link';

function cookiesAt(origin: string) {
  const secure = origin.startsWith('https:');
  const prefix = secure ? '__Secure-console' : '_console';
  const cookie = {
    ...{ signed: true, httpOnly: true, path, overwrite: true, secure },
    // The way back from the provider begins at another site, where `strict` would leave the cookie behind.
    sameSite: 'lax',
  } as const;
  return { prefix, secure, cookie };
}

export function createConsoleSessions(tools: ConsoleSessionTools) {
  const { issuer, origin, environment, operators, store, clock, random, hash, record } = tools;
  const { prefix, secure, cookie } = cookiesAt(origin);
  const keyOf = (id: string): string => `console-session:${id}`;
  const client = createOwnClient({
    ...{ clientId: consoleClientId, issuer, redirectUri: redirectUriAt(origin) },
    ...{ provider: tools.provider, random, secret: tools.secret },
    cookie: { name: `${prefix}-flow`, path, secure },
  });
  const strong = [acr.selfieDevice, acr.passkey].map((name) => acrName(name, environment));
  const byLink = [...strong, acrName(acr.selfie, environment)];
  const isOneOf = (name: string, wanted: readonly string[]): boolean =>
    wanted.some((want) => satisfies(name, want));

  function ask(ctx: Context, classes: readonly string[], note: string, prompt?: 'login'): void {
    const claims = { id_token: { acr: { essential: true, values: classes } } };
    const wanted = {
      claims: JSON.stringify(claims),
      max_age: String(longestSeconds),
      ...(prompt ? { prompt } : {}),
    };
    client.begin(ctx, wanted, note);
  }

  return {
    /** @param next where they go on then, a path of ours. @param prompt `login`: by something that is done anew. */
    begin(ctx: Context, next: string, prompt?: 'login'): void {
      ask(ctx, strong, Buffer.from(next).toString('base64url'), prompt);
    },

    /** The sign-in of whoever followed a one-time link. */
    beginByLink: (ctx: Context, prompt?: 'login'): void => ask(ctx, byLink, linkNote, prompt),

    /**
     * Somebody is back. Nobody is signed in here yet: that is for `open`.
     * @returns how it ended, or what they have shown and where they wanted to go; `byLink`: no further than that.
     */
    async returned(ctx: Context): Promise<Returned> {
      const { proof, note = '', ...ended } = await client.finish(ctx);
      const isByLink = note === linkNote;
      if (!proof) return { error: 'error' in ended ? ended.error : 'access_denied', isByLink };
      const isEnough = isOneOf(proof.acr, isByLink ? byLink : strong);
      if (!isEnough) return { error: 'unmet_authentication_requirements', isByLink };
      return { proof, isByLink, next: isByLink ? path : pathOf(note) };
    },

    /** @param linked what the link gives by which they came. */
    async open(ctx: Context, proof: OwnProof, linked: Role | undefined): Promise<void> {
      const before = ctx.cookies.get(`${prefix}-session`, { signed: true });
      if (before !== undefined) await store.delete(keyOf(hash(before)));
      const value = random(32);
      const session: ConsoleSession = {
        ...{ schema: 1, ...proof },
        ...(linked && !isOneOf(proof.acr, strong) ? { byLink: linked } : {}),
      };
      await store.put(keyOf(hash(value)), JSON.stringify(session), { ttlSeconds: longestSeconds });
      ctx.cookies.set(`${prefix}-session`, value, { ...cookie, maxAge: longestSeconds * 1000 });
      const { accountId: account } = proof;
      record({ event: 'operator.signed_in', atMs: clock(), account, operators: [account] });
    },

    /** @returns undefined when nobody is signed in here, or no longer as an operator. */
    async current(ctx: Context): Promise<Visitor | undefined> {
      const value = ctx.cookies.get(`${prefix}-session`, { signed: true });
      if (value === undefined) return undefined;
      const id = hash(value);
      const stored = await store.get(keyOf(id));
      if (!stored) return undefined;
      const { byLink: linked, schema: _, ...proof } = JSON.parse(stored.value) as ConsoleSession;
      const isOver = clock() - proof.authTime * 1000 > longestSeconds * 1000;
      if (isOver || !isOneOf(proof.acr, linked ? byLink : strong)) return undefined;
      const operator = await operators.find(proof.accountId);
      const account = operator && (await stillSignedIn(proof, tools));
      return account && { id, proof, account, role: lesser(operator.role, linked) };
    },

    async end(ctx: Context, { id, account }: Visitor): Promise<void> {
      ctx.cookies.set(`${prefix}-session`, null, cookie);
      await store.delete(keyOf(id));
      const about = { account: account.id, operators: [account.id] };
      record({ event: 'operator.signed_out', atMs: clock(), ...about });
    },

    /** The link that this browser follows, until it is back. */
    link: {
      keep: (ctx: Context, linkSecret: string): void =>
        void ctx.cookies.set(`${prefix}-link`, linkSecret, { ...cookie, maxAge: 90 * 60_000 }),
      of: (ctx: Context): string | undefined => ctx.cookies.get(`${prefix}-link`, { signed: true }),
      drop: (ctx: Context): void => void ctx.cookies.set(`${prefix}-link`, null, cookie),
    },
  };
}

const lesser = (role: Role, most: Role = role): Role => (hasRole(role, most) ? most : role);

export type Returned =
  | { proof: OwnProof; isByLink: boolean; next: string }
  | { proof?: undefined; isByLink: boolean; error: string };

/** It was signed on its way, and still leads nowhere but here. */
function pathOf(note: string): string {
  const next = Buffer.from(note, 'base64url').toString();
  return /^\/console(?:[/?]|$)/.test(next) ? next : path;
}
