/**
 * The whole product and everybody around it: the provider over HTTP on a real Redis, the simulator as Didit, two
 * browsers (0: the attacker's, 1: the victim's), two relying parties, people, an operator, a clock.
 *
 * Each thing that can be done is a method; a command that makes no sense at the moment does nothing. What is seen is
 * written into the model, and each code that comes out is held against it.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { expect, vi } from 'vitest';
import { type Ring, callDidit, keepLog, overhear, ring } from '../didit/support.ts';
import { type Answer, type TestBrowser, chromeOnLinux, createBrowser } from '../support/browser.ts';
import { heading } from '../support/login.ts';
import { dumpOf, freshRedis } from '../support/redis.ts';
import { findAny } from '../support/search.ts';
import { type Testbed, redirectUri, startTestbed, webhookSecret } from '../support/testbed.ts';
import {
  type Claims,
  type Login,
  type Selfie,
  expectHonest,
  hasTurn,
  objectionTo,
} from './model.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const clients = ['first', 'second'];
export const outcomes = [
  'approve',
  'decline',
  'spoof',
  'review',
  'abandon',
  'low-score',
  'no-match',
];
const ringStatuses = ['Approved', 'Declined', 'In Review', 'In Progress', 'Resubmitted', 'Expired'];
const leaving = ['other-way', 'cancel', 'try-again', 'start-over', 'identify', 'allow'];
const webhookFaults = ['drop', 'duplicate', 'reorder', 'stale', 'forge', 'delay'] as const;
const apiFaults = [429, 500, 503, 'truncate', 'malformed', 'other_session', 'reset'] as const;
const jumpsMs = [1_000, 3_000, 31_000, 61_000, 121_000, 301_000, 961_000, 86_400_000];
export const peopleOfOneWorld = 240;
const hourMs = 3_600_000;
/** Few enough to be met now and then. */
const selfiesOfAll = 60;
const selfiesOfOne = 2;
/** Where all in a sequence take their selfies and sign in. The last one is not where Didit sees them. */
const places = {
  together: { kinds: [chromeOnLinux, chromeOnLinux], address: undefined },
  'two kinds of browser': { kinds: [chromeOnLinux, firefox], address: undefined },
  'another network': { kinds: [chromeOnLinux, chromeOnLinux], address: '203.0.113.7' },
} as const;
export type Place = keyof typeof places;

