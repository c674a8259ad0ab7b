/** People whom operators let in: by an invitation, by a check that was shared, by a second look at one. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { approveEnrolment } from '../../src/enrol/approve.ts';
import { type Answer, type TestBrowser, createBrowser } from '../support/browser.ts';
import {
  agree,
  confirmAddress,
  document,
  kycWorkflowId,
  openToAll,
  showDocument,
  takeCodes,
  toJoin,
} from '../support/enrol.ts';
import {
  type Party,
  createParty,
  heading,
  press,
  settle,
  signIn,
  whileWaiting,
} from '../support/login.ts';
import { hireOperators, openRecords } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let party: Party;
let operators: ReturnType<typeof hireOperators>;
beforeEach(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ storeUrl, flags: openToAll });
  party = await createParty(bed);
  operators = hireOperators(bed, storeUrl);
});
afterEach(async () => {
  operators.dismiss();
  await bed.close();
});

async function stored(address: string) {
  const { accounts, store, history } = await openRecords(bed);
  const account = (await accounts.find((await accounts.idOf(address))!))!;
  const entries = await history.list(account.id);
  await store.close();
  return { ...account, history: entries.map(({ event }) => event) };
}

const formOf = (text: string): Record<string, string> => {
  const [, token = ''] = /name="form_token" value="([^"]+)"/.exec(text) ?? [];
  return { form_token: token };
};

/** Didit's API and its simulator's controls. */
async function atDidit(method: string, path: string, body: object) {
  const response = await fetch(bed.simulatorUrl + path, {
    ...{ method, body: JSON.stringify(body) },
    headers: { 'x-api-key': bed.apiKey, 'content-type': 'application/json' },
  });
  return (await response.json()) as Record<string, string>;
}

/** Somebody who signs in by codes, without a face. */
async function withoutFace(address: string): Promise<void> {
  const { accounts, store } = await openRecords(bed);
  await accounts.add({ email: address, groups: [] });
  await store.close();
}

describe('[EN-01] an invitation', () => {
  /** Up to their own page, by an invitation. */
  async function follow(link: string): Promise<void> {
    const browser = createBrowser();
    const page = await browser.get(link);
    expect(heading(page)).toBe('You are invited');
    expect((await stored('nora@example.com')).status).toBe('invited');
    const consent = await settle(browser, await browser.post(link, formOf(page.text)));
    expect((await browser.get(link)).status).toBe(404);
    const { page: ready } = await takeCodes(bed, browser, await agree(browser, consent));
    const shown = await showDocument(browser, ready);
    const end = await settle(browser, await press(browser, shown, 'resume'));
    expect(heading(end)).toBe('Your account');
  }

  const mailedLinks = (count = 1) =>
    vi.waitFor(() => {
      const links = bed.mails.flatMap(({ message }) =>
        message.kind === 'invitation' ? [message.link] : [],
      );
      expect(links).toHaveLength(count);
      return links;
    }, 10_000);

  it('is mailed, and who follows it enrols; looking at it does nothing, and the printed link is another', async () => {
    const invited = await operators.json(
      ...['invite', 'nora@example.com', '--name', 'Nora', '--group', 'staff', '--group', 'night'],
    );
    const account = await stored('nora@example.com');
    expect(account).toMatchObject({
      ...{ status: 'invited', emailVerified: false, name: 'Nora', groups: ['staff', 'night'] },
    });
    const [link = ''] = await mailedLinks();
    const printed = invited.link ?? '';
    expect(bed.mails[0]?.text).not.toContain(printed);
    expect((await createBrowser().get(printed)).status).toBe(200);
    await follow(link);
    const here = await stored('nora@example.com');
    expect(here).toMatchObject({ status: 'active', emailVerified: true });
    expect(here.invitedUntilMs).toBeUndefined();
    // Of both links the first that is followed counts.
    expect((await createBrowser().get(printed)).status).toBe(404);
    const again = await operators.accounts('invite', 'nora@example.com');
    expect(again.stderr).toContain("nora@example.com is somebody's who is here");
  });

  it('by the link that an operator was shown leaves the address to be confirmed', async () => {
    const { link = '' } = await operators.json('invite', 'nora@example.com');
    const [mailed = ''] = await mailedLinks();
    await follow(link);
    expect(await stored('nora@example.com')).toMatchObject({
      ...{ status: 'active', emailVerified: false },
    });
    expect((await createBrowser().get(mailed)).status).toBe(404);
  });

  it('admits one browser, also when both of its links are followed at once', async () => {
    const { link: printed = '' } = await operators.json('invite', 'nora@example.com');
    const [mailed = ''] = await mailedLinks();
    const followers = await Promise.all(
      [printed, mailed].map(async (link) => {
        const browser = createBrowser();
        return { browser, link, page: await browser.get(link) };
      }),
    );
    const ends = await Promise.all(
      followers.map(async ({ browser, link, page }) =>
        settle(browser, await browser.post(link, formOf(page.text))),
      ),
    );
    const admitted = ends.filter(({ text }) => text.includes('/agree'));
    expect(admitted).toHaveLength(1);
  });

  it('that is made once more makes the one before void, and a fourth of one day is not made', async () => {
    const { link: first = '' } = await operators.json('invite', 'nora@example.com');
    const { link: second = '' } = await operators.json('invite', 'nora@example.com');
    const mailed = await mailedLinks(2);
    const status = async (url: string) => (await createBrowser().get(url)).status;
    expect(await Promise.all([first, second].map(status))).toEqual([404, 200]);
    // In whichever order they were sent.
    expect((await Promise.all(mailed.map(status))).sort()).toEqual([200, 404]);
    await operators.json('invite', 'nora@example.com');
    const fourth = await operators.accounts('invite', 'nora@example.com');
    expect(fourth).toMatchObject({ status: 1, stdout: '' });
    expect(fourth.stderr).toContain('was invited several times today');
  });

  it('gives nobody the group of whoever runs the service', async () => {
    const refused = await operators.accounts('invite', 'nora@example.com', '--group', 'operators');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toContain('the group "operators" is that of whoever runs the service');
  });

  it('is refused where nobody can enrol', async () => {
    operators.configure({ registration: 'off' });
    const off = await operators.accounts('invite', 'nora@example.com');
    expect(off).toMatchObject({ status: 1, stdout: '' });
    expect(off.stderr).toContain('registration (REGISTRATION) is off');
    operators.configure({ registration: 'invite', kyc: undefined });
    const without = await operators.accounts('invite', 'nora@example.com');
    expect(without.stderr).toContain('DIDIT_WORKFLOW_KYC');
    operators.configure({ registration: 'invite' });
    expect((await operators.accounts('invite', 'nora at home')).status).toBe(1);
    const { accounts, store } = await openRecords(bed);
    expect(await accounts.idOf('nora@example.com')).toBeUndefined();
    await store.close();
  });
});

