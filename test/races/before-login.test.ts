/** Requests that carry the session id from before a login, while the login ends, on real Redis. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type Party,
  createBrowser,
  createParty,
  isCallback,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({ storeUrl: await freshRedis() });
  party = await createParty(bed);
});
afterAll(() => bed.close());

it('neither wipe the login nor come to share it, 20 times over', async () => {
  let wiped = 0;
  let shared = 0;
  for (let round = 0; round < 20; round += 1) {
    const browser = createBrowser();
    // An id without a person, as anybody gets one; an attacker may have left it in this browser.
    await browser.get(`${bed.issuer}/session/end`);
    const before = await browser.jar.getCookieString(`${bed.issuer}/`);
    const resume = await untilResume(browser);
    const silent = (await party.begin({ prompt: 'none' })).url;
    const asBefore = async (): Promise<string> => {
      const init = { redirect: 'manual', headers: { cookie: before } } as const;
      return (await fetch(silent, init)).headers.get('location') ?? '';
    };

    const login = new AbortController();
    const flood = Array.from({ length: 6 }, async () => {
      while (!login.signal.aborted) await asBefore();
    });
    await sleep(20);
    const { location = '' } = await browser.get(resume);
    expect(location).toSatisfy(isCallback);
    login.abort();
    await Promise.all(flood);

    if ((await asBefore()).includes('code=')) shared += 1;
    const later = await browser.get(silent);
    if (!(later.location ?? '').includes('code=')) wiped += 1;
  }
  expect({ wiped, shared }).toEqual({ wiped: 0, shared: 0 });
}, 180_000);

async function untilResume(browser: ReturnType<typeof createBrowser>): Promise<string> {
  const didit = await toSelfie(browser, await party.begin());
  const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  const ready = await whileWaiting(browser, back);
  return (await press(browser, ready, 'resume')).location ?? '';
}
