/** The key of a browser: what it spares, what it proves, and all that stands in for it and does not. */
import { createHash } from 'node:crypto';
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { passkeyProof } from '../../src/domain/assurance.ts';
import type { Attempt } from '../../src/domain/attempt.ts';
import type { Familiar } from '../../src/domain/familiar.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { deviceKeyMessage } from '../../src/fallback/device-keys.ts';
import { keepingTask } from '../../src/login/device-key.ts';
import type { LoginSettings } from '../../src/login/room.ts';
import { captured, events, fresh, identity, play } from '../domain/samples.ts';
import { selfiesAsked } from '../oidc/support.ts';
import { type Scene, day, minute, openScene } from '../support/account.ts';
import { type Answer, type TestBrowser, createBrowser, formsOf } from '../support/browser.ts';
import {
  type Device,
  createDevice,
  leaveBy,
  selfieOn,
  signInWith,
  taskOn,
  toContext,
} from '../support/device.ts';
import { accountPage, act, tokenOn } from '../support/enrol.ts';
import {
  type Party,
  createParty,
  heading,
  interactionOf,
  press,
  settle,
} from '../support/login.ts';
import { always, keyFirst } from '../support/policies.ts';
import { soon } from '../support/soon.ts';
import { redirectUri } from '../support/testbed.ts';
import { equip, answer, choose, mailedCode, toChoice, waysOn } from '../support/ways.ts';

const policy = vi.hoisted(() => ({ forced: undefined as Pick<Policy, 'before'> | undefined }));
vi.mock(import('../../src/domain/policy.ts'), async (original) => {
  const real = await original();
  return {
    ...real,
    decide: (usual, signals) => real.decide({ ...usual, ...policy.forced }, signals),
  };
});

const [selfie, selfieDevice, deviceOnly] = [
  'urn:didit-oidc:acr:selfie:test',
  'urn:didit-oidc:acr:selfie-device:test',
  'urn:didit-oidc:acr:device:test',
];
const withKey = { acr: selfieDevice, amr: ['face', 'swk', 'pop', 'mfa'] };
const withoutKey = { acr: selfie, amr: ['face'] };
const spared = { acr: deviceOnly, amr: ['swk', 'pop'] };

