/** A hand-off as it is meant, and what it opens. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  createBrowser,
  createParty,
  heading,
  isCallback,
  press,
  settle,
} from '../../support/login.ts';
import { soon } from '../../support/soon.ts';
import {
  type Offered,
  type Scene,
  approveOn,
  claim,
  codeOn,
  finishOn,
  look,
  named,
  offered,
  openScene,
  phoneOf,
  typeCode,
} from './scene.ts';

const handedOff = 'urn:didit-oidc:acr:selfie-handoff:test';
let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());
beforeEach(() => void scene.bed.events.splice(0));

/** As far as the app's door. */
async function signedIn(options: Parameters<typeof offered>[1] = {}, at = scene) {
  const offer = await offered(at, options);
  const phone = phoneOf();
  const shown = await approveOn(phone, offer.address);
  const ready = await typeCode(offer, codeOn(shown).toLowerCase());
  const done = await settle(offer.desktop, await press(offer.desktop, ready, 'resume'));
  return { ...offer, phone, shown, ready, callback: done.location ?? '' };
}

const silently = async (offer: Offered, party = scene.desk): Promise<URL> => {
  const request = await party.begin({ prompt: 'none' });
  const answer = await offer.desktop.follow(await offer.desktop.get(request.url), isCallback);
  return new URL(answer.location ?? answer.url);
};

describe('[XD-13] a selfie on the phone signs in on the desktop', () => {
  it('and each screen says whose turn it is', async () => {
    const offer = await offered(scene);
    expect(heading(offer.page)).toBe('Open this with your phone');
    expect(offer.page.text).toContain('data:image/svg+xml;base64,');
    // Ours, and never Didit's.
    expect(offer.address.startsWith(`${scene.bed.issuer}/h/`)).toBe(true);
    expect(offer.page.text).not.toContain(scene.bed.simulatorUrl);
    // Loaded again, it is the same.
    expect((await look(offer)).text).toContain(offer.address);
    const phone = phoneOf();
    const page = await claim(phone, offer.address);
    expect(heading(page)).toBe('One selfie to sign in');
    const taken = await look(offer);
    expect(heading(taken)).toBe('Go on with your phone');
    expect(taken.text).not.toContain('/h/');
    const shown = await finishOn(phone, page);
    expect(heading(shown)).toBe('Type this on the other screen');
    expect(codeOn(await phone.get(offer.address))).toBe(codeOn(shown));
    expect(heading(await look(offer))).toBe('Type the code from your phone');
    expect(heading(await typeCode(offer, codeOn(shown)))).toBe('It is you');
    expect(heading(await phone.get(offer.address))).toBe('Done');
    expect(scene.bed.events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['handoff.offered', 'handoff.claimed', 'capture.created']),
    );
  });

  it('and the token says so, with no refresh token and nothing that goes on by itself', async () => {
    const { callback, request, person } = await signedIn({
      ...{ scope: 'openid offline_access', prompt: 'consent' },
    });
    const tokens = await request.finish(callback);
    expect(tokens.claims()).toMatchObject({ acr: handedOff, amr: ['face', 'mca'] });
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(tokens.scope).toBe('openid');
    await soon(() => {
      const mails = scene.bed.mails.filter(({ to }) => to.address === person);
      expect(mails).toHaveLength(1);
      expect(mails[0]?.text).toMatch(/\/account\/not-me\/[\w-]+/);
    });
  });

  it('for at most an hour, however much it is used', async () => {
    // Of its own: interactions go by the clock of the machine.
    const later = await openScene();
    onTestFinished(() => later.close());
    const offer = await signedIn({}, later);
    expect((await silently(offer, later.desk)).searchParams.get('code')).toBeTruthy();
    later.pass(59 * 60_000);
    expect((await silently(offer, later.desk)).searchParams.get('code')).toBeTruthy();
    later.pass(60_000);
    expect((await silently(offer, later.desk)).searchParams.get('error')).toBe('login_required');
  });

  it('and in no app that does not take it, the person’s own page included', async () => {
    const offer = await signedIn();
    const other = await createParty(scene.bed, 'second');
    expect((await silently(offer, other)).searchParams.get('error')).toBe('login_required');
    const account = await offer.desktop.follow(
      await offer.desktop.get(`${scene.bed.issuer}/account`),
    );
    expect(heading(account)).toBe('One selfie to sign in');
  });

  it('and leaves nothing behind that knows this browser, not once more either', async () => {
    const offer = await signedIn();
    expect(offer.ready.text).not.toContain('data-device-key');
    const cookies = await offer.desktop.jar.getCookies(scene.bed.issuer);
    // Its own id, and no account beside it; see login/device.ts.
    expect(cookies.find(({ key }) => key === '_device')?.value).toMatch(/^[\w-]{22}$/);
    const again = await signedIn({ person: offer.person, desktop: offer.desktop, prompt: 'login' });
    expect((await again.request.finish(again.callback)).claims()?.acr).toBe(handedOff);
    await soon(() => {
      const { mails } = scene.bed;
      expect(mails.filter(({ to }) => to.address === offer.person)).toHaveLength(2);
    });
  });
});

describe('[XD-13] a hand-off is offered', () => {
  it('only by an app that allows it', async () => {
    for (const party of [await createParty(scene.bed), await createParty(scene.bed, 'stranger')]) {
      const { capture, desktop } = await named(scene, { party });
      expect(capture.text).not.toContain('/handoff');
      expect((await desktop.post(`${capture.url}/handoff`)).status).toBe(400);
    }
    expect(scene.count('handoff.offered')).toBe(0);
  });

  it('not for the account page, where ways in are managed', async () => {
    const desktop = createBrowser();
    const identify = await desktop.follow(await desktop.get(`${scene.bed.issuer}/account`));
    const fields = { identifier: scene.bed.person() };
    const capture = await settle(desktop, await press(desktop, identify, 'identify', fields));
    expect(heading(capture)).toBe('One selfie to sign in');
    expect(capture.text).not.toContain('/handoff');
    expect((await desktop.post(`${capture.url}/handoff`)).status).toBe(400);
  });

  it('not to a phone', async () => {
    const { capture } = await named(scene, { desktop: phoneOf() });
    expect(heading(capture)).toBe('One selfie to sign in');
    expect(capture.text).not.toContain('/handoff');
  });

  it('not where the app insists on more than it proves', async () => {
    const claims = {
      id_token: { acr: { essential: true, value: 'urn:didit-oidc:acr:selfie:test' } },
    };
    const { capture, desktop } = await named(scene, { claims: JSON.stringify(claims) });
    expect(heading(capture)).toBe('One selfie to sign in');
    expect(capture.text).not.toContain('/handoff');
    expect((await desktop.post(`${capture.url}/handoff`)).status).toBe(400);
  });

  it('to names that nobody has as well, and brings them nothing', async () => {
    const offer = await offered(scene, { person: 'nobody-at-all@example.com' });
    const shown = await approveOn(phoneOf(), offer.address);
    expect(heading(shown)).toBe('This code is no longer good');
    expect(heading(await look(offer))).toBe('We could not sign you in');
  });

  it('and discovery says what it leads to', () => {
    const { acr_values_supported: classes } = scene.desk.config.serverMetadata();
    expect(classes).toContain(handedOff);
  });
});
