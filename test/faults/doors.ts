/** Every door of the provider behind which the store is, each with somebody in the middle of a login before it. */
import { expect } from 'vitest';
import { ring } from '../didit/support.ts';
import {
  type Party,
  interactionOf,
  isCallback,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import type { Testbed } from '../support/testbed.ts';
import { createWatcher } from './people.ts';

export interface Doors {
  /** Knocks at all of them at once. @returns the status of each answer. */
  knock(): Promise<Record<string, number>>;
  /** The login that had come as far as Didit's page goes on from there. @returns whose tokens came of it. */
  goOn(): Promise<unknown>;
  capturing: string;
}

export async function openDoors(bed: Testbed, party: Party): Promise<Doors> {
  const identifying = createWatcher();
  const identifyPage = await settle(identifying, await identifying.get((await party.begin()).url));

  const capturing = {
    browser: createWatcher(),
    person: bed.person(),
    request: await party.begin(),
  };
  const didit = await toSelfie(capturing.browser, capturing.request, capturing.person);
  const captureAt = await interactionOf(capturing.browser, bed);

  const signedIn = { browser: createWatcher(), person: bed.person() };
  const first = await party.begin();
  const tokens = await first.finish(await signIn(signedIn.browser, first, signedIn.person));
  const second = await party.begin();
  const { location: callback = '' } = await settle(
    signedIn.browser,
    await signedIn.browser.get(second.url),
  );
  expect(isCallback(callback)).toBe(true);

  const askMe = (): Promise<Response> =>
    fetch(`${bed.issuer}/me`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  const refresh = (): Promise<Response> =>
    fetch(`${bed.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`first:${bed.clientSecret}`)}` },
      body: new URLSearchParams({
        ...{ grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' },
      }),
    });

  return {
    capturing: capturing.person,
    async knock() {
      const answers: Record<string, Promise<{ status: number; location?: string | undefined }>> = {
        begin: createWatcher().get((await party.begin()).url),
        beginSignedIn: signedIn.browser.get((await party.begin()).url),
        identify: press(identifying, identifyPage, 'identify', { identifier: bed.person() }),
        look: capturing.browser.get(captureAt),
        redeem: second.finish(callback).then(() => ({ status: 200 }), statusOf),
        refresh: refresh(),
        me: askMe(),
        ring: ring(bed, didit.url.split('/').at(-1) ?? '', 'Approved'),
        ready: fetch(`${bed.managementUrl}/readyz`),
      };
      const statuses = Object.entries(answers).map(async ([door, answer]) => {
        const { status, location = '' } = await answer;
        return [door, isCallback(location) && location.includes('code=') ? 'code' : status];
      });
      return Object.fromEntries(await Promise.all(statuses)) as Record<string, number>;
    },
    async goOn() {
      const { browser, request } = capturing;
      const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
      const ready = await whileWaiting(browser, back);
      const done = await settle(browser, await press(browser, ready, 'resume'));
      return (await request.finish(done.location ?? '')).claims()?.email;
    },
  };
}

/** What the relying party's library makes of an answer that is no token. */
function statusOf(error: unknown): { status: number } {
  const { status, cause } = error as { status?: number; cause?: unknown };
  if (cause instanceof Response) return { status: cause.status };
  if (status === undefined) throw error;
  return { status };
}
