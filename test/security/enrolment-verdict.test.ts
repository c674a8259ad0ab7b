/** From Didit's verdict to a face that is kept: whose check it was, where the picture came from, and what goes wrong. */
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Attempt } from '../../src/domain/attempt.ts';
import { callDidit, ring } from '../didit/support.ts';
import { type Answer, type TestBrowser, createBrowser } from '../support/browser.ts';
import { agree, kycWorkflowId, openToAll, showDocument, takeCodes } from '../support/enrol.ts';
import {
  createParty,
  heading,
  interactionOf,
  isCallback,
  press,
  settle,
  signIn,
  toSelfie,
} from '../support/login.ts';
import {
  type Newcomers,
  force,
  look,
  startNewcomers,
  toConsent,
  toDocument,
} from '../support/newcomers.ts';
import { workflowId } from '../support/testbed.ts';
import { answer, browserElsewhere, choose, finishOn, mailedCode } from '../support/ways.ts';
import { withoutIds } from '../support/words.ts';

let newcomers: Newcomers;
/** Where pictures are kept, too, and what is there just now. */
let pictures: Server;
let picture: { status?: number; headers?: Record<string, string>; body?: string | Buffer } = {};
const fetched: string[] = [];
let picturesUrl: string;
/** What else a decision says, while it is set. */
let changed: ((decision: Record<string, unknown>) => void) | undefined;
const asked: string[] = [];
const logged: string[] = [];
beforeAll(async () => {
  pictures = createServer((request, response) => {
    fetched.push(request.url ?? '');
    response.writeHead(picture.status ?? 200, picture.headers).end(picture.body ?? '');
  });
  pictures.listen(0, '127.0.0.1');
  await once(pictures, 'listening');
  picturesUrl = `http://127.0.0.1:${(pictures.address() as AddressInfo).port}`;
  newcomers = await startNewcomers({
    log: (line) => logged.push(line),
    flags: { didit: { ...openToAll.didit, mediaOrigins: [picturesUrl] } },
    fetch: async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      asked.push(url);
      const response = await newcomers.overheard.fetch(input, init);
      if (!changed || !url.includes('/decision/')) return response;
      const decision = (await response.json()) as Record<string, unknown>;
      changed(decision);
      return Response.json(decision);
    },
  });
});
afterEach(() => {
  [picture, changed] = [{}, undefined];
});
afterAll(async () => {
  await newcomers.close();
  pictures.close();
});

let addresses = 0;
const newAddress = (): string => `verdict${(addresses += 1)}@example.com`;

interface Enrolling {
  browser: TestBrowser;
  address: string;
  page: Answer;
  codes: string[];
  request: Awaited<ReturnType<Newcomers['party']['begin']>>;
}

async function atDocument(): Promise<Enrolling> {
  const [browser, address, request] = [
    browserElsewhere(),
    newAddress(),
    await newcomers.party.begin(),
  ];
  return { browser, address, request, ...(await toDocument(newcomers, browser, request, address)) };
}

const resume = async (browser: TestBrowser, page: Answer): Promise<Answer> =>
  settle(browser, await press(browser, page, 'resume'));

async function attemptOf(browser: TestBrowser): Promise<Attempt> {
  const uid = (await interactionOf(browser, newcomers.bed)).split('/').at(-1) ?? '';
  for await (const { value } of newcomers.store.scan('attempt')) {
    const attempt = JSON.parse(value) as Attempt;
    if (attempt.interactionUid === uid) return attempt;
  }
  throw new Error('there is no attempt');
}

async function expectNothingKept({ address }: Pick<Enrolling, 'address'>): Promise<void> {
  const account = await newcomers.account(address);
  expect(account).toMatchObject({ status: 'active' });
  expect(account?.enrolment).toBeUndefined();
  expect(account?.givenName).toBeUndefined();
}

/** After a page that says no: another document is asked for, and this time it works. */
async function expectAnotherTry(one: Enrolling, denied: Answer): Promise<void> {
  const again = await settle(one.browser, await press(one.browser, denied, 'try-again'));
  expect(heading(again)).toBe('A document and one selfie');
  const done = await resume(one.browser, await showDocument(one.browser, again));
  expect(isCallback(done.location ?? '')).toBe(true);
  expect((await newcomers.account(one.address))?.enrolment).toBeDefined();
}

/** A session at Didit that we did not ask for, approved. */
async function foreignSession(workflow: string, vendorData: string): Promise<string> {
  const portrait = workflow === workflowId ? { portrait_image: portraitOf() } : {};
  const body = { workflow_id: workflow, vendor_data: vendorData, ...portrait };
  const created = await callDidit(newcomers.bed, 'POST', '/v3/session/', body);
  const { session_id: id } = (await created.json()) as { session_id: string };
  await newcomers.bed.control(`sessions/${id}/outcome`, { outcome: 'approve' });
  return id;
}

