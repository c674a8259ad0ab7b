/** What a token says of a sign-in, over all that a policy, a key and an app can make of one; and what is never said. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { passkeyProof } from '../../src/domain/assurance.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { createPolicy, minimumOf, requestedAssurance } from '../../src/oidc/prompts.ts';
import { overhear } from '../didit/support.ts';
import { answerOf, tokensOf } from '../oidc/support.ts';
import { type Scene, day, minute, openScene } from '../support/account.ts';
import { type TestBrowser, createBrowser, formsOf } from '../support/browser.ts';
import {
  type Device,
  createDevice,
  leaveBy,
  selfieOn,
  signInWith,
  toContext,
} from '../support/device.ts';
import {
  type Party,
  createParty,
  heading,
  interactionOf,
  press,
  settle,
} from '../support/login.ts';
import { always } from '../support/policies.ts';
import { redirectUri } from '../support/testbed.ts';
import { equip, signInByCodes, waysOn } from '../support/ways.ts';

const policy = vi.hoisted(() => ({ forced: undefined as Pick<Policy, 'before'> | undefined }));
vi.mock(import('../../src/domain/policy.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    decide: (usual, signals) => real.decide({ ...usual, ...policy.forced }, signals),
  };
});

const urn = (name: string): string => `urn:didit-oidc:acr:${name}:test`;
const passive = '0b6f2f0a-5f0d-4a57-8f65-000000000001';
const active = '0b6f2f0a-5f0d-4a57-8f65-000000000002';
const essential = (...values: string[]): { claims: string } => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, values } } }),
});
const [face, both] = [{ amr: ['face'] }, { amr: ['face', 'swk', 'pop', 'mfa'] }];

const heard = overhear();
let scene: Scene;
let party: Party;
beforeAll(async () => {
  scene = await openScene({
    people: 40,
    fetch: heard.fetch,
    flags: { didit: { workflows: { passive, active } } },
    clients: [
      {
        ...{ client_id: 'guarded', token_endpoint_auth_method: 'none', first_party: true },
        ...{ redirect_uris: [redirectUri], minimum_acr: 'urn:didit-oidc:acr:selfie' },
      },
    ],
  });
  party = await createParty(scene.bed);
});
afterAll(() => scene.close());
// Limits count by the quarter of an hour, and all browsers of a test share an address.
beforeEach(() => scene.passQuarter());
afterEach(() => {
  policy.forced = undefined;
});

const seconds = (): number => Math.floor(Date.now() / 1000);

interface SignedIn {
  claims: Record<string, unknown>;
  /** By which workflow each selfie was asked for. */
  selfies: string[];
  askedAt: number;
}

async function claimsBy(
  parameters: Record<string, string>,
  way: (request: Awaited<ReturnType<Party['begin']>>) => Promise<string>,
): Promise<SignedIn> {
  const [before, askedAt] = [heard.creates.length, seconds()];
  const request = await party.begin(parameters);
  const claims = { ...(await request.finish(await way(request))).claims() };
  const selfies = heard.creates.slice(before).map(({ body }) => String(body.workflow_id));
  return { claims, selfies, askedAt };
}

const signIn = (
  person: string,
  device: Device,
  parameters: Record<string, string> = {},
  browser: TestBrowser = createBrowser(),
): Promise<SignedIn> =>
  claimsBy(parameters, (request) => signInWith(browser, request, person, device));

/** Somebody with a key that has rested. */
async function known() {
  const [person, device, browser] = [scene.bed.person(), createDevice(), createBrowser()];
  const first = await signIn(person, device, {}, browser);
  scene.pass(day + minute);
  return { person, device, browser, first };
}

