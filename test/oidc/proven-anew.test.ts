/** Who has a session and is asked to prove it anew: by a new selfie, and by the person who was asked for. */
import * as oidc from 'openid-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answer, type TestBrowser, formsOf } from '../support/browser.ts';
import {
  type Outcome,
  type Party,
  type PartyRequest,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import {
  answerOf,
  createOtherParty,
  newRequest,
  selfiesAsked,
  signedIn,
  tokensOf,
  userinfo,
} from './support.ts';

let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({
    clock: () => Date.now(),
    people: 20,
    clients: [
      {
        client_id: 'pairwise',
        redirect_uris: ['http://spa.localhost:9/callback'],
        token_endpoint_auth_method: 'none',
        subject_type: 'pairwise',
        first_party: true,
      },
    ],
  });
  party = await createParty(bed);
});
afterAll(() => bed.close());
afterEach(() => {
  vi.useRealTimers();
});

/** From now on the clock stands, and goes on by hand. */
function stopClock(): { pass(seconds: number): void; seconds(): number } {
  vi.useFakeTimers({ toFake: ['Date'], now: Math.ceil(Date.now() / 1000) * 1000 });
  return {
    pass: (seconds) => void vi.setSystemTime(Date.now() + seconds * 1000),
    seconds: () => Math.floor(Date.now() / 1000),
  };
}

/** From the page that says whose selfie it is to what comes of it. */
async function prove(
  browser: TestBrowser,
  page: Answer,
  outcome: Outcome = 'approve',
): Promise<Answer> {
  const didit = await settle(browser, await press(browser, page, 'selfie'));
  const back = await settle(browser, await takeSelfie(browser, didit, outcome));
  return whileWaiting(browser, back);
}

async function resume(browser: TestBrowser, ready: Answer): Promise<Answer> {
  return settle(browser, await press(browser, ready, 'resume'));
}

async function open(browser: TestBrowser, request: PartyRequest): Promise<Answer> {
  return settle(browser, await browser.get(request.url));
}

async function asSomebodyElse(
  browser: TestBrowser,
  page: Answer,
  identifier: string,
): Promise<Answer> {
  const identify = await settle(browser, await press(browser, page, 'start-over'));
  expect(heading(identify)).toBe('Sign in');
  return settle(browser, await press(browser, identify, 'identify', { identifier }));
}

async function silentSub(browser: TestBrowser): Promise<string | undefined> {
  return (await tokensOf(browser, await party.begin({ prompt: 'none' }))).claims()?.sub;
}

describe('[PR-12] proven anew', () => {
  it('by prompt=login: a verdict of half a minute ago is not enough, and auth_time is the new one’s', async () => {
    const clock = stopClock();
    const browser = await signedIn(bed, bed.person());
    const before = await tokensOf(browser, await party.begin());
    clock.pass(30);
    const selfies = await selfiesAsked(bed);
    const request = await party.begin({ prompt: 'login' });
    const page = await open(browser, request);
    expect(heading(page)).toBe('One selfie to sign in');
    clock.pass(10);
    const ready = await prove(browser, page);
    const verdictAt = clock.seconds();
    // Neither the press of the button nor the exchange is the moment at which it was proven.
    clock.pass(20);
    const { location = '' } = await resume(browser, ready);
    clock.pass(5);
    const claims = (await request.finish(location)).claims();
    expect(claims?.auth_time).toBe(verdictAt);
    expect(claims?.auth_time).toBe((before.claims()?.auth_time ?? 0) + 40);
    expect(await selfiesAsked(bed)).toBe(selfies + 1);
  });

  it('by prompt=login: an approval that waits in another tab is not enough', async () => {
    const person = bed.person();
    const browser = await signedIn(bed, person);
    const [waiting, asked] = [
      await party.begin({ prompt: 'login' }),
      await party.begin({ prompt: 'login' }),
    ];
    const ready = await prove(browser, await open(browser, waiting));
    expect(heading(ready)).toBe('It is you');
    const page = await open(browser, asked);
    expect(heading(page)).toBe('One selfie to sign in');
    // The cookie is of the newer one now, and what was approved for the older one is of no use here.
    expect(
      formsOf(page)
        .flatMap(({ actions }) => actions)
        .join(),
    ).not.toContain('/resume');
    const taken = await browser.post(page.url.replace(/\?.*/, '/resume'));
    const again = await settle(browser, taken);
    expect(heading(again)).toBe('One selfie to sign in');
  });

  it('by max_age: after as many seconds, and no sooner', async () => {
    const clock = stopClock();
    const browser = await signedIn(bed, bed.person());
    const soon = await tokensOf(browser, await party.begin({ max_age: '1' }));
    expect(soon.claims()?.auth_time).toBe(clock.seconds());
    clock.pass(2);
    const request = await party.begin({ max_age: '1' });
    const selfies = await selfiesAsked(bed);
    const page = await open(browser, request);
    expect(heading(page)).toBe('One selfie to sign in');
    const { location = '' } = await resume(browser, await prove(browser, page));
    expect((await request.finish(location)).claims()?.auth_time).toBe(clock.seconds());
    expect(await selfiesAsked(bed)).toBe(selfies + 1);
  });
});

