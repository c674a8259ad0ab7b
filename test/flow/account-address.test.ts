/** Another address: both mailboxes have to say so, and nobody learns or takes anything that is not theirs. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Scene,
  bySelfie,
  mailOf,
  minute,
  openScene,
  proven,
  recordOf,
  said,
  somebody,
} from '../support/account.ts';
import type { Answer, TestBrowser } from '../support/browser.ts';
import { act } from '../support/enrol.ts';
import { heading } from '../support/login.ts';
import { mailedCode } from '../support/ways.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.passQuarter());

interface Visit {
  browser: TestBrowser;
  page: Answer;
}

/** The page that asks for both codes, and the codes. */
async function askedFor({ browser, page }: Visit, old: string, wanted: string) {
  const before = scene.bed.mails.length;
  const form = await act(browser, page, 'address');
  const asked = await act(browser, form, 'address-new', { address: wanted });
  const oldCode = await mailedCode(scene.bed, old, before);
  return { asked, oldCode, newCode: await mailedCode(scene.bed, wanted, before) };
}

const confirm = (browser: TestBrowser, page: Answer, new_code: string, old_code: string) =>
  act(browser, page, 'address-codes', { new_code, old_code });

describe('another address', () => {
  it('is taken when both mailboxes confirm it, and the old one is told', async () => {
    const person = await somebody(scene);
    const visit = await proven(scene, person);
    const { asked, oldCode, newCode } = await askedFor(visit, person.address, 'new@example.com');
    const sheet = await confirm(visit.browser, asked, newCode, oldCode);
    expect(said(sheet)).toBe('Your e-mail address is changed.');
    const { email, emailVerified } = await recordOf(scene.store, person.accountId);
    expect([email, emailVerified]).toEqual(['new@example.com', true]);
    await mailOf(scene.bed, person.address, 'address_changed');
    expect((await bySelfie(scene, 'new@example.com')).page.text).toContain('new@example.com');
  });

  it('may be the same one, which is confirmed by it where an invitation left that open', async () => {
    const person = await somebody(scene);
    const { browser, page } = await proven(scene, person);
    const { address, accountId } = person;
    const record = await recordOf(scene.store, accountId);
    const unconfirmed = { ...record, emailVerified: false };
    await scene.store.put(`account:${accountId}`, JSON.stringify(unconfirmed));
    const before = scene.bed.mails.length;
    const form = await act(browser, page, 'address');
    const asked = await act(browser, form, 'address-new', { address });
    const [newCode = '', oldCode = ''] = scene.bed.mails
      .slice(before)
      .flatMap(({ message }) => (message.kind === 'code' ? [message.code] : []));
    expect((await confirm(browser, asked, oldCode, newCode)).status).toBe(400);
    const sheet = await confirm(browser, asked, newCode, oldCode);
    expect(said(sheet)).toBe('Your e-mail address is changed.');
    const { email, emailVerified } = await recordOf(scene.store, accountId);
    expect([email, emailVerified]).toEqual([address, true]);
    expect(await bySelfie(scene, address)).toBeDefined();
  });

  it('is not taken by one mailbox, whichever; and the right code is still good afterwards', async () => {
    const person = await somebody(scene);
    const visit = await proven(scene, person);
    const codes = await askedFor(visit, person.address, 'both@example.com');
    const { asked, oldCode, newCode } = codes;
    for (const [fresh, old] of [
      [newCode, ''],
      [newCode, newCode],
      ['', oldCode],
    ] as const) {
      const again = await confirm(visit.browser, asked, fresh, old);
      expect([again.status, again.text]).toEqual([400, expect.stringContaining('aria-invalid')]);
    }
    expect((await recordOf(scene.store, person.accountId)).email).toBe(person.address);
    expect(said(await confirm(visit.browser, asked, newCode, oldCode))).toContain('is changed');
  });

  it('[EN-12] is not confirmed by a code that was sent to another one', async () => {
    const person = await somebody(scene);
    const visit = await proven(scene, person);
    const mine = await askedFor(visit, person.address, 'mine@example.com');
    // Past the limit no code is sent for what is asked for next.
    let asked = mine.asked;
    for (let times = 0; times < 3; times += 1) {
      const form = await act(visit.browser, visit.page, 'address');
      asked = await act(visit.browser, form, 'address-new', { address: 'victim@example.com' });
    }
    const refused = await confirm(visit.browser, asked, mine.newCode, mine.oldCode);
    expect(refused.status).toBe(400);
    expect((await recordOf(scene.store, person.accountId)).email).toBe(person.address);
  });

  it('that is somebody else’s looks like any other, until both codes are shown', async () => {
    const [person, other] = [await somebody(scene), await somebody(scene)];
    const visit = await proven(scene, person);
    const taken = await askedFor(visit, person.address, other.address);
    scene.pass(4 * minute);
    const free = await act(
      visit.browser,
      await act(visit.browser, visit.page, 'address'),
      'address-new',
      {
        address: 'free-as-any@example.com',
      },
    );
    const plain = ({ text }: Answer, address: string): string =>
      text.replaceAll(address, 'ADDRESS').replace(/<code>[^<]*/g, '<code>');
    expect(plain(free, 'free-as-any@example.com')).toBe(plain(taken.asked, other.address));
    const again = await askedFor(visit, person.address, other.address);
    const refused = await confirm(visit.browser, again.asked, again.newCode, again.oldCode);
    expect([refused.status, heading(refused)]).toEqual([400, 'Another e-mail address']);
    expect((await recordOf(scene.store, person.accountId)).email).toBe(person.address);
    expect((await recordOf(scene.store, other.accountId)).email).toBe(other.address);
  });

  it('is tried for with five wrong codes, and not with more', async () => {
    const person = await somebody(scene);
    const visit = await proven(scene, person);
    const codes = await askedFor(visit, person.address, 'tried@example.com');
    for (let tries = 0; tries < 5; tries += 1) {
      await confirm(visit.browser, codes.asked, '00000000', '00000000');
    }
    const late = await confirm(visit.browser, codes.asked, codes.newCode, codes.oldCode);
    expect(late.status).toBe(400);
    expect((await recordOf(scene.store, person.accountId)).email).toBe(person.address);
  });

  it('that is none is said to be none, and nothing is sent', async () => {
    const visit = await proven(scene, await somebody(scene));
    const before = scene.bed.mails.length;
    const form = await act(visit.browser, visit.page, 'address');
    for (const address of ['', 'nobody', 'a@b\r\nbcc: c@d', `${'a'.repeat(250)}@example.com`]) {
      const refused = await act(visit.browser, form, 'address-new', { address });
      expect([address, refused.status]).toEqual([address, 400]);
    }
    expect(scene.bed.mails.slice(before).filter(({ message }) => message.kind === 'code')).toEqual(
      [],
    );
  });
});