export interface Coverage {
  codes: number;
  tokens: number;
  foreign: number;
  denied: number;
  replays: number;
  forged: number;
  byHand: number;
  restarts: number;
  singleSignOn: number;
  /** Of what a borrowed proof had opened, tried after its owner’s browser had come. */
  takenBack: number;
  limited: number;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

interface Visitor {
  browser: TestBrowser;
  userAgent: string;
  /** What the session of this browser began with. */
  proof?: Selfie;
  /** A login was completed here by a selfie that was taken here. */
  mayBeKnown: boolean;
}

interface Issued {
  code: string;
  verifier: string;
  login: Login;
  proof: Selfie;
  issuedAtMs: number;
  used: boolean;
}

const isGood = (proof: Selfie | undefined): boolean =>
  proof !== undefined && proof.foreignAtMs === undefined;

export async function createWorld(coverage: Coverage) {
  const [overheard, log, storeUrl] = [overhear(), keepLog(), await freshRedis()];
  const webhooks = { underWay: 0 };
  const didit = { isDisturbed: false };
  const disturb = (faults: object): Promise<unknown> => {
    didit.isDisturbed = true;
    return bed.control('faults', faults);
  };
  // The library, the provider and Didit share one clock, which stands still until it is moved.
  let nowMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
  const pass = (ms: number): void => void vi.setSystemTime((nowMs += ms));
  const bed: Testbed = await startTestbed({
    storeUrl,
    people: peopleOfOneWorld,
    ...{ fetch: overheard.fetch, log: log.write },
    sleep: () => Promise.resolve(),
    flags: {
      trustProxy: 1,
      limits: {
        ...{ perHour: selfiesOfAll, perAccountPerHour: selfiesOfOne },
        ...{ perDay: 1_000_000, perMonth: 1_000_000, perClientPerHour: 100_000 },
      },
      didit: { createsPerMinute: 100_000 },
    },
    simulator: {
      webhookRetryDelaysMs: [],
      fetch: async (input, init) => {
        webhooks.underWay += 1;
        return fetch(input, init).finally(() => (webhooks.underWay -= 1));
      },
    },
  });
  const people = new Set<string>();
  const secrets = new Set<string>([webhookSecret, bed.clientSecret]);
  const events: unknown[] = [];
  let pressed = 0;
  /** Selfies that were begun, by the hour: of all, and of strangers for one person. */
  const begun = new Map<string, number>();
  let visitors: Visitor[] = [];
  let place: (typeof places)[Place] = places.together;
  let logins: Login[] = [];
  let codes: Issued[] = [];
  let tokens: { token: string; proof: Selfie }[] = [];
  let rung: { id: string; status: string; timestampSeconds: number }[] = [];
  let requests = new Map<string, { login: Login; verifier: string }>();
  let person = '';
  /** Of this sequence alone. */
  let unspoken: string[] = [];

  function keepSecret(...texts: string[]): void {
    for (const text of texts) secrets.add(text);
    unspoken.push(...texts);
  }

  /** Nobody is ever shown a defect, nor anything on a page of errors that leads further. I6. */
  function seen(answer: Answer): Answer {
    expect(answer.status, `${answer.url} answered 500`).not.toBe(500);
    if (answer.status < 400) return answer;
    for (const text of unspoken) {
      expect(answer.text.includes(text), `a secret on ${answer.url}`).toBe(false);
    }
    return answer;
  }

  /** Waits for Didit's rings and our calls to come to their end, as far as anything is under way. */
  async function breathe(): Promise<void> {
    for (const beganMs = performance.now(); performance.now() - beganMs < 5_000;) {
      await sleep(1);
      if (webhooks.underWay === 0 && overheard.underWay.calls === 0) return;
    }
  }

  function begin(where: Place): void {
    // What Didit asked us to wait for, and the minute's budget, are over.
    pass(61_000);
    person = bed.person();
    people.add(person);
    secrets.add(person);
    place = places[where];
    visitors = place.kinds.map((userAgent) => ({
      browser: createBrowser({ userAgent, address: place.address }),
      userAgent,
      mayBeKnown: false,
    }));
    events.push(...bed.events.splice(0));
    [logins, codes, tokens, rung, unspoken] = [[], [], [], [], []];
    requests = new Map();
  }

  const of = <T>(list: readonly T[], pick: number): T | undefined => list[pick % list.length];
  const visitorOf = (pick: number): Visitor => visitors[pick % 2]!;
  const mayBeKnown = (login: Login): boolean =>
    login.isStepUp || visitorOf(login.browser).mayBeKnown;

  /** A login is begun and, unless somebody is signed in already, a name is typed. */
  async function start(
    pick: number,
    clientPick: number,
    who: 'person' | 'unknown' | 'anew',
  ): Promise<void> {
    const at = pick % 2;
    const { browser, userAgent } = visitorOf(at);
    const client = of(clients, clientPick) ?? 'first';
    const verifier = createHash('sha256')
      .update(`${Math.floor(nowMs)}${requests.size}`)
      .digest('base64url');
    const state = `state-${requests.size}`;
    const login: Login = {
      ...{ browser: at, userAgent, client, begunAtMs: nowMs, isAnew: who === 'anew' },
      isElsewhere: place.address !== undefined,
      isStepUp: who === 'anew' && isGood(visitorOf(at).proof),
    };
    requests.set(state, { login, verifier });
    const query = new URLSearchParams({
      ...{ client_id: client, redirect_uri: redirectUri, response_type: 'code', state },
      ...{ scope: 'openid', code_challenge_method: 'S256' },
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      ...(login.isAnew ? { prompt: 'login' } : {}),
    });
    const first = seen(await browser.get(`${bed.issuer}/auth?${query.toString()}`));
    if (takeCode(at, first.location)) return;
    if (!first.location?.includes('/interaction/')) return;
    login.here = first.location.replace(/\?.*/, '');
    seen(await browser.get(first.location));
    login.person = who !== 'unknown' ? person : `nobody-${requests.size}@example.com`;
    seen(await browser.post(`${login.here}/identify`, { identifier: login.person }));
    logins.push(login);
  }

  async function press(pick: number): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    pressed += 1;
    const created = overheard.creates.length;
    const { browser } = visitorOf(login.browser);
    const answer = seen(await browser.post(`${login.here}/selfie`));
    if (!answer.location?.startsWith(bed.simulatorUrl)) return;
    expect(overheard.creates.length).toBeGreaterThan(created);
    const hour = Math.floor(nowMs / hourMs);
    expect(countUp(`${hour}`), 'selfies within an hour').toBeLessThanOrEqual(selfiesOfAll);
    if (!mayBeKnown(login)) {
      const ofOne = countUp(`${hour} ${login.person ?? ''}`);
      expect(ofOne, 'strangers’ selfies within an hour').toBeLessThanOrEqual(selfiesOfOne);
    }
    expectTurn(login);
    const { body, diditSessionId } = overheard.latest();
    login.callback = body.callback;
    login.link = answer.location;
    keepSecret(...[body.callback, answer.location].map((url) => url.split('/').at(-1) ?? ''));
    login.selfie = {
      ...{ diditSessionId, vendorData: body.vendor_data, begunAtMs: nowMs },
      ...{ changedByHand: false, isOver: false, mayBeOver: false, codes: 0 },
    };
  }