describe('[PR-13] a request about A, in a browser in which A is signed in,', () => {
  let browser: TestBrowser;
  let tokens: Awaited<ReturnType<typeof tokensOf>>;
  let sub: string;

  async function signInA(): Promise<string> {
    const person = bed.person();
    browser = await signedIn(bed, person);
    tokens = await tokensOf(browser, await party.begin());
    sub = tokens.claims()?.sub ?? '';
    return person;
  }

  async function expectUntouched(): Promise<void> {
    expect(await silentSub(browser)).toBe(sub);
    expect((await userinfo(bed, tokens.access_token)).status).toBe(200);
    const renewed = await oidc.refreshTokenGrant(party.config, tokens.refresh_token ?? '');
    expect(renewed.claims()?.sub).toBe(sub);
  }

  it.each<[string, () => Record<string, string>]>([
    ['id_token_hint', () => ({ id_token_hint: tokens.id_token ?? '' })],
    ['claims.sub', () => ({ claims: JSON.stringify({ id_token: { sub: { value: sub } } }) })],
  ])('by %s is not answered with B, and costs A nothing', async (_, about) => {
    await signInA();
    const page = await open(browser, await party.begin({ ...about(), prompt: 'login' }));
    const context = await asSomebodyElse(browser, page, bed.person());
    const ready = await prove(browser, context);
    const answer = await resume(browser, ready);
    expect(answerOf(answer.location)).toMatchObject({ error: 'login_required', iss: bed.issuer });
    expect(answerOf(answer.location)).not.toHaveProperty('code');
    expect(bed.events.at(-1)).toMatchObject({ event: 'login.denied', reason: 'other_person' });
    // Pressed again, since the answer was lost: the same answer, or none; no other.
    const again = await browser.post(ready.url.replace(/\?.*/, '/resume'));
    expect((await settle(browser, again)).location ?? '').not.toContain('code=');
    await expectUntouched();
  });

  it('by the name that only one app has for A is answered with A, and not with B', async () => {
    await signInA();
    const config = await createOtherParty(bed, 'pairwise', oidc.None());
    const redirect_uri = 'http://spa.localhost:9/callback';
    const begin = async (more: Record<string, string>) => {
      const { parameters, checks } = await newRequest({ redirect_uri, ...more });
      const { href: url } = oidc.buildAuthorizationUrl(config, parameters);
      const finish = (location: string): ReturnType<typeof oidc.authorizationCodeGrant> =>
        oidc.authorizationCodeGrant(config, new URL(location), checks);
      return { url, finish };
    };
    const own = (await tokensOf(browser, await begin({ prompt: 'none' }))).claims()?.sub;
    expect(own).not.toBe(sub);
    const toApp = (answer: Answer): Promise<Answer> =>
      browser.follow(answer, (to) => to.startsWith(redirect_uri));
    const about = (value?: string): Record<string, string> => ({
      claims: JSON.stringify({ id_token: { sub: { value } } }),
    });
    // To this app A has another name than to the others.
    const wrong = await browser.get((await begin({ ...about(sub), prompt: 'none' })).url);
    expect(answerOf(wrong.location)).toMatchObject({ error: 'login_required' });

    const right = await begin({ ...about(own), prompt: 'login' });
    const ready = await prove(browser, await open(browser, right));
    const { location = '' } = await toApp(await press(browser, ready, 'resume'));
    expect((await right.finish(location)).claims()?.sub).toBe(own);

    const page = await open(browser, await begin({ ...about(own), prompt: 'login' }));
    const context = await asSomebodyElse(browser, page, bed.person());
    const proven = await prove(browser, context);
    const refused = await toApp(await press(browser, proven, 'resume'));
    expect(answerOf(refused.location)).toMatchObject({ error: 'login_required' });
    await expectUntouched();
  });

  it('by login_hint is not answered when the face is B’s', async () => {
    const person = await signInA();
    const page = await open(browser, await party.begin({ login_hint: person, prompt: 'login' }));
    const failed = await prove(browser, page, 'no-match');
    expect(heading(failed)).toBe('We could not sign you in');
    const left = await settle(browser, await press(browser, failed, 'cancel'));
    expect(answerOf(left.location)).toMatchObject({ error: 'access_denied', iss: bed.issuer });
    await expectUntouched();
  });

  it('by login_hint, which anybody may overwrite, is answered with the name of who it really was', async () => {
    const person = await signInA();
    const request = await party.begin({ login_hint: person, prompt: 'login' });
    const context = await asSomebodyElse(browser, await open(browser, request), bed.person());
    const detour = await resume(browser, await prove(browser, context));
    const { location = '' } = await settle(browser, await signOutFirst(browser, detour));
    const claims = (await request.finish(location)).claims();
    expect(claims?.sub).not.toBe(sub);
    expect(claims?.email).not.toBe(person);
  });
});

