/** `auth_time` is when a decision was read: after the selfie was asked for, never later than the token, nobody else's time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openScene, type Scene } from '../support/account.ts';
import type { TestBrowser } from '../support/browser.ts';
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
import { soon } from '../support/soon.ts';

let scene: Scene;
let party: Party;
beforeAll(async () => {
  scene = await openScene();
  party = await createParty(scene.bed);
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

const seconds = (): number => Math.floor(Date.now() / 1000);

/** As far as Didit's page. Its clock may be another than everybody's. */
async function toDidit(diditAheadSeconds = 0) {
  scene.bed.events.splice(0);
  await scene.bed.control('clock', { offsetSeconds: diditAheadSeconds });
  const [browser, request] = [createBrowser(), await party.begin()];
  const askedAt = seconds();
  const page = await toSelfie(browser, request, scene.bed.person());
  return { browser, request, page, askedAt };
}

const toldOf = (reason: string) =>
  soon(() => {
    const read = scene.bed.events.find(({ event }) => event === 'verdict.received');
    expect(read?.reason).toMatch(new RegExp(`^${reason}\\b`));
    return read!;
  });

/** In which second an approval was read, as the record of the sign-in has it; it is told once that is written. */
async function approvedAt(browser: TestBrowser): Promise<number> {
  const told = await toldOf('approved');
  const uid = new URL(await interactionOf(browser, scene.bed)).pathname.split('/').at(-1) ?? '';
  const { value = '{}' } = (await scene.store.get(`attempt:${uid}`)) ?? {};
  const { verdict } = JSON.parse(value) as { verdict?: { decidedAtMs: number } };
  const writingMs = told.atMs - (verdict?.decidedAtMs ?? 0);
  expect(writingMs).toBeGreaterThanOrEqual(0);
  expect(writingMs).toBeLessThan(1_000);
  return Math.floor((told.atMs - writingMs) / 1000);
}

describe('[AS-09] a decision that Didit dates', () => {
  it.each([
    ['in the future', 90, 'created_in_the_future'],
    ['in the far future', 3_600, 'created_in_the_future'],
    ['before the selfie was asked for', -90, 'created_before_start'],
    ['long before it', -3_600, 'created_before_start'],
  ])('%s opens no door', async (_, aheadSeconds, reason) => {
    const { browser, page } = await toDidit(aheadSeconds);
    const back = await settle(browser, await takeSelfie(browser, page, 'approve'));
    expect(heading(await whileWaiting(browser, back))).toBe('We could not sign you in');
    await toldOf(reason);
    const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
    expect(silent.location).toContain('error=login_required');
  });

  it.each([-30, 0, 30])(
    '%i seconds from us is dated by our own clock all the same',
    async (aheadSeconds) => {
      const { browser, request, page, askedAt } = await toDidit(aheadSeconds);
      scene.pass(7);
      const back = await settle(browser, await takeSelfie(browser, page, 'approve'));
      const ready = await whileWaiting(browser, back);
      const readAt = await approvedAt(browser);
      const done = await settle(browser, await press(browser, ready, 'resume'));
      const { auth_time: authTime = 0, iat = 0 } =
        (await request.finish(done.location ?? '')).claims() ?? {};
      expect(authTime).toBe(readAt);
      expect(authTime).toBeGreaterThanOrEqual(askedAt + 7);
      expect(authTime).toBeLessThanOrEqual(iat);
    },
  );
});

describe('[AS-09] the browser', () => {
  it('that comes back half a minute late makes the sign-in no younger', async () => {
    const { browser, request, page, askedAt } = await toDidit();
    const wayBack = await takeSelfie(browser, page, 'approve');
    const readAt = await approvedAt(browser);
    scene.pass(30);
    const ready = await whileWaiting(browser, await settle(browser, wayBack));
    scene.pass(20);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    scene.pass(10);
    const { auth_time: authTime = 0, iat = 0 } =
      (await request.finish(done.location ?? '')).claims() ?? {};
    expect(authTime).toBe(readAt);
    expect(authTime).toBeGreaterThanOrEqual(askedAt);
    expect(authTime).toBeLessThanOrEqual(iat - 60);
  });

  it('that is there before the decision makes it no older', async () => {
    await scene.bed.control('faults', { api: { operation: 'decision', mode: 503, times: 1_000 } });
    const { browser, request, page, askedAt } = await toDidit();
    const waiting = await settle(browser, await takeSelfie(browser, page, 'approve'));
    expect(heading(waiting)).toBe('Checking your selfie');
    scene.pass(25);
    await fetch(`${scene.bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
    const ready = await whileWaiting(browser, waiting);
    const readAt = await approvedAt(browser);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    const { auth_time: authTime = 0, iat = 0 } =
      (await request.finish(done.location ?? '')).claims() ?? {};
    expect(authTime).toBe(readAt);
    expect(authTime).toBeGreaterThanOrEqual(askedAt + 25);
    expect(authTime).toBeLessThanOrEqual(iat);
  });
});