describe('[AS-01] the token of a sign-in by', () => {
  const isNew = ({ claims, askedAt }: SignedIn): void => {
    expect(claims.auth_time).toBeGreaterThanOrEqual(askedAt);
    expect(claims.auth_time).toBeLessThanOrEqual(seconds());
  };

  it('a selfie says a face', async () => {
    const signedIn = await signIn(scene.bed.person(), createDevice());
    expect(signedIn).toMatchObject({ claims: { acr: urn('selfie'), ...face }, selfies: [passive] });
    isNew(signedIn);
  });

  it('a selfie and a key says both', async () => {
    const { person, device } = await known();
    const signedIn = await signIn(person, device, { acr_values: urn('selfie-device') });
    expect(signedIn).toMatchObject({
      ...{ claims: { acr: urn('selfie-device'), ...both }, selfies: [passive] },
    });
    isNew(signedIn);
  });

  it.each([
    ['that the app insists on', essential(urn('selfie-active'))],
    ['that the app would like', { acr_values: urn('selfie-active') }],
  ])('a selfie with movement, %s, and a key says so', async (_, parameters) => {
    const { person, device } = await known();
    const signedIn = await signIn(person, device, parameters);
    expect(signedIn).toMatchObject({
      ...{ claims: { acr: urn('selfie-active'), ...both }, selfies: [active] },
    });
    isNew(signedIn);
  });

  it('a selfie with movement and no key says no more than a face', async () => {
    policy.forced = always('selfie_active');
    const signedIn = await signIn(scene.bed.person(), createDevice());
    expect(signedIn).toMatchObject({ claims: { acr: urn('selfie'), ...face }, selfies: [active] });
    isNew(signedIn);
  });

  it('a known device in a known network says no face, and the time of the selfie that there was', async () => {
    const { person, device, first } = await known();
    const { claims, selfies } = await signIn(person, device);
    expect(claims).toMatchObject({ acr: urn('device'), amr: ['swk', 'pop'] });
    expect([claims.auth_time, selfies]).toEqual([first.claims.auth_time, []]);
  });

  it('two codes says codes, with a key beside them or without', async () => {
    const { person, device } = await known();
    const { app } = await equip(scene.store, person);
    const signedIn = await claimsBy(essential(urn('fallback')), (request) =>
      signInByCodes(scene.bed, createBrowser(), request, { address: person, app: app() }),
    );
    expect(signedIn).toMatchObject({
      ...{ claims: { acr: urn('fallback'), amr: ['otp', 'mca'] }, selfies: [] },
    });
    isNew(signedIn);
    expect(device.id()).toBeDefined();
  });

  it('a step-up says what it took, in the session that there was, and lowers nothing after', async () => {
    const { person, device, browser, first } = await known();
    const up = await signIn(person, device, essential(urn('selfie-device')), browser);
    expect(up.claims).toMatchObject({ sub: first.claims.sub, acr: urn('selfie-device'), ...both });
    isNew(up);
    scene.pass(2);
    const silent = await tokensOf(browser, await party.begin({ prompt: 'none' }));
    expect(silent.claims()).toMatchObject({
      ...{ acr: urn('selfie-device'), auth_time: up.claims.auth_time },
    });
  });

  test('a passkey says a key and its person, and no face', () => {
    expect(passkeyProof('account', 1_000, 'live')).toEqual({
      ...{ accountId: 'account', acr: 'phr', provenAtMs: 1_000 },
      amr: ['swk', 'user', 'pop', 'mfa'],
    });
  });
});

