/** The policy's checks, asked directly; what they lead to is in authorization.test.ts. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { describe, expect, test } from 'vitest';
import { acr } from '../../src/domain/assurance.ts';
import { createPolicy, isFirstParty, requestedAssurance } from '../../src/oidc/prompts.ts';

const essentialAcr = (params: Record<string, unknown>) =>
  requestedAssurance({ params, prompt: { reasons: [] } }, undefined).essentialAcr ?? [];

interface Asked {
  /** The claims parameter's wish for the ID token; the library puts `acr_values` there, too. */
  idToken?: Record<string, unknown>;
  hint?: string;
  session?: { accountId?: string; acr?: string };
  account?: object;
  /** This is the second look, after a login. */
  result?: { login?: object };
  client?: object;
}

const contextOf = ({ idToken, hint, ...oidc }: Asked): KoaContextWithOIDC =>
  ({
    oidc: {
      claims: { id_token: idToken },
      params: { response_type: 'code', id_token_hint: hint },
      ...oidc,
    },
  }) as unknown as KoaContextWithOIDC;

const policy = createPolicy([acr.selfie], (_client, accountId) => accountId, false, 'live');

/** @returns whether this check asks the person. @throws where it refuses the request. */
async function asks(prompt: string, reason: string, asked: Asked): Promise<boolean> {
  const found = policy.get(prompt)?.checks.get(reason);
  if (!found) throw new Error(`no check "${reason}"`);
  return await found.check(contextOf(asked));
}

const signedIn = (name: string) => ({ session: { accountId: 'ana', acr: name } });
const loggedIn = { result: { login: {} } };

describe('the requested class', () => {
  const asksForAcr = (wish: unknown, rest: Asked = {}) =>
    asks('login', 'acr', { idToken: { acr: wish }, ...rest });

  test.each([undefined, null, {}, { essential: true }, { values: [] }, { value: 7 }])(
    '[AS-03] is none at all in %j, and nobody is asked for it',
    async (wish) => {
      expect(await asksForAcr(wish)).toBe(false);
      expect(await asks('login', 'acr', {})).toBe(false);
    },
  );

  test('[AS-03] asks where there is no session, or one without an account', async () => {
    expect(await asksForAcr({ value: acr.selfie })).toBe(true);
    expect(await asksForAcr({ values: [acr.selfie] }, { session: { acr: acr.selfie } })).toBe(true);
  });

  test('[AS-03] is satisfied by its own and by every stronger class', async () => {
    for (const have of [acr.selfie, acr.selfieDevice, acr.selfieActive]) {
      expect(await asksForAcr({ essential: true, value: acr.selfie }, signedIn(have))).toBe(false);
    }
    expect(await asksForAcr({ value: acr.device }, signedIn(acr.selfie))).toBe(false);
  });

  test('[AS-03] asks anew over a session of a weaker class or another kind', async () => {
    for (const have of [acr.fallback, acr.selfieHandoff, `${acr.selfie}:test`, acr.passkey]) {
      expect(await asksForAcr({ value: acr.selfie }, signedIn(have)), have).toBe(true);
    }
  });

  test('[AS-03] may be one of several, of which one that is within reach is enough', async () => {
    expect(await asksForAcr({ values: [acr.passkey, acr.selfie] })).toBe(true);
    const values = { essential: true, values: [acr.passkey, acr.selfie] };
    expect(await asksForAcr(values, signedIn(acr.selfie))).toBe(false);
  });

  test.each([acr.passkey, acr.selfieActive, `${acr.selfie}:test`, 'constructor', ''])(
    '[AS-03] out of reach is refused where it is essential, and passed over where it is not: "%s"',
    async (value) => {
      for (const rest of [{}, signedIn(acr.fallback), loggedIn]) {
        const essential = asksForAcr({ essential: true, value }, rest);
        await expect(essential).rejects.toMatchObject({
          error: 'unmet_authentication_requirements',
        });
        expect(await asksForAcr({ value }, rest)).toBe(false);
      }
    },
  );

  test('[AS-03] is asked for once: a login that fell short is the last', async () => {
    const weak = { ...signedIn(acr.fallback), ...loggedIn };
    expect(await asksForAcr({ value: acr.selfie }, weak)).toBe(false);
    await expect(asksForAcr({ essential: true, value: acr.selfie }, weak)).rejects.toMatchObject({
      error: 'unmet_authentication_requirements',
    });
  });

  test('[AS-03] is a wish beside the least that the operator takes, which is asked for all the same', async () => {
    const client = { minimum_acr: acr.selfie };
    for (const value of [acr.passkey, 'urn:example:of-another-provider']) {
      for (const rest of [{}, signedIn(acr.fallback)]) {
        expect(await asksForAcr({ value }, { client, ...rest })).toBe(true);
        const essential = asksForAcr({ essential: true, value }, { client, ...rest });
        await expect(essential).rejects.toMatchObject({
          error: 'unmet_authentication_requirements',
        });
      }
      expect(await asksForAcr({ value }, { client, ...signedIn(acr.selfie) })).toBe(false);
      const weak = { client, ...signedIn(acr.fallback), ...loggedIn };
      await expect(asksForAcr({ value }, weak)).rejects.toMatchObject({
        error: 'unmet_authentication_requirements',
      });
    }
    const tooMuch = { client: { minimum_acr: acr.selfieActive }, ...signedIn(acr.selfie) };
    await expect(asksForAcr({ value: acr.selfie }, tooMuch)).rejects.toMatchObject({
      error: 'unmet_authentication_requirements',
    });
  });

  test.each([null, 'urn', { 0: acr.selfie }])(
    'as a list that is none, %j, is an error',
    async (values) => {
      const wish = { essential: true, values };
      await expect(asksForAcr(wish)).rejects.toMatchObject({ error: 'invalid_request' });
    },
  );
});

