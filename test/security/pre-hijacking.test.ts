/**
 * Who begins with another person's address. Nothing is made of it before the code that was sent there came back to the
 * browser that asked, and what the person finds later is theirs alone.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consentVersion } from '../../src/enrol/agree.ts';
import type { SendMail } from '../../src/domain/message.ts';
import { invite } from '../../src/enrol/invitation.ts';
import { type TestBrowser, formsOf } from '../support/browser.ts';
import { agree, showDocument, takeCodes, toJoin } from '../support/enrol.ts';
import { heading, isCallback, press, settle } from '../support/login.ts';
import { type Newcomers, force, look, startNewcomers, toDocument } from '../support/newcomers.ts';
import { recordsOn } from '../support/operators.ts';
import { awayFromTheQuarter } from '../support/testbed.ts';
import { browserElsewhere, mailedCode } from '../support/ways.ts';

let newcomers: Newcomers;
beforeAll(async () => {
  newcomers = await startNewcomers();
});
afterAll(() => newcomers.close());
beforeEach(awayFromTheQuarter);

let addresses = 0;
const newAddress = (name: string): string => `${name}${(addresses += 1)}@example.com`;

/** Gives the address in a new browser. @returns the browser, at the page that asks for the code. */
async function beginWith(address: string): Promise<TestBrowser> {
  const browser = browserElsewhere();
  const join = await toJoin(browser, await newcomers.party.begin());
  await settle(browser, await press(browser, join, 'address', { address }));
  return browser;
}

/** Every step of a sign-up after the address, out of order. */
async function forceEverything(browser: TestBrowser): Promise<number[]> {
  const statuses: number[] = [];
  for (const [step, fields] of [
    ['agree', { agreed: consentVersion }],
    ['without-face', {}],
    ['protect-recovery', {}],
    ['protect-totp', {}],
    ['protect-totp-code', { code: '123456' }],
    ['protect-passkey', {}],
    ['protect-passkey-answer', { credential: '{}' }],
    ['sign-in-without', {}],
    ['selfie', {}],
    ['resume', {}],
    ['address-code', { code: '00000000' }],
  ] as const) {
    statuses.push((await force(newcomers, browser, step, fields)).status);
  }
  return statuses;
}

describe('[EN-01] somebody who begins with another person’s address', () => {
  it('gets no account, no other way, and no check at Didit from it', async () => {
    const victim = newAddress('victim');
    const [browser, creates] = [await beginWith(victim), newcomers.overheard.creates.length];
    const statuses = await forceEverything(browser);
    expect(statuses.every((status) => [303, 400, 403].includes(status))).toBe(true);
    expect(statuses.slice(2, 8)).toEqual([403, 403, 403, 403, 403, 403]);
    expect(await newcomers.account(victim)).toBeUndefined();
    expect(newcomers.overheard.creates).toHaveLength(creates);
    expect(heading(await look(newcomers, browser))).toBe('Look at your mail');
  });

  it('leaves nothing that the person inherits, and their browser goes no further afterwards', async () => {
    const { bed, party } = newcomers;
    const victim = newAddress('victim');
    const hers = await beginWith(victim);
    await forceEverything(hers);
    const [browser, request] = [browserElsewhere(), await party.begin()];
    const { page, codes } = await toDocument(newcomers, browser, request, victim);
    const account = await newcomers.account(victim);
    expect(account).toMatchObject({ status: 'active', emailVerified: true });
    expect(account?.enrolment).toBeUndefined();
    expect(await newcomers.factorsOf(victim)).toMatchObject({ passkeys: [] });
    expect(codes).toHaveLength(10);
    // The person is in the middle of it; the other browser still stands before the code.
    await forceEverything(hers);
    expect(heading(await look(newcomers, hers))).toBe('Look at your mail');
    const ready = await showDocument(browser, page);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    expect(isCallback(done.location ?? '')).toBe(true);
    expect(await newcomers.account(victim)).toMatchObject({ givenName: 'Nora' });
    expect(bed.events.filter(({ event }) => event === 'account.created')).not.toHaveLength(0);
  });

  it('is not helped by a code that was sent to an address of their own', async () => {
    const [victim, own] = [newAddress('victim'), newAddress('own')];
    // The mails that the person may have been sent are used up, so that no new code takes the place of the own one.
    for (let mails = 0; mails < 3; mails += 1) await beginWith(victim);
    const before = newcomers.bed.mails.length;
    const browser = await beginWith(own);
    const code = await mailedCode(newcomers.bed, own, before);
    await force(newcomers, browser, 'address', { address: victim });
    expect((await look(newcomers, browser)).text).toContain(victim);
    expect(newcomers.bed.mails.slice(before).map(({ to }) => to.address)).toEqual([own]);
    const answer = await settle(browser, await force(newcomers, browser, 'address-code', { code }));
    expect(heading(answer)).toBe('Look at your mail');
    expect(await newcomers.account(victim)).toBeUndefined();
  });

  it('is not helped by the person’s code in a browser that did not ask for it', async () => {
    const victim = newAddress('victim');
    const hers = await beginWith(victim);
    const before = newcomers.bed.mails.length;
    await beginWith(victim);
    const code = await mailedCode(newcomers.bed, victim, before);
    const answer = await force(newcomers, hers, 'address-code', { code });
    expect(answer.status).toBe(400);
    expect(await newcomers.account(victim)).toBeUndefined();
  });

  it('is not helped by an invitation that waits for the person, and does not spoil it', async () => {
    const { bed, store } = newcomers;
    const victim = newAddress('invited');
    const records = recordsOn(store);
    const links: string[] = [];
    const mail: SendMail = (_, message) => {
      if (message.kind === 'invitation') links.push(message.link);
      return Promise.resolve();
    };
    await invite({ email: victim, groups: ['staff'] }, { ...records, issuer: bed.issuer, mail });
    const [link = ''] = links;
    const hers = await beginWith(victim);
    await forceEverything(hers);
    const before = await newcomers.account(victim);
    expect(before).toMatchObject({ status: 'invited', emailVerified: false, groups: ['staff'] });
    expect(await newcomers.factorsOf(victim)).toEqual({ schema: 1, passkeys: [] });

    const browser = browserElsewhere();
    const page = await browser.get(link);
    expect(await newcomers.account(victim)).toEqual(before);
    const [form] = formsOf(page);
    const consent = await settle(browser, await browser.post(form?.action ?? '', form?.fields));
    expect(heading(consent)).toBe('May we check your face?');
    const { page: ready } = await takeCodes(bed, browser, await agree(browser, consent));
    const back = await showDocument(browser, ready);
    const done = await settle(browser, await press(browser, back, 'resume'));
    expect(heading(done)).toBe('Your account');
    expect(await newcomers.account(victim)).toMatchObject({ givenName: 'Nora', groups: ['staff'] });

    // The link is used up, and a second one that was mailed earlier enrols nobody over the person's face.
    expect((await browserElsewhere().get(link)).status).toBe(404);
    const secret = await records.tickets.issue('invitation', { accountId: before?.id ?? '' }, 600);
    const late = browserElsewhere();
    const [lateForm] = formsOf(await late.get(`${bed.issuer}/enrol/${secret}`));
    const login = await settle(late, await late.post(lateForm?.action ?? '', lateForm?.fields));
    expect(heading(login)).toBe('Sign in');
  });
});
