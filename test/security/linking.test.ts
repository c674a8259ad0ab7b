/** Signing up with an address that is somebody's already: a mailbox is a way in for nobody but who has nothing else. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { consentVersion } from '../../src/enrol/agree.ts';
import { type Answer, type TestBrowser, withoutToken } from '../support/browser.ts';
import { agree, confirmAddress, showDocument, toJoin } from '../support/enrol.ts';
import { heading, isCallback, press, settle, whileWaiting } from '../support/login.ts';
import {
  type Newcomers,
  accountsOf,
  force,
  look,
  random,
  startNewcomers,
  toConsent,
  toDocument,
} from '../support/newcomers.ts';
import { awayFromTheQuarter } from '../support/testbed.ts';
import { answer, browserElsewhere, choose, finishOn, mailedCode } from '../support/ways.ts';
import { wordsOf } from '../support/words.ts';

let newcomers: Newcomers;
beforeAll(async () => {
  newcomers = await startNewcomers();
});
afterAll(() => newcomers.close());
beforeEach(awayFromTheQuarter);

const ana = 'ana@example.com';
const selfiePage = 'One selfie to sign in';

async function signUpAs(address: string): Promise<{ browser: TestBrowser; page: Answer }> {
  const browser = browserElsewhere();
  const request = await newcomers.party.begin();
  return { browser, page: await toConsent(newcomers, browser, request, address) };
}

/** None of the steps that would add to an account does. */
async function expectNoEnrolment(browser: TestBrowser): Promise<void> {
  const creates = newcomers.overheard.creates.length;
  for (const step of ['protect-recovery', 'protect-totp', 'protect-passkey', 'sign-in-without']) {
    expect([step, (await force(newcomers, browser, step)).status]).toEqual([step, 403]);
  }
  const agreed = await force(newcomers, browser, 'agree', { agreed: consentVersion });
  expect(agreed.status).toBe(403);
  await force(newcomers, browser, 'without-face');
  expect(newcomers.overheard.creates).toHaveLength(creates);
  expect(heading(await look(newcomers, browser))).toBe(selfiePage);
}

describe('[EN-12] whoever reads the mailbox of somebody', () => {
  it('who has a face is led to that person’s sign-in, and changes nothing', async () => {
    const before = await newcomers.account(ana);
    expect(before?.enrolment).toBeDefined();
    const { browser, page } = await signUpAs(ana);
    expect(heading(page)).toBe(selfiePage);
    await expectNoEnrolment(browser);
    expect(await newcomers.account(ana)).toEqual(before);
    expect(await newcomers.factorsOf(ana)).toEqual({ schema: 1, passkeys: [] });
  });

  it('who has other ways and no face is led to the sign-in, too', async () => {
    const address = 'faceless@example.com';
    const [first, request] = [browserElsewhere(), await newcomers.party.begin()];
    await toDocument(newcomers, first, request, address);
    const [before, factors] = [
      await newcomers.account(address),
      await newcomers.factorsOf(address),
    ];
    expect(before?.enrolment).toBeUndefined();
    const { browser, page } = await signUpAs(address);
    expect(heading(page)).toBe(selfiePage);
    await expectNoEnrolment(browser);
    expect(await newcomers.account(address)).toEqual(before);
    expect(await newcomers.factorsOf(address)).toEqual(factors);
  });

  it('whose account has the address unconfirmed does not confirm it for that person', async () => {
    const address = 'unconfirmed@example.com';
    const enrolment = { id: random(16), vendorData: random(16) };
    const fields = { email: address, emailVerified: false, groups: [] };
    await accountsOf(newcomers.store).add(fields, enrolment);
    const before = await newcomers.account(address);
    const { page } = await signUpAs(address);
    expect(heading(page)).toBe(selfiePage);
    expect(await newcomers.account(address)).toEqual(before);
  });

  it('whose user name looks like the address is not made that person', async () => {
    const name = 'looks.like@example.com';
    await accountsOf(newcomers.store).add({
      username: name,
      email: 'other@example.com',
      groups: [],
    });
    const before = await newcomers.account(name);
    const { browser, page } = await signUpAs(name);
    expect(heading(page)).toBe(selfiePage);
    await expectNoEnrolment(browser);
    expect(await newcomers.account(name)).toEqual(before);
  });

  it('who is blocked comes in neither', async () => {
    const address = 'blocked@example.com';
    await accountsOf(newcomers.store).add({ email: address, status: 'blocked', groups: [] });
    const { browser, page } = await signUpAs(address);
    expect(heading(page)).toBe(selfiePage);
    await expectNoEnrolment(browser);
    expect(await newcomers.account(address)).toMatchObject({ status: 'blocked' });
  });
});