describe('[AS-03] an app that insists on a selfie and a device', () => {
  it('is told that it cannot be, before anything is paid, where there are codes alone', async () => {
    const person = scene.bed.person();
    const { app } = await equip(scene.store, person);
    const before = heard.creates.length;
    const [browser, request] = [
      createBrowser(),
      await party.begin(essential(urn('selfie-device'))),
    ];
    const page = await toContext(browser, request, person);
    expect(formsOf(page).flatMap(({ actions }) => actions)).toContainEqual(
      expect.stringMatching(/\/selfie$/),
    );
    // Codes are no way here, also for who asks by hand.
    expect(page.text).not.toContain('name="factor"');
    const here = await interactionOf(browser, scene.bed);
    for (const factor of ['mail', 'totp']) {
      expect((await browser.post(`${here}/factor`, { factor })).status).toBe(400);
      expect(
        (await browser.post(`${here}/answer`, { answer: app() })).location ?? '',
      ).not.toContain('code=');
    }
    const { location } = await settle(browser, await press(browser, page, 'selfie'));
    expect(answerOf(location).error).toBe('unmet_authentication_requirements');
    expect(answerOf(location).code).toBeUndefined();
    expect(heard.creates.length).toBe(before);
    const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
    expect(answerOf(silent.location).error).toBe('login_required');
  });

  it('and in a session by two codes is told so too, and the session stays what it was', async () => {
    const person = scene.bed.person();
    const { app } = await equip(scene.store, person);
    const browser = createBrowser();
    const codes = await party.begin();
    const address = await signInByCodes(scene.bed, browser, codes, { address: person, app: app() });
    await codes.finish(address);
    const before = heard.creates.length;
    const page = await toContext(
      browser,
      await party.begin(essential(urn('selfie-device'))),
      person,
    );
    const { location } = await settle(browser, await press(browser, page, 'selfie'));
    expect(answerOf(location).error).toBe('unmet_authentication_requirements');
    expect(heard.creates.length).toBe(before);
    const still = await tokensOf(browser, await party.begin({ prompt: 'none' }));
    expect(still.claims()?.acr).toBe(urn('fallback'));
  });

  it('gets it by one selfie, and from then on without any', async () => {
    const { person, device, browser } = await known();
    const asked = await signIn(person, device, essential(urn('selfie-device')), browser);
    expect(asked.selfies).toEqual([passive]);
    for (const want of ['selfie-device', 'selfie', 'device', 'fallback']) {
      const again = await signIn(person, device, essential(urn(want)), browser);
      expect(again).toMatchObject({ claims: { acr: urn('selfie-device') }, selfies: [] });
    }
  });

  it('is not answered by a selfie whose key was left out between the name and the camera', async () => {
    const { person } = await known();
    const before = heard.creates.length;
    const browser = createBrowser();
    const page = await toContext(
      browser,
      await party.begin(essential(urn('selfie-active'))),
      person,
    );
    const end = await selfieOn(browser, page);
    expect(answerOf(end.location).error).toBe('unmet_authentication_requirements');
    expect(heard.creates.length).toBe(before);
  });
});

describe('[AS-03] an app that would like', () => {
  it('a selfie and a device gets the selfie, said as it is, for the price of one', async () => {
    const wish = { acr_values: `${urn('selfie-active')} ${urn('selfie-device')}` };
    const { claims, selfies } = await signIn(scene.bed.person(), createDevice(), wish);
    expect(claims).toMatchObject({ acr: urn('selfie'), ...face });
    expect(selfies).toHaveLength(1);
  });

  it('a selfie gets two codes where there is nothing else, said as they are', async () => {
    const person = scene.bed.person();
    const { app } = await equip(scene.store, person);
    const { claims, selfies } = await claimsBy({ acr_values: urn('selfie-device') }, (request) =>
      signInByCodes(scene.bed, createBrowser(), request, { address: person, app: app() }),
    );
    expect([claims.acr, selfies]).toEqual([urn('fallback'), []]);
  });
});

