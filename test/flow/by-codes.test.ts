/** What becomes of a sign-in by two codes: how long it lasts, and what the person finds in their history. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as oidc from 'openid-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createHistory } from '../../src/store/history.ts';
import { type TestBrowser, formTokenFor, formsOf } from '../support/browser.ts';
import { createBrowser, createParty, heading, press, settle, signIn } from '../support/login.ts';
import { soon } from '../support/soon.ts';
import { type TestbedOptions, startTestbed } from '../support/testbed.ts';
import {
  answer,
  choose,
  equip,
  finishOn,
  mailedCode,
  signInByCodes,
  toChoice,
  waysOn,
} from '../support/ways.ts';

const ana = 'ana@example.com';
const minute = 60;
const fallback = 'urn:didit-oidc:acr:fallback:test';

/** Everybody's clock is the test's own, also the store's, in which things end by it. */
async function start(options: TestbedOptions = {}) {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 22, 14, 0, 0) });
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-codes-'));
  const bed = await startTestbed({ storeUrl: `sqlite:${directory}/store.sqlite`, ...options });
  const store = await bed.openStore();
  onTestFinished(async () => {
    vi.useRealTimers();
    await store.close();
    await bed.close();
    rmSync(directory, { recursive: true });
  });
  const [party, equipped, browser] = [
    await createParty(bed),
    await equip(store, ana),
    createBrowser(),
  ];
  return {
    ...{ bed, store, party, browser, ...equipped },
    history: createHistory(store, Date.now),
    pass: (seconds: number): void => void vi.setSystemTime(Date.now() + seconds * 1_000),
    byCodes: async (parameters: Record<string, string> = {}) => {
      const request = await party.begin(parameters);
      const address = await signInByCodes(bed, browser, request, {
        ...{ address: ana, app: equipped.app() },
      });
      return request.finish(address);
    },
    bySelfie: async () => {
      const request = await party.begin();
      return request.finish(await signIn(browser, request, ana));
    },
    isSignedIn: async (): Promise<boolean> => {
      const silent = await browser.get((await party.begin({ prompt: 'none' })).url);
      return silent.location?.includes('code=') === true;
    },
  };
}

const refresh = (config: oidc.Configuration, token: string | undefined) =>
  oidc.refreshTokenGrant(config, token ?? '');

describe('a session that two codes began', () => {
  it('ends an hour after them, however much it is used; one of a selfie does not', async () => {
    const { byCodes, bySelfie, isSignedIn, pass } = await start();
    await byCodes();
    for (let times = 0; times < 3; times += 1) {
      pass(19 * minute);
      expect(await isSignedIn()).toBe(true);
    }
    pass(3 * minute + 1);
    expect(await isSignedIn()).toBe(false);
    await bySelfie();
    pass(61 * minute);
    expect(await isSignedIn()).toBe(true);
  });

  it('takes what it gave an app with it, also access that was to last', async () => {
    for (const scope of ['openid', 'openid offline_access']) {
      const { byCodes, party, pass } = await start();
      const tokens = await byCodes({ scope, prompt: 'consent' });
      pass(40 * minute);
      const next = await refresh(party.config, tokens.refresh_token);
      expect(next.claims()).toMatchObject({ acr: fallback, amr: ['otp', 'mca'] });
      pass(21 * minute);
      await expect(refresh(party.config, next.refresh_token), scope).rejects.toMatchObject({
        error: 'invalid_grant',
      });
    }
  });

  it('is ended before that by a selfie, and what the selfie gave lasts', async () => {
    const { byCodes, party, browser, pass, isSignedIn } = await start();
    await byCodes();
    const request = await party.begin({ acr_values: 'urn:didit-oidc:acr:selfie:test' });
    // Who it is, is known; the selfie is asked for, since what there is does not satisfy.
    const choice = await settle(browser, await browser.get(request.url));
    expect(heading(choice)).toBe('One selfie to sign in');
    await signInAgain(browser, request.url);
    pass(61 * minute);
    expect(await isSignedIn()).toBe(true);
  });
});

/** By a selfie, as the one who is signed in already. */
async function signInAgain(browser: TestBrowser, url: string): Promise<void> {
  const choice = await settle(browser, await browser.get(url));
  const didit = await settle(browser, await press(browser, choice, 'selfie'));
  const back = await settle(browser, await browser.post(didit.url, { outcome: 'approve' }));
  const ready = await soon(async () => {
    const page = await browser.get(back.url);
    expect(heading(page)).toBe('It is you');
    return page;
  });
  await finishOn(browser, ready);
}

