/**
 * Attackers who would like to be somebody else. Each has a desktop that asks for a hand-off in the victim's name, and
 * sends on whatever it gets: the square code, Didit's link, the way back, a guess. The victim's phone is a browser of
 * its own. All of them fail, but for the one that no rule can stop; that one is named as what is left.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromeOnLinux, formsOf } from '../../support/browser.ts';
import {
  createBrowser,
  heading,
  press,
  settle,
  takeSelfie,
  whileWaiting,
} from '../../support/login.ts';
import {
  type Offered,
  type Scene,
  addressOn,
  approveOn,
  claim,
  codeOn,
  look,
  named,
  offered,
  openScene,
  phoneOf,
  safariOnIphone,
  toDidit,
  typeCode,
} from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());
beforeEach(() => void scene.bed.events.splice(0));

const created = async (): Promise<number> =>
  (await scene.bed.log()).calls.filter(({ operation }) => operation === 'create').length;

/** Whatever the attacker tries, the app is told nothing. */
async function isNobody(offer: Offered): Promise<void> {
  const resumed = await offer.desktop.post(`${offer.page.url}/resume`);
  expect(resumed.location).toBe(offer.page.url);
  expect(scene.count('login.completed')).toBe(0);
}

describe('[XD-12] before the selfie the phone is told what it is for', () => {
  it('which app, which browser, from where and since when', async () => {
    const { address } = await offered(scene);
    // A little less, for what the requests take: it is rounded.
    scene.pass(11_550);
    const { text } = await phoneOf().get(address);
    for (const told of [
      'Desk',
      'localhost:9',
      'Chrome on Linux',
      'same network',
      '12 seconds ago',
    ]) {
      expect(text).toContain(told);
    }
    expect(text).toMatch(/on a screen in front of you/);
    scene.pass(-11_550);
  });

  it('by a page that changes nothing, however many programs look at the link first', async () => {
    const offer = await offered(scene);
    for (const method of ['HEAD', 'GET', 'GET', 'GET']) {
      const scanner = createBrowser({ userAgent: 'LinkScanner/1.0' });
      const answer = await scanner.request(offer.address, { method });
      expect(answer.headers.getSetCookie().join()).not.toContain('_handoff=');
    }
    expect(scene.bed.events.map(({ event }) => event)).not.toContain('handoff.claimed');
    expect(heading(await claim(phoneOf(), offer.address))).toBe('One selfie to sign in');
  });

  it('and one press as large as the other ends it at once, for the desktop too', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    const page = await phone.get(offer.address);
    const stopped = await press(phone, page, 'not-me');
    expect(heading(stopped)).toBe('It is stopped');
    expect(scene.count('login.disowned')).toBe(1);
    expect(heading(await look(offer))).toBe('This sign-in is over');
    expect(heading(await phone.get(offer.address))).toBe('This code is no longer good');
    await isNobody(offer);
  });

  it('also after the selfie, as long as nobody is in', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    const shown = await approveOn(phone, offer.address);
    await press(phone, shown, 'not-me');
    const answer = await offer.desktop.post(`${offer.page.url}/handoff-code`, {
      answer: codeOn(shown),
    });
    expect(heading(await settle(offer.desktop, answer))).toBe('This sign-in is over');
    await isNobody(offer);
  });

  it('and no other site can press for the phone', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    const fields = formsOf(await phone.get(offer.address))[0]?.fields ?? {};
    const forged = (headers: Record<string, string>, body: Record<string, string>) =>
      phone.request(`${offer.address}/claim`, {
        method: 'POST',
        headers,
        body: new URLSearchParams(body),
      });
    const crossSite = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await forged(crossSite, fields)).status).toBe(403);
    expect((await forged({ 'sec-fetch-site': 'same-origin' }, {})).status).toBe(403);
    expect(scene.count('handoff.claimed')).toBe(0);
  });
});

