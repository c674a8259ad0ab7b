/** What must come before a face is taken. Each missing step is a 403, and Didit hears of nothing. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { consentVersion } from '../../src/enrol/agree.ts';
import { type Answer, type TestBrowser, chromeOnLinux, formsOf } from '../support/browser.ts';
import { agree, showDocument, signUp, toJoin } from '../support/enrol.ts';
import { heading, interactionOf, press, settle } from '../support/login.ts';
import {
  type Newcomers,
  accountsOf,
  force,
  look,
  startNewcomers,
  toConsent,
  toDocument,
} from '../support/newcomers.ts';
import { startTestbed } from '../support/testbed.ts';
import { browserElsewhere } from '../support/ways.ts';

let newcomers: Newcomers;
beforeAll(async () => {
  newcomers = await startNewcomers();
});
afterAll(() => newcomers.close());

let addresses = 0;
const newAddress = (): string => `step${(addresses += 1)}@example.com`;

/** @returns a browser at the page before the document. */
async function atDocument(): Promise<{ browser: TestBrowser; page: Answer; address: string }> {
  const [browser, address] = [browserElsewhere(), newAddress()];
  const { page } = await toDocument(newcomers, browser, await newcomers.party.begin(), address);
  expect(heading(page)).toBe('A document and one selfie');
  return { browser, page, address };
}

/** @returns the status, once it is sure that Didit was asked nothing meanwhile. */
async function refused(asked: () => Promise<Answer>): Promise<number> {
  const before = newcomers.overheard.calls.length;
  const { status } = await asked();
  expect(newcomers.overheard.calls).toHaveLength(before);
  return status;
}

const selfie = (browser: TestBrowser) => (): Promise<Answer> => force(newcomers, browser, 'selfie');

describe('[EN-02] no face is taken, and nothing asked of Didit,', () => {
  it('before an address is confirmed', async () => {
    const browser = browserElsewhere();
    const join = await toJoin(browser, await newcomers.party.begin());
    expect(await refused(selfie(browser))).toBe(403);
    await settle(browser, await press(browser, join, 'address', { address: newAddress() }));
    expect(await refused(selfie(browser))).toBe(403);
    expect(heading(await look(newcomers, browser))).toBe('Look at your mail');
  });

  it('[BD-07] before there is a consent, and not on one to another text', async () => {
    const [browser, address] = [browserElsewhere(), newAddress()];
    const request = await newcomers.party.begin();
    const page = await toConsent(newcomers, browser, request, address);
    expect(page.text).not.toMatch(/\bchecked\b/);
    expect(await refused(selfie(browser))).toBe(403);
    for (const agreed of ['', '2020-01-01', 'on', `${consentVersion} `]) {
      const answer = await press(browser, page, 'agree', { agreed });
      expect([answer.status, heading(answer)]).toEqual([400, 'May we check your face?']);
    }
    expect((await newcomers.account(address))?.consent).toBeUndefined();
    expect(await refused(selfie(browser))).toBe(403);
    for (const step of ['protect-recovery', 'protect-totp', 'protect-passkey']) {
      expect(await refused(() => force(newcomers, browser, step))).toBe(403);
    }
  });

  it('[BD-07] once the text has changed: it is asked again', async () => {
    const { browser, address } = await atDocument();
    const accounts = accountsOf(newcomers.store);
    const { id = '', consent } = (await newcomers.account(address)) ?? {};
    expect(consent).toMatchObject({ version: consentVersion });
    const old = { version: '2020-01-01', atMs: Date.now() };
    await accounts.change(id, (account) => ({ ...account, consent: old }));
    // The word of the change is on its way to the provider's own memory.
    await expect.poll(async () => heading(await look(newcomers, browser))).toMatch(/^May we/);
    expect(await refused(selfie(browser))).toBe(403);
    const ready = await agree(browser, await look(newcomers, browser));
    expect(heading(ready)).toBe('A document and one selfie');
    expect((await newcomers.account(address))?.consent).toMatchObject({ version: consentVersion });
  });

  it('[BD-07] and none is kept, when the consent was taken back while it was taken', async () => {
    const { browser, page, address } = await atDocument();
    const ready = await showDocument(browser, page);
    const { id = '' } = (await newcomers.account(address)) ?? {};
    await accountsOf(newcomers.store).change(id, ({ consent: _, ...account }) => account);
    await expect
      .poll(async () => heading(await settle(browser, await press(browser, ready, 'resume'))))
      .toBe('We could not sign you in');
    expect((await newcomers.account(address))?.enrolment).toBeUndefined();
  });

  it('before another way in is set up', async () => {
    const [browser, request] = [browserElsewhere(), await newcomers.party.begin()];
    await agree(browser, await toConsent(newcomers, browser, request, newAddress()));
    expect(await refused(selfie(browser))).toBe(403);
  });

  it('with the token of another form, or none', async () => {
    const { browser, page } = await atDocument();
    const other = await atDocument();
    const theirs = formsOf(other.page)[0]?.fields.form_token ?? '';
    expect(theirs).not.toBe('');
    for (const form_token of [theirs, '', 'x']) {
      expect(await refused(() => press(browser, page, 'selfie', { form_token }))).toBe(403);
    }
  });

  it('from another site, or from nowhere', async () => {
    const { browser, page } = await atDocument();
    const [form] = formsOf(page);
    const address = `${await interactionOf(browser, newcomers.bed)}/selfie`;
    for (const headers of [
      { 'sec-fetch-site': 'cross-site', origin: newcomers.bed.issuer },
      { 'sec-fetch-site': 'same-site', origin: newcomers.bed.issuer },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      {},
    ]) {
      const body = new URLSearchParams(form?.fields);
      const posted = { method: 'POST', body, headers: { ...headers, 'user-agent': chromeOnLinux } };
      expect(await refused(() => browser.request(address, posted))).toBe(403);
    }
    expect(heading(await look(newcomers, browser))).toBe('A document and one selfie');
  });

  it('in another browser, even one with a sign-up of its own', async () => {
    const { browser, page } = await atDocument();
    const address = `${await interactionOf(browser, newcomers.bed)}/selfie`;
    const fields = formsOf(page)[0]?.fields ?? {};
    for (const other of [browserElsewhere(), (await atDocument()).browser]) {
      expect(await refused(() => other.post(address, fields))).toBe(400);
    }
    for (const step of ['agree', 'protect-recovery', 'without-face', 'address', 'address-code']) {
      const elsewhere = address.replace(/selfie$/, step);
      expect(await refused(() => browserElsewhere().post(elsewhere, fields))).toBe(400);
    }
  });

  it('for an account that was blocked meanwhile', async () => {
    const { browser, address } = await atDocument();
    const { id = '' } = (await newcomers.account(address)) ?? {};
    await accountsOf(newcomers.store).setStatus(id, 'blocked');
    await expect.poll(() => refused(selfie(browser))).toBe(403);
  });
});

