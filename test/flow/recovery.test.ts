/** A recovery that operators opened, from their commands to the person who is in again. */
import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openRecovery } from '../../src/enrol/recovery.ts';
import type { RunningRecovery } from '../../src/store/accounts.ts';
import { type Answer, type TestBrowser, createBrowser } from '../support/browser.ts';
import { accountPage, document, openToAll, showDocument, signUp } from '../support/enrol.ts';
import { type Party, createParty, heading, press, settle, signIn } from '../support/login.ts';
import { hireOperators, openRecords } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let party: Party;
let operators: ReturnType<typeof hireOperators>;
// One each: from one address only so many codes are sent.
beforeEach(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ storeUrl, flags: openToAll });
  party = await createParty(bed);
  operators = hireOperators(bed, storeUrl);
  return async () => {
    operators.dismiss();
    await bed.close();
  };
});

/** Somebody enrolled. */
async function enrolled() {
  const address = 'nora@example.com';
  const browser = createBrowser();
  const request = await party.begin();
  const { location } = await signUp(bed, browser, request, address);
  const { id_token: idToken = '' } = await request.finish(location);
  return { address, browser, sub: decodeJwt(idToken).sub ?? '' };
}

/** Two operators opened it, as long ago as it waits. */
async function hasWaited(address: string, beforeMs = 86_400_000): Promise<void> {
  const records = await openRecords(bed, () => Date.now() - beforeMs);
  const tools = { ...records, recoveryHoldSeconds: 86_400 };
  const find = async () => (await records.accounts.find((await records.accounts.idOf(address))!))!;
  expect(await openRecovery(await find(), 'olga', tools)).toEqual({ state: 'asked' });
  expect(await openRecovery(await find(), 'otto', tools)).toMatchObject({ state: 'began' });
  await records.store.close();
}

const stored = async (address: string) => {
  const { accounts, store } = await openRecords(bed);
  const account = (await accounts.find((await accounts.idOf(address))!))!;
  await store.close();
  return account;
};

const linkFor = async (address: string): Promise<string> =>
  (await operators.json('recover', address, '--link')).link!;

/** Presses the button of the link's page, then begins the sign-in that it leads to. */
async function follow(browser: TestBrowser, link: string) {
  const page = await browser.get(link);
  expect(heading(page)).toBe('Recover your account');
  return settle(browser, await browser.post(link, formOf(page.text)));
}

const formOf = (text: string): Record<string, string> => {
  const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(text) ?? [];
  return { form_token: token };
};

/** A button of the person's own page. */
async function act(browser: TestBrowser, page: Answer, action: string): Promise<Answer> {
  expect(page.text).toContain(`"/account/${action}"`);
  const address = `${bed.issuer}/account/${action}`;
  return settle(browser, await browser.post(address, formOf(page.text)));
}