describe('[AS-03] the least that the operator takes for an app', () => {
  const subjectFor = () => '';
  const reachable = ['selfie-device', 'selfie', 'device', 'fallback'].map(urn);
  const check = createPolicy(reachable, subjectFor, false, 'sandbox')
    .get('login')
    ?.checks.get('acr');
  const client = { minimum_acr: 'urn:didit-oidc:acr:selfie-device' };
  const needs = (oidc: object): unknown =>
    check?.check({ oidc: { claims: {}, client, ...oidc } } as never);
  const session = (name: string) => ({ session: { accountId: 'ana', acr: urn(name) } });
  const result = { login: { accountId: 'ana' } };

  test('is called as the environment calls it, and is nothing where it is not said', () => {
    expect(minimumOf(client, 'sandbox')).toBe(urn('selfie-device'));
    expect(minimumOf(client, 'live')).toBe(client.minimum_acr);
    for (const other of [{}, { minimum_acr: undefined }, { minimum_acr: ['x'] }]) {
      expect(minimumOf(other, 'live')).toBeUndefined();
    }
  });

  it('is asked of a session by codes, by a selfie and by nothing less', async () => {
    const person = scene.bed.person();
    const { app } = await equip(scene.store, person);
    const browser = createBrowser();
    const request = await party.begin();
    const ways = { address: person, app: app() };
    await request.finish(await signInByCodes(scene.bed, browser, request, ways));
    const before = heard.creates.length;

    const page = await toContext(browser, await party.begin({ client_id: 'guarded' }), person);
    expect(heading(page)).toBe('One selfie to sign in');
    expect(waysOn(page)).toEqual([]);
    const callback = await leaveBy(browser, await selfieOn(browser, page));
    expect(answerOf(callback).code).toBeDefined();
    expect(heard.creates.length).toBe(before + 1);
    const again = await settle(
      browser,
      await browser.get((await party.begin({ client_id: 'guarded', prompt: 'none' })).url),
    );
    expect(answerOf(again.location).code).toBeDefined();
  });

  test('is asked for once: a session that has less, or none, and never a second time', () => {
    expect(needs({})).toBe(true);
    expect(needs(session('selfie'))).toBe(true);
    expect(needs(session('selfie-device'))).toBe(false);
    expect(needs(session('selfie-active'))).toBe(false);
    expect(() => needs({ ...session('selfie'), result })).toThrow(/unmet_authentication/);
    expect(() => needs({ result })).toThrow(/unmet_authentication/);
  });

  test('holds whatever the app itself asks for, and is no reason to give it less', () => {
    const claims = (claim: object) => ({ claims: { id_token: { acr: claim } } });
    const wish = claims({ values: [urn('fallback')] });
    expect(needs({ ...wish, ...session('fallback') })).toBe(true);
    expect(() => needs({ ...wish, ...session('fallback'), result })).toThrow(
      /unmet_authentication/,
    );
    const more = claims({ essential: true, value: urn('selfie-active') });
    // It cannot be reached here at all: no selfie is taken for it.
    expect(() => needs({ ...more, ...session('selfie-device') })).toThrow(/unmet_authentication/);
    expect(needs({ ...more, ...session('selfie-active') })).toBe(false);
  });

  test('and what the app asks for go into the attempt as they are', () => {
    const asked = (params: object, reasons: string[] = [], minimum?: string) =>
      requestedAssurance({ params: { ...params }, prompt: { reasons } }, minimum);
    expect(asked({})).toEqual({});
    expect(asked({ ...essential('a', 'b') })).toEqual({ essentialAcr: ['a', 'b'] });
    expect(asked({ ...essential('a'), acr_values: 'c  d' })).toEqual({ wantedAcr: ['c', 'd'] });
    const single = JSON.stringify({ id_token: { acr: { essential: true, value: 'a' } } });
    expect(asked({ claims: single }, [], 'm')).toEqual({ essentialAcr: ['a'], minimumAcr: 'm' });
    const nothing = JSON.stringify({ id_token: { acr: null }, userinfo: { acr: { value: 'x' } } });
    expect(asked({ claims: nothing })).toEqual({});
    expect(asked({ max_age: '60' }, ['no_session'])).toEqual({ maxAgeSeconds: 60 });
    for (const reason of ['login_prompt', 'max_age']) {
      expect(asked({}, ['no_session', reason])).toEqual({ isNewActAsked: true });
    }
  });
});