/** What anybody can see of an answer. */
function visible({ status, headers, text }: Answer, address: string): unknown {
  const plain = withoutToken(text)
    .replaceAll(address, 'ADDRESS')
    .replace(/[2-9A-Z]{4}-[2-9A-Z]{4}/g, 'REFERENCE')
    .replace(/interaction\/[\w-]+/g, 'UID');
  return [status, [...headers.keys()].sort(), plain];
}

it('[AB-01] an address that is somebody’s looks like any other until its code was typed', async () => {
  const seen = [];
  for (const address of [ana, 'xyz@example.com', 'ben@example.com', 'abc@example.com']) {
    const [browser, before] = [browserElsewhere(), newcomers.bed.mails.length];
    const join = await toJoin(browser, await newcomers.party.begin());
    const given = await press(browser, join, 'address', { address });
    const confirm = await settle(browser, given);
    const wrong = await press(browser, confirm, 'address-code', { code: '00000000' });
    const again = await settle(browser, await press(browser, confirm, 'address-again'));
    const sent = newcomers.bed.mails
      .slice(before)
      .map(({ to, message }) => [to.address, message.kind]);
    expect(sent).toEqual([
      [address, 'code'],
      [address, 'code'],
    ]);
    seen.push(JSON.stringify([confirm, wrong, again].map((page) => visible(page, address))));
  }
  expect(new Set(seen).size).toBe(1);
});

describe('[AB-03] a sign-up', () => {
  it('has three mails sent to an address, and does not say when it stops', async () => {
    const address = 'flooded@example.com';
    const before = newcomers.bed.mails.length;
    const pages = new Set<string>();
    for (let times = 0; times < 6; times += 1) {
      const browser = browserElsewhere();
      const join = await toJoin(browser, await newcomers.party.begin());
      const confirm = await settle(browser, await press(browser, join, 'address', { address }));
      pages.add(JSON.stringify(visible(confirm, address)));
    }
    const sent = newcomers.bed.mails.slice(before).filter(({ to }) => to.address === address);
    expect(sent).toHaveLength(3);
    expect(pages.size).toBe(1);
  });

  it('is over after five wrong codes, also for the right one, in whatever browser', async () => {
    const address = 'guessed@example.com';
    const before = newcomers.bed.mails.length;
    const browser = browserElsewhere();
    const join = await toJoin(browser, await newcomers.party.begin());
    const confirm = await settle(browser, await press(browser, join, 'address', { address }));
    const code = await mailedCode(newcomers.bed, address, before);
    const wrong = String((Number(code) + 1) % 1e8).padStart(8, '0');
    for (let tries = 0; tries < 5; tries += 1) {
      expect((await press(browser, confirm, 'address-code', { code: wrong })).status).toBe(400);
    }
    expect((await press(browser, confirm, 'address-code', { code })).status).toBe(400);
    // A new code does not help either: the tries are the address's.
    const later = await signUpAs(address);
    expect(heading(later.page)).toBe('Look at your mail');
    expect(await newcomers.account(address)).toBeUndefined();
  });
});

