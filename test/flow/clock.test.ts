/** A clock that is wrong, or jumps while somebody signs in: denied or asked again, never let in by it, never a crash. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createClockWatch } from '../../src/didit/clock.ts';
import {
  createBrowser,
  createParty,
  isCallback,
  press,
  settle,
  takeSelfie,
} from '../support/login.ts';
import { startTestbed } from '../support/testbed.ts';

const minutes = 60_000;

describe('[PL-25] our clock against Didit’s', () => {
  function watch() {
    const [alarms, skews]: [string[], number[]] = [[], []];
    const now = { ms: 1_800_000_000_000 };
    const compare = createClockWatch({
      clock: () => now.ms,
      alarm: (reason) => void alarms.push(reason),
      skewed: (ms) => void skews.push(ms),
    });
    return { alarms, skews, now, compare };
  }

  it('may differ by as much as whole seconds and the way take', () => {
    const { alarms, skews, now, compare } = watch();
    for (const ms of [0, 29_000, -29_000]) compare(now.ms, now.ms - ms - 500);
    expect(skews).toEqual([0, 29_000, -29_000]);
    expect(alarms).toEqual([]);
  });

  it('raises one alarm when it differs by more, and another after an hour', () => {
    const { alarms, now, compare } = watch();
    for (const ms of [31_000, -31_000, 600_000]) compare(now.ms, now.ms - ms - 500);
    expect(alarms).toEqual(['clock_differs']);
    now.ms += 60 * minutes;
    compare(now.ms, now.ms - 31_500);
    expect(alarms).toHaveLength(2);
    // Right again, then wrong again: that is news.
    compare(now.ms, now.ms - 500);
    compare(now.ms, now.ms - 31_500);
    expect(alarms).toHaveLength(3);
  });
});

const steps = ['identify', 'context', 'didit', 'back', 'resume'] as const;
type Step = (typeof steps)[number];

describe('[PL-25] a clock that jumps', () => {
  it('not at all: the same steps end in a sign-in', async () => {
    const { page, events } = await walk(0, 'identify');
    expect(page.location).toSatisfy(isCallback);
    expect(events).toContain('login.completed');
  }, 60_000);

  it.each(steps.flatMap((step) => [-10, 10].map((by) => [by, step] as [number, Step])))(
    '%d minutes before "%s" lets nobody in by it, and breaks nothing',
    async (by, step) => {
      const { page, events, statuses, hasJumped } = await walk(by, step);
      expect(hasJumped).toBe(true);
      expect(page.location === undefined || !isCallback(page.location)).toBe(true);
      expect(events).not.toContain('login.completed');
      expect(statuses.filter((status) => status >= 500)).toEqual([]);
    },
    60_000,
  );
});

/** A sign-in, as far as it goes, whose provider's clock jumps at one of its steps; Didit's clock is right. */
async function walk(by: number, step: Step) {
  const jump = { ms: 0, hasCome: false };
  const statuses: number[] = [];
  const bed = await startTestbed({
    clock: () => Date.now() + jump.ms,
    simulator: { clock: Date.now },
  });
  onTestFinished(() => bed.close());
  const party = await createParty(bed);
  const browser = createBrowser({ seen: ({ status }) => void statuses.push(status) });
  let page = await settle(browser, await browser.get((await party.begin()).url));
  const before = (now: Step): void => {
    if (now === step) Object.assign(jump, { ms: by * minutes, hasCome: true });
  };
  /** Who is shown something else than the next step goes no further. */
  const on = async (name: string, fields: Record<string, string> = {}): Promise<void> => {
    if (page.text.includes(`/${name}"`)) {
      page = await settle(browser, await press(browser, page, name, fields));
    }
  };
  before('identify');
  await on('identify', { identifier: 'ana@example.com' });
  before('context');
  await on('selfie');
  before('didit');
  if (page.url.startsWith(bed.simulatorUrl)) {
    const returning = await takeSelfie(browser, page, 'approve');
    before('back');
    page = await settle(browser, returning);
    // Where nothing jumped it comes, on a busy machine later; where it did it may never.
    const most = by === 0 ? 200 : 12;
    for (let looks = 0; looks < most && !page.text.includes('/resume"'); looks += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      page = await settle(browser, await browser.get(page.url));
    }
    before('resume');
    await on('resume');
  }
  const events = bed.events.map(({ event }) => event);
  return { page, events, statuses, hasJumped: jump.hasCome };
}
