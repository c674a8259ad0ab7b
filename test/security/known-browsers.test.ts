/** Who is no stranger to an account, and whose turn that takes. Addresses are what a proxy says. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type TestBrowser, createBrowser } from '../support/browser.ts';
import {
  type Party,
  createParty,
  heading,
  interactionOf,
  press,
  settle,
  signIn,
  toSelfie,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

/** Didit sees every browser of a test on the loopback; whoever comes from here does not seem to be there. */
const elsewhere = '203.0.113.7';
let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({ people: 20, flags: { trustProxy: 1 } });
  party = await createParty(bed);
});
afterAll(() => bed.close());

/** The same browser on another day: its session is over, its device cookie is not. */
async function onAnotherDay(before: TestBrowser): Promise<TestBrowser> {
  const browser = createBrowser();
  const cookies = await before.jar.getCookies(bed.issuer);
  const device = cookies.filter(({ key }) => key.startsWith('_device'));
  expect(device).toHaveLength(2); // The cookie and its signature.
  for (const cookie of device) await browser.jar.setCookie(cookie, bed.issuer);
  return browser;
}

/** Somebody who was never here has the turn of this person. */
async function takenByStranger(person: string): Promise<void> {
  const stranger = createBrowser();
  expect(heading(await toSelfie(stranger, await party.begin(), person))).toBe('Take a selfie');
  onTestFinished(async () => {
    await stranger.post(`${await interactionOf(stranger, bed)}/cancel`);
  });
}

it.each([
  ['where it was taken is known, and takes precedence', undefined, 'Take a selfie'],
  ['from another network is not', elsewhere, 'We could not sign you in'],
])(
  '[AB-06] a browser in which a login was completed by a selfie %s',
  async (_name, address, shown) => {
    const [own, person] = [createBrowser({ address }), bed.person()];
    const request = await party.begin();
    await request.finish(await signIn(own, request, person));
    await takenByStranger(person);
    const again = await onAnotherDay(own);
    expect(heading(await toSelfie(again, await party.begin(), person))).toBe(shown);
  },
);

it('[AB-06] somebody who is signed in is no stranger, wherever they are', async () => {
  const [own, person] = [createBrowser({ address: elsewhere }), bed.person()];
  const request = await party.begin();
  await request.finish(await signIn(own, request, person));
  await takenByStranger(person);
  const anew = await party.begin({ prompt: 'login' });
  const page = await settle(own, await own.get(anew.url));
  expect((await press(own, page, 'selfie')).location).toContain(bed.simulatorUrl);
});

it('[AB-02] who is refused by a limit has no turn, and keeps nobody from theirs', async () => {
  const limits = { perClientPerHour: 1, reservedForKnownDevices: 0 };
  const small = await startTestbed({ people: 4, flags: { limits } });
  onTestFinished(() => small.close());
  const [one, other] = [await createParty(small), await createParty(small, 'second')];
  await toSelfie(createBrowser(), await one.begin(), small.person());
  const person = small.person();
  const refused = await toSelfie(createBrowser(), await one.begin(), person);
  expect(refused.text).toContain('Selfies are paused for a while');
  const open = await toSelfie(createBrowser(), await other.begin(), person);
  expect(heading(open)).toBe('Take a selfie');
});
