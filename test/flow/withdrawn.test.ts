/** What happens when Didit, or somebody there, thinks otherwise of a selfie that has let somebody in. */
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callDidit, overhear, ring } from '../didit/support.ts';
import { createOtherParty, newRequest } from '../oidc/support.ts';
import {
  type PartyRequest,
  createBrowser,
  createParty,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type LogoutListener, listenForLogout } from '../support/logout-listener.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

vi.setConfig({ testTimeout: 60_000 });

const overheard = overhear();
let bed: Testbed;
let listener: LogoutListener;
let offsetMs: number;

beforeEach(async () => {
  offsetMs = 0;
  listener = await listenForLogout();
  bed = await startTestbed({
    fetch: overheard.fetch,
    clock: () => Date.now() + offsetMs,
    // A ring that differs from the API is followed by two more looks.
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 50)),
    flags: { outgoing: { allowPrivateNetworks: true } },
    clients: [
      {
        ...{ client_id: 'wiki', token_endpoint_auth_method: 'none', first_party: true },
        ...{ redirect_uris: [redirectUri], backchannel_logout_uri: `${listener.url}/wiki` },
        backchannel_logout_session_required: true,
      },
    ],
  });
});
afterEach(async () => {
  await bed.close();
  await listener.close();
});

const events = (name: string) => bed.events.filter(({ event }) => event === name);
const alarms = () => bed.alarms.map(({ reason }) => reason);

/** Signed in to one app, and by single sign-on to another that wants to hear of the end. */
async function signedIn(identifier = 'ana@example.com') {
  const browser = createBrowser();
  const party = await createParty(bed);
  const request = await party.begin();
  const tokens = await request.finish(await signIn(browser, request, identifier));
  const { diditSessionId } = overheard.latest();
  const wiki = await createOtherParty(bed, 'wiki', oidc.None());
  const { parameters, checks } = await newRequest();
  const { location = '' } = await browser.get(oidc.buildAuthorizationUrl(wiki, parameters).href);
  const others = await oidc.authorizationCodeGrant(wiki, new URL(location), checks);
  return { browser, party, tokens, diditSessionId, claims: jose.decodeJwt(others.id_token ?? '') };
}
type SignedIn = Awaited<ReturnType<typeof signedIn>>;

