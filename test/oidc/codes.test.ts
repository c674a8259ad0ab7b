/** A code is for one client, one address, one key and one minute. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { type Party, createParty } from '../support/login.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import { type Reply, answerOf, basic, newRequest, post, signedIn } from './support.ts';

let bed: Testbed;
let party: Party;
let ana: TestBrowser;

beforeAll(async () => {
  bed = await startTestbed({ clock: () => Date.now() });
  party = await createParty(bed);
  ana = await signedIn(bed);
});
afterAll(() => bed.close());
afterEach(() => {
  vi.useRealTimers();
});

/** Fields of an exchange that would succeed; each test changes one thing. */
async function newCode(): Promise<Record<string, string>> {
  const { parameters, checks } = await newRequest({ client_id: 'first', response_type: 'code' });
  const query = new URLSearchParams(parameters).toString();
  const { code = '' } = answerOf((await ana.get(`${bed.issuer}/auth?${query}`)).location);
  return {
    ...{ grant_type: 'authorization_code', code, redirect_uri: redirectUri },
    code_verifier: checks.pkceCodeVerifier ?? '',
  };
}

const redeem = (fields: Record<string, string>, clientId = 'first'): Promise<Reply> =>
  post(`${bed.issuer}/token`, fields, basic(clientId, bed.clientSecret));

const invalidGrant = { status: 400, json: { error: 'invalid_grant' } };

describe('[PR-04] a code', () => {
  it('is worth tokens to the client that asked, at the address that it named', async () => {
    expect((await redeem(await newCode())).status).toBe(200);
  });

  it('is worth nothing to another client, with a secret or without', async () => {
    const fields = await newCode();
    expect(await redeem(fields, 'second')).toMatchObject(invalidGrant);
    const page = await post(`${bed.issuer}/token`, { ...fields, client_id: 'spa' });
    expect(page).toMatchObject(invalidGrant);
  });

  it.each([
    'http://localhost:9/other',
    `${redirectUri}/`,
    `${redirectUri}?x=1`,
    'http://LOCALHOST:9/callback',
  ])('is worth nothing at %s', async (redirect_uri) => {
    expect(await redeem({ ...(await newCode()), redirect_uri })).toMatchObject(invalidGrant);
  });

  it('is worth nothing where the address is left out', async () => {
    const { redirect_uri: _, ...fields } = await newCode();
    const refused = await redeem(fields);
    expect(refused).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
  });

  it('is good for nearly a minute, and for no longer', async () => {
    const [soon, late] = [await newCode(), await newCode()];
    const nowMs = Date.now();
    vi.useFakeTimers({ toFake: ['Date'], now: nowMs + 58_000 });
    expect((await redeem(soon)).status).toBe(200);
    vi.setSystemTime(nowMs + 61_000);
    expect(await redeem(late)).toMatchObject(invalidGrant);
  });

  it('of one person is none of another’s: whoever redeems it gets the one who signed in', async () => {
    const ben = await signedIn(bed, 'ben@example.com');
    const [anas, bens] = [await party.begin(), await party.begin()];
    const subjects = [
      (await anas.finish((await ana.get(anas.url)).location ?? '')).claims()?.email,
      (await bens.finish((await ben.get(bens.url)).location ?? '')).claims()?.email,
    ];
    expect(subjects).toEqual(['ana@example.com', 'ben@example.com']);
  });
});