describe('[XD-13] an attacker who forwards', () => {
  it('the square code gets no further than the victim’s phone', async () => {
    const offer = await offered(scene);
    const shown = await approveOn(phoneOf(), offer.address);
    const code = codeOn(shown);
    // Approved, back and in the right place; and the desktop has nothing but a field for a code.
    const page = await look(offer);
    expect(heading(page)).toBe('Type the code from your phone');
    await isNobody(offer);
    for (const answer of [page, await offer.desktop.get(offer.address)]) {
      expect(answer.text).not.toContain(code);
    }
    expect(JSON.stringify(scene.bed.events)).not.toContain(code);
  });

  it('what is left: the victim who also reads the code out lets the attacker in', async () => {
    const offer = await offered(scene);
    const readOut = codeOn(await approveOn(phoneOf(), offer.address));
    // docs/security.md says so. What remains then is the mail, with a link that ends it.
    expect(heading(await typeCode(offer, readOut))).toBe('It is you');
  });

  it('Didit’s link of the phone ends it: another browser comes back', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    const didit = await toDidit(phone, await claim(phone, offer.address));
    const victim = phoneOf();
    const back = await takeSelfie(victim, await victim.get(didit.url), 'approve');
    expect(heading(await settle(victim, back))).toBe('This was not started here');
    expect(heading(await look(offer))).toBe('We could not sign you in');
    expect(heading(await phone.get(offer.address))).toBe('This code is no longer good');
    expect(scene.count('login.foreign')).toBe(1);
    await isNobody(offer);
  });

  it('the link of a hand-off that the attacker claims as well: the victim’s kind of phone is not enough', async () => {
    const offer = await offered(scene);
    // The attacker plays both sides, and sends on only Didit's link, to somebody with another browser.
    const accomplice = phoneOf();
    const didit = await toDidit(accomplice, await claim(accomplice, offer.address));
    const victim = createBrowser();
    await takeSelfie(victim, await victim.get(didit.url), 'approve');
    const page = await whileWaiting(accomplice, await accomplice.get(offer.address));
    expect(heading(page)).not.toBe('Type this on the other screen');
    await isNobody(offer);
  });

  it('the way back, or steals it: it counts in the phone alone', async () => {
    for (const below of ['interaction', 'h'] as const) {
      const offer = await offered(scene);
      const phone = phoneOf();
      const didit = await toDidit(phone, await claim(phone, offer.address));
      const { callback } = scene.overheard.latest().body;
      expect(callback.startsWith(`${offer.address}/didit/`)).toBe(true);
      const back = await takeSelfie(phone, didit, 'approve');
      const nonce = callback.split('/').at(-1) ?? '';
      const stolen = below === 'h' ? callback : `${offer.page.url}/didit/${nonce}`;
      // Before the phone itself is back.
      const answer = await offer.desktop.get(stolen);
      expect(answer.status).toBe(403);
      expect(heading(answer)).toBe('This was not started here');
      expect(heading(await settle(phone, back))).toBe('This code is no longer good');
      expect(heading(await look(offer))).toBe('We could not sign you in');
      await isNobody(offer);
    }
  });

  it('nothing, and only guesses the way back: a wrong nonce is no arrival', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    const didit = await toDidit(phone, await claim(phone, offer.address));
    const stranger = createBrowser();
    const wrong = 'w'.repeat(43);
    for (const url of [`${offer.address}/didit/${wrong}`, `${offer.page.url}/didit/${wrong}`]) {
      expect((await stranger.get(url)).status).toBe(403);
    }
    expect((await phone.get(`${offer.address}/didit/${wrong}`)).status).toBe(400);
    const back = await settle(phone, await takeSelfie(phone, didit, 'approve'));
    expect(codeOn(await whileWaiting(phone, back))).toHaveLength(6);
  });
});

it('[XD-17] a new desktop that presses somebody presses, though their own phone be known', async () => {
  const [person, phone] = [scene.bed.person(), phoneOf()];
  const own = await named(scene, { desktop: phone, person });
  const selfie = await settle(phone, await press(phone, own.capture, 'selfie'));
  const back = await settle(phone, await takeSelfie(phone, selfie, 'approve'));
  await press(phone, await whileWaiting(phone, back), 'resume');

  const ask = async (): Promise<number> => {
    const before = await created();
    const { address } = await offered(scene, { person });
    await toDidit(phone, await claim(phone, address));
    return (await created()) - before;
  };
  for (let times = 1; times <= 3; times += 1) expect(await ask()).toBe(1);
  expect(await ask()).toBe(0);
  // The phone itself goes on.
  const before = await created();
  const again = await named(scene, { desktop: phone, person, prompt: 'login' });
  await settle(phone, await press(phone, again.capture, 'selfie'));
  expect((await created()) - before).toBe(1);
});

