/** Checks that people have to look at: what the person sees, what operators can do about it, and what they cannot. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { approveReview, declineReview, findReview } from '../../src/enrol/review.ts';
import type { ReviewCase } from '../../src/store/reviews.ts';
import { callDidit, overhear } from '../didit/support.ts';
import { type Answer, type TestBrowser, createBrowser } from '../support/browser.ts';
import {
  agree,
  confirmAddress,
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
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { hireOperators, openRecords } from '../support/operators.ts';
import { freshRedis } from '../support/redis.ts';
import { soon } from '../support/soon.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

// A command is a process, whose start takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const title = 'Somebody is looking at it';
const overheard = overhear();
let bed: Testbed;
let party: Party;
let operators: ReturnType<typeof hireOperators>;
beforeEach(async () => {
  const storeUrl = await freshRedis();
  bed = await startTestbed({ storeUrl, fetch: overheard.fetch, flags: openToAll });
  party = await createParty(bed);
  operators = hireOperators(bed, storeUrl);
});
afterEach(async () => {
  operators.dismiss();
  await bed.close();
});

const events = (name: string) => bed.events.filter(({ event }) => event === name);
/** Besides that each sign-in was in a new browser. */
const mailed = (): string[] =>
  bed.mails.map(({ message }) => message.kind).filter((kind) => kind !== 'new_device');
const referenceOn = ({ text }: Answer): string =>
  /[2-9A-Z]{4}-[2-9A-Z]{4}/.exec(text.slice(text.indexOf('<footer')))?.[0] ?? '';

interface Seen {
  browser: TestBrowser;
  page: Answer;
  diditSessionId: string;
}

/** A selfie of which Didit wants people to look at it. */
async function heldLogin(identifier = 'ana@example.com'): Promise<Seen> {
  const browser = createBrowser();
  const didit = await toSelfie(browser, await party.begin(), identifier);
  const back = await settle(browser, await takeSelfie(browser, didit, 'review'));
  const page = await whileWaiting(browser, back);
  return { browser, page, diditSessionId: overheard.latest().diditSessionId };
}

/** The same of a document and a face that were to be enrolled. */
async function heldEnrolment(address = 'nora@example.com'): Promise<Seen> {
  const browser = createBrowser();
  const join = await toJoin(browser, await party.begin());
  const consent = await confirmAddress(bed, browser, join, address);
  const { page: ready } = await takeCodes(bed, browser, await agree(browser, consent));
  const page = await showDocument(browser, ready, 'review-document');
  bed.mails.splice(0);
  return { browser, page, diditSessionId: overheard.latest().diditSessionId };
}

const atDidit = (id: string, new_status: string) =>
  callDidit(bed, 'PATCH', `/v3/session/${id}/update-status/`, { new_status });

async function cases(...args: string[]): Promise<Record<string, string>[]> {
  const { stdout } = await operators.reviews('list', '--json', ...args);
  return (JSON.parse(stdout) as { reviews: Record<string, string>[] }).reviews;
}

const by = (operator: string, reason = 'looks like the person'): string[] => [
  ...['--operator', operator, '--reason', reason],
];

async function expectNoCode({ browser, page }: Seen): Promise<void> {
  const done = await browser.follow(await browser.post(`${page.url}/resume`), (url) =>
    url.startsWith('http://localhost:9/'),
  );
  expect(done.location ?? '').not.toContain('code=');
  expect(heading(await browser.get(page.url))).toBe(title);
  expect(events('login.completed')).toEqual([]);
}

/** With the functions, a while from now. */
async function later<T>(
  afterMs: number,
  work: (tools: Parameters<typeof approveReview>[2], found: ReviewCase) => Promise<T>,
  twoPeople = false,
): Promise<T> {
  const records = await openRecords(bed, () => Date.now() + afterMs);
  const { createDiditApi } = await import('../../src/didit/api.ts');
  const didit = createDiditApi({
    ...{ apiBaseUrl: bed.simulatorUrl, apiKey: bed.apiKey, hostedOrigins: [bed.simulatorUrl] },
    ...{ fetch, clock: records.clock, createsPerMinute: 1, hash: records.hash },
    ...{ warn: () => undefined, alarm: () => undefined },
    media: { origins: [bed.simulatorUrl], allowPlainHttp: true, fetch },
  });
  const tools = {
    ...{ ...records, twoPeople, otherWays: { records: records.factorRecords } },
    openDidit: () => Promise.resolve({ didit, settings: { faceReference: 'portrait' as const } }),
    ...{ identitySecret: 'of this test', eraseReplaced: () => Promise.resolve() },
    withdraw: () => Promise.reject(new Error('nobody was signed in')),
  };
  try {
    const [found] = await Array.fromAsync(records.reviews.list());
    return await work(tools, found!);
  } finally {
    await records.store.close();
  }
}