describe('[VD-13] a check that a partner shared', () => {
  const partner = '0b6f2f0a-5f0d-4a57-8f65-0000000000aa';

  /** At the partner's. @returns the token for us. */
  async function shared(outcome: string, workflow = kycWorkflowId): Promise<string> {
    const person = { workflow_id: workflow, vendor_data: `partner-${outcome}` };
    const { session_id: id } = await atDidit('POST', '/v3/session/', person);
    await atDidit('POST', `/control/sessions/${id}/outcome`, { outcome });
    const token = await atDidit('POST', `/v3/session/${id}/share/`, {
      for_application_id: partner,
    });
    return token.share_token!;
  }

  it('becomes the face of an account, and no sign-in', async () => {
    await withoutFace('nora@example.com');
    const token = await shared('approve');
    const missing = await operators.accounts('import-shared', 'nora@example.com', token);
    expect(missing.stderr).toContain('--consent');
    const eventsBefore = bed.events.length;
    await operators.json('import-shared', 'nora@example.com', token, '--consent', '2026-paper');
    const account = await stored('nora@example.com');
    expect(account).toMatchObject({
      consent: { version: '2026-paper' },
      enrolment: { portraitKey: expect.any(String) as string },
    });
    expect(account.history).toEqual(['face_enrolled']);
    const seen = bed.events.slice(eventsBefore).map(({ event }) => event);
    expect(seen.filter((event) => !event.startsWith('mail.'))).toEqual([]);

    // From now on a selfie is compared with it.
    const browser = createBrowser();
    const request = await party.begin();
    await request.finish(await signIn(browser, request, 'nora@example.com'));
    expect((await stored('nora@example.com')).history).toContain('signed_in');
    const second = await operators.accounts(
      ...['import-shared', 'nora@example.com', await shared('approve'), '--consent', 'x'],
    );
    expect(second.stderr).toContain('has a face already');
  });

  it.each(['review-document', 'low-score', 'no-match'])(
    'that is not good enough (%s) changes nothing',
    async (outcome) => {
      await withoutFace('nora@example.com');
      const before = await stored('nora@example.com');
      const token = await shared(outcome);
      const refused = await operators.accounts(
        ...['import-shared', 'nora@example.com', token, '--consent', '2026-paper'],
      );
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toContain('it was refused, and nothing changed');
      expect(await stored('nora@example.com')).toEqual(before);
      const { traces, store } = await openRecords(bed);
      expect(await traces.list(before.id)).toEqual([]);
      await store.close();
      const { calls } = await bed.log();
      expect(calls.filter(({ operation }) => operation === 'delete')).toHaveLength(1);
    },
  );

  it('is refused without a token that Didit knows', async () => {
    await withoutFace('nora@example.com');
    const before = await stored('nora@example.com');
    const refused = await operators.accounts(
      ...['import-shared', 'nora@example.com', 'no-token', '--consent', '2026-paper'],
    );
    expect(refused.status).toBe(1);
    expect(await stored('nora@example.com')).toEqual(before);
  });
});