describe('[EN-08] a recovery by operators', () => {
  it('[EN-10] takes two of them, tells the person, and waits', async () => {
    const { address, browser } = await enrolled();
    const one = await operators.accounts('recover', address, '--operator', 'olga');
    expect(one.stdout).toContain('another operator has to approve it');
    expect(one.stderr).toContain('"event":"account.recovery_asked"');
    expect(one.stderr).toContain('"operators":["olga"]');
    expect((await stored(address)).recovery).toMatchObject({ askedBy: 'olga' });
    const same = await operators.accounts('recover', address, '--operator', ' OLGA');
    expect(same).toMatchObject({ status: 1, stdout: '' });
    expect(same.stderr).toContain('it takes another operator');

    const mailsBefore = bed.mails.length;
    expect(await operators.json('recover', address, '--operator', 'otto')).toMatchObject({
      recovery: 'waits',
    });
    const { readyAtMs, openedBy } = (await stored(address)).recovery as RunningRecovery;
    expect(openedBy).toEqual(['olga', 'otto']);
    expect(readyAtMs - Date.now()).toBeGreaterThan(86_300_000);
    // The running provider sends what the command wrote down.
    const mail = await vi.waitFor(() => {
      const [found] = bed.mails.slice(mailsBefore).filter(({ to }) => to.address === address);
      expect(found?.message.kind).toBe('recovery_began');
      return found!;
    }, 10_000);
    const page = await accountPage(bed, browser);
    expect(page.text).toContain('A recovery began.');
    expect(page.text).not.toContain('/account/recover-finish');
    const early = await operators.accounts('recover', address, '--link');
    expect(early.stderr).toContain('the recovery waits until');
    expect((await operators.accounts('recover', address, '--operator', 'oleg')).stderr).toContain(
      'a recovery runs already',
    );

    // The link in the mail calls it off.
    const [stop = ''] = /http\S+\/account\/stop\/\S+/.exec(mail.text) ?? [];
    const elsewhere = createBrowser();
    const asked = await elsewhere.get(stop);
    expect((await stored(address)).recovery).toBeDefined();
    expect(heading(await elsewhere.post(stop, formOf(asked.text)))).toBe('It is called off');
    expect((await stored(address)).recovery).toBeUndefined();
  });

  it('ends in a new face of the same person, who may then set up new ways; nothing before that', async () => {
    const { address, browser: before, sub } = await enrolled();
    await hasWaited(address);
    // Whoever is signed in, or signs in now, gets nothing by it.
    const thief = await accountPage(bed, before);
    // Proofs are told apart by their second; the new face comes in a later one than this sign-in.
    const signedInAt = Math.floor(Date.now() / 1000);
    await vi.waitFor(() => expect(Date.now() / 1000).toBeGreaterThan(signedInAt + 1), 5_000);
    expect(thief.text).toContain('The wait is over. Whoever has the link');
    const finish = `${bed.issuer}/account/recover-finish`;
    const tried = await before.post(finish, formOf(thief.text));
    expect(tried.status).toBeGreaterThanOrEqual(400);

    const browser = createBrowser();
    const document1 = await follow(browser, await linkFor(address));
    // By the link alone nobody is anybody.
    const cookies = await browser.jar.getCookies(bed.issuer);
    expect(cookies.map(({ key }) => key).filter((key) => key === '_account')).toEqual([]);
    const ready = await showDocument(browser, document1);
    const page = await settle(browser, await press(browser, ready, 'resume'));
    expect(heading(page)).toBe('Your account');
    const done = await act(browser, page, 'recover-finish');
    expect(done.text).toContain('you can set up new ways to sign in');
    expect(heading(await act(browser, done, 'codes'))).toContain('codes');

    const account = await stored(address);
    expect(account).toMatchObject({ id: sub, enrolment: { isReplacement: true } });
    expect(account.recovery).toBeUndefined();
    // Who was signed in by the earlier face is not any more.
    expect((await before.get(`${bed.issuer}/account`)).location).toContain('/auth?');
    expect((await operators.accounts('recover', address, '--link')).status).toBe(1);
  });

  it('refuses the document of somebody else', async () => {
    const { address } = await enrolled();
    await hasWaited(address);
    const face = (await stored(address)).enrolment;
    const browser = createBrowser();
    const page = await follow(browser, await linkFor(address));
    const other = { first_name: 'Mallory', last_name: 'Malone', document_number: 'M1' };
    const ready = await showDocument(browser, page, 'approve', { ...document, ...other });
    const end = await settle(browser, await press(browser, ready, 'resume'));
    expect(heading(end)).not.toBe('Your account');
    expect((await browser.get(`${bed.issuer}/account`)).location).toContain('/auth?');
    expect((await stored(address)).enrolment).toEqual(face);
    expect(bed.events.filter(({ reason }) => reason === 'other_person')).toHaveLength(1);
  });

  it('is called off by any session, its link and what was begun by it included', async () => {
    const { address, browser: owner } = await enrolled();
    await hasWaited(address);
    const face = (await stored(address)).enrolment;
    const [unused, browser] = [await linkFor(address), createBrowser()];
    const ready = await showDocument(browser, await follow(browser, await linkFor(address)));
    await act(owner, await accountPage(bed, owner), 'recover-cancel');
    expect((await stored(address)).recovery).toBeUndefined();

    const end = await settle(browser, await press(browser, ready, 'resume'));
    expect(heading(end)).not.toBe('Your account');
    expect((await stored(address)).enrolment).toEqual(face);
    const late = createBrowser();
    const seen = await late.get(unused);
    expect((await late.post(unused, formOf(seen.text))).status).toBe(404);
    expect((await operators.accounts('recover', address, '--link')).stderr).toContain(
      'two operators have to open',
    );
  });

  it('is over a week after the wait', async () => {
    const { address } = await enrolled();
    await hasWaited(address, 8 * 86_400_000 + 1);
    expect((await operators.accounts('recover', address, '--link')).status).toBe(1);
  });

  it('sets up no other way before the document is shown', async () => {
    const { address, sub } = await enrolled();
    const records = await openRecords(bed);
    // All codes are used: there is no other way left.
    await records.factorRecords.erase(sub);
    await records.store.close();
    await hasWaited(address);
    const browser = createBrowser();
    const page = await follow(browser, await linkFor(address));
    const uid = /\/interaction\/[\w-]+/.exec(page.text)?.[0] ?? '';
    const refused = await browser.post(`${bed.issuer}${uid}/protect-recovery`, formOf(page.text));
    expect(refused.status).toBeGreaterThanOrEqual(400);
    const ready = await showDocument(browser, page);
    const end = await settle(browser, await press(browser, ready, 'resume'));
    expect(heading(end)).toBe('Your account');
  });
});

