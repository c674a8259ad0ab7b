/** Who has an account here? Nobody who asks is told, by any page, header, cookie, length or limit. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { overhear } from '../didit/support.ts';
import { type Answer, formTokenFor, withoutToken } from '../support/browser.ts';
import { createDevice, signInWith } from '../support/device.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const eachKind = 300;
const overheard = overhear();
let bed: Testbed;
let party: Party;

beforeAll(async () => {
  const flags = { didit: { createsPerMinute: 10_000 }, limits: { perHour: 10_000 } };
  bed = await startTestbed({ people: eachKind + 20, fetch: overheard.fetch, flags });
  party = await createParty(bed);
});
afterAll(() => bed.close());

/** As long as the address of somebody who is known, and nobody's. */
const nobody = (like: string): string => like.replace('person', 'nobody');

/** All that can be seen of an answer, without what differs each time it is given. */
function visible({ status, headers, text, location }: Answer, name: string): string {
  const cookies = headers.getSetCookie().map((cookie) => cookie.replace(/=[^;]*/, ''));
  const plain = withoutToken(text)
    .replaceAll(name, 'NAME')
    .replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/g, 'REFERENCE')
    .replace(/interaction\/[\w-]+/g, 'UID');
  const to = location
    ?.replace(/interaction\/[\w-]+/, 'UID')
    .replace(/verify\/.*|session\/.*/, 'LINK');
  return JSON.stringify([status, [...headers.keys()].sort(), cookies, plain.length, plain, to]);
}

/** From the name to Didit's door. */
async function walk(name: string): Promise<string[]> {
  const browser = createBrowser();
  const { url } = await party.begin();
  const identify = await settle(browser, await browser.get(url));
  const named = await press(browser, identify, 'identify', { identifier: name });
  const context = await settle(browser, named);
  const selfie = await press(browser, context, 'selfie');
  expect(selfie.location).toContain(bed.simulatorUrl);
  const { body, diditSessionId } = overheard.latest();
  const about = [body.vendor_data.length, diditSessionId.length, Object.keys(body).sort()];
  await browser.post(body.callback.replace(/didit\/[\w-]+$/, 'cancel'));
  return [
    ...[named, context, selfie].map((answer) => visible(answer, name)),
    JSON.stringify(about),
  ];
}

describe('[AB-01] a name without an account', () => {
  it(
    `is led through the same pages as one that has one, ${eachKind} of each`,
    { timeout: 300_000 },
    async () => {
      const seen = new Set<string>();
      for (let at = 0; at < eachKind; at += 1) {
        const name = bed.person();
        for (const one of [name, nobody(name)]) {
          const steps = await walk(one);
          // Names differ in length from person-9 to person-10, and so do the pages that show them.
          seen.add(JSON.stringify(steps).replaceAll(/\b\d{4,5}\b/g, 'LENGTH'));
        }
        const [known, unknown] = [await walkLength(name), await walkLength(nobody(name))];
        expect(unknown).toEqual(known);
      }
      expect(seen.size).toBe(1);
    },
  );

  it('answers alike with the key of somebody else’s browser, and with one that nobody has', async () => {
    const [device, other] = [createDevice(), createDevice()];
    const request = await party.begin();
    await signInWith(createBrowser(), request, bed.person(), device);
    // Nobody else is let in here.
    bed.events.splice(0);
    await other.make('a key of nobody');
    const name = bed.person();
    for (const key of [device, other]) {
      const seen = new Set<string>();
      for (const one of [name, nobody(name)]) {
        const browser = createBrowser();
        const identify = await settle(browser, await browser.get((await party.begin()).url));
        const fields = { identifier: one, ...(await key.fields(identify)) };
        expect(fields).toHaveProperty('device_key');
        const named = await press(browser, identify, 'identify', fields);
        const context = await settle(browser, named);
        const again = await key.fields(context);
        const selfie = await press(browser, context, 'selfie', again);
        expect(selfie.location).toContain(bed.simulatorUrl);
        await press(browser, context, 'cancel');
        const steps = [named, context, selfie].map((page) => visible(page, one));
        seen.add(JSON.stringify(steps).replaceAll(/\b\d{4,5}\b/g, 'LENGTH'));
      }
      expect(seen.size).toBe(1);
    }
  });

  it('has one selfie at a time, too', async () => {
    const name = 'somebody@example.com';
    await toSelfie(createBrowser(), await party.begin(), name);
    const second = await toSelfie(createBrowser(), await party.begin(), ` SOMEBODY@example.com`);
    expect(second.text).toContain('Selfies are paused for a while');
  });

  it('is declined at its best, on the page that a wrong face gets', async () => {
    const end = async (name: string, outcome: 'approve' | 'decline'): Promise<string> => {
      const browser = createBrowser();
      const selfie = await toSelfie(browser, await party.begin(), name);
      const back = await settle(browser, await takeSelfie(browser, selfie, outcome));
      const page = await whileWaiting(browser, back);
      expect(heading(page)).toBe('We could not sign you in');
      return visible(page, name);
    };
    const name = bed.person();
    const unknown = await end(nobody(name), 'approve');
    expect(unknown).toBe(await end(name, 'decline'));
    expect(await end(nobody(bed.person()), 'decline')).toBe(unknown);
    expect(bed.events.filter(({ event }) => event === 'login.completed')).toEqual([]);
  });

  it('[AB-04] all spellings of a name share one turn, with an account and without', async () => {
    const person = bed.person();
    for (const name of [person, 'no-such-person@example.com']) {
      await toSelfie(createBrowser(), await party.begin(), name);
      for (const other of [name.toUpperCase(), `  ${name} `, name.replace('e', '\uff45')]) {
        const page = await toSelfie(createBrowser(), await party.begin(), other);
        expect(page.text).toContain('Selfies are paused for a while');
      }
    }
    await toSelfie(createBrowser(), await party.begin(), 'chiyo@example.com');
    const alias = await toSelfie(createBrowser(), await party.begin(), 'Chiyo');
    expect(alias.text).toContain('Selfies are paused for a while');
  });
});