/** Which of the doors that the sign-in had opened are open still; a refreshed token takes the place of the old one. */
async function openDoors(one: SignedIn): Promise<Record<string, boolean>> {
  const { browser, party, tokens } = one;
  const userinfo = await fetch(`${bed.issuer}/me`, {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  const about = await oidc.tokenIntrospection(party.config, tokens.access_token);
  const silent: PartyRequest = await party.begin({ prompt: 'none' });
  const { location = '' } = await settle(browser, await browser.get(silent.url));
  const next = await oidc
    .refreshTokenGrant(party.config, tokens.refresh_token ?? '')
    .catch(() => undefined);
  if (next) one.tokens = { ...tokens, ...next };
  return {
    userinfo: userinfo.ok,
    introspection: about.active,
    session: location.includes('code='),
    refresh: next !== undefined,
  };
}
const all = { userinfo: true, introspection: true, session: true, refresh: true };
const none = { userinfo: false, introspection: false, session: false, refresh: false };

/** As a person at Didit, or its API, changes an outcome. Its own webhook follows by itself. */
async function changeAtDidit({ diditSessionId }: SignedIn, status: string): Promise<void> {
  const change = { new_status: status, comment: 'by a test' };
  const path = `/v3/session/${diditSessionId}/update-status/`;
  expect((await callDidit(bed, 'PATCH', path, change)).status).toBe(200);
}

async function expectAllTaken(one: SignedIn): Promise<void> {
  await vi.waitFor(() => expect(events('login.withdrawn')).toHaveLength(1), { timeout: 10_000 });
  expect(await openDoors(one)).toEqual(none);
  await vi.waitFor(() => expect(listener.tokens).toHaveLength(1), { timeout: 10_000 });
  const { aud, sub, sid } = jose.decodeJwt(listener.tokens[0] ?? '');
  expect({ aud, sub, sid }).toEqual({ aud: 'wiki', sub: one.claims.sub, sid: one.claims.sid });
}

describe('[VD-12] Declined after the login', () => {
  it('ends its session, grants and tokens, tells the apps and the person, and an operator', async () => {
    const one = await signedIn();
    expect(await openDoors(one)).toEqual(all);
    await changeAtDidit(one, 'Declined');
    await expectAllTaken(one);
    const [event] = events('login.withdrawn');
    expect(event).toMatchObject({
      ...{ account: one.claims.sub, client: 'first', reason: 'declined' },
      reference: expect.stringMatching(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/) as string,
    });
    expect(alarms()).toEqual(['login_withdrawn']);
    const kinds = ['new_device', 'sign_in_withdrawn'];
    const mailed = (): string[] => bed.mails.map(({ message }) => message.kind);
    await vi.waitFor(() => expect(mailed()).toEqual(kinds), { timeout: 10_000 });
    // Told once, however often Didit rings.
    await ring(bed, one.diditSessionId, 'Declined');
    expect([events('login.withdrawn').length, alarms().length]).toEqual([1, 1]);
    // What is said of it later brings nothing back.
    await changeAtDidit(one, 'Approved');
    await ring(bed, one.diditSessionId, 'Approved');
    expect(await openDoors(one)).toEqual(none);
    // The person is welcome again, by another selfie, and finds it in their history. Proofs are told apart by their second.
    offsetMs += 2_000;
    // The library dates its grants by the machine's clock.
    const nextSecond = Number(one.claims.auth_time) + 1;
    await vi.waitFor(() => expect(Date.now() / 1000).toBeGreaterThan(nextSecond), 5_000);
    const again = await one.party.begin();
    await again.finish(await signIn(one.browser, again));
    const page = await settle(one.browser, await one.browser.get(`${bed.issuer}/account`));
    expect(page.text).toContain('it did not stand up to a second look');
  });

  it('is told once, when Didit rings several times at once, too', async () => {
    const one = await signedIn();
    await changeAtDidit(one, 'Declined');
    const rings = Array.from({ length: 6 }, () => ring(bed, one.diditSessionId, 'Declined'));
    await Promise.all(rings);
    await expectAllTaken(one);
    expect([events('login.withdrawn').length, alarms().length]).toEqual([1, 1]);
  });

  it('also when the attempt has long been forgotten', async () => {
    const one = await signedIn();
    for (const hours of [7, 14, 21, 28]) {
      offsetMs = hours * 3_600_000;
      // In use all the time; the access token of the last look has run out since.
      expect(await openDoors(one)).toMatchObject({ session: true, refresh: true });
    }
    expect(await openDoors(one)).toEqual(all);
    await changeAtDidit(one, 'Declined');
    await vi.waitFor(() => expect(events('login.withdrawn')).toHaveLength(1), { timeout: 10_000 });
    expect(await openDoors(one)).toEqual(none);
  });

  it('ends that sign-in alone, and not one of the same person from before', async () => {
    const before = await signedIn();
    offsetMs += 2_000;
    const one = await signedIn();
    await changeAtDidit(one, 'Declined');
    await expectAllTaken(one);
    expect(await openDoors(before)).toEqual(all);
  });

  it('while Didit does not answer: it is read as soon as it does', async () => {
    const one = await signedIn();
    await bed.control('faults', { api: { operation: 'decision', mode: 503, times: 4 } });
    await changeAtDidit(one, 'Declined');
    await expectAllTaken(one);
  });

  it('is read from the API: a ring that only says so ends nothing', async () => {
    const one = await signedIn();
    const forged = await ring(bed, one.diditSessionId, 'Declined', { secret: 'x'.repeat(32) });
    expect(forged.status).toBe(401);
    expect((await ring(bed, one.diditSessionId, 'Declined')).status).toBe(200);
    expect((await ring(bed, one.diditSessionId, 'Approved')).status).toBe(200);
    expect((await ring(bed, 'a-session-of-nobody', 'Declined')).status).toBe(200);
    expect(await openDoors(one)).toEqual(all);
    expect([alarms(), events('login.withdrawn'), listener.tokens]).toEqual([[], [], []]);
  });

  it('a session that was deleted at Didit ends nothing', async () => {
    const one = await signedIn();
    await callDidit(bed, 'DELETE', `/v3/session/${one.diditSessionId}/delete/`);
    expect((await ring(bed, one.diditSessionId, 'Declined')).status).toBe(200);
    expect(await openDoors(one)).toEqual(all);
  });

  it('while the door is being opened: whichever is first, it is closed in the end', async () => {
    const browser = createBrowser();
    const request = await (await createParty(bed)).begin();
    const didit = await toSelfie(browser, request);
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    const { diditSessionId } = overheard.latest();
    const [done] = await Promise.all([
      press(browser, ready, 'resume').then((answer) => settle(browser, answer)),
      changeAtDidit({ diditSessionId } as SignedIn, 'Declined'),
    ]);
    await soon(async () => {
      const rung = (await bed.log()).webhooks.filter(({ status }) => status === 'Declined');
      expect(rung.map(({ responseStatus }) => responseStatus)).toEqual([200]);
    });
    const silent = await (await createParty(bed)).begin({ prompt: 'none' });
    const { location = '' } = await settle(browser, await browser.get(silent.url));
    expect(location, done.location).toContain('error=login_required');
  });
});

it('[VD-12] put back before people at Didit, the sign-in stands, and a case is opened', async () => {
  const one = await signedIn();
  await changeAtDidit(one, 'Resubmitted');
  await vi.waitFor(() => expect(events('review.opened')).toHaveLength(1), { timeout: 10_000 });
  expect(events('review.opened')).toMatchObject([{ account: one.claims.sub, client: 'first' }]);
  expect(await openDoors(one)).toEqual(all);
  await ring(bed, one.diditSessionId, 'Resubmitted');
  expect(events('review.opened')).toHaveLength(1);
});