it('[EN-13] no field of a form sets what is not asked for', async () => {
  const { bed, party } = newcomers;
  const address = 'mass@example.com';
  const wishes = {
    ...{ sub: 'ana', id: 'ana', accountId: 'ana', email_verified: 'true', emailVerified: 'false' },
    ...{
      role: 'admin',
      groups: 'admins',
      status: 'blocked',
      vendor_data: 'mine',
      vendorData: 'mine',
    },
    ...{ acr: 'urn:didit-oidc:acr:passkey', amr: 'hwk', enrolled: 'true', enrolmentId: 'mine' },
    ...{ kind: 're_enrol', workflow_id: 'mine', workflowId: 'mine', portrait_image: 'AAAA' },
    ...{ portrait: 'AAAA', portraitUrl: 'http://127.0.0.1/x.png', callback: 'http://evil.example' },
    ...{ identifier: ana, email: ana, withoutFace: 'true', consent: 'old', given_name: 'Eve' },
  };
  const [browser, request] = [browserElsewhere(), await party.begin()];
  const identify = await settle(browser, await browser.get(request.url));
  const join = await settle(browser, await press(browser, identify, 'sign-up', wishes));
  const before = bed.mails.length;
  const confirm = await settle(
    browser,
    await press(browser, join, 'address', { ...wishes, address }),
  );
  const code = await mailedCode(bed, address, before);
  const consent = await settle(
    browser,
    await press(browser, confirm, 'address-code', { ...wishes, code }),
  );
  const [, agreed = ''] = /name="agreed" value="([^"]+)"/.exec(consent.text) ?? [];
  const protect = await settle(
    browser,
    await press(browser, consent, 'agree', { ...wishes, agreed }),
  );
  await press(browser, protect, 'protect-recovery', wishes);
  const ready = await look(newcomers, browser);
  const didit = await settle(browser, await press(browser, ready, 'selfie', wishes));
  const { body } = newcomers.overheard.latest();
  expect(body).toMatchObject({ workflow_id: '0b6f2f0a-5f0d-4a57-8f65-000000000003' });
  expect(JSON.stringify(body)).not.toMatch(/mine|AAAA|evil\.example/);
  const back = await browser.post(didit.url, { outcome: 'approve', first_name: 'Nora' });
  const isYou = await whileWaiting(browser, await settle(browser, back));
  const done = await settle(browser, await press(browser, isYou, 'resume', wishes));
  expect(isCallback(done.location ?? '')).toBe(true);
  const tokens = await request.finish(done.location ?? '');
  const account = await newcomers.account(address);
  expect(account).toMatchObject({
    status: 'active',
    emailVerified: true,
    groups: [],
    email: address,
  });
  expect(account?.givenName).toBe('Nora');
  expect(wordsOf([account, tokens.claims()])).not.toMatch(
    /mine|admin|Eve|AAAA|passkey|hwk|"ana"|re_enrol/,
  );
  expect(tokens.claims()).toMatchObject({ acr: 'urn:didit-oidc:acr:selfie:test', amr: ['face'] });
});

describe('[FB-01] a sign-up', () => {
  it('takes no face before there is another way in', async () => {
    const [browser, request] = [browserElsewhere(), await newcomers.party.begin()];
    const consent = await toConsent(newcomers, browser, request, 'no-way@example.com');
    const protect = await agree(browser, consent);
    expect(heading(protect)).toBe('A second way to sign in');
    const creates = newcomers.overheard.creates.length;
    expect((await force(newcomers, browser, 'selfie')).status).toBe(403);
    expect(newcomers.overheard.creates).toHaveLength(creates);
  });

  it('is not finished when the other way has gone while the face was taken', async () => {
    const { party, store } = newcomers;
    const address = 'way-gone@example.com';
    const [browser, request] = [browserElsewhere(), await party.begin()];
    const { page } = await toDocument(newcomers, browser, request, address);
    const ready = await showDocument(browser, page);
    await store.delete(`factors:${(await newcomers.account(address))?.id ?? ''}`);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    expect(heading(done)).toBe('We could not sign you in');
    expect((await newcomers.account(address))?.enrolment).toBeUndefined();
  });

  it('[BD-07] goes on without a face in one step, and the person signs in by codes', async () => {
    const { bed, party } = newcomers;
    const address = 'by-codes@example.com';
    const [browser, request] = [browserElsewhere(), await party.begin()];
    const creates = newcomers.overheard.creates.length;
    const join = await toJoin(browser, request);
    const consent = await confirmAddress(bed, browser, join, address);
    const protect = await settle(browser, await press(browser, consent, 'without-face'));
    expect(heading(protect)).toBe('A second way to sign in');
    const shown = await press(browser, protect, 'protect-recovery');
    const [paper = ''] = /(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}/.exec(shown.text) ?? [];
    const joined = await look(newcomers, browser);
    expect(heading(joined)).toBe('Your account is ready');
    const signIn = await settle(browser, await press(browser, joined, 'sign-in-without'));
    const before = bed.mails.length;
    const asked = await choose(browser, signIn, 'mail');
    const second = await answer(browser, asked, await mailedCode(bed, address, before));
    const location = await finishOn(browser, await answer(browser, second, paper));
    expect((await request.finish(location)).claims()).toMatchObject({
      acr: 'urn:didit-oidc:acr:fallback:test',
    });
    expect(newcomers.overheard.creates).toHaveLength(creates);
    const account = await newcomers.account(address);
    expect(account?.enrolment).toBeUndefined();
    expect(account?.consent).toBeUndefined();
  });
});