describe('[XD-13] a second claim', () => {
  it('cancels both', async () => {
    const offer = await offered(scene);
    const [first, second] = [phoneOf(), phoneOf()];
    const seen = await second.get(offer.address);
    await claim(first, offer.address);
    const answer = await press(second, seen, 'claim', formsOf(seen)[0]?.fields);
    expect(heading(answer)).toBe('This was not started here');
    expect(heading(await first.get(offer.address))).toBe('This code is no longer good');
    expect(heading(await look(offer))).toBe('We could not sign you in');
    expect(scene.count('login.foreign')).toBe(1);
    await isNobody(offer);
  });

  it('also when the first one has its approval', async () => {
    const offer = await offered(scene);
    const [first, second] = [phoneOf(), phoneOf()];
    const code = codeOn(await approveOn(first, offer.address));
    await press(second, await second.get(offer.address), 'claim');
    const answer = await offer.desktop.post(`${offer.page.url}/handoff-code`, { answer: code });
    expect(heading(await settle(offer.desktop, answer))).toBe('We could not sign you in');
    await isNobody(offer);
  });

  it('by many at once leaves nobody with anything', async () => {
    const offer = await offered(scene);
    const phones = Array.from({ length: 8 }, phoneOf);
    const pages = await Promise.all(phones.map((phone) => phone.get(offer.address)));
    await Promise.all(phones.map((phone, at) => press(phone, pages[at]!, 'claim')));
    expect(heading(await look(offer))).toBe('We could not sign you in');
    expect(scene.count('handoff.claimed')).toBe(1);
  });
});

describe('[XD-13] the code that is typed', () => {
  it('is dead after five wrong ones, the right one included', async () => {
    const offer = await offered(scene);
    const code = codeOn(await approveOn(phoneOf(), offer.address));
    const wrong = code === '222222' ? '333333' : '222222';
    for (let tries = 1; tries < 5; tries += 1) {
      const page = await typeCode(offer, wrong);
      expect(page.status).toBe(400);
      expect(page.text).toContain('That is not the code');
    }
    expect(heading(await typeCode(offer, wrong))).toBe('We could not sign you in');
    const answer = await offer.desktop.post(`${offer.page.url}/handoff-code`, { answer: code });
    expect(heading(await settle(offer.desktop, answer))).toBe('We could not sign you in');
    await isNobody(offer);
  });

  it('has five tries however many come at once', async () => {
    const offer = await offered(scene);
    const code = codeOn(await approveOn(phoneOf(), offer.address));
    const post = (answer: string) =>
      offer.desktop.post(`${offer.page.url}/handoff-code`, { answer });
    const wrong = code === '222222' ? '333333' : '222222';
    await Promise.all(Array.from({ length: 20 }, () => post(wrong)));
    await post(code);
    expect(heading(await look(offer))).toBe('We could not sign you in');
  });

  it('of another hand-off is a wrong one', async () => {
    const mine = await offered(scene);
    const theirs = await offered(scene);
    const code = codeOn(await approveOn(phoneOf(), mine.address));
    await approveOn(phoneOf(), theirs.address);
    expect((await typeCode(theirs, code)).text).toContain('That is not the code');
  });

  it('comes too late after a minute', async () => {
    const offer = await offered(scene);
    const code = codeOn(await approveOn(phoneOf(), offer.address));
    scene.pass(60_000);
    const answer = await offer.desktop.post(`${offer.page.url}/handoff-code`, { answer: code });
    expect(heading(await settle(offer.desktop, answer))).toBe('We could not sign you in');
    await isNobody(offer);
    scene.pass(-60_000);
  });

  it('brings nothing before the phone has it', async () => {
    const offer = await offered(scene);
    for (const answer of ['', '222222']) {
      await offer.desktop.post(`${offer.page.url}/handoff-code`, { answer });
    }
    expect(codeOn(await approveOn(phoneOf(), offer.address))).toHaveLength(6);
  });
});