const portraitOf = (): string =>
  newcomers.overheard.creates.find(({ body }) => body.portrait_image)?.body.portrait_image ?? '';

describe('[EN-04] what Didit knows a person by', () => {
  it('is new in each try, 128 random bits, and never comes near a browser', async () => {
    const seen: string[] = [];
    const one = await atDocument();
    const from = newcomers.overheard.creates.length;
    const { browser } = one;
    const ids = new Set<string>();
    let page = one.page;
    for (let tries = 0; tries < 3; tries += 1) {
      const denied = await showDocument(browser, page, 'decline');
      const attempt = await attemptOf(browser);
      if (attempt.phase === 'denied' && attempt.capture) ids.add(attempt.capture.enrolmentId);
      seen.push(page.text, denied.text, denied.url);
      page = await settle(browser, await press(browser, denied, 'try-again'));
    }
    const names = newcomers.overheard.creates.slice(from).map(({ body }) => body.vendor_data);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(3);
    expect(ids.size).toBe(3);
    for (const name of [...names, ...ids]) {
      expect(Buffer.from(name, 'base64url')).toHaveLength(16);
      expect(seen.join('\n')).not.toContain(name);
    }
    const { id = '' } = (await newcomers.account(one.address)) ?? {};
    expect([...names, ...ids]).not.toContain(id);
  });

  it('approves nothing by another session that has it, of whichever workflow', async () => {
    const signedIn = browserElsewhere();
    await toSelfie(signedIn, await newcomers.party.begin(), 'ana@example.com');
    const login = newcomers.overheard.latest();
    const one = await atDocument();
    await settle(one.browser, await press(one.browser, one.page, 'selfie'));
    const enrolment = newcomers.overheard.latest();
    expect(enrolment.body.vendor_data).not.toBe(login.body.vendor_data);
    for (const { browser, own } of [
      { browser: signedIn, own: login },
      { browser: one.browser, own: enrolment },
    ]) {
      const before = await attemptOf(browser);
      for (const workflow of [kycWorkflowId, workflowId]) {
        // The one that we asked for is unfinished, and would be handed out again.
        if (own.body.workflow_id === workflow) continue;
        const id = await foreignSession(workflow, own.body.vendor_data);
        expect(id).not.toBe(own.diditSessionId);
        const event = { workflow_id: workflow, vendor_data: own.body.vendor_data };
        await ring(newcomers.bed, id, 'Approved', { event });
        await ring(newcomers.bed, own.diditSessionId, 'In Progress', { event });
      }
      expect(await attemptOf(browser)).toEqual(before);
    }
    await expectNothingKept(one);
  });

  it.each([
    ['of the other workflow', { workflow_id: workflowId }],
    ['of another person', { vendor_data: 'somebody-else' }],
    ['of another purpose', { metadata: { purpose: 'returning_user_signin', nonce: 'other' } }],
    ['of the other environment', { environment: 'live' }],
  ])('is not enrolled by a decision %s', async (_of, said) => {
    const one = await atDocument();
    changed = (decision) => void Object.assign(decision, said);
    const denied = await showDocument(one.browser, one.page);
    expect(heading(denied)).not.toBe('It is you');
    await force(newcomers, one.browser, 'resume');
    await expectNothingKept(one);
  });

  it('is not enrolled by a decision that turned into another one before the button was pressed', async () => {
    const one = await atDocument();
    const ready = await showDocument(one.browser, one.page);
    changed = (decision) => void Object.assign(decision, { workflow_id: workflowId });
    expect(heading(await resume(one.browser, ready))).toBe('We could not sign you in');
    await expectNothingKept(one);
  });
});

const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const linked = (url: string) => (decision: Record<string, unknown>) => {
  const [check] = decision.liveness_checks as { reference_image: string }[];
  if (check) check.reference_image = url;
};