describe('[EN-06] an enrolment that a person at Didit approved', () => {
  async function readyForDocument(browser: TestBrowser): Promise<Answer> {
    const request = await party.begin();
    const join = await toJoin(browser, request);
    const consent = await confirmAddress(bed, browser, join, 'nora@example.com');
    return (await takeCodes(bed, browser, await agree(browser, consent))).page;
  }

  async function sessionOf(): Promise<string> {
    const { traces, store } = await openRecords(bed);
    const [trace] = await traces.list((await stored('nora@example.com')).id);
    await store.close();
    return trace!.diditSessionId;
  }

  /** Up to the page that says that somebody has to look at it. */
  async function inReview(browser: TestBrowser, outcome = 'review-document') {
    const held = await showDocument(browser, await readyForDocument(browser), outcome);
    expect(held.text).not.toContain('/resume');
    return { session: await sessionOf(), page: held.url };
  }

  const approve = (id: string) =>
    atDidit('PATCH', `/v3/session/${id}/update-status/`, { new_status: 'Approved' });

  async function approveLater(afterMs: number, operator = 'otto'): Promise<string[]> {
    const records = await openRecords(bed, () => Date.now() + afterMs);
    const account = await records.accounts.find((await records.accounts.idOf('nora@example.com'))!);
    const { createDiditApi } = await import('../../src/didit/api.ts');
    const didit = createDiditApi({
      ...{ apiBaseUrl: bed.simulatorUrl, apiKey: bed.apiKey, hostedOrigins: [bed.simulatorUrl] },
      ...{ fetch, clock: records.clock, createsPerMinute: 1, hash: records.hash },
      ...{ warn: () => undefined, alarm: () => undefined },
      media: { origins: [bed.simulatorUrl], allowPlainHttp: true, fetch },
    });
    try {
      await approveEnrolment(account!, [operator], {
        ...{ ...records, didit, settings: { faceReference: 'portrait' } },
        otherWays: { records: records.factorRecords },
        identitySecret: 'of this test',
        eraseReplaced: () => Promise.resolve(),
        twoPeople: false,
      });
      return records.mails.map(({ kind }) => kind);
    } finally {
      await records.store.close();
    }
  }

  it('signs nobody in for a day, and then a second operator lets it count', async () => {
    const browser = createBrowser();
    const { session, page } = await inReview(browser);
    const early = await operators.accounts('approve-enrolment', 'nora@example.com', '--by', 'otto');
    expect(early.stderr).toContain("Didit's decision is no enrolment: in_review");
    await approve(session);
    const held = await operators.accounts('approve-enrolment', 'nora@example.com', '--by', 'otto');
    expect(held).toMatchObject({ status: 1, stdout: '' });
    expect(held.stderr).toContain('it was approved by hand, and waits until');
    await expect(approveLater(86_300_000)).rejects.toThrow('waits until');
    expect((await stored('nora@example.com')).enrolment).toBeUndefined();

    const day = 86_400_000 + 60_000;
    await expect(approveLater(day, 'API Client')).rejects.toThrow('approved it at Didit');
    await expect(approveLater(day, 'nora@example.com')).rejects.toThrow('about themself');
    expect(await approveLater(day)).toEqual(['face_enrolled']);
    const account = await stored('nora@example.com');
    expect(account).toMatchObject({ enrolment: { diditSessionId: session } });
    expect(account.history).not.toContain('signed_in');
    await expect(approveLater(day)).rejects.toThrow('no enrolment of');
    // The visit in which it was made is not opened by it.
    const visit = await browser.get(page);
    expect(visit.status).toBe(200);
    expect(visit.text).not.toContain('/resume');
  });

  it('is held as well when it was approved before anybody here looked', async () => {
    const browser = createBrowser();
    const ready = await readyForDocument(browser);
    const didit = await settle(browser, await press(browser, ready, 'selfie'));
    // Its webhooks are late, and nothing here knows of the review until they come.
    await bed.control('faults', { webhooks: { mode: 'delay', delayMs: 3_000, times: 10 } });
    const back = await browser.post(didit.url, { outcome: 'review-document', ...document });
    const session = await sessionOf();
    await approve(session);
    await whileWaiting(browser, await settle(browser, back));
    const { id } = await stored('nora@example.com');
    expect(bed.events.filter(({ event }) => event === 'verdict.received')).toMatchObject([
      { reason: 'changed_by_hand, place agrees' },
    ]);
    const { held, store } = await openRecords(bed);
    expect(await held.find(id)).toMatchObject({ diditSessionId: session, kind: 'enrol' });
    await store.close();
  });

  it('stays refused when the faces are less alike than we ask for', async () => {
    const { session } = await inReview(createBrowser(), 'review');
    await approve(session);
    // Its score is below our own floor, whoever looked at it.
    await expect(approveLater(90_000_000)).rejects.toThrow('face_match_score_low');
    expect((await stored('nora@example.com')).enrolment).toBeUndefined();
  });
});
