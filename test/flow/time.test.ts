/**
 * How long things count. The provider's clock and the simulator's are the test's own; the library underneath reads
 * the real one, which hardly moves.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Ring, overhear, ring } from '../didit/support.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import {
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { startTestbed } from '../support/testbed.ts';

const minute = 60;
const day = 24 * 60 * minute;
const failed = 'We could not sign you in';
const over = 'This sign-in is over';

async function start() {
  let aheadMs = 0;
  const clock = (): number => Date.now() + aheadMs;
  const overheard = overhear();
  const bed = await startTestbed({ clock, fetch: overheard.fetch });
  onTestFinished(() => bed.close());
  const events = (name: string): number => bed.events.filter(({ event }) => event === name).length;
  return {
    ...{ bed, overheard, events },
    pass: (seconds: number) => void (aheadMs += seconds * 1000),
    /** As Didit would ring now, by the clock of all. */
    ring: (status: string, change: Ring = {}) =>
      ring(bed, overheard.latest().diditSessionId, status, {
        timestampSeconds: Math.floor(clock() / 1000),
        ...change,
      }),
    begin: async () => {
      const browser = createBrowser();
      const request = await (await createParty(bed)).begin();
      const page = await toSelfie(browser, request);
      const here = overheard.latest().body.callback.replace(/\/didit\/[\w-]+$/, '');
      return { browser, request, page, here };
    },
  };
}

async function expectShut(browser: TestBrowser, here: string): Promise<void> {
  const resumed = await settle(browser, await browser.post(`${here}/resume`));
  expect(resumed.location ?? '').not.toContain('code=');
  const library = await browser.get(here.replace('/interaction/', '/auth/'));
  expect(library.location ?? '').not.toContain('code=');
}

describe('a selfie', () => {
  it.each([
    ['six minutes', 6 * minute],
    ['six days', 6 * day],
  ])(
    '[XD-11] that is approved after %s opens nothing, with webhook and return',
    async (_name, seconds) => {
      const { bed, begin, pass, events, ring, overheard } = await start();
      const { browser, page, here } = await begin();
      await bed.control('faults', { webhooks: 'drop' });
      const back = await takeSelfie(browser, page, 'approve');
      pass(seconds);
      expect(await ring('Approved')).toMatchObject({ status: 200 });
      await settle(browser, await browser.get(overheard.latest().body.callback));
      const shown = await settle(browser, back);
      expect([failed, over]).toContain(heading(shown));
      await expectShut(browser, here);
      expect([events('verdict.received'), events('login.completed')]).toEqual([0, 0]);
    },
  );

  it('may be taken once more after its five minutes', async () => {
    const { begin, pass } = await start();
    const { browser, request, here } = await begin();
    pass(5 * minute);
    const expired = await browser.get(here);
    expect(heading(expired)).toBe(failed);
    expect(expired.text).toContain('ran out');
    const context = await settle(browser, await press(browser, expired, 'try-again'));
    await finish(browser, request, await settle(browser, await press(browser, context, 'selfie')));
  });

  it('just before its five minutes are over is in time', async () => {
    const { begin, pass } = await start();
    const { browser, request, page } = await begin();
    pass(4 * minute + 50);
    await finish(browser, request, page);
  });
});

describe('[VD-09] a verdict', () => {
  it('that is older than two minutes asks for another selfie', async () => {
    const { begin, pass, events } = await start();
    const { browser, request, page, here } = await begin();
    const back = await settle(browser, await takeSelfie(browser, page, 'approve'));
    const ready = await whileWaiting(browser, back);
    expect(heading(ready)).toBe('It is you');
    pass(121);
    const stale = await settle(browser, await press(browser, ready, 'resume'));
    expect(heading(stale)).toBe(failed);
    expect(stale.text).toContain('too much time went by');
    expect(events('login.completed')).toBe(0);
    const context = await settle(browser, await press(browser, stale, 'try-again'));
    await finish(browser, request, await settle(browser, await press(browser, context, 'selfie')));
    expect(here).toBe(stale.url);
  });

  it('that is two minutes old counts', async () => {
    const { begin, pass } = await start();
    const { browser, request, page } = await begin();
    const back = await settle(browser, await takeSelfie(browser, page, 'approve'));
    const ready = await whileWaiting(browser, back);
    pass(115);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    await request.finish(done.location ?? '');
  });
});

describe('a sign-in', () => {
  it('is over after a quarter of an hour, and no step begins it anew', async () => {
    const { begin, pass, overheard } = await start();
    const { browser, here } = await begin();
    pass(15 * minute);
    const end = await browser.get(here);
    expect([end.status, heading(end)]).toEqual([410, over]);
    for (const step of ['try-again', 'start-over']) {
      expect((await browser.post(`${here}/${step}`)).status).toBe(410);
    }
    await expectShut(browser, here);
    // The one session was taken away from Didit, and no other one was begun.
    expect(overheard.creates).toHaveLength(1);
    expect(overheard.calls).toContain('DELETE');
  });
});

/** From Didit's page to the tokens. */
async function finish(
  browser: TestBrowser,
  request: { finish(callbackUrl: string): Promise<unknown> },
  page: Answer,
): Promise<void> {
  const back = await settle(browser, await takeSelfie(browser, page, 'approve'));
  const ready = await whileWaiting(browser, back);
  const done = await settle(browser, await press(browser, ready, 'resume'));
  await request.finish(done.location ?? '');
}
