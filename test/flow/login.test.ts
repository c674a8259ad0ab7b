import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const selfie = 'urn:didit-oidc:acr:selfie:test';
let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed({ people: 20 });
});
afterAll(() => bed.close());

describe('one selfie signs a person in', () => {
  it('to a relying party, with a truthful ID token', async () => {
    const browser = createBrowser();
    const party = await createParty(bed);
    const request = await party.begin({ scope: 'openid profile email groups' });
    const before = Math.floor(Date.now() / 1000);
    const tokens = await request.finish(await signIn(browser, request));
    const claims = tokens.claims();
    expect(claims).toMatchObject({
      acr: selfie,
      amr: ['face'],
      email: 'ana@example.com',
      email_verified: true,
    });
    expect(claims?.sub).toMatch(/^[\w-]{22}$/);
    expect(claims?.auth_time).toBeGreaterThanOrEqual(before);
    expect(claims?.auth_time).toBeLessThanOrEqual(claims?.iat ?? 0);
  });

  it('releases groups only with their scope', async () => {
    const party = await createParty(bed);
    const browser = createBrowser();
    const withGroups = await party.begin({ scope: 'openid groups' });
    const claims = (await withGroups.finish(await signIn(browser, withGroups))).claims();
    expect(claims?.groups).toEqual(['staff', 'kitchen']);
    expect(claims).not.toHaveProperty('email');
  });

  it('and to a second one without another selfie', async () => {
    const browser = createBrowser();
    const [first, second] = [await createParty(bed), await createParty(bed, 'second')];
    const one = await first.begin();
    const proven = (await one.finish(await signIn(browser, one))).claims();
    const created = (await bed.log()).calls.filter(
      ({ operation }) => operation === 'create',
    ).length;
    const two = await second.begin();
    const straight = await settle(browser, await browser.get(two.url));
    const claims = (await two.finish(straight.location ?? '')).claims();
    expect(claims).toMatchObject({ sub: proven?.sub, acr: selfie, auth_time: proven?.auth_time });
    const now = (await bed.log()).calls.filter(({ operation }) => operation === 'create').length;
    expect(now).toBe(created);
  });

  it('and prompt=login asks for a new one, of the same person', async () => {
    const browser = createBrowser();
    const party = await createParty(bed);
    const one = await party.begin();
    const before = (await one.finish(await signIn(browser, one))).claims();
    const again = await party.begin({ prompt: 'login' });
    const page = await settle(browser, await browser.get(again.url));
    // No question who it is: the person of the session has to prove it anew.
    const didit = await settle(browser, await press(browser, page, 'selfie'));
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    const after = (await again.finish(done.location ?? '')).claims();
    expect(after?.sub).toBe(before?.sub);
    expect(after?.auth_time).toBeGreaterThanOrEqual(before?.auth_time ?? Infinity);
  });

  it('whichever comes first, the browser or the webhook', async () => {
    const party = await createParty(bed);
    for (const order of ['webhook first', 'browser first']) {
      const browser = createBrowser();
      const request = await party.begin();
      const didit = await toSelfie(browser, request);
      if (order === 'browser first') await bed.control('faults', { webhooks: 'withhold' });
      const before = verdicts(bed);
      const back = await takeSelfie(browser, didit, 'approve');
      if (order === 'webhook first') await until(() => verdicts(bed), before + 1);
      let page = await settle(browser, back);
      if (order === 'browser first') {
        expect(heading(page)).toBe('Checking your selfie');
        await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
        await bed.control('webhooks/release', {});
        page = await whileWaiting(browser, page);
      }
      const done = await settle(browser, await press(browser, page, 'resume'));
      expect((await request.finish(done.location ?? '')).claims()?.acr).toBe(selfie);
    }
  });

  it('also when the webhook never comes', async () => {
    await bed.control('faults', { webhooks: 'drop' });
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const claims = (await request.finish(await signIn(browser, request))).claims();
    expect(claims?.acr).toBe(selfie);
    await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
  });
});

describe('nobody is signed in', () => {
  it.each([
    ['decline', 'We could not sign you in'],
    ['spoof', 'We could not sign you in'],
    ['low-score', 'We could not sign you in'],
    ['no-match', 'We could not sign you in'],
    ['abandon', undefined],
    ['review', undefined],
  ] as const)('by a selfie that ends in "%s"', async (outcome, title) => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const didit = await toSelfie(browser, request);
    const back = await settle(browser, await takeSelfie(browser, didit, outcome));
    const page = await whileWaiting(browser, back);
    if (title) expect(heading(page)).toBe(title);
    const resumed = await browser.post(`${page.url}/resume`);
    expect(resumed.location).toBe(page.url);
    const authorization = page.url.replace('/interaction/', '/auth/');
    expect((await browser.get(authorization)).location ?? '').not.toContain('code=');
  });

  it('[VD-03] by a good selfie of another kind than was asked for', async () => {
    const active = '0b6f2f0a-5f0d-4a57-8f65-000000000002';
    const other = await startTestbed({ flags: { didit: { workflows: { passive: active } } } });
    onTestFinished(() => other.close());
    const browser = createBrowser();
    const didit = await toSelfie(browser, await (await createParty(other)).begin());
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    expect(heading(await whileWaiting(browser, back))).toBe('We could not sign you in');
    const reason = expect.stringContaining('other_liveness_method') as string;
    expect(other.events).toContainEqual(expect.objectContaining({ reason }));
  });

  it('by going back to the app, which learns that access was denied', async () => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const page = await settle(browser, await browser.get(request.url));
    const left = await settle(browser, await press(browser, page, 'cancel'));
    expect(new URL(left.location ?? '').searchParams.get('error')).toBe('access_denied');
  });
});

describe('after a selfie that failed', () => {
  it('another try may succeed', async () => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const didit = await toSelfie(browser, request, bed.person());
    const declined = await whileWaiting(
      browser,
      await settle(browser, await takeSelfie(browser, didit, 'decline')),
    );
    const context = await settle(browser, await press(browser, declined, 'try-again'));
    const second = await settle(browser, await press(browser, context, 'selfie'));
    const back = await settle(browser, await takeSelfie(browser, second, 'approve'));
    const ready = await whileWaiting(browser, back);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    expect((await request.finish(done.location ?? '')).claims()?.acr).toBe(selfie);
  });

  it('another person may sign in instead', async () => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const identify = await settle(browser, await browser.get(request.url));
    const as = { identifier: bed.person() };
    const context = await settle(browser, await press(browser, identify, 'identify', as));
    const fresh = await settle(browser, await press(browser, context, 'start-over'));
    const other = { identifier: ' BEN@example.com ' };
    const bens = await settle(browser, await press(browser, fresh, 'identify', other));
    const didit = await settle(browser, await press(browser, bens, 'selfie'));
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    expect((await request.finish(done.location ?? '')).claims()?.email).toBe('ben@example.com');
  });
});

function verdicts({ events }: Testbed): number {
  return events.filter(({ event }) => event === 'verdict.received').length;
}

async function until(value: () => number, wanted: number): Promise<void> {
  for (let rounds = 0; value() < wanted; rounds += 1) {
    if (rounds > 400) throw new Error('it does not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