describe('[EN-09] the link of a recovery', () => {
  it('does nothing when it is looked at, counts once, and only in the browser that used it', async () => {
    const { address } = await enrolled();
    await hasWaited(address);
    const link = await linkFor(address);
    expect(Buffer.from(link.split('/').at(-1) ?? '', 'base64url')).toHaveLength(32);
    const scanner = createBrowser();
    for (let times = 0; times < 3; times += 1) expect((await scanner.get(link)).status).toBe(200);
    expect((await scanner.jar.getCookies(bed.issuer)).map(({ key }) => key)).not.toContain(
      '_admission',
    );
    // Another site cannot press its button, nor can somebody who was not shown the page.
    const page = await scanner.get(link);
    const crossSite = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    const body = new URLSearchParams(formOf(page.text));
    const forged = await scanner.request(link, { method: 'POST', body, headers: crossSite });
    expect(forged.status).toBe(403);
    expect((await scanner.post(link, { form_token: 'guessed' })).status).toBe(403);

    const browser = createBrowser();
    const next = await follow(browser, link);
    expect(next.text).toContain('/selfie');
    expect((await browser.get(link)).status).toBe(404);
    expect((await scanner.post(link, formOf(page.text))).status).toBe(404);
    // In another browser the same sign-in is that of anybody.
    const other = await settle(scanner, await scanner.get(`${bed.issuer}/account/sign-in`));
    expect(other.text).toContain('/identify');
  });

  it('lies hashed, for a quarter of an hour', async () => {
    const { address } = await enrolled();
    await hasWaited(address);
    const link = await linkFor(address);
    const secret = link.split('/').at(-1) ?? '';
    const { tickets, store, hash } = await openRecords(bed);
    expect(await store.get(`ticket:recovery:${secret}`)).toBeUndefined();
    const kept = await store.get(`ticket:recovery:${hash(secret)}`);
    expect(kept?.value).not.toContain(secret);
    expect(await tickets.read('recovery', secret)).toMatchObject({
      beganAtMs: expect.any(Number) as number,
    });
    await store.close();
    const { until } = await operators.json('recover', address, '--link');
    expect(Date.parse(until!) - Date.now()).toBeLessThanOrEqual(900_000);
  });
});

it('[EN-08] nobody is recovered who has shown no document, or cannot be told', async () => {
  // Of the demo's people none was ever checked here.
  const refused = await operators.accounts('recover', 'ana@example.com', '--operator', 'olga');
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toContain('has shown no document');
  const { address, sub } = await enrolled();
  const records = await openRecords(bed);
  await records.accounts.change(sub, ({ email: _, ...account }) => account);
  expect((await operators.accounts('recover', sub, '--operator', 'olga')).stderr).toContain(
    'cannot be written to',
  );
  await records.accounts.change(sub, (account) => ({ ...account, email: address }));
  await records.store.close();
  expect((await operators.accounts('recover', sub)).stderr).toContain('either --operator NAME');
  await signIn(createBrowser(), await party.begin(), address);
});
