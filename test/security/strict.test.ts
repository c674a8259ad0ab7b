/** Under the policy `strict`, nobody who only knows a name can have a selfie asked of anybody. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { type Answer, createBrowser, withoutToken } from '../support/browser.ts';
import { createDevice, leaveBy, selfieOn, signInWith, toContext } from '../support/device.ts';
import { type Party, createParty, heading, press, settle } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { addressOn, approveOn, deskClient, safariOnIphone } from './relay/scene.ts';
import { answer, choose, equip, finishOn, mailedCode, waysOn } from '../support/ways.ts';

let bed: Testbed;
let store: Store;
let party: Party;
let aheadMs = 0;
let directory: string;

beforeAll(async () => {
  // The library has no other clock.
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
  directory = mkdtempSync(join(tmpdir(), 'didit-oidc-strict-'));
  const torExitsFile = join(directory, 'tor.txt');
  writeFileSync(torExitsFile, '203.0.113.9\n');
  const flags = { policyFile: 'strict', trustProxy: ['127.0.0.1'], networks: { torExitsFile } };
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    flags,
    people: 12,
    clients: [deskClient],
  });
  store = await bed.openStore();
  party = await createParty(bed);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await store.close();
  await bed.close();
  rmSync(directory, { recursive: true });
});

/** What was said of the selfies that were just asked for; it is written down a moment after the page is woken. */
const verdicts = (): (string | undefined)[] =>
  bed.events.filter(({ event }) => event === 'verdict.received').map(({ reason }) => reason);

const creates = async (): Promise<number> =>
  (await bed.log()).calls.filter(({ operation }) => operation === 'create').length;

/** What a page says to whoever sees it: with neither the name nor what is another in each sign-in. */
const seen = (page: Answer, name: string): string =>
  withoutToken(page.text)
    .replaceAll(name, 'NAME')
    .replace(/<code>[^<]*<\/code>/g, 'CODE')
    .replace(/\/interaction\/[\w-]+/g, '/interaction/UID');

async function byMail(browser: ReturnType<typeof createBrowser>, page: Answer, person: string) {
  const before = bed.mails.length;
  const asked = await choose(browser, page, 'mail');
  return answer(browser, asked, await mailedCode(bed, person, before));
}

describe('[XD-08] a new browser with somebody’s name', () => {
  test('is asked for something else first, and the same of a name that is nobody’s', async () => {
    const before = await creates();
    const [known, unknown] = [bed.person(), 'nobody-at-all@example.com'];
    const pages = await Promise.all(
      [known, unknown].map(async (name) => toContext(createBrowser(), await party.begin(), name)),
    );
    const [one, other] = pages;
    expect(one!.text).toContain('something else comes before the selfie');
    expect(waysOn(one!)).toContain('mail');
    expect(seen(one!, known)).toBe(seen(other!, unknown));
    expect(await creates()).toBe(before);
  });

  test('has no selfie taken by pressing what its page does not show', async () => {
    const before = await creates();
    const browser = createBrowser();
    const page = await toContext(browser, await party.begin(), bed.person());
    const steps = ['selfie', 'selfie-next', 'resume', 'try-again', 'selfie', 'selfie'];
    for (const step of steps) {
      const done = await settle(browser, await browser.post(`${page.url}/${step}`));
      expect(done.url).toContain(bed.issuer);
      expect(done.location).toBeUndefined();
    }
    expect(await creates()).toBe(before);
  });

  test('with a cookie of a known device, and not its key, is as new as any', async () => {
    const person = bed.person();
    const [browser, device] = [createBrowser(), createDevice()];
    const page = await byMail(
      browser,
      await toContext(browser, await party.begin(), person),
      person,
    );
    await leaveBy(browser, await selfieOn(browser, page, device), device);
    const before = await creates();
    const asked = await toContext(browser, await party.begin({ prompt: 'login' }), person);
    // Somebody is signed in here: it is they who are asked, and the key is missing.
    const done = await settle(browser, await press(browser, asked, 'selfie'));
    expect(done.text).toContain('something else comes before the selfie');
    expect(await creates()).toBe(before);
  });
});

