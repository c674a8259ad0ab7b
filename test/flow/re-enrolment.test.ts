/** Another face in the place of the one that is enrolled: by the same person, who has shown more than a face. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, type TestBrowser, formsOf } from '../support/browser.ts';
import { accountPage, agree, document, showDocument, signUp } from '../support/enrol.ts';
import { createParty, heading, isCallback, press, settle, signIn } from '../support/login.ts';
import { type Newcomers, startNewcomers } from '../support/newcomers.ts';
import { soon } from '../support/soon.ts';
import { browserElsewhere } from '../support/ways.ts';

let newcomers: Newcomers;
beforeAll(async () => {
  newcomers = await startNewcomers();
});
afterAll(() => newcomers.close());

const other = { first_name: 'Olga', last_name: 'Other', date_of_birth: '1970-01-01' };
const others = { ...other, document_number: 'Z9999999' };

/** Presses a button of the person's own page. */
async function pressOn(
  browser: TestBrowser,
  page: Answer,
  action: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const [form] = formsOf(page).filter((one) => one.fields.form_token !== undefined);
  const sent = { form_token: form?.fields.form_token ?? '', ...fields };
  return settle(browser, await browser.post(`${newcomers.bed.issuer}/account/${action}`, sent));
}

/** Somebody who enrolled, in the browser that they did it in, and their recovery codes. */
async function enrolled(address: string) {
  const [browser, request] = [browserElsewhere(), await newcomers.party.begin()];
  const { codes, location } = await signUp(newcomers.bed, browser, request, address);
  await request.finish(location);
  return { browser, codes };
}

/** From the person's page to the page before the document, by a code. */
async function toAnotherFace(browser: TestBrowser, code: string): Promise<Answer> {
  const asked = await pressOn(browser, await accountPage(newcomers.bed, browser), 'face');
  expect([asked.status, heading(asked)]).toEqual([403, 'Show that it is you']);
  const page = await pressOn(browser, asked, 'prove-code', { what: 'change', code });
  expect(heading(page)).toBe('Your account');
  const consent = await pressOn(browser, page, 'face');
  return heading(consent) === 'May we check your face?' ? agree(browser, consent) : consent;
}

async function isSignedIn(browser: TestBrowser): Promise<boolean> {
  const silent = await browser.get((await newcomers.party.begin({ prompt: 'none' })).url);
  return silent.location?.includes('code=') === true;
}

it('[EN-03] who has a session and no more replaces no face', async () => {
  const address = 'session@example.com';
  const { browser, codes } = await enrolled(address);
  const before = await newcomers.account(address);
  const creates = newcomers.overheard.creates.length;
  const asked = await pressOn(browser, await accountPage(newcomers.bed, browser), 'face');
  expect([asked.status, heading(asked)]).toEqual([403, 'Show that it is you']);
  const wrong = await pressOn(browser, asked, 'prove-code', { what: 'change', code: 'AAAA' });
  expect([wrong.status, heading(wrong)]).toEqual([403, 'Show that it is you']);
  expect((await pressOn(browser, wrong, 'face')).status).toBe(403);
  expect(newcomers.overheard.creates).toHaveLength(creates);
  expect(await newcomers.account(address)).toEqual(before);
  expect(codes).toHaveLength(10);
});

it('[EN-03] another person’s valid document replaces nothing, and ends no session', async () => {
  const address = 'other-document@example.com';
  const { browser, codes } = await enrolled(address);
  const before = await newcomers.account(address);
  const page = await toAnotherFace(browser, codes[0] ?? '');
  const ready = await showDocument(browser, page, 'approve', others);
  const denied = await settle(browser, await press(browser, ready, 'resume'));
  expect(heading(denied)).toBe('We could not sign you in');
  expect(denied.text).not.toMatch(/Olga|other_person/);
  const after = await newcomers.account(address);
  expect(after?.enrolment).toEqual(before?.enrolment);
  expect([after?.givenName, after?.voidUntil]).toEqual(['Nora', before?.voidUntil]);
  expect(newcomers.bed.events).toContainEqual(
    expect.objectContaining({ event: 'enrol.refused', reason: 'other_person', account: after?.id }),
  );
  expect(await isSignedIn(browser)).toBe(true);
  const portrait = await newcomers.store.get(`portrait:${before?.enrolment?.id ?? ''}`);
  expect(portrait).toBeDefined();
});

it('[EN-03] the same person’s does: other sessions end, this one stays, and the person is written to', async () => {
  const { bed, store, party } = newcomers;
  const address = 'same@example.com';
  const { browser, codes } = await enrolled(address);
  const thief = browserElsewhere();
  const request = await (await createParty(bed)).begin();
  await request.finish(await signIn(thief, request, address));
  expect(await isSignedIn(thief)).toBe(true);
  const before = await newcomers.account(address);
  const page = await toAnotherFace(browser, codes[0] ?? '');
  // The seconds of two proofs are told apart.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const ready = await showDocument(browser, page, 'approve', document);
  const mails = bed.mails.length;
  const done = await settle(browser, await press(browser, ready, 'resume'));
  expect(heading(done)).toBe('Your account');

  const after = await newcomers.account(address);
  expect(after?.enrolment?.id).not.toBe(before?.enrolment?.id);
  expect(after?.enrolment?.vendorData).not.toBe(before?.enrolment?.vendorData);
  expect(await isSignedIn(browser)).toBe(true);
  await expect.poll(() => isSignedIn(thief)).toBe(false);
  await soon(() => {
    const told = bed.mails.slice(mails).map(({ to, message }) => [to.address, message.kind]);
    expect(told).toContainEqual([address, 'face_replaced']);
  });
  // The earlier picture goes, here and at Didit.
  await expect
    .poll(() => store.get(`portrait:${before?.enrolment?.id ?? ''}`), { timeout: 10_000 })
    .toBeUndefined();
  const again = await party.begin();
  expect(isCallback(await signIn(browserElsewhere(), again, address))).toBe(true);
}, 40_000);

it('[EN-07] [EN-04] a sign-in changes nothing of what was enrolled, and a new face gets new names', async () => {
  const address = 'creep@example.com';
  await enrolled(address);
  const read = async () => {
    const enrolment = (await newcomers.account(address))?.enrolment;
    return { enrolment, picture: await newcomers.store.get(`portrait:${enrolment?.id ?? ''}`) };
  };
  const before = await read();
  expect(before.picture?.value.length).toBeGreaterThan(500);
  for (let times = 0; times < 2; times += 1) {
    const [browser, request] = [browserElsewhere(), await newcomers.party.begin()];
    await request.finish(await signIn(browser, request, address));
  }
  expect(await read()).toEqual(before);
});