describe('the requested person', () => {
  const tokenOf = (sub: string): string =>
    ['{"alg":"none"}', JSON.stringify({ sub })]
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.') + '.';
  const wishes: [string, Asked][] = [
    ['the hint', { hint: tokenOf('ana') }],
    ['the claims', { idToken: { sub: { value: 'ana' } } }],
  ];
  const asksForSubject = (asked: Asked) => asks('login', 'subject', { client: {}, ...asked });

  test.each(wishes)('by %s is the one who is signed in, or is asked for', async (_, wish) => {
    expect(await asksForSubject({ ...wish, session: { accountId: 'ana' } })).toBe(false);
    expect(await asksForSubject({ ...wish, session: { accountId: 'bob' } })).toBe(true);
    expect(await asksForSubject(wish)).toBe(true);
  });

  test.each(wishes)('by %s is asked for once, and another is refused', async (_, wish) => {
    const other = asksForSubject({ ...wish, session: { accountId: 'bob' }, ...loggedIn });
    await expect(other).rejects.toMatchObject({ error: 'login_required' });
    const right = { ...wish, session: { accountId: 'ana' }, ...loggedIn };
    expect(await asksForSubject(right)).toBe(false);
  });

  test('has to be the same by both', async () => {
    const wish = { hint: tokenOf('ana'), idToken: { sub: { value: 'bob' } } };
    for (const accountId of ['ana', 'bob']) {
      expect(await asksForSubject({ ...wish, session: { accountId } })).toBe(true);
    }
  });

  test('is anybody where nobody is named', async () => {
    expect(await asksForSubject({ session: { accountId: 'ana' } })).toBe(false);
    expect(await asksForSubject({ idToken: { sub: null } })).toBe(false);
    expect(await asksForSubject({ idToken: { sub: { essential: true } } })).toBe(false);
  });
});

describe('what an interaction has to end with', () => {
  const claims = (acrClaim: object): string => JSON.stringify({ id_token: { acr: acrClaim } });

  test('[AS-03] is one of the classes that are a must', () => {
    const must = { essential: true, values: [acr.passkey, acr.selfie] };
    expect(essentialAcr({ claims: claims(must) })).toEqual(must.values);
    expect(essentialAcr({ claims: claims({ essential: true, value: 'phr' }) })).toEqual(['phr']);
  });

  test.each<Record<string, unknown>>([
    {},
    { claims: '{"userinfo":{}}' },
    { claims: claims({ value: 'phr' }) },
    { claims: claims({ essential: true }) },
    { acr_values: 'phr' },
    // The library puts these in the place of the claim.
    { acr_values: 'phr', claims: claims({ essential: true, value: 'phr' }) },
  ])('[AS-03] is anything, with the parameters %j', (params) => {
    expect(essentialAcr(params)).toEqual([]);
  });
});

test('a session whose account is gone is asked to sign in', async () => {
  const isGone = (asked: Asked) => asks('login', 'account_gone', asked);
  expect(await isGone({ session: { accountId: 'ana' } })).toBe(true);
  expect(await isGone({ session: { accountId: 'ana' }, account: {} })).toBe(false);
  expect(await isGone({ session: {} })).toBe(false);
});

test('[AS-03] the library’s checks that would ask without end are gone', () => {
  const reasons = [...(policy.get('login')?.checks ?? [])].map(({ reason }) => reason);
  for (const gone of [
    'essential_acr',
    'essential_acrs',
    'id_token_hint',
    'claims_id_token_sub_value',
  ]) {
    expect(reasons).not.toContain(gone);
  }
  expect(reasons).toEqual(expect.arrayContaining(['max_age', 'subject', 'acr', 'account_gone']));
});

test('a policy is its own: a second one with other classes does not change the first', async () => {
  createPolicy([], () => '', false, 'live');
  expect(await asks('login', 'acr', { idToken: { acr: { value: acr.selfie } } })).toBe(true);
});

test('a client is one of the house only where the operator says exactly so', () => {
  expect(isFirstParty({ first_party: true })).toBe(true);
  for (const client of [
    undefined,
    {},
    { first_party: false },
    { first_party: 'true' },
    { first_party: 1 },
  ]) {
    expect(isFirstParty(client)).toBe(false);
  }
});

test('[PR-20] a native app asks for consent at every login, one of the house never', async () => {
  const asksForConsent = (client: object) =>
    asks('consent', 'native_client_prompt', {
      client: { applicationType: 'native', ...client },
    });
  expect(await asksForConsent({ first_party: false })).toBe(true);
  expect(await asksForConsent({ first_party: true })).toBe(false);
});