describe('the person whose selfie people have to look at', () => {
  it('is told that nothing goes on by itself, and what can be done now', async () => {
    const { page, browser } = await heldLogin();
    expect([page.status, heading(page)]).toEqual([200, title]);
    expect(page.text).toContain('this page does not go on by itself');
    expect(page.text).toContain('Tell the person the reference');
    for (const way of ['mail', 'totp', 'recovery']) expect(page.text).toContain(`value="${way}"`);
    for (const step of ['try-again', 'cancel']) {
      expect(page.text).toContain(`/${step}"`);
    }
    expect(page.text).toContain('A person at');
    expect(page.text).not.toMatch(/http-equiv="refresh"|data-submit/);
    // The page may be there a moment before the case.
    await soon(() => expect(referenceOn(page)).toBe(events('review.opened')[0]?.reference));

    const other = await browser.post(`${page.url}/factor`, {
      ...{ form_token: /name="form_token" value="([^"]+)"/.exec(page.text)?.[1] ?? '' },
      factor: 'mail',
    });
    expect(heading(await settle(browser, other))).not.toBe(title);
  });

  it('[VD-06] is not signed in by any approval: they are written to, and take another selfie', async () => {
    const one = await heldLogin();
    await expectNoCode(one);
    const opened = events('review.opened');
    expect(opened).toMatchObject([{ client: 'first', reason: 'in_review' }]);

    await atDidit(one.diditSessionId, 'Approved');
    const { stdout: list } = await operators.reviews('list');
    expect(list).toContain(referenceOn(one.page));
    const [found] = await cases();
    const approved = await operators.reviews('approve', found!.id!, ...by('otto'));
    expect(approved.stdout).toContain(`${found!.id} is approved\nthe person is written to`);
    expect(approved.stderr).toContain('looks like the person');
    await vi.waitFor(() => expect(mailed()).toEqual(['review_approved']), 10_000);
    const { text, to } = bed.mails.find(({ message }) => message.kind === 'review_approved')!;
    expect(to.address).toBe('ana@example.com');
    expect(text).toContain('First');
    // No link of it leads into a sign-in.
    const links = [...text.matchAll(/https?:\/\/\S+/g)].map(([link]) => link);
    expect(new Set(links)).toEqual(new Set([`${bed.issuer}/account`]));
    await expectNoCode(one);

    const again = await settle(one.browser, await press(one.browser, one.page, 'try-again'));
    const didit = await settle(one.browser, await press(one.browser, again, 'selfie'));
    const back = await settle(one.browser, await takeSelfie(one.browser, didit, 'approve'));
    const ready = await whileWaiting(one.browser, back);
    const done = await settle(one.browser, await press(one.browser, ready, 'resume'));
    expect(done.location).toContain('code=');
    expect(await cases()).toEqual([]);
  });

  it('who is nobody opens no case', async () => {
    const { page } = await heldLogin('nobody@example.com');
    expect(heading(page)).toBe(title);
    expect(events('review.opened')).toEqual([]);
    expect(await cases()).toEqual([]);
  });
});