describe('[PR-13] a login as B over a session of A', () => {
  it('signs A out first, and B has nothing of what A allowed', async () => {
    const stranger = await createParty(bed, 'stranger');
    const browser = await signedIn(bed, bed.person());
    const theirs = await stranger.begin({ scope: 'openid email' });
    const question = await open(browser, theirs);
    const { location = '' } = await settle(browser, await press(browser, question, 'allow'));
    const before = await theirs.finish(location);

    const request = await stranger.begin({ prompt: 'login', scope: 'openid email' });
    const context = await asSomebodyElse(browser, await open(browser, request), bed.person());
    const detour = await resume(browser, await prove(browser, context));
    expect(formsOf(detour)[0]?.action).toBe(`${bed.issuer}/session/end/confirm`);
    const asked = await settle(browser, await signOutFirst(browser, detour));
    expect(heading(asked)).toBe('Share this with Stranger?');
    const allowed = await settle(browser, await press(browser, asked, 'allow'));
    const after = await request.finish(allowed.location ?? '');
    expect(after.claims()?.sub).not.toBe(before.claims()?.sub);
    expect((await userinfo(bed, after.access_token)).json.sub).toBe(after.claims()?.sub);
    expect((await userinfo(bed, before.access_token)).status).toBe(401);
    const dead = oidc.refreshTokenGrant(stranger.config, before.refresh_token ?? '');
    await expect(dead).rejects.toMatchObject({ error: 'invalid_grant' });
  });
});

/** What the page does by itself where there is JavaScript. */
async function signOutFirst(browser: TestBrowser, detour: Answer): Promise<Answer> {
  const [form] = formsOf(detour);
  return browser.post(form?.action ?? '', form?.fields);
}
