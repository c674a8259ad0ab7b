import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis, withRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';
import {
  answerOf,
  basic,
  changed,
  newRequest,
  post,
  selfiesAsked,
  signedIn,
  tokensOf,
  userinfo,
} from './support.ts';

const selfie = 'urn:didit-oidc:acr:selfie:test';
const plain = { code_challenge: 'a'.repeat(43), code_challenge_method: 'plain' };
let storeUrl: string;
let bed: Testbed;
let party: Party;
/** Ana's, who has a session. Tests that change it make their own. */
let ana: TestBrowser;

beforeAll(async () => {
  storeUrl = await freshRedis();
  bed = await startTestbed({
    storeUrl,
    clock: () => Date.now(),
    clients: [
      { client_id: 'old', redirect_uris: [redirectUri], pkce: 'optional', first_party: true },
      { client_id: 'web', redirect_uris: ['https://rp.example/cb'], first_party: true },
    ].map((client) => ({ ...client, token_endpoint_auth_method: 'none' })),
  });
  party = await createParty(bed);
  ana = await signedIn(bed);
});
afterAll(() => bed.close());
afterEach(() => {
  vi.useRealTimers();
});

describe('PKCE', () => {
  it.each([
    ['is missing', { code_challenge: undefined, code_challenge_method: undefined }],
    ['is plain', { code_challenge_method: 'plain' }],
    ['is plain by omission', { code_challenge_method: undefined }],
  ])('[PR-02] a request whose challenge %s is refused', async (_, changes) => {
    const { location } = await ana.get(await changed(party, changes));
    expect(answerOf(location)).toMatchObject({ error: 'invalid_request', iss: bed.issuer });
  });

  it('[PR-02] a code needs the verifier of its own challenge', async () => {
    for (const verifier of [undefined, 'a'.repeat(43)]) {
      const { location } = await ana.get((await party.begin()).url);
      const { code = '' } = answerOf(location);
      const { status, json } = await redeem(code, verifier);
      expect({ status, error: json.error }).toEqual({ status: 400, error: 'invalid_grant' });
    }
  });

  it('[PR-02] an exempted client does without, yet a verifier is never ignored', async () => {
    const old = await createParty(bed, 'old');
    const without = { code_challenge: undefined, code_challenge_method: undefined };
    const code = async (changes: Record<string, undefined>): Promise<string> =>
      answerOf((await ana.get(await changed(old, changes))).location).code ?? '';
    const fields = { client_id: 'old', grant_type: 'authorization_code' };
    const exchange = async (more: Record<string, string>): Promise<unknown> => {
      const whole = { ...fields, redirect_uri: redirectUri, ...more };
      const { status, json } = await post(`${bed.issuer}/token`, whole);
      return status === 200 ? 'tokens' : json.error;
    };
    expect(await exchange({ code: await code(without) })).toBe('tokens');
    const uninvited = { code: await code(without), code_verifier: 'a'.repeat(43) };
    expect(await exchange(uninvited)).toBe('invalid_grant');
    expect(await exchange({ code: await code({}) })).toBe('invalid_grant');
  });

  it('[PR-02] a code that was slipped into somebody else’s answer is worth nothing there', async () => {
    const [victims, attackers] = [await party.begin(), await party.begin()];
    const stolen = answerOf((await ana.get(victims.url)).location).code ?? '';
    const injected = new URL((await ana.get(attackers.url)).location ?? '');
    injected.searchParams.set('code', stolen);
    const redeemed = attackers.finish(injected.href);
    await expect(redeemed).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('[PR-02] a pushed request without a challenge, or with a plain one, is refused at once', async () => {
    const { parameters } = await newRequest();
    const { code_challenge, code_challenge_method: _, ...without } = parameters;
    const asked = { ...without, client_id: 'first', response_type: 'code' };
    const push = (challenge: object): ReturnType<typeof post> =>
      post(`${bed.issuer}/request`, { ...asked, ...challenge }, basic('first', bed.clientSecret));
    expect((await push({ code_challenge, code_challenge_method: 'S256' })).status).toBe(201);
    for (const challenge of [{}, { code_challenge }, { ...plain }]) {
      const refused = { status: 400, json: { error: 'invalid_request' } };
      expect(await push(challenge)).toMatchObject(refused);
    }
  });

  function redeem(code: string, verifier: string | undefined): ReturnType<typeof post> {
    const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri };
    const proof = verifier === undefined ? {} : { code_verifier: verifier };
    return post(`${bed.issuer}/token`, { ...fields, ...proof }, basic('first', bed.clientSecret));
  }
});

describe('[PR-01] a redirect address that is not the registered one', () => {
  it.each([
    `${redirectUri}/`,
    `${redirectUri}?x=1`,
    `${redirectUri}#fragment`,
    `${redirectUri}%2f..`,
    'http://localhost:9/x/../callback',
    'http://LOCALHOST:9/callback',
    'http://localhost:10/callback',
    'http://127.0.0.1:9/callback',
    'https://localhost:9/callback',
    'http://localhost:9@evil.example/callback',
    'http://evil.example/callback',
    '//localhost:9/callback',
    'javascript:alert(1)',
    `${redirectUri}/../callback`,
    `${redirectUri}\u0000`,
    `${redirectUri} `,
    `${redirectUri},${redirectUri}`,
    'http://localhost.:9/callback',
    'http://user@localhost:9/callback',
    'http://localhost:9/Callback',
    'http://localhost:9/%63allback',
    'null',
    '',
    undefined,
  ])('%s gets a page of ours and leads nowhere', async (address) => {
    const before = await interactions();
    await refusedHere(await changed(party, { redirect_uri: address }));
    expect(await interactions()).toEqual(before);
  });

  it('is not the app’s own, though it leads to the same machine: that is for native apps', async () => {
    const web = await createParty(bed, 'web');
    for (const address of [
      'http://localhost/cb',
      'http://127.0.0.1/cb',
      'https://rp.example:444/cb',
    ]) {
      await refusedHere(await changed(web, { redirect_uri: address }));
    }
    const { location } = await ana.get(
      await changed(web, { redirect_uri: 'https://rp.example/cb' }),
    );
    expect(location).toMatch(/^https:\/\/rp\.example\/cb\?code=/);
  });

  it('is not named twice, and not pushed either', async () => {
    await refusedHere(`${await changed(party, {})}&redirect_uri=${redirectUri}`);
    const pushed = async (redirect_uri: string): ReturnType<typeof post> => {
      const { parameters } = await newRequest({ redirect_uri, client_id: 'first' });
      const fields = { ...parameters, response_type: 'code' };
      return post(`${bed.issuer}/request`, fields, basic('first', bed.clientSecret));
    };
    expect((await pushed(redirectUri)).status).toBe(201);
    expect(await pushed(`${redirectUri}/`)).toMatchObject({
      ...{ status: 400, json: { error: 'invalid_request' } },
    });
  });

  const interactions = (): Promise<string[]> =>
    withRedis(storeUrl, async (redis) => (await redis.keys('*:Interaction:*')).toSorted());

  it('would be seen to begin a sign-in, were it the right one', async () => {
    const before = await interactions();
    await createBrowser().get(await changed(party, {}));
    expect(await interactions()).toHaveLength(before.length + 1);
  });

  async function refusedHere(url: string): Promise<void> {
    const answer = await createBrowser().get(url);
    expect(answer).toMatchObject({ status: 400, location: undefined });
    expect(heading(answer)).toMatch(
      /^(The app asked for something we cannot do|We could not read that)$/,
    );
    expect(answer.headers.getSetCookie().join()).not.toContain('_interaction');
  }
});

describe('what is not offered', () => {
  it.each([
    ...['token', 'id_token', 'code id_token', 'code token', 'id_token token'],
    ...['code id_token token', 'none', 'x', 'CODE'],
  ])('[PR-07] response_type "%s" is refused, in the query and when it is pushed', async (type) => {
    const { location = '' } = await ana.get(await changed(party, { response_type: type }));
    const answer = new URL(location.replace('#', '?'));
    expect(answer.searchParams.get('error')).toBe('unsupported_response_type');
    expect(location).not.toMatch(/[?#&](code|access_token|id_token)=/);
    const { parameters } = await newRequest({ client_id: 'first', response_type: type });
    const headers = basic('first', bed.clientSecret);
    const pushed = await post(`${bed.issuer}/request`, parameters, headers);
    expect(pushed).toMatchObject({ status: 400, json: { error: 'unsupported_response_type' } });
  });

  it.each([
    'password',
    'implicit',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:openid:params:grant-type:ciba',
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
  ])('[PR-07] [PR-28] grant_type "%s" is refused', async (grantType) => {
    const fields = { grant_type: grantType, username: 'ana', password: 'x' };
    const { status, json } = await post(
      `${bed.issuer}/token`,
      fields,
      basic('first', bed.clientSecret),
    );
    expect({ status, error: json.error }).toEqual({ status: 400, error: 'unsupported_grant_type' });
  });

  it('[PR-28] the device and back-channel authentication endpoints are not there', async () => {
    for (const path of ['/device/auth', '/device', '/backchannel']) {
      const fields = { client_id: 'first', scope: 'openid' };
      const { status } = await post(`${bed.issuer}${path}`, fields, {
        ...basic('first', bed.clientSecret),
        accept: 'application/json',
      });
      expect(status).toBe(404);
    }
  });

  it('[PR-17] a parameter that is there twice is refused', async () => {
    const state = await ana.get(`${await changed(party, {})}&state=again`);
    expect(answerOf(state.location)).toMatchObject({ error: 'invalid_request' });
    const address = await ana.get(`${await changed(party, {})}&redirect_uri=http://evil.example/`);
    expect(address).toMatchObject({ status: 400, location: undefined });
  });
});

describe('prompt and max_age', () => {
  it('[PR-11] prompt=none without a session is answered at once and costs nothing', async () => {
    const before = await selfiesAsked(bed);
    const { location } = await createBrowser().get(await changed(party, { prompt: 'none' }));
    expect(answerOf(location)).toMatchObject({ error: 'login_required', iss: bed.issuer });
    expect(await selfiesAsked(bed)).toBe(before);
  });

  it('[PR-12] a login older than max_age is done anew, and auth_time says so', async () => {
    const browser = createBrowser();
    const first = await party.begin({ max_age: '60' });
    const before = (await first.finish(await signIn(browser, first))).claims();
    const straight = await party.begin({ max_age: '60' });
    const same = (await tokensOf(browser, straight)).claims();
    expect(same?.auth_time).toBe(before?.auth_time);

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 120_000 });
    const silent = await changed(party, { max_age: '60', prompt: 'none' });
    expect(answerOf((await browser.get(silent)).location).error).toBe('login_required');
    const late = await party.begin({ max_age: '60' });
    const after = (await late.finish(await selfieAgain(browser, late.url))).claims();
    expect(after?.sub).toBe(before?.sub);
    expect(after?.auth_time).toBeGreaterThanOrEqual((before?.auth_time ?? Infinity) + 100);
  });

  it('[PR-12] max_age=0 asks for a selfie each time', async () => {
    const { location } = await ana.get(await changed(party, { max_age: '0' }));
    expect(location).toContain('/interaction/');
  });

  it('the login hint stands in the form', async () => {
    const url = await changed(party, { login_hint: 'ben@example.com' });
    const page = await settleNew(url);
    expect(page.text).toContain('value="ben@example.com"');
  });
});

describe('acr', () => {
  const claims = (acr: object): Record<string, string> => ({
    claims: JSON.stringify({ id_token: { acr } }),
  });

  it.each([
    ['acr_values', { acr_values: 'urn:example:gold' }],
    ['a voluntary claim', claims({ value: 'urn:example:gold' })],
    ['voluntary values', claims({ values: ['phr', 'urn:example:gold'] })],
  ])('[AS-03] unknown, asked for by %s: one selfie, and an honest answer', async (_, wanted) => {
    const before = await selfiesAsked(bed);
    const browser = createBrowser();
    const request = await party.begin(wanted);
    expect((await request.finish(await signIn(browser, request))).claims()?.acr).toBe(selfie);
    expect(await selfiesAsked(bed)).toBe(before + 1);
  });

  it.each([
    ['the very one', claims({ essential: true, value: selfie })],
    ['one of several', claims({ essential: true, values: ['phr', selfie] })],
    ['a weaker one', claims({ essential: true, value: 'urn:didit-oidc:acr:device:test' })],
  ])('[AS-03] essential and reachable (%s) needs no second selfie', async (_, wanted) => {
    const tokens = await tokensOf(ana, await party.begin(wanted));
    expect(tokens.claims()?.acr).toBe(selfie);
    const browser = createBrowser();
    const request = await party.begin(wanted);
    expect((await request.finish(await signIn(browser, request))).claims()?.acr).toBe(selfie);
  });

  it.each([
    ['value', { essential: true, value: 'phr' }],
    ['values', { essential: true, values: ['phr', 'urn:didit-oidc:acr:selfie'] }],
  ])(
    '[AS-03] essential and unreachable (%s) is refused at once, with a session and without',
    async (_, acr) => {
      const before = await selfiesAsked(bed);
      for (const browser of [createBrowser(), ana]) {
        const { location } = await browser.get(await changed(party, claims(acr)));
        expect(answerOf(location).error).toBe('unmet_authentication_requirements');
      }
      expect(await selfiesAsked(bed)).toBe(before);
    },
  );

  it('values that are no list are refused', async () => {
    const { location } = await ana.get(await changed(party, claims({ values: 'phr' })));
    expect(answerOf(location).error).toBe('invalid_request');
  });
});

it('a claim asked for by name comes without its scope, where it was asked for', async () => {
  const claims = { userinfo: { email: null }, id_token: { name: { essential: true } } };
  const request = await party.begin({ scope: 'openid', claims: JSON.stringify(claims) });
  const tokens = await tokensOf(ana, request);
  expect(tokens.claims()?.name).toBe('Ana');
  expect(tokens.claims()).not.toHaveProperty('email');
  const { json } = await userinfo(bed, tokens.access_token);
  expect(json.email).toBe('ana@example.com');
  expect(json).not.toHaveProperty('name');
});

describe('[PR-13] a request about one person', () => {
  let benToken: string;
  let benSub: string;

  beforeAll(async () => {
    const tokens = await tokensOf(await signedIn(bed, 'ben@example.com'), await party.begin());
    benToken = tokens.id_token ?? '';
    benSub = tokens.claims()?.sub ?? '';
  });

  const wanted = {
    id_token_hint: (): Record<string, string> => ({ id_token_hint: benToken }),
    'claims.sub': (): Record<string, string> => ({
      claims: JSON.stringify({ id_token: { sub: { value: benSub } } }),
    }),
  };

  it.each(Object.entries(wanted))('by %s is not answered from another session', async (_, by) => {
    const silent = await ana.get(await changed(party, { ...by(), prompt: 'none' }));
    expect(answerOf(silent.location).error).toBe('login_required');
    const asked = await ana.get(await changed(party, by()));
    expect(asked.location).toContain('/interaction/');
  });

  it.each(Object.entries(wanted))(
    'by %s ends in an error when another proves herself',
    async (_, by) => {
      const browser = createBrowser();
      const before = await selfiesAsked(bed);
      const request = await party.begin(by());
      expect(answerOf(await signIn(browser, request, 'ana@example.com'))).toMatchObject({
        error: 'login_required',
        iss: bed.issuer,
      });
      expect(await selfiesAsked(bed)).toBe(before + 1);
    },
  );

  it.each(Object.entries(wanted))('by %s is answered when it is that person', async (_, by) => {
    const request = await party.begin(by());
    const tokens = await request.finish(await signIn(createBrowser(), request, 'ben@example.com'));
    expect(tokens.claims()?.sub).toBe(benSub);
  });

  it('by an id_token_hint that is forged or not signed is refused', async () => {
    const [header = '', payload = '', signature = ''] = benToken.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
    for (const hint of [`${none}.${payload}.`, `${header}.${payload}.${flipped}`, 'x']) {
      const { location } = await ana.get(await changed(party, { id_token_hint: hint }));
      expect(answerOf(location).error).toBe('invalid_request');
    }
  });
});

it('[PR-10] the session id is a new one after the login, and the old one is dead', async () => {
  const browser = createBrowser();
  const form = await browser.get(`${bed.issuer}/session/end`);
  const planted = cookieOf(form.headers, '_session');
  await signIn(browser, await party.begin());
  const cookies = await browser.jar.getCookies(bed.issuer);
  expect(cookies.find(({ key }) => key === '_session')?.value).not.toBe(planted.split('=')[1]);
  const signature = cookieOf(form.headers, '_session.sig');
  const response = await fetch(await changed(party, { prompt: 'none' }), {
    redirect: 'manual',
    headers: { cookie: `${planted}; ${signature}` },
  });
  expect(answerOf(response.headers.get('location') ?? '').error).toBe('login_required');
});

function cookieOf(headers: Headers, name: string): string {
  const found = headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`));
  expect(found).toBeDefined();
  return found?.split(';')[0] ?? '';
}

async function settleNew(url: string): ReturnType<typeof settle> {
  const browser = createBrowser();
  return settle(browser, await browser.get(url));
}

/** The person of the session proves it anew. @returns the callback's address. */
async function selfieAgain(browser: TestBrowser, url: string): Promise<string> {
  const context = await settle(browser, await browser.get(url));
  const didit = await settle(browser, await press(browser, context, 'selfie'));
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  const ready = await whileWaiting(browser, back);
  return (await settle(browser, await press(browser, ready, 'resume'))).location ?? '';
}