describe('[EN-05] a portrait', () => {
  it.each([
    ['http://169.254.169.254/latest/meta-data/'],
    ['http://localhost/portrait.png'],
    ['file:///etc/passwd'],
    ['https://evil.example/portrait.png'],
  ])('behind %s is not fetched: nothing is kept, and the person can try again', async (link) => {
    const one = await atDocument();
    const ready = await showDocument(one.browser, one.page);
    [changed, asked.length, fetched.length, logged.length] = [linked(link), 0, 0, 0];
    const denied = await resume(one.browser, ready);
    expect([denied.status, heading(denied)]).toEqual([200, 'We could not sign you in']);
    expect(denied.text).not.toContain(link);
    // The person cannot do anything about it; whoever operates this learns what was wrong with the link.
    expect(logged.filter((line) => line.includes('"message":"the portrait '))).toHaveLength(1);
    expect(logged.join('\n')).not.toContain(link);
    expect(asked.filter((url) => !url.includes('/decision/'))).toEqual([]);
    expect(fetched).toEqual([]);
    await expectNothingKept(one);
    changed = undefined;
    if (link.startsWith('file')) await expectAnotherTry(one, denied);
  });

  it.each<[string, typeof picture]>([
    ['an SVG', { body: '<svg xmlns="http://www.w3.org/2000/svg"/>' }],
    ['a page that begins like a picture', { body: Buffer.concat([png, Buffer.from('<script>')]) }],
    ['a link that has ended', { status: 403, body: '<Error/>' }],
    ['a link to another place', { status: 302, headers: { location: '/inside' } }],
    ['more than there is room for', { body: Buffer.alloc(1024 * 1024 + 1, 0xff) }],
    ['nothing', {}],
  ])('that is %s is not kept, and the person can try again', async (what, hostile) => {
    const one = await atDocument();
    const ready = await showDocument(one.browser, one.page);
    [picture, changed, fetched.length] = [hostile, linked(`${picturesUrl}/selfie.png`), 0];
    const denied = await resume(one.browser, ready);
    expect(fetched).toEqual(['/selfie.png']);
    expect([denied.status, heading(denied)]).toEqual([200, 'We could not sign you in']);
    await expectNothingKept(one);
    const { id = '' } = (await newcomers.account(one.address)) ?? {};
    const refused = newcomers.bed.events.filter(({ account }) => account === id);
    expect(refused.find(({ event }) => event === 'enrol.refused')?.reason).toMatch(
      /^(portrait_refused|didit_(unavailable|refused))$/,
    );
    changed = undefined;
    if (what === 'an SVG') await expectAnotherTry(one, denied);
  });

  it('is not taken while Didit does not answer, and the person can try again', async () => {
    const one = await atDocument();
    const ready = await showDocument(one.browser, one.page);
    await newcomers.bed.control('faults', { api: { operation: 'decision', mode: 503, times: 4 } });
    const denied = await resume(one.browser, ready);
    await fetch(`${newcomers.bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
    expect([denied.status, heading(denied)]).toEqual([200, 'We could not sign you in']);
    await expectNothingKept(one);
  });
});

describe('the last button', () => {
  it('pressed five times at once keeps one face, and lets in', async () => {
    const one = await atDocument();
    const ready = await showDocument(one.browser, one.page);
    const media = async (): Promise<number> =>
      (await newcomers.bed.log()).calls.filter(({ operation }) => operation === 'media').length;
    const before = await media();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => press(one.browser, ready, 'resume')),
    );
    const { location = '' } = answers.find(({ location: to }) => to?.includes('/auth/')) ?? {};
    const done = await settle(one.browser, await one.browser.get(location));
    await one.request.finish(done.location ?? '');
    expect((await media()) - before).toBe(1);
    const completed = newcomers.bed.events.filter(({ event }) => event === 'enrol.completed');
    const { id, enrolment } = (await newcomers.account(one.address)) ?? {};
    expect(completed.filter(({ account }) => account === id)).toHaveLength(1);
    expect(enrolment?.portraitKey).toBeDefined();
    await signIn(browserElsewhere(), await newcomers.party.begin(), one.address);
  });

  it('waits for a process that died between the picture and the account, and then makes good for it', async () => {
    const one = await atDocument();
    const ready = await showDocument(one.browser, one.page);
    const attempt = await attemptOf(one.browser);
    const enrolmentId = attempt.phase === 'captured' ? attempt.capture.enrolmentId : '';
    const { id = '' } = (await newcomers.account(one.address)) ?? {};
    // What it left: a picture whose key nobody has any more, and its claim.
    await newcomers.store.put(`portrait:${enrolmentId}`, Buffer.alloc(2_000, 7).toString('base64'));
    await newcomers.store.put(`completing:${id}`, '', { ttlSeconds: 60 });
    expect(heading(await resume(one.browser, ready))).toBe('It is you');
    await expectNothingKept(one);
    await newcomers.store.delete(`completing:${id}`);
    const done = await resume(one.browser, ready);
    expect(isCallback(done.location ?? '')).toBe(true);
    await signIn(browserElsewhere(), await newcomers.party.begin(), one.address);
  });

  it('of a second browser that enrols the same person finds the first one’s face, and leaves it', async () => {
    const { bed, party } = newcomers;
    const address = newAddress();
    const [first, second] = [browserElsewhere(), browserElsewhere()];
    const [request, later] = [await party.begin(), await party.begin()];
    const consents = [
      await toConsent(newcomers, first, request, address),
      await toConsent(newcomers, second, later, address),
    ] as const;
    const { page } = await takeCodes(bed, first, await agree(first, consents[0]));
    const ready = await showDocument(first, page);
    const other = await showDocument(second, await look(newcomers, second));
    const done = await resume(first, ready);
    expect(isCallback(done.location ?? '')).toBe(true);
    const before = await newcomers.account(address);
    expect(before?.enrolment).toBeDefined();
    expect(heading(await resume(second, other))).toBe('We could not sign you in');
    expect(await newcomers.account(address)).toEqual(before);
  });
});

describe('a document that was not enough', () => {
  it.each([
    ['decline', 'We could not sign you in'],
    ['spoof', 'We could not sign you in'],
    ['low-score', 'We could not sign you in'],
    ['review', 'Somebody is looking at it'],
  ])('(%s) keeps nothing, and leads on', async (outcome, title) => {
    const one = await atDocument();
    const denied = await showDocument(one.browser, one.page, outcome);
    expect(heading(denied)).toBe(title);
    await force(newcomers, one.browser, 'resume');
    await expectNothingKept(one);
    await expectAnotherTry(one, await look(newcomers, one.browser));
  });

  it('leaves the other way, by which the person signs in without a face', async () => {
    const one = await atDocument();
    const denied = await showDocument(one.browser, one.page, 'decline');
    const before = newcomers.bed.mails.length;
    const mail = await choose(one.browser, denied, 'mail');
    const code = await mailedCode(newcomers.bed, one.address, before);
    const second = await answer(one.browser, mail, code);
    const location = await finishOn(
      one.browser,
      await answer(one.browser, second, one.codes[0] ?? ''),
    );
    expect((await one.request.finish(location)).claims()).toMatchObject({
      acr: 'urn:didit-oidc:acr:fallback:test',
    });
    await expectNothingKept(one);
  });
});

it('a sign-up whose time is up leads back to the app, and takes no face', async () => {
  let lateMs = 0;
  const late = await startNewcomers({ clock: () => Date.now() + lateMs });
  onTestFinished(() => late.close());
  const party = await createParty(late.bed);
  const browser = browserElsewhere();
  await toDocument(late, browser, await party.begin(), 'late@example.com');
  lateMs = 61 * 60_000;
  const creates = late.overheard.creates.length;
  for (const step of [
    'agree',
    'protect-recovery',
    'selfie',
    'without-face',
    'resume',
    'try-again',
  ]) {
    const { status } = await settle(browser, await force(late, browser, step));
    expect([step, [403, 410].includes(status)]).toEqual([step, true]);
  }
  expect(late.overheard.creates).toHaveLength(creates);
  expect((await late.account('late@example.com'))?.enrolment).toBeUndefined();
});

it('[BD-06] no page, redirect or token of an enrolment says a score or a reason code', async () => {
  const seen: Answer[] = [];
  const scores = /\b(96(\.41)?|31\.27|57\.3|61\.5|4\.2)\b|LOW_FACE|LIVENESS_|score|similarity/i;
  const reasons =
    /not_approved|no_fresh|face_(match|too)|liveness_|document_not|other_person|portrait_refused/;
  const fresh = await startNewcomers();
  onTestFinished(() => fresh.close());
  const watched = createBrowser({ seen: (one) => void seen.push(one) });
  const request = await fresh.party.begin();
  const { page: start } = await toDocument(fresh, watched, request, 'watched@example.com');
  let page = start;
  for (const outcome of ['decline', 'spoof', 'low-score', 'review']) {
    const denied = await showDocument(watched, page, outcome);
    page = await settle(watched, await press(watched, denied, 'try-again'));
  }
  const done = await settle(
    watched,
    await press(watched, await showDocument(watched, page), 'resume'),
  );
  const tokens = await request.finish(done.location ?? '');
  const ours = seen.filter(({ url }) => url.startsWith(fresh.bed.issuer));
  expect(ours.length).toBeGreaterThan(30);
  const said = ours.flatMap(({ text, url, location = '', headers }) => [
    ...[text, url.replace(fresh.bed.issuer, ''), JSON.stringify([...headers])],
    location.replace(/^http:\/\/[^/]+/, ''),
  ]);
  const claims = JSON.stringify(tokens.claims());
  for (const text of [...said, claims].map(withoutIds)) {
    const found = scores.exec(text) ?? reasons.exec(text);
    expect(found && text.slice(Math.max(0, found.index - 60), found.index + 60)).toBeNull();
  }
});