describe('[XD-09] a new device', () => {
  test('takes a code by mail, then a selfie, has its own key then, and the person is told', async () => {
    const person = bed.person();
    const [browser, device] = [createBrowser(), createDevice()];
    const request = await party.begin();
    const page = await byMail(browser, await toContext(browser, request, person), person);
    expect(heading(page)).toBe('One selfie to sign in');
    const tokens = await request.finish(
      await leaveBy(browser, await selfieOn(browser, page, device), device),
    );
    expect(tokens.claims()).toMatchObject({
      acr: 'urn:didit-oidc:acr:selfie:test',
      amr: ['face'],
    });
    expect(device.id()).toBeDefined();
    await soon(() =>
      expect(bed.mails.filter(({ to }) => to.address === person).map((one) => one.message)).toEqual(
        expect.arrayContaining([expect.objectContaining({ kind: 'new_device', keepsKey: true })]),
      ),
    );
    // Young as it is, it stands for nothing yet but a second factor.
    const again = await toContext(browser, await party.begin({ prompt: 'login' }), person, device);
    const early = await settle(
      browser,
      await press(browser, again, 'selfie', await device.fields(again)),
    );
    expect(early.text).toContain('something else comes before the selfie');

    aheadMs += 25 * 3_600_000;
    const later = await party.begin();
    const rested = await later.finish(await signInWith(browser, later, person, device));
    expect(rested.claims()).toMatchObject({
      acr: 'urn:didit-oidc:acr:selfie-device:test',
      amr: ['face', 'swk', 'pop', 'mfa'],
    });
  });

  test('gets no further by a wrong code, a code of another browser, or a code alone', async () => {
    const person = bed.person();
    const before = await creates();
    const [browser, other] = [createBrowser(), createBrowser()];
    const page = await toContext(browser, await party.begin(), person);
    const asked = await choose(browser, page, 'mail');
    const elsewhere = await choose(
      other,
      await toContext(other, await party.begin(), person),
      'mail',
    );
    await mailedCode(bed, person);
    const [, foreign] = bed.mails
      .filter(({ to }) => to.address === person)
      .flatMap(({ message }) => (message.kind === 'code' ? [message.code] : []));
    for (const code of ['000000', foreign ?? '']) {
      const wrong = await answer(browser, asked, code);
      expect(wrong.status).toBe(400);
    }
    const address = asked.url.replace(/\/\w+$/, (step) => (step === '/factor' ? '' : step));
    for (const step of ['selfie', 'selfie-next', 'resume']) {
      expect((await settle(browser, await browser.post(`${address}/${step}`))).location).toBe(
        undefined,
      );
    }
    expect(heading(elsewhere)).toBeTruthy();
    expect(await creates()).toBe(before);
  });

  test('may go on by codes alone, and is told what it is then', async () => {
    const person = bed.person();
    const { app } = await equip(store, person, { has: ['totp'] });
    const browser = createBrowser();
    const request = await party.begin();
    const page = await byMail(browser, await toContext(browser, request, person), person);
    const second = await choose(browser, page, 'totp');
    const tokens = await request.finish(
      await finishOn(browser, await answer(browser, second, app())),
    );
    expect(tokens.claims()).toMatchObject({ acr: 'urn:didit-oidc:acr:fallback:test' });
  });
});

test('[XD-08] a selfie in a network that cannot be compared opens nothing', async () => {
  bed.events.splice(0);
  const person = bed.person();
  const browser = createBrowser({ address: '198.51.100.7' });
  const page = await byMail(browser, await toContext(browser, await party.begin(), person), person);
  const done = await selfieOn(browser, page);
  expect(done.text).toContain('did not confirm that it was you');
  await soon(() =>
    expect(verdicts()).toEqual(['policy: the networks cannot be compared, place cannot_tell']),
  );
});

test('[XD-08] whom a rule keeps out, it keeps out by every way, known or not', async () => {
  const known = bed.person();
  const before = await creates();
  for (const name of [known, 'nobody-there@example.com']) {
    const browser = createBrowser({ address: '203.0.113.9' });
    const page = await toContext(browser, await party.begin(), name);
    expect(page.text).toContain('do not allow a sign-in from here');
    expect(waysOn(page)).toEqual([]);
    for (const [step, fields] of [
      ['factor', { factor: 'mail' }],
      ['try-again', {}],
      ['selfie', {}],
      ['start-over', {}],
      ['other-way', { identifier: name }],
      ['factor', { factor: 'mail' }],
      ['answer', { answer: '000000' }],
    ] as const) {
      await settle(browser, await browser.post(`${page.url}/${step}`, { ...fields }));
    }
    const end = await browser.get(page.url);
    expect(end.text).toContain('do not allow a sign-in from here');
  }
  expect(bed.mails.filter(({ to }) => to.address === known)).toEqual([]);
  expect(await creates()).toBe(before);
});

test('[XD-13] a phone in another network than the browser that asks opens nothing', async () => {
  // So many codes go to one network in a quarter of an hour, and no more.
  aheadMs += 16 * 60_000;
  bed.events.splice(0);
  const desk = await createParty(
    { issuer: bed.issuer, clientSecret: deskClient.client_secret },
    'desk',
  );
  const person = bed.person();
  const desktop = createBrowser();
  const page = await byMail(desktop, await toContext(desktop, await desk.begin(), person), person);
  const offer = await settle(desktop, await press(desktop, page, 'handoff'));
  const phone = createBrowser({ userAgent: safariOnIphone, address: '198.51.100.7' });
  const done = await approveOn(phone, addressOn(offer));
  expect(done.text).not.toContain('back-code');
  await soon(() =>
    expect(verdicts()).toEqual([
      'policy: the phone is not on the network of the browser, place cannot_tell',
    ]),
  );
});