/** How long the pages are that show the name itself. */
async function walkLength(name: string): Promise<number[]> {
  const browser = createBrowser();
  const identify = await settle(browser, await browser.get((await party.begin()).url));
  const as = { identifier: name };
  const context = await settle(browser, await press(browser, identify, 'identify', as));
  return [identify.text.length, context.text.length];
}

it('[AB-01] without a decoy picture an unknown name gets a neutral page, and not sooner than others go on', async () => {
  const createFloorMs = 300;
  const bare = await startTestbed({
    flags: { didit: { decoyPortraitFile: undefined, createFloorMs } },
  });
  onTestFinished(() => bare.close());
  const own = await createParty(bare);
  for (const name of ['nobody@example.com', 'ben@example.com']) {
    const browser = createBrowser();
    const identify = await settle(browser, await browser.get((await own.begin()).url));
    const context = await settle(
      browser,
      await press(browser, identify, 'identify', { identifier: name }),
    );
    const startedAt = performance.now();
    const answer = await press(browser, context, 'selfie');
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(createFloorMs - 5);
    expect(answer.status).toBe(303);
    if (name.startsWith('ben')) continue;
    const page = await settle(browser, answer);
    expect(page.text).toContain('is not answering');
  }
});

it(
  '[AB-02] 5,000 starts from 500 networks begin no more selfies than the hour allows, and a known browser goes on',
  { timeout: 300_000 },
  async () => {
    const heard = overhear();
    const nowMs = Date.now();
    const small = await startTestbed({
      // It takes minutes, and is about one hour.
      clock: () => nowMs,
      fetch: heard.fetch,
      flags: { trustProxy: 1, limits: { perHour: 20, perAddressPerHour: 30 } },
    });
    onTestFinished(() => small.close());
    const own = await createParty(small);
    const known = createBrowser();
    const didit = await toSelfie(known, await own.begin());
    const back = await settle(known, await takeSelfie(known, didit, 'approve'));
    await settle(known, await press(known, await whileWaiting(known, back), 'resume'));
    const mine = heard.creates.length;

    const { url } = await own.begin();
    async function start(at: number): Promise<void> {
      const from = { 'x-forwarded-for': `10.${Math.floor((at % 500) / 250)}.${at % 250}.9` };
      const jar = createBrowser();
      const send = (address: string, body?: Record<string, string>): Promise<Answer> =>
        jar.request(address, {
          headers: { ...from, origin: small.issuer, 'sec-fetch-site': 'same-origin' },
          ...(body
            ? { method: 'POST', body: new URLSearchParams({ ...formTokenFor(address), ...body }) }
            : {}),
        });
      const first = await send(url);
      const here = (first.location ?? '').replace(/\?.*/, '');
      await send(first.location ?? '');
      await send(`${here}/identify`, { identifier: `victim-${at}@example.com` });
      await send(`${here}/selfie`, {});
    }
    for (let at = 0; at < 5_000; at += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, one) => start(at + one)));
    }
    expect(heard.creates.length - mine).toBeLessThanOrEqual(16);
    expect(small.alarms).toContainEqual(expect.objectContaining({ reason: 'budget_spent' }));

    const again = await settle(known, await known.get((await own.begin({ prompt: 'login' })).url));
    expect((await press(known, again, 'selfie')).location).toContain(small.simulatorUrl);
  },
);
