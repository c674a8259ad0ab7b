/** Which scope releases which claim, and what an account says about itself. */
import type { AccountClaims, FindAccount } from 'oidc-provider';
import type { Account, Accounts } from '../store/accounts.ts';

/**
 * acr, amr and auth_time are always there: how somebody signed in is what this provider is for. `groups` is the
 * claim that internal tools read; they read the ID token, so `conformIdTokenClaims` is off.
 */
export const claims = {
  openid: ['sub', 'acr', 'amr', 'auth_time'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
  groups: ['groups'],
};

/** An account that is gone or blocked is nobody: codes, tokens and sessions of it stop working at once. */
export function createFindAccount(accounts: Accounts): FindAccount {
  const inRequest = new WeakMap<object, Map<string, Promise<Account | undefined>>>();
  return async function findAccount(ctx, sub) {
    let known = inRequest.get(ctx);
    if (!known) {
      known = new Map<string, Promise<Account | undefined>>();
      inRequest.set(ctx, known);
    }
    let lookup = known.get(sub);
    if (!lookup) known.set(sub, (lookup = accounts.find(sub)));
    const account = await lookup;
    if (account?.status !== 'active') return undefined;
    return { accountId: sub, claims: () => Promise.resolve(claimsOf(account)) };
  };
}

function claimsOf(account: Account): AccountClaims {
  return {
    sub: account.id,
    ...namesOf(account),
    ...(account.username === undefined ? {} : { preferred_username: account.username }),
    updated_at: Math.floor(account.updatedAtMs / 1000),
    ...(account.email === undefined
      ? {}
      : { email: account.email, email_verified: account.emailVerified }),
    groups: [...account.groups],
  };
}

/** What the operator calls them; else as their document does. */
function namesOf({ name, givenName, familyName }: Account): Record<string, string> {
  const whole = name ?? [givenName, familyName].filter(Boolean).join(' ');
  return {
    ...(whole === '' ? {} : { name: whole }),
    ...(givenName === undefined ? {} : { given_name: givenName }),
    ...(familyName === undefined ? {} : { family_name: familyName }),
  };
}