describe.each(['off', 'invite'] as const)('where registration is “%s”', (registration) => {
  it('nobody signs up, is offered to, or is said to be able to', async () => {
    const closed = await startNewcomers({ flags: { registration } });
    onTestFinished(() => closed.close());
    const { bed, party } = closed;
    const discovery = await fetch(`${bed.issuer}/.well-known/openid-configuration`);
    const { prompt_values_supported: prompts } = (await discovery.json()) as {
      prompt_values_supported?: string[];
    };
    expect(prompts).toEqual(['none', 'login', 'consent']);
    const browser = browserElsewhere();
    const identify = await settle(browser, await browser.get((await party.begin()).url));
    expect(heading(identify)).toBe('Sign in');
    expect(identify.text).not.toContain('sign-up');
    expect([403, 404]).toContain((await force(closed, browser, 'sign-up')).status);
    for (const step of ['address', 'address-code', 'agree', 'protect-recovery', 'without-face']) {
      await force(closed, browser, step, { address: 'x@example.com', code: '00000000' });
    }
    expect(heading(await look(closed, browser))).toBe('Sign in');
    const asked = browserElsewhere();
    const { url } = await party.begin({ prompt: 'create' });
    const answer = await settle(asked, await asked.get(url));
    expect(answer.text).not.toContain('Create your account');
    expect(bed.mails).toEqual([]);
    expect(closed.overheard.creates).toEqual([]);
  });
});

it('where it is open, an app may ask for it, and is told that it may', async () => {
  const { bed, party } = newcomers;
  const discovery = await fetch(`${bed.issuer}/.well-known/openid-configuration`);
  expect(await discovery.json()).toMatchObject({
    prompt_values_supported: expect.arrayContaining(['create']) as unknown,
  });
  const browser = browserElsewhere();
  const join = await settle(
    browser,
    await browser.get((await party.begin({ prompt: 'create' })).url),
  );
  expect(heading(join)).toBe('Create your account');
});

it('where nobody can be written to, nobody signs up', async () => {
  const bed = await startTestbed({ sendMail: 'none', flags: { registration: 'open' } });
  onTestFinished(() => bed.close());
  const discovery = await fetch(`${bed.issuer}/.well-known/openid-configuration`);
  expect(await discovery.text()).toMatch(/"prompt_values_supported":\[(?!.*"create")/);
});

it('[BD-10] of Didit nothing is asked but to begin a check, to read it, and for its portrait', async () => {
  const fresh = await startNewcomers();
  onTestFinished(() => fresh.close());
  const [browser, request] = [browserElsewhere(), await fresh.party.begin()];
  await signUp(fresh.bed, browser, request, 'calls@example.com');
  const { calls } = await fresh.bed.log();
  expect([...new Set(calls.map(({ operation }) => operation))].sort()).toEqual([
    ...['create', 'decision', 'media'],
  ]);
  for (const { body } of fresh.overheard.creates) {
    expect(Object.keys(body).sort()).toEqual(
      ['callback', 'callback_method', 'language', 'metadata', 'vendor_data', 'workflow_id'].filter(
        (field) => field in body,
      ),
    );
  }
});