  /** The other browser begins to sign in as the same person, and would like to take the selfie. */
  async function rival(clientPick: number): Promise<void> {
    const before = logins.length;
    await start(1, clientPick, 'person');
    if (logins.length > before) await press(before);
  }

  function countUp(of: string): number {
    const count = (begun.get(of) ?? 0) + 1;
    begun.set(of, count);
    return count;
  }

  /** I7: nobody is given a selfie of a person whose turn another browser has, unless they were here before. */
  function expectTurn(login: Login): void {
    for (const other of logins) {
      if (other === login || other.person !== login.person) continue;
      const mayPutAside = other.browser === login.browser || mayBeKnown(login);
      if (mayPutAside && other.selfie) other.selfie.mayBeOver = true;
      else expect(hasTurn(other, nowMs), 'two selfies of one person at once').toBe(false);
    }
  }

  /** Somebody opens a link and stands before Didit's camera. The way back is another command. */
  async function takeSelfie(pick: number, by: number, outcome: string): Promise<void> {
    const login = of(logins, pick);
    if (!login?.link || !login.selfie) return;
    const { browser, userAgent } = visitorOf(by);
    const page = await browser.get(login.link);
    if (page.status !== 200) return;
    const done = await browser.post(login.link, { outcome });
    if (done.status >= 400 || login.selfie.taken) return;
    login.selfie.taken = { outcome, atMs: nowMs, userAgent };
  }

  async function comeBack(
    pick: number,
    by: number,
    nonce: 'right' | 'wrong' | 'other',
  ): Promise<void> {
    const login = of(logins, pick);
    if (!login?.callback || !login.selfie) return;
    const other = logins.find((one) => one !== login && one.callback)?.callback;
    const wrong = nonce === 'wrong' ? 'A'.repeat(43) : (other?.split('/').at(-1) ?? 'B'.repeat(43));
    const address = nonce === 'right' ? login.callback : login.callback.replace(/[\w-]+$/, wrong);
    const { browser } = visitorOf(by);
    const before = count('login.foreign');
    seen(await browser.get(`${address}?status=Approved`));
    if (nonce !== 'right') return;
    if (by % 2 === login.browser) login.selfie.returnedAtMs ??= nowMs;
    else login.selfie.foreignAtMs ??= nowMs;
    coverage.foreign += count('login.foreign') - before;
  }