describe('time', () => {
  it('[FB-06] a code from the mail is good for ten minutes, and no longer', async () => {
    for (const [seconds, isRight] of [
      [599, true],
      [600, false],
    ] as const) {
      const { bed, browser, party, pass } = await start();
      const choice = await toChoice(browser, await party.begin(), ana);
      const asked = await choose(browser, choice, 'mail');
      const code = await mailedCode(bed, ana);
      pass(seconds);
      const page = await answer(browser, asked, code);
      expect(heading(page) === 'One more step', `${seconds} s`).toBe(isRight);
    }
  });

  it('[FB-06] the first code is forgotten with the sign-in that it was typed in', async () => {
    const { bed, browser, party, pass, app } = await start();
    const choice = await toChoice(browser, await party.begin(), ana);
    const asked = await choose(browser, choice, 'mail');
    const second = await answer(browser, asked, await mailedCode(bed, ana));
    const last = await choose(browser, second, 'totp');
    const here = last.url;
    const headers = {
      ...{ 'sec-fetch-site': 'same-origin', origin: bed.issuer },
      cookie: await browser.jar.getCookieString(here),
    };
    pass(15 * minute);
    // A browser forgets its cookie in time; this one does not.
    const body = new URLSearchParams({ ...formTokenFor(here), answer: app() });
    const late = await fetch(`${here}/answer`, { method: 'POST', headers, body });
    expect([late.status, await late.text()]).toEqual([410, expect.stringContaining('is over')]);
    expect(bed.events.map(({ event }) => event)).not.toContain('login.completed');
  });

  it('two codes are good for two minutes, like a selfie', async () => {
    const { bed, browser, party, pass, app } = await start();
    const choice = await toChoice(browser, await party.begin(), ana);
    const asked = await choose(browser, choice, 'mail');
    const second = await answer(browser, asked, await mailedCode(bed, ana));
    const ready = await answer(browser, await choose(browser, second, 'totp'), app());
    pass(121);
    const late = await settle(browser, await press(browser, ready, 'resume'));
    expect(heading(late)).toBe('We could not sign you in');
  });
});

describe('the history', () => {
  it('has every sign-in, how and where, and the end of its session', async () => {
    const { accountId, browser, byCodes, bySelfie, history, pass, party } = await start();
    const codes = await byCodes();
    pass(10);
    const url = oidc.buildEndSessionUrl(party.config, { id_token_hint: codes.id_token ?? '' });
    await leave(browser, url.href);
    pass(10);
    const selfie = await bySelfie();
    const where = { client: 'First', browser: 'Chrome', system: 'Linux' };
    const reference = expect.stringMatching(/^[2-9A-Z]{4}-[2-9A-Z]{4}$/) as string;
    const atMs = expect.any(Number) as number;
    expect(await history.list(accountId)).toEqual([
      {
        ...{ event: 'signed_in', atMs, reference, ...where },
        ...{ acr: 'urn:didit-oidc:acr:selfie:test', authTime: selfie.claims()?.auth_time },
        why: { action: 'selfie', rule: 'a new device' },
      },
      {
        ...{ event: 'signed_out', atMs, authTime: codes.claims()?.auth_time },
      },
      {
        ...{ event: 'signed_in', atMs, reference, ...where },
        ...{ acr: fallback, authTime: codes.claims()?.auth_time },
      },
    ]);
  });

  it('has no end that was not one: a no, and a leave without a session', async () => {
    const { accountId, browser, bySelfie, history, bed } = await start();
    await bySelfie();
    await leave(browser, `${bed.issuer}/session/end`, false);
    await leave(createBrowser(), `${bed.issuer}/session/end`);
    expect((await history.list(accountId)).map(({ event }) => event)).toEqual(['signed_in']);
  });
});

async function leave(browser: TestBrowser, url: string, yes = true): Promise<void> {
  const [form] = formsOf(await browser.get(url));
  const fields = { ...form?.fields, ...(yes ? { logout: 'yes' } : {}) };
  const left = await browser.follow(await browser.post(form?.action ?? '', fields));
  expect(left.status).toBe(200);
}

describe('nobody can be written to', () => {
  it('so no mail is offered, and an app and a code on paper sign in', async () => {
    const { app, bed, browser, paper, party } = await start({ sendMail: 'none' });
    const request = await party.begin();
    const page = await toChoice(browser, request, ana);
    expect(waysOn(page)).toEqual(['totp', 'recovery']);
    expect((await press(browser, page, 'factor', { factor: 'mail' })).status).toBe(400);
    // The one that is left is asked for at once.
    const second = await answer(browser, await choose(browser, page, 'totp'), app());
    expect(heading(second)).toBe('One more step');
    const callback = await finishOn(browser, await answer(browser, second, paper[0]!));
    expect((await request.finish(callback)).claims()).toMatchObject({
      ...{ acr: fallback, amr: ['otp'] },
    });
    expect(bed.mails).toEqual([]);
  });

  it.each(['code', 'other_way'] as const)(
    'for a while: a mail that cannot be sent stops nobody who needs none (%s)',
    async (kind) => {
      const { app, bed, browser, paper, party } = await start({
        sendMail: () => Promise.reject(new Error('no mail server')),
      });
      const request = await party.begin();
      const page = await choose(browser, await toChoice(browser, request, ana), 'mail');
      expect(heading(page)).toBe('Type the code from the mail');
      const first = await answer(browser, await choose(browser, page, 'totp'), app());
      const second = await choose(browser, first, 'recovery');
      await request.finish(await finishOn(browser, await answer(browser, second, paper[0]!)));
      await soon(() => {
        const failed = bed.events.filter(({ event }) => event === 'mail.failed');
        expect(failed.map(({ reason }) => reason)).toContain(kind);
      });
    },
  );
});