let scene: Scene;
let party: Party;
beforeAll(async () => {
  scene = await openScene({
    people: 60,
    flags: { trustProxy: 1 },
    clients: [
      {
        ...{ client_id: 'recent', token_endpoint_auth_method: 'none', first_party: true },
        ...{ redirect_uris: [redirectUri], default_max_age: 3_600 },
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

const familiarOf = async (accountId: string): Promise<Partial<Familiar>> =>
  JSON.parse((await scene.store.get(`familiar:${accountId}`))?.value ?? '{}') as Familiar;
const keysOf = async (accountId: string): Promise<string[]> =>
  ((await familiarOf(accountId)).keys ?? []).map(({ id }) => id);

interface Options {
  browser?: TestBrowser;
  parameters?: Record<string, string>;
  more?: Record<string, string>;
}

/** Signs in, in a browser that has nothing else but this key. */
async function signIn(
  person: string,
  device: Device,
  { browser = createBrowser(), parameters = {}, more = {} }: Options = {},
) {
  const before = await selfiesAsked(scene.bed);
  const request = await party.begin(parameters);
  const tokens = await request.finish(await signInWith(browser, request, person, device, more));
  const selfies = (await selfiesAsked(scene.bed)) - before;
  return { browser, tokens, claims: tokens.claims()!, selfies };
}

/** Somebody with a key in one browser, which has rested. */
async function known({ rested = true } = {}) {
  const [person, device] = [scene.bed.person(), createDevice()];
  const { accountId, app } = await equip(scene.store, person);
  const first = await signIn(person, device);
  expect(first.claims).toMatchObject(withoutKey);
  expect(await keysOf(accountId)).toEqual([device.id()]);
  if (rested) scene.pass(day + minute);
  return { ...{ person, device, accountId, app }, first };
}

/** What comes of a sign-in that must take a selfie, and what its token says. */
async function takesSelfie(person: string, device: Device, options: Options = {}) {
  const next = await signIn(person, device, options);
  expect(next.selfies).toBe(1);
  expect(next.claims.amr).toContain('face');
  return next;
}

describe('[FB-03] a key that has rested', () => {
  it('spares the selfie, and the token says when there was one, and that there is none now', async () => {
    const { person, device, accountId, first } = await known();
    const second = await signIn(person, device);
    expect(second.selfies).toBe(0);
    expect(second.claims).toMatchObject({ ...spared, auth_time: first.claims.auth_time });
    // Again and again: nothing is newer for it.
    scene.pass(day);
    const third = await signIn(person, device);
    expect(third.claims).toMatchObject({ ...spared, auth_time: first.claims.auth_time });
    const familiar = await familiarOf(accountId);
    expect(Math.floor((familiar.lastProof?.atMs ?? 0) / 1000)).toBe(first.claims.auth_time);
    expect(Math.floor((familiar.keys?.[0]?.actedAtMs ?? 0) / 1000)).toBe(first.claims.auth_time);
  });

  it('makes no session last longer than the selfie’s own would', async () => {
    const { person, device } = await known();
    const { browser } = await signIn(person, device);
    const isSignedIn = async (): Promise<boolean> => {
      const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
      return silent.location?.includes('code=') === true;
    };
    // Used every few hours, a session would slide for 14 days after its sign-in; that was a day ago.
    for (let hours = 0; hours < 12.5 * 24; hours += 6) {
      scene.pass(6 * 60 * minute);
      expect(await isSignedIn()).toBe(true);
    }
    scene.pass(13 * 60 * minute);
    expect(await isSignedIn()).toBe(false);
    // What is that old spares nobody anything.
    expect((await takesSelfie(person, device)).claims).toMatchObject(withKey);
  });

  it('rests for a day after it was made: until then it is only a second factor', async () => {
    const { person, device } = await known({ rested: false });
    expect((await takesSelfie(person, device)).claims).toMatchObject(withKey);
    scene.pass(day - 20 * minute);
    expect((await takesSelfie(person, device)).claims).toMatchObject(withKey);
    scene.pass(21 * minute);
    expect((await signIn(person, device)).selfies).toBe(0);
  });

  it('in another network spares nothing', async () => {
    const { person, device } = await known();
    const browser = createBrowser({ address: '203.0.113.9' });
    const page = await toContext(browser, await party.begin(), person, device);
    expect(heading(page)).toBe('One selfie to sign in');
  });

  it('whose person has no face any more, or wants no selfie, spares none', async () => {
    for (const change of [{ selfieOff: true }, { enrolment: undefined }]) {
      const { person, device, accountId } = await known();
      const { value = '{}' } = (await scene.store.get(`account:${accountId}`)) ?? {};
      const account = { ...(JSON.parse(value) as object), ...change };
      await scene.store.put(`account:${accountId}`, JSON.stringify(account));
      await scene.store.publish('accounts', accountId);
      scene.pass(minute);
      const page = await toContext(createBrowser(), await party.begin(), person, device);
      expect(heading(page)).toBe('One selfie to sign in');
    }
  });
});

describe('[FB-03] without the key', () => {
  it('all cookies of its browser spare no selfie and raise nothing', async () => {
    const { person, device, first } = await known();
    const thief = createBrowser();
    const cookies = await first.browser.jar.getCookies(scene.bed.issuer, { allPaths: true });
    for (const cookie of cookies) await thief.jar.setCookie(cookie, scene.bed.issuer);
    expect(cookies.map(({ key }) => key)).toContain('_device');
    const none = createDevice();
    const stolen = await takesSelfie(person, none, {
      browser: thief,
      parameters: { prompt: 'login' },
    });
    expect(stolen.claims).toMatchObject(withoutKey);
    // The name of the key is no key either.
    const named = createBrowser();
    const page = await toContext(named, await party.begin(), person);
    const more = { device_key: device.id() ?? '', device_signature: 'A'.repeat(86) };
    const request = await party.begin();
    const other = createBrowser();
    const context = await toContext(other, request, person);
    const ready = await selfieOn(other, context, undefined, { more });
    const claims = (await request.finish(await leaveBy(other, ready))).claims();
    expect(claims).toMatchObject(withoutKey);
    expect(heading(page)).toBe('One selfie to sign in');
  });

  it('the selfie is not offered where the policy wants one, not even to who asks for it by hand', async () => {
    const { person, device } = await known();
    policy.forced = keyFirst;
    const before = await selfiesAsked(scene.bed);
    const thief = createBrowser();
    const page = await toContext(thief, await party.begin(), person);
    const steps = formsOf(page).flatMap(({ actions }) => actions);
    expect(steps.some((step) => step.endsWith('/selfie'))).toBe(false);
    const here = await interactionOf(thief, scene.bed);
    for (const step of ['selfie', 'selfie-next', 'try-again', 'selfie', 'resume']) {
      await thief.post(`${here}/${step}`);
    }
    expect(await selfiesAsked(scene.bed)).toBe(before);
    const own = await takesSelfie(person, device);
    expect(own.claims).toMatchObject(withKey);
  });
});

describe('[FB-03] a signature', () => {
  const proof = async (device: Device, page: Answer) => device.sign(taskOn(page)?.message ?? '');

  it('for one attempt is worth nothing in another, nor with a later try of the same', async () => {
    const { person, device, accountId } = await known();
    const victim = createBrowser();
    const theirs = await settle(victim, await victim.get((await party.begin()).url));
    const stolen = await proof(device, theirs);
    const thief = createBrowser();
    const mine = await settle(thief, await thief.get((await party.begin()).url));
    const page = await settle(
      thief,
      await press(thief, mine, 'identify', { identifier: person, ...stolen }),
    );
    expect(heading(page)).toBe('One selfie to sign in');
    const refused = { event: 'factor.refused', reason: 'device_key' };
    expect(scene.bed.events.slice(-2)).toContainEqual(expect.objectContaining(refused));
    // Another try in the browser that the signature was for is another attempt, too.
    const again = await settle(
      victim,
      await press(victim, theirs, 'identify', { identifier: person }),
    );
    const anew = await settle(victim, await press(victim, again, 'start-over'));
    const late = await press(victim, anew, 'identify', { identifier: person, ...stolen });
    expect(heading(await settle(victim, late))).toBe('One selfie to sign in');
    expect(await keysOf(accountId)).toHaveLength(1);
  });

  it('by the key of another account says nothing of this one', async () => {
    const [ana, ben] = [await known(), await known()];
    const page = await toContext(createBrowser(), await party.begin(), ben.person, ana.device);
    expect(heading(page)).toBe('One selfie to sign in');
    const { claims } = await takesSelfie(ben.person, ana.device);
    expect(claims).toMatchObject({ ...withoutKey, sub: ben.accountId });
    // It has made a key for Ben meanwhile; Ana's is Ana's.
    expect(await keysOf(ana.accountId)).toHaveLength(1);
  });
});

describe('[FB-03] a key that is', () => {
  it('taken away on its person’s page proves nothing any more', async () => {
    const { person, device, accountId } = await known();
    const browser = createBrowser();
    const start = { url: `${scene.bed.issuer}/account` };
    const spared = await toContext(browser, start, person, device);
    expect(heading(spared)).toBe('It is you');
    const sheet = await settle(browser, await press(browser, spared, 'resume'));
    expect(heading(sheet)).toBe('Your account');
    const refused = await browser.post(`${scene.bed.issuer}/account/device-remove`, {
      ...tokenOn(sheet),
      device: device.id() ?? '',
    });
    expect(refused.status).toBe(403);
    expect(await keysOf(accountId)).toHaveLength(1);

    const anew = await settle(browser, await act(browser, refused, 'prove-selfie'));
    const ready = await selfieOn(browser, anew, device);
    const fresh = await settle(browser, await press(browser, ready, 'resume'));
    const gone = await act(browser, fresh, 'device-remove', { device: device.id() ?? '' });
    expect(gone.url).toContain('done=device_removed');
    expect(await keysOf(accountId)).toEqual([]);
    expect((await takesSelfie(person, device)).claims).toMatchObject(withoutKey);
  });

  it('idle for 90 days is forgotten, and one that is used is not', async () => {
    const { person, device } = await known();
    scene.pass(88 * day);
    expect((await takesSelfie(person, device)).claims).toMatchObject(withKey);
    scene.pass(90 * day + minute);
    expect((await takesSelfie(person, device)).claims).toMatchObject(withoutKey);
  });
});

describe('[FB-03] no key is made', () => {
  /** All that a script could send with the last form, whatever the page asked for. */
  async function forged(device: Device, browser: TestBrowser) {
    const uid = (await interactionOf(browser, scene.bed)).split('/').at(-1) ?? '';
    const { value = '{}' } = (await scene.store.get(`attempt:${uid}`)) ?? {};
    const { id } = JSON.parse(value) as { id: string };
    const challenge = createHash('sha256').update(`device key ${id}`).digest('base64url');
    return device.make(deviceKeyMessage(scene.bed.issuer, 'make', challenge));
  }

  async function leaveWith(browser: TestBrowser, ready: Answer, device: Device): Promise<void> {
    expect(heading(ready)).toBe('It is you');
    const fields = await forged(device, browser);
    const done = await settle(browser, await press(browser, ready, 'resume', fields));
    expect(done.location).toContain('code=');
  }

  it.each([
    ...(['login', 'step_up', 'enrol'] as const).map((kind) => [kind, 'make'] as const),
    ...(['re_enrol', 'recovery'] as const).map((kind) => [kind, undefined] as const),
  ])('by what the last page of an attempt of the kind %s asks for: %s', (kind, use) => {
    const tools = {
      settings: { issuer: scene.bed.issuer } as LoginSettings,
      hash: (text: string) => text,
    };
    const approved = play(captured, [events.returned, events.approved]);
    expect(keepingTask(tools, { ...approved, kind })?.use).toBe(use);
    // Nor before the verdict, nor beside a key that is there, nor after another proof than a selfie.
    expect(keepingTask(tools, { ...captured, kind })).toBeUndefined();
    const device = { id: 'key-1', kind: 'key', actedAtMs: 0 } as const;
    expect(keepingTask(tools, { ...approved, kind, device } as Attempt)).toBeUndefined();
    const proof = passkeyProof(identity.accountId, Date.now(), 'live');
    const proven: Attempt = { ...fresh, kind, phase: 'proven', identity, proof };
    expect(keepingTask(tools, proven)).toBeUndefined();
  });

  it('only because a form says so: this is how one is made', async () => {
    const [person, device, browser] = [scene.bed.person(), createDevice(), createBrowser()];
    const { accountId } = await equip(scene.store, person);
    const page = await toContext(browser, await party.begin(), person);
    await leaveWith(browser, await selfieOn(browser, page), device);
    expect(await keysOf(accountId)).toEqual([device.id()]);
  });

  it('after two codes', async () => {
    const [person, device, browser] = [scene.bed.person(), createDevice(), createBrowser()];
    const { accountId, app } = await equip(scene.store, person);
    const mailsBefore = scene.bed.mails.length;
    const asked = await choose(
      browser,
      await toChoice(browser, await party.begin(), person),
      'mail',
    );
    const second = await answer(browser, asked, await mailedCode(scene.bed, person, mailsBefore));
    const appPage = waysOn(second).includes('totp')
      ? await choose(browser, second, 'totp')
      : second;
    const ready = await answer(browser, appPage, app());
    expect(taskOn(ready)).toBeUndefined();
    await leaveWith(browser, ready, device);
    expect(await familiarOf(accountId)).toEqual({});
  });

  it('after a selfie of which it cannot be told where it was taken', async () => {
    const [person, device] = [scene.bed.person(), createDevice()];
    const browser = createBrowser({ address: '203.0.113.7' });
    const { accountId } = await equip(scene.store, person);
    const page = await toContext(browser, await party.begin(), person);
    const fields = await press(browser, page, 'selfie');
    const didit = await settle(browser, fields);
    const waiting = await settle(browser, await browser.post(didit.url, { outcome: 'approve' }));
    await soon(() => expect(scene.bed.events.at(-1)).toMatchObject({ event: 'verdict.received' }));
    scene.pass(4);
    const ready = await browser.get(waiting.url);
    expect(taskOn(ready)).toBeUndefined();
    await leaveWith(browser, ready, device);
    expect(await keysOf(accountId)).toEqual([]);
  });

  it('where others sit, too: neither key nor browser is remembered, and one that was there is gone', async () => {
    const { person, device, accountId, first } = await known({ rested: false });
    const [shared, more] = [createBrowser(), { shared: 'yes' }];
    const none = createDevice();
    const page = await toContext(shared, await party.begin(), person);
    const ready = await selfieOn(shared, page, undefined, { more });
    expect(taskOn(ready)?.use).toBe('forget');
    await leaveWith(shared, ready, none);
    expect(await keysOf(accountId)).toEqual([device.id()]);
    const mails = (): number =>
      scene.bed.mails.filter(
        ({ to, message }) => to.address === person && message.kind === 'new_device',
      ).length;
    await soon(() => expect(mails()).toBe(2));
    // Whoever sits there next is as new to the account as they were.
    const next = await party.begin({ prompt: 'login' });
    await next.finish(await signInWith(shared, next, person, createDevice(), more));
    await soon(() => expect(mails()).toBe(3));

    // In the browser that has the key, that goes as well, whether its script forgets it or not.
    const own = await signIn(person, device, {
      browser: first.browser,
      parameters: { prompt: 'login' },
      more,
    });
    expect(own.claims).toMatchObject(withKey);
    expect(device.id()).toBeUndefined();
    expect(await keysOf(accountId)).toEqual([]);
  });
});

describe('[FB-03] the next sign-in takes a selfie after', () => {
  it('a logout, in any browser, and then a key is as good as before', async () => {
    const { person, device, first } = await known();
    const other = createBrowser();
    const { tokens } = await signIn(person, createDevice(), { browser: other });
    const url = oidc.buildEndSessionUrl(party.config, { id_token_hint: tokens.id_token ?? '' });
    const [form] = formsOf(await other.get(url.href));
    await other.post(form?.action ?? '', { ...form?.fields, logout: 'yes' });
    const next = await takesSelfie(person, device);
    expect(next.claims).toMatchObject(withKey);
    expect(next.claims.auth_time).toBeGreaterThan(first.claims.auth_time ?? 0);
    expect((await signIn(person, device)).claims).toMatchObject({
      ...{ ...spared, auth_time: next.claims.auth_time },
    });
  });

  it('a sign-in was taken back', async () => {
    const { person, device, accountId, first } = await known();
    const { browser } = await signIn(person, createDevice());
    const page = await accountPage(scene.bed, browser);
    const sign_in = String(first.claims.auth_time);
    await scene.store.put(`account:${accountId}`, await withRevoked(accountId, sign_in));
    await scene.store.publish('accounts', accountId);
    scene.pass(minute);
    expect(heading(page)).toBe('Your account');
    expect((await takesSelfie(person, device)).claims).toMatchObject(withKey);
  });

  const withRevoked = async (accountId: string, authTime: string): Promise<string> => {
    const { value = '{}' } = (await scene.store.get(`account:${accountId}`)) ?? {};
    return JSON.stringify({ ...(JSON.parse(value) as object), revokedProofs: [Number(authTime)] });
  };

  it('all sign-ins were ended', async () => {
    const { person, device } = await known();
    const { browser } = await signIn(person, createDevice());
    await act(browser, await accountPage(scene.bed, browser), 'end-all');
    scene.pass(2);
    expect((await takesSelfie(person, device)).claims).toMatchObject(withKey);
  });

  it('"that was not me": the key that was used for it is gone with it, however old', async () => {
    const { person, device, accountId } = await known();
    const stolen = await takesSelfie(person, device, { parameters: { prompt: 'login' } });
    expect(stolen.claims).toMatchObject(withKey);
    scene.pass(day);
    const { browser } = await signIn(person, createDevice());
    expect(await keysOf(accountId)).toHaveLength(2);
    const sheet = await accountPage(scene.bed, browser);
    await act(browser, sheet, 'disavow', { sign_in: String(stolen.claims.auth_time) });
    expect(await keysOf(accountId)).toEqual([]);
  });

  it('"that was not me" leaves the key that was not used since, and it stands for no selfie', async () => {
    const { person, device, accountId } = await known();
    const other = await signIn(person, createDevice());
    const sheet = await accountPage(scene.bed, other.browser);
    await act(other.browser, sheet, 'disavow', { sign_in: String(other.claims.auth_time) });
    expect(await keysOf(accountId)).toEqual([device.id()]);
    const page = await toContext(createBrowser(), await party.begin(), person, device);
    expect(heading(page)).toBe('One selfie to sign in');
  });
});

describe('[FB-03] [PR-12] a key spares nothing where something new was asked for', () => {
  it.each([
    ['prompt=login', { prompt: 'login' }],
    ['prompt=login and consent', { prompt: 'login consent' }],
    ['max_age=0', { max_age: '0' }],
    ['a max_age that is exceeded', { max_age: String(day) }],
  ])('by %s, with a session and without one', async (_, parameters) => {
    const { person, device } = await known();
    const { browser, claims } = await takesSelfie(person, device, { parameters });
    expect(claims).toMatchObject(withKey);
    scene.pass(day + minute);
    const again = await takesSelfie(person, device, { browser, parameters });
    expect(again.claims.auth_time).toBeGreaterThan((claims.auth_time ?? 0) + day);
  });

  it('by the app’s own default', async () => {
    const { person, device } = await known();
    const page = await toContext(
      createBrowser(),
      { url: (await party.begin()).url.replace('client_id=first', 'client_id=recent') },
      person,
      device,
    );
    expect(heading(page)).toBe('One selfie to sign in');
  });
});

describe('[FB-03] whatever the policy says,', () => {
  it('skipping takes a key', async () => {
    const person = scene.bed.person();
    policy.forced = always('skip');
    expect((await takesSelfie(person, createDevice())).claims).toMatchObject(withoutKey);
  });

  it.each(['deny', 'review', 'fallback'] as const)('%s lets nobody in by a key', async (then) => {
    const { person, device } = await known();
    policy.forced = always(then);
    const before = await selfiesAsked(scene.bed);
    const browser = createBrowser();
    await toContext(browser, await party.begin(), person, device);
    const here = await interactionOf(browser, scene.bed);
    for (const step of ['selfie', 'selfie-next', 'resume', 'try-again', 'selfie', 'resume']) {
      expect((await browser.post(`${here}/${step}`)).location ?? '').not.toContain('code=');
    }
    const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
    expect(silent.location).toContain('error=login_required');
    expect(await selfiesAsked(scene.bed)).toBe(before);
  });
});
