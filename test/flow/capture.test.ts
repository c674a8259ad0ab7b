/** One selfie at a time, for one person, in a Didit session that nobody else knows. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callDidit, overhear } from '../didit/support.ts';
import {
  type Outcome,
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed, workflowId } from '../support/testbed.ts';

const overheard = overhear();
let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed({ fetch: overheard.fetch, people: 40 });
});
afterAll(() => bed.close());
beforeEach(() => void bed.events.splice(0));

const dispatcher = (): string => overheard.latest().body.callback.replace(/\/didit\/[\w-]+$/, '');

/** As far as the page before the selfie. */
async function toContext(browser = createBrowser(), identifier = bed.person()) {
  const request = await (await createParty(bed)).begin();
  const identify = await settle(browser, await browser.get(request.url));
  const page = await settle(browser, await press(browser, identify, 'identify', { identifier }));
  return { browser, request, page, identifier };
}

describe('a session that Didit hands back', () => {
  it('is not used: it is deleted, and the selfie is taken in a new one', async () => {
    const known = await toContext();
    await press(known.browser, known.page, 'selfie');
    const { vendor_data, portrait_image } = overheard.latest().body;
    await known.browser.post(`${dispatcher()}/cancel`);

    // Somebody with the key began a session for the same person, and has its link.
    const body = { workflow_id: workflowId, vendor_data, portrait_image };
    const response = await callDidit(bed, 'POST', '/v3/session/', body);
    const planted = (await response.json()) as { session_id: string; url: string };
    await createBrowser().get(planted.url);

    const { browser, request, page } = await toContext(createBrowser(), known.identifier);
    const created = overheard.creates.length;
    const selfie = await settle(browser, await press(browser, page, 'selfie'));
    const ids = overheard.creates.slice(created).map(({ diditSessionId }) => diditSessionId);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(planted.session_id);
    expect(ids[1]).not.toBe(planted.session_id);
    expect((await createBrowser().get(planted.url)).status).toBe(404);
    const back = await settle(browser, await takeSelfie(browser, selfie, 'approve'));
    const done = await press(browser, await whileWaiting(browser, back), 'resume');
    await request.finish((await settle(browser, done)).location ?? '');
  });

  it('again and again is given up, and nobody waits for ever', async () => {
    const first = await toContext();
    await bed.control('faults', { api: { operation: 'delete', mode: 503, times: 9 } });
    await press(first.browser, first.page, 'selfie');
    await first.browser.post(`${dispatcher()}/cancel`);
    const again = await toContext(createBrowser(), first.identifier);
    const end = await settle(again.browser, await press(again.browser, again.page, 'selfie'));
    expect(heading(end)).toBe('We could not sign you in');
    await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
    const { diditSessionId } = overheard.latest();
    await callDidit(bed, 'DELETE', `/v3/session/${diditSessionId}/delete/`);
  });
});

describe('the turn of a person', () => {
  it('is one: of two sign-ins at once the second is told to come back later', async () => {
    const first = await toContext();
    const second = await toContext(createBrowser(), first.identifier);
    const selfie = await settle(first.browser, await press(first.browser, first.page, 'selfie'));
    const created = overheard.creates.length;
    const limited = await settle(
      second.browser,
      await press(second.browser, second.page, 'selfie'),
    );
    expect(heading(limited)).toBe('We could not sign you in');
    expect(limited.text).toContain('too many attempts');
    expect(overheard.creates).toHaveLength(created);
    // The first is none the worse for it.
    const back = await takeSelfie(first.browser, selfie, 'approve');
    const ready = await whileWaiting(first.browser, await settle(first.browser, back));
    expect(heading(ready)).toBe('It is you');
    await settle(first.browser, await press(first.browser, ready, 'resume'));
  });

  it('is another person’s own', async () => {
    const [ana, ben] = [await toContext(), await toContext()];
    for (const { browser, page } of [ana, ben]) {
      expect((await press(browser, page, 'selfie')).location).toContain(bed.simulatorUrl);
      await browser.post(`${dispatcher()}/cancel`);
    }
  });

  it('is taken once by who presses the button twice', async () => {
    const { browser, page } = await toContext();
    const created = overheard.creates.length;
    const pressed = await Promise.all([
      press(browser, page, 'selfie'),
      press(browser, page, 'selfie'),
      press(browser, page, 'selfie'),
    ]);
    expect(overheard.creates).toHaveLength(created + 1);
    const toDidit = pressed.filter(({ location }) => location?.startsWith(bed.simulatorUrl));
    expect(toDidit).toHaveLength(1);
    expect(pressed.filter(({ location }) => location === dispatcher())).toHaveLength(2);
    expect(bed.events.filter(({ event }) => event === 'capture.created')).toHaveLength(1);
    await browser.post(`${dispatcher()}/cancel`);
  });

  it.each(['approve', 'decline', 'review', 'abandon', 'low-score'] as Outcome[])(
    'is free after a selfie that ended in "%s"',
    async (outcome) => {
      const [browser, person] = [createBrowser(), bed.person()];
      const selfie = await toSelfie(browser, await (await createParty(bed)).begin(), person);
      const back = await settle(browser, await takeSelfie(browser, selfie, outcome));
      await whileWaiting(browser, back);
      await expectFree(person);
    },
  );

  it.each(['cancel', 'other-way', 'start-over'])('is free after "%s"', async (step) => {
    const [browser, person] = [createBrowser(), bed.person()];
    await toSelfie(browser, await (await createParty(bed)).begin(), person);
    const { diditSessionId } = overheard.latest();
    await browser.post(`${dispatcher()}/${step}`);
    const path = `/v3/session/${diditSessionId}/decision/`;
    expect((await callDidit(bed, 'GET', path)).status).toBe(404);
    await expectFree(person);
  });

  it('is free when Didit could not be asked', async () => {
    await bed.control('faults', { api: { operation: 'create', mode: 503 } });
    const { browser, page, identifier } = await toContext();
    const end = await settle(browser, await press(browser, page, 'selfie'));
    expect(end.text).toContain('is not answering');
    await expectFree(identifier);
  });
});

/** The person is sent to Didit, so it is anybody's turn; and it is again. */
async function expectFree(person: string): Promise<void> {
  const { browser, page } = await toContext(createBrowser(), person);
  expect((await press(browser, page, 'selfie')).location).toContain(bed.simulatorUrl);
  await browser.post(`${dispatcher()}/cancel`);
}

describe('the budget of a minute', () => {
  it('is not overspent: who comes after is told to try later, and Didit is not asked', async () => {
    const now = Date.now();
    const flags = { didit: { createsPerMinute: 1 } };
    const small = await startTestbed({ flags, clock: () => now });
    try {
      const party = await createParty(small);
      await toSelfie(createBrowser(), await party.begin());
      const browser = createBrowser();
      const page = await toSelfie(browser, await party.begin(), 'ben@example.com');
      expect(page.text).toContain('Selfies are paused for a while');
      const { calls } = await small.log();
      expect(calls.filter(({ operation }) => operation === 'create')).toHaveLength(1);
    } finally {
      await small.close();
    }
  });
});
