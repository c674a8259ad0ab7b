/** The ways in besides a selfie: what they tell a stranger, and how much may be asked of them. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Store } from '../../src/store/store.ts';
import { type Answer, withoutToken } from '../support/browser.ts';
import {
  type Party,
  createParty,
  heading,
  interactionOf,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, awayFromTheQuarter, startTestbed } from '../support/testbed.ts';
import {
  answer,
  browserElsewhere,
  choose,
  equip,
  mailedCode,
  toChoice,
  waysOn,
} from '../support/ways.ts';

const all = ['mail', 'totp', 'recovery'];
let bed: Testbed;
let store: Store;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({
    storeUrl: await freshRedis(),
    people: 40,
    // Each browser of a test has an address of its own, so that what one did is not another's.
    flags: { trustProxy: 1 },
  });
  store = await bed.openStore();
  party = await createParty(bed);
});
afterAll(async () => {
  await store.close();
  await bed.close();
});
beforeEach(awayFromTheQuarter);

const plain = ({ text, status }: Answer, person: string): string =>
  `${status} ${withoutToken(text)
    .replaceAll(person, 'NAME')
    .replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/g, 'REF')
    .replace(/interaction\/[\w-]+/g, 'UID')}`;

describe('another way', () => {
  it('is offered when a limit is hit; two codes open the selfie to new browsers again, one does not', async () => {
    const person = bed.person();
    const { app, paper } = await equip(store, person);
    for (let starts = 0; starts < 3; starts += 1) {
      const stranger = browserElsewhere();
      await toSelfie(stranger, await party.begin(), person);
      await stranger.post(`${await interactionOf(stranger, bed)}/cancel`);
    }
    const browser = browserElsewhere();
    const closed = await toSelfie(browser, await party.begin(), person);
    expect(closed.text).toContain('Selfies are paused for a while');
    const first = await answer(browser, await choose(browser, closed, 'totp'), app());
    const still = await toSelfie(browserElsewhere(), await party.begin(), person);
    expect(still.text).toContain('Selfies are paused for a while');
    const second = await choose(browser, first, 'recovery');
    expect(heading(await answer(browser, second, paper[0]!))).toBe('It is you');

    const open = await toSelfie(browserElsewhere(), await party.begin(), person);
    expect(heading(open)).toBe('Take a selfie');
  });

  it('ends a selfie that is under way', async () => {
    const [browser, person] = [browserElsewhere(), bed.person()];
    const selfie = await toSelfie(browser, await party.begin(), person);
    expect(heading(selfie)).toBe('Take a selfie');
    const here = await interactionOf(browser, bed);
    await browser.post(`${here}/factor`, { factor: 'mail' });
    const late = await takeSelfie(browser, selfie, 'approve');
    expect(late.status).toBeGreaterThanOrEqual(400);
    const page = await whileWaiting(browser, await browser.get(here));
    expect(heading(page)).toBe('Type the code from the mail');
  });

  it('that does not exist, or that nobody asked for, is refused', async () => {
    const browser = browserElsewhere();
    const page = await toChoice(browser, await party.begin(), bed.person());
    for (const factor of ['magic', 'passkey', '', '__proto__']) {
      expect((await press(browser, page, 'factor', { factor })).status, factor).toBe(400);
    }
    const here = await interactionOf(browser, bed);
    const early = await browser.post(`${here}/answer`, { answer: '100000' });
    expect(early.location).toBe(here);
    expect(heading(await settle(browser, early))).toBe('One selfie to sign in');
  });
});

describe('a stranger', () => {
  it('[FB-08] sees the same list for everybody, whatever they have set up', async () => {
    const nobody = 'nobody@example.com';
    const [bare, equipped] = [bed.person(), bed.person()];
    await equip(store, equipped);
    for (const person of [nobody, bare, equipped]) {
      const browser = browserElsewhere();
      const page = await toChoice(browser, await party.begin(), person);
      expect(waysOn(page), person).toEqual(all);
      const left = await settle(browser, await press(browser, page, 'other-way'));
      expect(waysOn(left), person).toEqual(all);
      for (const way of all) {
        const asked = await choose(browser, left, way);
        // Beside the one that is asked for stand all others; a mail may be asked for once more.
        expect(new Set([...waysOn(asked), way]), `${person} ${way}`).toEqual(new Set(all));
      }
    }
  });

  it.each(all)(
    '[AB-01] is asked, kept and refused alike for a name without an account: %s',
    async (way) => {
      const see = async (person: string): Promise<string[]> => {
        const browser = browserElsewhere();
        const page = await toChoice(browser, await party.begin(), person);
        const asked = await choose(browser, page, way);
        const wrong = await answer(browser, asked, '0000-0000-0000-0000');
        const left = await settle(browser, await press(browser, wrong, 'other-way'));
        return [page, asked, wrong, left].map((one) => plain(one, person));
      };
      const equipped = bed.person();
      await equip(store, equipped);
      expect(await see('nobody@example.com')).toEqual(await see(equipped));
      expect(await see('nobody@example.org')).toEqual(await see(bed.person()));
    },
  );

  it('[AB-10] gets three messages sent and no fourth, without a word about it', async () => {
    const person = bed.person();
    const pages: string[] = [];
    const codes = (): number => bed.mails.filter(({ to }) => to.address === person).length;
    for (let times = 0; times < 5; times += 1) {
      const browser = browserElsewhere();
      const page = await toChoice(browser, await party.begin(), person);
      pages.push(plain(await choose(browser, page, 'mail'), person));
    }
    expect(codes()).toBe(3);
    expect(new Set(pages).size).toBe(1);

    const [browser, before] = [browserElsewhere(), bed.mails.length];
    for (let times = 0; times < 5; times += 1) {
      const page = await toChoice(browser, await party.begin(), bed.person());
      await choose(browser, page, 'mail');
    }
    expect(bed.mails.length - before).toBe(3);
  });

  it('[AB-10] gets no message for a way that needs none', async () => {
    const [browser, person, before] = [browserElsewhere(), bed.person(), bed.mails.length];
    for (let times = 0; times < 5; times += 1) {
      const page = await toChoice(browser, await party.begin(), person);
      await choose(browser, await choose(browser, page, 'totp'), 'recovery');
    }
    expect(bed.mails.length).toBe(before);
    const page = await toChoice(browser, await party.begin(), person);
    await choose(browser, page, 'mail');
    expect(await mailedCode(bed, person)).toMatch(/^\d{8}$/);
  });

  it('[AB-01] learns nothing from how long a mail takes, and the person nothing false', async () => {
    const never = await startTestbed({ sendMail: () => new Promise(() => undefined) });
    onTestFinished(() => never.close());
    const browser = browserElsewhere();
    const page = await toChoice(
      browser,
      await (await createParty(never)).begin(),
      'ana@example.com',
    );
    expect(heading(await choose(browser, page, 'mail'))).toBe('Type the code from the mail');
  });

  it.each(all)(
    '[AB-03] tries %s five times, and then even the right answer is wrong',
    async (way) => {
      const [browser, person] = [browserElsewhere(), bed.person()];
      const { app, paper } = await equip(store, person);
      let page = await choose(browser, await toChoice(browser, await party.begin(), person), way);
      for (let tries = 0; tries < 5; tries += 1) page = await answer(browser, page, '00000000');
      const right = { mail: () => mailedCode(bed, person), totp: app, recovery: () => paper[0]! };
      const last = await answer(browser, page, await right[way as keyof typeof right]());
      expect(last.status).toBe(400);
      expect(last.text).toContain('That was not right');
    },
  );

  it('[AB-05] who types wrongly four times, and whose every answer is right from then on, is not stopped', async () => {
    const [browser, person] = [browserElsewhere(), bed.person()];
    const { app, paper } = await equip(store, person);
    const signIn = async (code: () => string, recovery: string): Promise<void> => {
      const choice = await toChoice(browser, await party.begin({ prompt: 'login' }), person);
      const first = await answer(browser, await choose(browser, choice, 'totp'), code());
      const second = await choose(browser, first, 'recovery');
      expect(heading(await answer(browser, second, recovery))).toBe('It is you');
    };
    let page = await toChoice(browser, await party.begin(), person);
    page = await choose(browser, page, 'totp');
    for (let tries = 0; tries < 4; tries += 1) page = await answer(browser, page, '00000000');
    for (const [at, steps] of [-1, 0, 1].entries()) await signIn(() => app(steps), paper[at]!);
  });
});
