/**
 * What a browser was let in for: an invitation that it followed, or a wish from the person's own page. A secret in a
 * cookie, good for a quarter of an hour and for one sign-in to a page of ours, says which attempt begins there.
 */
import type { RouterContext } from '@koa/router';
import type { Hash, Random } from '../domain/environment.ts';
import type { Admission } from '../login/enrolment.ts';
import type { Accounts } from '../store/accounts.ts';
import type { Store } from '../store/store.ts';

const ttlSeconds = 900;

export interface Admitted {
  kind: Admission['kind'];
  accountId: string;
}

export function createAdmissions(tools: {
  issuer: string;
  /** The clients that these sign-ins are for. */
  clientIds: readonly string[];
  store: Store;
  accounts: Accounts;
  random: Random;
  hash: Hash;
}) {
  const { issuer, clientIds, store, accounts, random, hash } = tools;
  const secure = issuer.startsWith('https:');
  const name = secure ? '__Host-admission' : '_admission';
  const cookie = {
    ...{ signed: true, httpOnly: true, path: '/', overwrite: true, secure },
    sameSite: 'lax',
  } as const;
  const keyOf = (secret: string): string => `admission:${hash(secret)}`;

  return {
    async grant(ctx: RouterContext, admitted: Admitted): Promise<void> {
      const secret = random(32);
      await store.put(keyOf(secret), JSON.stringify(admitted), { ttlSeconds });
      ctx.cookies.set(name, secret, { ...cookie, maxAge: ttlSeconds * 1000 });
    },

    /** Used up by the first interaction that asks. */
    async admit(ctx: RouterContext, clientId: string): Promise<Admission | undefined> {
      if (!clientIds.includes(clientId)) return undefined;
      const secret = ctx.cookies.get(name, { signed: true });
      if (secret === undefined) return undefined;
      ctx.cookies.set(name, null, cookie);
      const value = await store.take(keyOf(secret));
      if (value === undefined) return undefined;
      const { kind, accountId } = JSON.parse(value) as Admitted;
      const account = await accounts.find(accountId);
      const identifier = account?.email ?? account?.username;
      if (account?.status !== 'active' || identifier === undefined) return undefined;
      // Meanwhile a face may have come or gone: then it is a sign-in like any.
      if ((kind === 'enrol') !== (account.enrolment === undefined)) return undefined;
      return { kind, identity: { identifier, accountId } };
    },
  };
}

export type Admissions = ReturnType<typeof createAdmissions>;