describe('[AS-05] a step-up that was begun and not done', () => {
  /** Signed in by a selfie and a key, and asked for movement. */
  async function asked() {
    const { person, device, browser } = await known();
    const before = await signIn(person, device, { prompt: 'login' }, browser);
    expect(before.claims.acr).toBe(urn('selfie-device'));
    const creates = heard.creates.length;
    const request = await party.begin(essential(urn('selfie-active')));
    const page = await toContext(browser, request, person, device);
    expect(heading(page)).toBe('One selfie to sign in');
    const here = await interactionOf(browser, scene.bed);
    const library = here.replace('/interaction/', '/auth/');
    return { person, device, browser, request, page, here, library, creates };
  }

  async function opensNothing(
    browser: TestBrowser,
    addresses: readonly string[],
    method: 'get' | 'post' = 'get',
  ): Promise<void> {
    for (const address of addresses) {
      const { location } = await settle(browser, await browser[method](address));
      expect(location ?? '').not.toContain('code=');
    }
  }

  const silently = async (browser: TestBrowser): Promise<unknown> =>
    (await tokensOf(browser, await party.begin({ prompt: 'none' }))).claims()?.acr;

  it('is not over because its page is left by the library’s own address, or by hand', async () => {
    const { browser, here, library, creates } = await asked();
    await opensNothing(browser, [library, here, library]);
    await opensNothing(browser, [`${here}/resume`, `${here}/resume`], 'post');
    for (const step of ['selfie-next', 'factor', 'answer', 'passkey-answer', 'allow']) {
      await browser.post(`${here}/${step}`, { factor: 'mail', answer: '000000' });
    }
    await opensNothing(browser, [library]);
    expect(heard.creates.length).toBe(creates);
    expect(await silently(browser)).toBe(urn('selfie-device'));
  });

  it('is not over with another app’s sign-in beside it, or one of the same app that asks for less', async () => {
    const { browser, library, here } = await asked();
    const second = await createParty(scene.bed, 'second');
    for (const other of [await second.begin(), await party.begin()]) {
      expect((await tokensOf(browser, other)).claims()?.acr).toBe(urn('selfie-device'));
      await opensNothing(browser, [library, here]);
    }
    const more = await second.begin(essential(urn('selfie-active')));
    const { location } = await browser.get(more.url);
    expect(location).toContain('/interaction/');
  });

  it('is not done by what another tab proved for less, nor by what was proven before it', async () => {
    const { person, device, browser, library, here } = await asked();
    const tab = await party.begin({ prompt: 'login' });
    const page = await toContext(browser, tab, person, device);
    const ready = await selfieOn(browser, page, device);
    const other = await interactionOf(browser, scene.bed);
    const done = await leaveBy(browser, ready, device);
    expect((await tab.finish(done)).claims()?.acr).toBe(urn('selfie-device'));
    await opensNothing(browser, [library, other.replace('/interaction/', '/auth/'), library, here]);
    await opensNothing(browser, [`${here}/resume`, `${other}/resume`], 'post');
    expect(await silently(browser)).toBe(urn('selfie-device'));
  });

  it('takes movement: a selfie that nobody was asked to move for is not taken in its place', async () => {
    const { person, device, browser, page, request } = await asked();
    const ready = await selfieOn(browser, page, device);
    expect(heard.creates.at(-1)?.body.workflow_id).toBe(active);
    const tokens = await request.finish(await leaveBy(browser, ready, device));
    expect(tokens.claims()).toMatchObject({ acr: urn('selfie-active'), ...both });
    // And once only: whoever has it is asked for nothing more.
    const again = await signIn(person, device, essential(urn('selfie-active')), browser);
    expect(again.selfies).toEqual([]);
  });

  it('that fails leaves the session as it was, and the app without', async () => {
    const { browser, page, device, library, here } = await asked();
    const denied = await selfieOn(browser, page, device, { outcome: 'decline' });
    expect(heading(denied)).toBe('We could not sign you in');
    await opensNothing(browser, [library]);
    await opensNothing(browser, [`${here}/resume`], 'post');
    const { location } = await settle(browser, await press(browser, denied, 'cancel'));
    expect(answerOf(location).error).toBe('unmet_authentication_requirements');
    expect(await silently(browser)).toBe(urn('selfie-device'));
  });
});
