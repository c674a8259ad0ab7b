/** The ways in besides a selfie, with a factor that stands in for the real ones. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type TestBrowser, withoutToken } from '../support/browser.ts';
import { createTestFactor } from '../support/factor.ts';
import {
  type Party,
  createBrowser,
  createParty,
  heading,
  interactionOf,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const { factor, sent } = createTestFactor();
let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({
    people: 30,
    factors: [factor],
    // Each browser of a test has an address of its own, so that what one did is not another's.
    flags: { trustProxy: 1 },
  });
  party = await createParty(bed);
});
afterAll(() => bed.close());
beforeEach(() => void sent.splice(0));

let addresses = 0;
/** A browser in a network of its own; nothing but its address differs. */
const browserElsewhere = (): TestBrowser =>
  createBrowser({ address: `198.51.${(addresses += 1)}.7` });

async function toFallback(browser: TestBrowser, person: string) {
  const request = await party.begin();
  const identify = await settle(browser, await browser.get(request.url));
  const as = { identifier: person };
  const context = await settle(browser, await press(browser, identify, 'identify', as));
  return { request, page: await settle(browser, await press(browser, context, 'other-way')) };
}

const choose = async (browser: TestBrowser, page: Answer): Promise<Answer> =>
  settle(browser, await press(browser, page, 'factor', { factor: 'test' }));
const answer = async (browser: TestBrowser, page: Answer, code: string): Promise<Answer> =>
  settle(browser, await press(browser, page, 'answer', { answer: code }));
const plain = ({ text, status }: Answer): string =>
  `${status} ${withoutToken(text)
    .replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/g, 'REF')
    .replace(/interaction\/[\w-]+/g, 'UID')}`;

describe('another factor', () => {
  it('signs in, and the token says what it was and nothing of a face', async () => {
    const [browser, person] = [browserElsewhere(), bed.person()];
    const { request, page } = await toFallback(browser, person);
    expect(page.text).toContain('Use a test instead');
    const asked = await choose(browser, page);
    expect(heading(asked)).toBe('Sign in with a test');
    const ready = await answer(browser, asked, sent.at(-1)?.code ?? '');
    expect(heading(ready)).toBe('It is you');
    const done = await settle(browser, await press(browser, ready, 'resume'));
    const claims = (await request.finish(done.location ?? '')).claims();
    expect(claims).toMatchObject({ acr: 'urn:didit-oidc:acr:fallback:test', amr: ['otp'] });
  });

  it('is offered when a limit is hit, and opens the selfie to new browsers again', async () => {
    const person = bed.person();
    for (let starts = 0; starts < 3; starts += 1) {
      const stranger = browserElsewhere();
      await toSelfie(stranger, await party.begin(), person);
      await stranger.post(`${await interactionOf(stranger, bed)}/cancel`);
    }
    const browser = browserElsewhere();
    const closed = await toSelfie(browser, await party.begin(), person);
    expect(closed.text).toContain('Selfies are paused for a while');
    const asked = await choose(browser, closed);
    await answer(browser, asked, sent.at(-1)?.code ?? '');

    const open = await toSelfie(browserElsewhere(), await party.begin(), person);
    expect(heading(open)).toBe('Take a selfie');
  });

  it('[AB-01] asks, waits and refuses alike for a name that has no account', async () => {
    const see = async (person: string): Promise<string[]> => {
      const browser = browserElsewhere();
      const { page } = await toFallback(browser, person);
      const asked = await choose(browser, page);
      const wrong = await answer(browser, asked, '000000');
      return [page, asked, wrong].map(plain);
    };
    expect(await see('nobody@example.com')).toEqual(await see(bed.person()));
  });

  it('[AB-10] sends three messages and no fourth, without a word about it', async () => {
    const person = bed.person();
    const pages: string[] = [];
    for (let times = 0; times < 5; times += 1) {
      const browser = browserElsewhere();
      const { page } = await toFallback(browser, person);
      pages.push(plain(await choose(browser, page)));
    }
    expect(sent).toHaveLength(3);
    expect(new Set(pages).size).toBe(1);

    const [browser, before] = [browserElsewhere(), sent.length];
    for (let times = 0; times < 5; times += 1) {
      const { page } = await toFallback(browser, bed.person());
      await choose(browser, page);
    }
    expect(sent.length - before).toBe(3);
  });

  it('[AB-03] is tried five times, and then even the right answer is wrong', async () => {
    const [browser, person] = [browserElsewhere(), bed.person()];
    const { page } = await toFallback(browser, person);
    let current = await choose(browser, page);
    for (let tries = 0; tries < 5; tries += 1) current = await answer(browser, current, '000000');
    const last = await answer(browser, current, sent.at(-1)?.code ?? '');
    expect(heading(last)).toBe('Sign in with a test');
    expect(last.text).toContain('That was not right');
  });

  it('that does not exist, or that nobody asked for, is refused', async () => {
    const browser = browserElsewhere();
    const { page } = await toFallback(browser, bed.person());
    expect((await press(browser, page, 'factor', { factor: 'magic' })).status).toBe(400);
    const uid = /interaction\/[\w-]+/.exec(page.text)?.[0] ?? '';
    const early = await browser.post(`${bed.issuer}/${uid}/answer`, { answer: '100000' });
    expect(early.location).toBe(`${bed.issuer}/${uid}`);
  });

  it('ends a selfie that is under way', async () => {
    const [browser, person] = [browserElsewhere(), bed.person()];
    const request = await party.begin();
    const selfie = await toSelfie(browser, request, person);
    expect(heading(selfie)).toBe('Take a selfie');
    const here = await interactionOf(browser, bed);
    await browser.post(`${here}/factor`, { factor: 'test' });
    const late = await takeSelfie(browser, selfie, 'approve');
    expect(late.status).toBeGreaterThanOrEqual(400);
    const page = await whileWaiting(browser, await browser.get(here));
    expect(heading(page)).toBe('Sign in with a test');
  });
});