describe('[XD-13] the address', () => {
  it('is no good after 90 seconds', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    const page = await phone.get(offer.address);
    scene.pass(90_000);
    expect(heading(await phone.get(offer.address))).toBe('This code is no longer good');
    const late = await settle(phone, await press(phone, page, 'claim'));
    expect(heading(late)).toBe('This code is no longer good');
    expect(heading(await look(offer))).toBe('One selfie to sign in');
    scene.pass(-90_000);
  });

  it('that another one took the place of leads nowhere', async () => {
    const first = await offered(scene);
    const again = await settle(
      first.desktop,
      await first.desktop.post(`${first.page.url}/handoff`),
    );
    expect(addressOn(again)).not.toBe(first.address);
    expect((await phoneOf().get(first.address)).status).toBe(410);
    expect(heading(await claim(phoneOf(), addressOn(again)))).toBe('One selfie to sign in');
  });

  it('is not made without end for one sign-in', async () => {
    const { desktop, page } = await offered(scene);
    const statuses: number[] = [];
    for (let offers = 0; offers < 11; offers += 1) {
      statuses.push((await desktop.post(`${page.url}/handoff`)).status);
    }
    expect(statuses.at(0)).toBe(303);
    expect(statuses.at(-1)).toBe(429);
  });

  it('that nobody was given looks as one that is over', async () => {
    const offer = await offered(scene);
    await press(offer.desktop, offer.page, 'try-again');
    const [over, never] = await Promise.all(
      [offer.address, `${scene.bed.issuer}/h/${'x'.repeat(22)}`].map((url) => phoneOf().get(url)),
    );
    const plain = (text = ''): string => text.replace(/<code>[^<]*<\/code>/, '');
    expect(over?.status).toBe(410);
    expect(plain(over?.text)).toBe(plain(never?.text));
  });
});

describe('[XD-13] each browser’s cookie', () => {
  it('is worth nothing at the other’s door', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    await claim(phone, offer.address);
    const before = await created();
    // The desktop, below the phone's address.
    expect((await offer.desktop.get(`${offer.address}/events?seen=taken`)).status).toBe(404);
    await offer.desktop.get(offer.address);
    const posted = await offer.desktop.post(`${offer.address}/selfie`);
    expect(posted.location).toBe(offer.address);
    expect(await created()).toBe(before);
    // The phone, below the desktop's.
    for (const path of ['', '/events', '/resume']) {
      expect((await phone.get(offer.page.url + path)).status).toBeGreaterThanOrEqual(400);
    }
    const cookies = await phone.jar.getCookies(offer.address, { allPaths: true });
    const own = cookies.find(({ key }) => key === '_handoff');
    expect(own).toMatchObject({ path: new URL(offer.address).pathname, httpOnly: true });
    expect(own?.sameSite).toBe('lax');
  });

  it('asks for no selfie before the claim', async () => {
    const offer = await offered(scene);
    const phone = phoneOf();
    await phone.get(offer.address);
    const before = await created();
    expect((await phone.post(`${offer.address}/selfie`)).location).toBe(offer.address);
    expect(await created()).toBe(before);
  });
});

describe('[XD-15] Didit’s own way to a phone', () => {
  it('is seen by the device that took the selfie, denied, and told what to use instead', async () => {
    const { capture, desktop } = await named(scene);
    const didit = await settle(desktop, await press(desktop, capture, 'selfie'));
    // Didit's page shows a square code of its own; a phone finishes, and the desktop goes on.
    const phone = createBrowser({ userAgent: safariOnIphone });
    await takeSelfie(phone, await phone.get(didit.url), 'approve');
    const page = await whileWaiting(
      desktop,
      await settle(desktop, await desktop.get(scene.overheard.latest().body.callback)),
    );
    expect(heading(page)).toBe('We could not sign you in');
    expect(page.text).toContain('another device');
    expect(page.text).toContain('not with the code on Didit’s page');
    const offer = await settle(desktop, await press(desktop, page, 'handoff'));
    expect(codeOn(await approveOn(phoneOf(), addressOn(offer)))).toHaveLength(6);
  });

  it('is not mistaken for a hand-off to a phone that looks like the desktop', async () => {
    const offer = await offered(scene);
    // Claimed by a phone, taken by something that says it is a desktop: the place is the phone's.
    const phone = phoneOf();
    const didit = await toDidit(phone, await claim(phone, offer.address));
    const other = createBrowser({ userAgent: chromeOnLinux });
    await takeSelfie(other, await other.get(didit.url), 'approve');
    const page = await whileWaiting(
      phone,
      await settle(phone, await phone.get(scene.overheard.latest().body.callback)),
    );
    expect(heading(page)).toBe('This code is no longer good');
    await isNobody(offer);
  });
});