describe('didit-oidc reviews', () => {
  it('shows a case by its id and by the reference, with the way to Didit and nothing of the face', async () => {
    const { page, diditSessionId } = await heldLogin();
    const reference = referenceOn(page);
    const { stdout } = await operators.reviews('show', reference.toLowerCase(), '--json');
    const shown = JSON.parse(stdout) as Record<string, string>;
    expect(Object.keys(shown)).toEqual([
      ...['id', 'reference', 'status', 'reason', 'kind', 'account', 'attempt'],
      ...['client', 'client_name', 'opened_at', 'approved_by', 'didit_session', 'didit_console'],
    ]);
    expect(shown).toMatchObject({
      ...{ reference, status: 'open', reason: 'in_review', kind: 'login' },
      ...{ client: 'first', client_name: 'First' },
      ...{ didit_console: `https://console.example/app/${diditSessionId}` },
    });
    const text = await operators.reviews('show', shown.id!);
    expect(text.stdout).toContain(`https://console.example/app/${diditSessionId}`);
    const unknown = await operators.reviews('show', 'nothing');
    expect(unknown).toMatchObject({ status: 1, stdout: '' });
    expect(unknown.stderr).toContain('there is no case "nothing"');
  });

  it('declines with a reason, once, and writes to nobody', async () => {
    await heldLogin();
    const [found] = await cases();
    const id = found!.id!;
    const without = await operators.reviews('decline', id, '--operator', 'otto');
    expect(without.stderr).toContain('--reason');
    const empty = await operators.reviews('decline', id, ...by('otto', '  '));
    expect(empty.stderr).toContain('it takes a reason');
    const nameless = await operators.reviews('decline', id, ...by('otto the first'));
    expect(nameless.stderr).toContain('an operator has a name');
    expect(await cases()).toHaveLength(1);

    const declined = await operators.reviews('decline', id, ...by('otto', 'a photograph'));
    expect(declined.stdout).toBe(`${id} is declined\n`);
    const told = declined.stderr.split('\n').find((line) => line.includes('review.closed'));
    expect(JSON.parse(told ?? '{}')).toMatchObject({
      ...{ reason: 'declined: a photograph', operators: ['otto'], reference: found!.reference },
    });
    const late = await operators.reviews('approve', id, ...by('olga'));
    expect(late).toMatchObject({ status: 1, stdout: '' });
    expect(late.stderr).toContain(`${id} was declined by otto`);
    expect(await cases()).toEqual([]);
    expect(await cases('--all')).toMatchObject([
      { id, status: 'declined', closed_by: ['otto'], closed_reason: 'a photograph' },
    ]);
    expect(mailed()).toEqual([]);
  });

  it('takes two operators of different names where that is asked for', async () => {
    operators.configure({ twoPeople: true });
    await heldLogin();
    const [{ id = '' } = {}] = await cases();
    const first = await operators.reviews('approve', id, ...by('otto'));
    expect(first.stdout).toBe(`${id} waits for a second operator\n`);
    for (const same of ['otto', 'OTTO']) {
      const again = await operators.reviews('approve', id, ...by(same));
      expect(again.stderr).toContain(`${same} approved it before: it takes another operator`);
    }
    expect(await cases()).toMatchObject([{ status: 'open', approved_by: ['otto'] }]);
    expect(mailed()).toEqual([]);
    await operators.reviews('approve', id, ...by('olga'));
    expect(await cases('--all')).toMatchObject([
      { status: 'approved', closed_by: ['otto', 'olga'] },
    ]);
    await vi.waitFor(() => expect(mailed()).toEqual(['review_approved']), 10_000);
  });
});