  async function look(pick: number, by: number): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    const { browser } = visitorOf(by);
    noteEnd(login, by, seen(await browser.get(login.here)));
  }

  /** What a page says of the end of a sign-in, to the browser that began it. */
  function noteEnd(login: Login, by: number, page: Answer): void {
    if (by % 2 !== login.browser) return;
    if (page.text.includes('Selfies are paused')) coverage.limited += 1;
    if (heading(page) === 'We could not sign you in' && login.selfie) {
      login.selfie.isOver = true;
      coverage.denied += 1;
    }
  }

  /** I1 to I5: whoever presses the last button, and whatever comes of it. */
  async function finish(pick: number, by: number): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    const { browser } = visitorOf(by);
    const answer = seen(await browser.post(`${login.here}/resume`));
    const last = await browser.follow(answer, (url) => url.startsWith(redirectUri));
    if (!takeCode(by % 2, seen(last).location)) noteEnd(login, by, last);
  }

  /** @returns whether the address has a code in it. */
  function takeCode(at: number, location: string | undefined): boolean {
    const address = location === undefined ? undefined : URL.parse(location);
    const code = address?.searchParams.get('code');
    const request = requests.get(address?.searchParams.get('state') ?? '');
    if (!code || !request) return false;
    const { login, verifier } = request;
    const visitor = visitorOf(at);
    const { selfie } = login;
    const toldAtMs = selfie && overheard.untouchedApprovals.get(selfie.diditSessionId);
    if (selfie && toldAtMs !== undefined) {
      selfie.toldAtMs = toldAtMs;
      // What Didit had told us before somebody changed it stays as it was.
      selfie.changedByHand = false;
    }
    const objection = objectionTo(login, nowMs, people);
    const { proof: before } = visitor;
    const mayUseSession = isGood(before) && at === login.browser && !login.isAnew;
    const proof = objection === undefined ? selfie : before;
    if (!proof || (objection !== undefined && !mayUseSession)) {
      expect.fail(`a code for browser ${at}, although ${objection ?? 'there was no selfie'}`);
    }
    expect(at, 'a code in another browser than the one that asked').toBe(login.browser);
    coverage.codes += 1;
    if (objection !== undefined) coverage.singleSignOn += 1;
    else {
      proof.codes += 1;
      visitor.proof = proof;
      visitor.mayBeKnown ||= !login.isElsewhere;
    }
    keepSecret(code);
    codes.push({ code, verifier, login, proof, issuedAtMs: nowMs, used: false });
    return true;
  }

  async function exchange(pick: number): Promise<void> {
    const issued = of(codes, pick);
    if (!issued) return;
    const { code, verifier, login, proof } = issued;
    const credentials = Buffer.from(`${login.client}:${bed.clientSecret}`).toString('base64');
    const response = await fetch(`${bed.issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({
        ...{ grant_type: 'authorization_code', redirect_uri: redirectUri },
        ...{ code, code_verifier: verifier },
      }),
    });
    expect(response.status).not.toBe(500);
    if (issued.used) {
      expect(response.status, 'a code that was used before').not.toBe(200);
      coverage.replays += 1;
    }
    expectTakenBack(proof, response.status);
    if (response.status !== 200) return;
    issued.used = true;
    coverage.tokens += 1;
    const { id_token, access_token } = (await response.json()) as Record<string, string>;
    const claims = decodeJwt<Claims>(id_token ?? '');
    expectHonest(claims, proof, issued.issuedAtMs);
    keepSecret(access_token ?? '');
    tokens.push({ token: access_token ?? '', proof });
  }

  /** I4: what a borrowed proof opened is worth nothing any more. */
  function expectTakenBack(proof: Selfie, status: number): void {
    if (isGood(proof)) return;
    expect(status, 'what a borrowed proof opened').not.toBe(200);
    coverage.takenBack += 1;
  }

  async function useToken(pick: number): Promise<void> {
    const issued = of(tokens, pick);
    if (!issued) return;
    const headers = { authorization: `Bearer ${issued.token}` };
    const { status } = await fetch(`${bed.issuer}/me`, { headers });
    expect([200, 401]).toContain(status);
    expectTakenBack(issued.proof, status);
  }

  async function ringBell(pick: number, statusPick: number): Promise<void> {
    const id = of(logins, pick)?.selfie?.diditSessionId ?? 'a-session-of-nobody';
    const timestampSeconds = Math.floor(nowMs / 1000);
    const status = of(ringStatuses, statusPick) ?? '';
    rung.push({ id, status, timestampSeconds });
    const selfie = of(logins, pick)?.selfie;
    if (selfie) selfie.mayBeOver = true;
    const answer = await ring(bed, id, status, { timestampSeconds });
    expect([200, 503]).toContain(answer.status);
    coverage.forged += 1;
  }

  /** The very same bytes once more: they have their time. */
  async function ringAgain(pick: number): Promise<void> {
    const before = of(rung, pick);
    if (!before) return;
    const { id, status, timestampSeconds } = before;
    const answer = await ring(bed, id, status, { timestampSeconds });
    const isOld = nowMs - timestampSeconds * 1000 > 300_000;
    expect(isOld ? [401] : [200, 503]).toContain(answer.status);
  }

  /** With every signature but a right one. */
  async function ringForged(pick: number, statusPick: number): Promise<void> {
    const id = of(logins, pick)?.selfie?.diditSessionId ?? 'a-session-of-nobody';
    const timestampSeconds = Math.floor(nowMs / 1000);
    const [none, wrong] = [undefined, 'f'.repeat(64)];
    const signatures: Ring[] = [
      { secret: 'a-secret-of-somebody-else' },
      { headers: { 'X-Signature': none, 'X-Signature-V2': none } },
      { headers: { 'X-Signature': wrong, 'X-Signature-V2': wrong } },
      { body: JSON.stringify({ session_id: id, status: 'Approved', timestamp: timestampSeconds }) },
    ];
    const change = { timestampSeconds, ...of(signatures, statusPick) };
    const { status } = await ring(bed, id, of(ringStatuses, statusPick) ?? '', change);
    expect(status).toBe(401);
  }

  async function changeByHand(pick: number, approve: boolean): Promise<void> {
    const selfie = of(logins, pick)?.selfie;
    if (!selfie) return;
    const change = { new_status: approve ? 'Approved' : 'Declined', comment: 'looked at' };
    const path = `/v3/session/${selfie.diditSessionId}/update-status/`;
    const response = await callDidit(bed, 'PATCH', path, change);
    if (response.status !== 200) return;
    selfie.changedByHand = true;
    coverage.byHand += 1;
  }

  async function leave(pick: number, by: number, stepPick: number): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    const { browser } = visitorOf(by);
    if (login.selfie) login.selfie.mayBeOver = true;
    const answer = seen(await browser.post(`${login.here}/${of(leaving, stepPick)}`));
    takeCode(by % 2, answer.location);
  }

  const count = (event: string): number => bed.events.filter((one) => one.event === event).length;

  return {
    ...{ begin, start, press, rival, takeSelfie, comeBack, look, finish, exchange, useToken },
    ...{ ringBell, ringAgain, ringForged, changeByHand, leave, breathe },
    /** What is under way happens before, so that it is known when it happened. */
    async jump(pick: number): Promise<void> {
      await breathe();
      pass(of(jumpsMs, pick) ?? 0);
    },
    webhooksFail: (pick: number) => disturb({ webhooks: of(webhookFaults, pick) }),
    /** Once or twice, or for as long as the sequence is: then in the way that takes the least time. */
    apiFails(pick: number, times: number) {
      const isLong = times % 7 === 0;
      return disturb({
        api: {
          operation: pick % 3 === 0 ? 'create' : 'decision',
          mode: isLong ? 429 : of(apiFaults, pick),
          times: isLong ? 100 : 1 + (times % 2),
        },
      });
    },
    async mend(): Promise<void> {
      if (!didit.isDisturbed) return;
      didit.isDisturbed = false;
      await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
    },
    async restart(): Promise<void> {
      await breathe();
      await bed.restart(undefined, 'kept');
      coverage.restarts += 1;
    },
    outcomeOf: (pick: number): string => of(outcomes, pick) ?? 'approve',
    /** I6 and I7, over all that happened here. */
    async close(): Promise<void> {
      const { text: stored } = await dumpOf(storeUrl);
      const text = log.text();
      const told = JSON.stringify([...events, ...bed.events]);
      await bed.close();
      vi.useRealTimers();
      // That there is something to be found, where one looks.
      expect(findAny(text, ['webhook'])).toBe('webhook');
      expect(stored.length).toBeGreaterThan(10_000);
      expect(findAny(text, secrets), 'a secret in the log').toBeUndefined();
      expect(findAny(told, secrets), 'a secret in an event').toBeUndefined();
      expect(findAny(stored, secrets), 'a secret in the store').toBeUndefined();
      expect(overheard.creates.length).toBeLessThanOrEqual(3 * pressed);
    },
  };
}