it('of two operators who decide at once one is heard', async () => {
  await heldLogin();
  await later(0, async (tools, found) => {
    const reason = 'both';
    const all = await Promise.allSettled([
      approveReview(found, { operator: 'otto', reason }, tools),
      declineReview(found, { operator: 'olga', reason }, tools),
      approveReview(found, { operator: 'omar', reason }, tools),
    ]);
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
  expect(await cases('--all')).toHaveLength(1);
});

it('whoever is blocked is not invited back by an approval', async () => {
  await heldLogin();
  await operators.accounts('block', 'ana@example.com');
  const [{ id = '' } = {}] = await cases();
  const refused = await operators.reviews('approve', id, ...by('otto'));
  expect(refused.stderr).toContain('is blocked');
  expect(await cases()).toHaveLength(1);
});

describe('[VD-06] an enrolment that people have to look at', () => {
  const day = 86_400_000 + 60_000;
  const word = { operator: 'otto', reason: 'the document is right' };

  it('counts a day after somebody at Didit approved it, and signs nobody in', async () => {
    const one = await heldEnrolment();
    expect(heading(one.page)).toBe(title);
    expect(await cases()).toMatchObject([{ kind: 'enrol', status: 'open' }]);
    await expect(later(day, (tools, found) => approveReview(found, word, tools))).rejects.toThrow(
      "Didit's decision is no enrolment: in_review",
    );
    await atDidit(one.diditSessionId, 'Approved');
    const [{ id = '' } = {}] = await cases();
    const early = await operators.reviews('approve', id, ...by('otto'));
    expect(early.stderr).toContain('it was approved by hand, and waits until');
    const same = { ...word, operator: 'API Client' };
    await expect(later(day, (tools, found) => approveReview(found, same, tools))).rejects.toThrow(
      'approved it at Didit',
    );
    expect(await cases()).toHaveLength(1);
    const done = await later(day, (tools, found) => approveReview(found, word, tools));
    expect(done).toEqual({ state: 'approved', mailed: true });
    expect(await cases()).toEqual([]);
    await expectNoCode(one);
    const request = await party.begin();
    await request.finish(await signIn(createBrowser(), request, 'nora@example.com'));
  });

  it('is not approved past two operators by the other command', async () => {
    operators.configure({ twoPeople: true });
    const one = await heldEnrolment();
    await atDidit(one.diditSessionId, 'Approved');
    const approve = ['approve-enrolment', 'nora@example.com', '--operator', 'otto'];
    expect((await operators.accounts(...approve)).stdout).toContain('waits for a second operator');
    expect((await operators.accounts(...approve)).stderr).toContain('it takes another operator');
    const second = { ...word, operator: 'API Client' };
    await expect(
      later(day, (tools, found) => approveReview(found, second, tools), true),
    ).rejects.toThrow('approved it at Didit');
    const third = { ...word, operator: 'olga' };
    const done = await later(day, (tools, found) => approveReview(found, third, tools), true);
    expect(done.state).toBe('approved');
  });

  it('that is declined can never count, and the person is told', async () => {
    const one = await heldEnrolment();
    const [{ id = '' } = {}] = await cases();
    const declined = await operators.reviews('decline', id, ...by('otto', 'not the document'));
    expect(declined.stdout).toBe(`${id} is declined\nthe person is written to\n`);
    await vi.waitFor(() => expect(mailed()).toEqual(['enrolment_declined']), 10_000);
    await atDidit(one.diditSessionId, 'Approved');
    const late = await operators.accounts(
      'approve-enrolment',
      'nora@example.com',
      '--operator',
      'olga',
    );
    expect(late.stderr).toContain('no enrolment of');
  });
});

describe('[VD-12] a case about a sign-in that stands', () => {
  async function doubted(): Promise<Seen> {
    const browser = createBrowser();
    const request = await party.begin();
    await request.finish(await signIn(browser, request));
    const { diditSessionId } = overheard.latest();
    await atDidit(diditSessionId, 'Resubmitted');
    await vi.waitFor(() => expect(events('review.opened')).toHaveLength(1), 10_000);
    return { browser, page: await browser.get(`${bed.issuer}/`), diditSessionId };
  }

  async function isSignedIn({ browser }: Seen): Promise<boolean> {
    const silent = await party.begin({ prompt: 'none' });
    const { location = '' } = await settle(browser, await browser.get(silent.url));
    return location.includes('code=');
  }

  it('ends it when it is declined, and says so', async () => {
    const one = await doubted();
    expect(await isSignedIn(one)).toBe(true);
    const [found] = await cases();
    expect(found).toHaveProperty('signed_in_at');
    const done = await operators.reviews('decline', found!.id!, ...by('otto', 'a mask'));
    expect(done.stderr).toContain('login.withdrawn');
    await vi.waitFor(() => expect(mailed()).toEqual(['sign_in_withdrawn']), 10_000);
    await vi.waitFor(async () => expect(await isSignedIn(one)).toBe(false), 10_000);
  });

  it('leaves it when it is approved, and writes to nobody', async () => {
    const one = await doubted();
    const [found] = await cases();
    const done = await operators.reviews('approve', found!.id!, ...by('otto'));
    expect(done.stdout).toBe(`${found!.id} is approved\n`);
    expect(await isSignedIn(one)).toBe(true);
    expect(mailed()).toEqual([]);
  });
});

it('[BD-08] the cases of whoever is erased go with them, and are theirs to take along before', async () => {
  await heldLogin();
  const other = await heldLogin('ben@example.com');
  const records = await openRecords(bed);
  const id = (await records.accounts.idOf('ana@example.com')) ?? '';
  expect(await Array.fromAsync(records.reviews.list({ account: id }))).toHaveLength(1);
  await operators.accounts('erase', 'ana@example.com', '--yes');
  await vi.waitFor(
    async () => expect(await Array.fromAsync(records.reviews.list({ account: id }))).toEqual([]),
    20_000,
  );
  const left = await Array.fromAsync(records.reviews.list());
  expect(left.map(({ diditSessionId }) => diditSessionId)).toEqual([other.diditSessionId]);
  expect((await findReview(referenceOn(other.page), records)).id).toBe(left[0]?.id);
  await records.store.close();
});
