/**
 * The whole product and everybody around it: the provider over HTTP on a real Redis, the simulator as Didit, two
 * browsers (0: the attacker's, 1: the victim's), two relying parties, people, an operator, a clock.
 *
 * Each thing that can be done is a method; a command that makes no sense at the moment does nothing. What is seen is
 * written into the model, and each code that comes out is held against it.
 */
import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { expect, vi } from 'vitest';
import { callDidit, keepLog, overhear, ring } from '../didit/support.ts';
import { type Answer, type TestBrowser, chromeOnLinux, createBrowser } from '../support/browser.ts';
import { heading } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed, webhookSecret } from '../support/testbed.ts';
import { type Equipped, equip } from '../support/ways.ts';
import {
  type Claims,
  type Login,
  type Way,
  expectHonest,
  expectHonestCodes,
  forget,
  hasTurn,
  objectionTo,
  objectionToCodes,
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
/** Steps after which nothing counts that was typed before. */
const startingAnew = ['other-way', 'cancel', 'try-again', 'start-over'];
const ways: readonly Way[] = ['totp', 'recovery', 'mail'];
const webhookFaults = ['drop', 'duplicate', 'reorder', 'stale', 'forge', 'delay'] as const;
const apiFaults = [429, 500, 503, 'truncate', 'malformed', 'other_session', 'reset'] as const;
const jumpsMs = [1_000, 3_000, 31_000, 61_000, 121_000, 301_000, 961_000, 86_400_000];
export const peopleOfOneWorld = 240;

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
  /** Codes that people typed and that were taken; sign-ins by two of them. */
  typed: number;
  byCodes: number;
}

export type World = Awaited<ReturnType<typeof createWorld>>;

export async function createWorld(coverage: Coverage) {
  const [overheard, log] = [overhear(), keepLog()];
  // The library, the provider and Didit share one clock, which stands still until it is moved.
  let nowMs = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: nowMs });
  const pass = (ms: number): void => void vi.setSystemTime((nowMs += ms));
  const bed: Testbed = await startTestbed({
    storeUrl: await freshRedis(),
    people: peopleOfOneWorld,
    ...{ fetch: overheard.fetch, log: log.write },
    sleep: () => Promise.resolve(),
    flags: {
      limits: { perHour: 100_000, perDay: 1_000_000, perClientPerHour: 100_000 },
      didit: { createsPerMinute: 100_000 },
    },
    simulator: { webhookRetryDelaysMs: [] },
  });
  const store = await bed.openStore();
  const people = new Set<string>();
  const secrets = new Set<string>([webhookSecret, bed.clientSecret]);
  const events: unknown[] = [];
  let pressed = 0;
  /** Who is signed in, and by which login. */
  let browsers: { browser: TestBrowser; userAgent: string; signedInAs: Map<string, Login> }[] = [];
  /** What the person has at hand, and what of it was taken before. */
  let equipped: (Equipped & { spent: Set<string>; lastStep: number }) | undefined;
  let logins: Login[] = [];
  let codes: {
    code: string;
    verifier: string;
    login: Login;
    used: boolean;
    viaSession: boolean;
    bySelfie: boolean;
    byCodes: boolean;
  }[] = [];
  let requests = new Map<string, { login: Login; verifier: string }>();
  let person = '';

  /** Nobody is ever shown a defect. */
  function seen(answer: Answer): Answer {
    expect(answer.status, `${answer.url} answered 500`).not.toBe(500);
    return answer;
  }

  function begin(sameKind: boolean): void {
    // What Didit asked us to wait for, and the minute's budget, are over.
    pass(61_000);
    person = bed.person();
    people.add(person);
    secrets.add(person);
    browsers = [chromeOnLinux, sameKind ? chromeOnLinux : firefox].map((userAgent) => ({
      browser: createBrowser({ userAgent }),
      userAgent,
      signedInAs: new Map<string, Login>(),
    }));
    equipped = undefined;
    events.push(...bed.events.splice(0));
    logins = [];
    codes = [];
    requests = new Map();
  }

  const of = <T>(list: readonly T[], pick: number): T | undefined => list[pick % list.length];
  const browserOf = (pick: number) => browsers[pick % 2]!;

  /** A login is begun and, unless somebody is signed in already, a name is typed. */
  async function start(pick: number, clientPick: number, who: 'person' | 'unknown'): Promise<void> {
    const at = pick % 2;
    const { browser, userAgent } = browserOf(at);
    const client = of(clients, clientPick) ?? 'first';
    const verifier = createHash('sha256')
      .update(`${Math.floor(nowMs)}${requests.size}`)
      .digest('base64url');
    const state = `state-${requests.size}`;
    const typed = { right: [], codes: 0 };
    const login: Login = { browser: at, userAgent, client, begunAtMs: nowMs, typed };
    requests.set(state, { login, verifier });
    const query = new URLSearchParams({
      ...{ client_id: client, redirect_uri: redirectUri, response_type: 'code', state },
      ...{ scope: 'openid', code_challenge_method: 'S256' },
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    });
    const first = seen(await browser.get(`${bed.issuer}/auth?${query.toString()}`));
    if (takeCode(at, first.location)) return;
    if (!first.location?.includes('/interaction/')) return;
    login.here = first.location.replace(/\?.*/, '');
    seen(await browser.get(first.location));
    login.person = who === 'person' ? person : `nobody-${requests.size}@example.com`;
    seen(await browser.post(`${login.here}/identify`, { identifier: login.person }));
    logins.push(login);
  }

  async function press(pick: number): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    pressed += 1;
    const created = overheard.creates.length;
    const { browser } = browserOf(login.browser);
    const answer = seen(await browser.post(`${login.here}/selfie`));
    // After one code a selfie is another beginning; after two the door is open already.
    if (login.typed.right.length < 2) forget(login.typed);
    if (!answer.location?.startsWith(bed.simulatorUrl)) return;
    expect(overheard.creates.length).toBeGreaterThan(created);
    expectTurn(login);
    const { body, diditSessionId } = overheard.latest();
    login.callback = body.callback;
    login.link = answer.location;
    secrets.add(body.callback.split('/').at(-1) ?? '');
    secrets.add(answer.location.split('/').at(-1) ?? '');
    login.selfie = {
      ...{ diditSessionId, vendorData: body.vendor_data, begunAtMs: nowMs },
      ...{ changedByHand: false, isOver: false, mayBeOver: false, codes: 0 },
    };
  }

  /** I7: nobody is given a selfie of a person whose turn another browser has, unless they were here before. */
  function expectTurn(login: Login): void {
    for (const other of logins) {
      if (other === login || other.person !== login.person) continue;
      const mayPutAside =
        other.browser === login.browser ||
        browserOf(login.browser).signedInAs.has(login.person ?? '');
      if (mayPutAside && other.selfie) other.selfie.mayBeOver = true;
      else expect(hasTurn(other, nowMs), 'two selfies of one person at once').toBe(false);
    }
  }

  /** Somebody opens a link and stands before Didit's camera. The way back is another command. */
  async function takeSelfie(pick: number, by: number, outcome: string): Promise<void> {
    const login = of(logins, pick);
    if (!login?.link || !login.selfie) return;
    const { browser, userAgent } = browserOf(by);
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
    const { browser } = browserOf(by);
    const before = count('login.foreign');
    seen(await browser.get(`${address}?status=Approved`));
    if (nonce !== 'right') return;
    if (by % 2 === login.browser) login.selfie.returnedAtMs ??= nowMs;
    else {
      login.selfie.foreignAtMs ??= nowMs;
      for (const { signedInAs } of browsers) {
        for (const [name, by] of signedInAs) {
          if (by === login && login.selfie.codes > 0) signedInAs.delete(name);
        }
      }
    }
    coverage.foreign += count('login.foreign') - before;
  }

  async function look(pick: number, by: number): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    const { browser } = browserOf(by);
    const page = seen(await browser.get(login.here));
    if (by % 2 !== login.browser) return;
    if (heading(page) === 'We could not sign you in' && login.selfie) {
      login.selfie.isOver = true;
      coverage.denied += 1;
    }
  }

  /** I1 to I5: whoever presses the last button, and whatever comes of it. */
  async function finish(pick: number, by: number): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    const { browser } = browserOf(by);
    const answer = seen(await browser.post(`${login.here}/resume`));
    const last = await browser.follow(answer, (url) => url.startsWith(redirectUri));
    takeCode(by % 2, seen(last).location);
  }

  /** @returns whether the address has a code in it. */
  function takeCode(at: number, location: string | undefined): boolean {
    const address = location === undefined ? undefined : URL.parse(location);
    const code = address?.searchParams.get('code');
    const request = requests.get(address?.searchParams.get('state') ?? '');
    if (!code || !request) return false;
    const { login, verifier } = request;
    const { signedInAs } = browserOf(at);
    const { selfie } = login;
    // What Didit had told us before somebody changed it stays as it was.
    if (selfie && overheard.untouchedApprovals.has(selfie.diditSessionId)) {
      selfie.changedByHand = false;
    }
    const objections = [
      objectionTo(login, nowMs, people),
      objectionToCodes(login, nowMs, people),
    ] as const;
    const [bySelfie, byCodes] = objections.map((one) => one === undefined) as [boolean, boolean];
    const viaSession = !bySelfie && !byCodes && signedInAs.size > 0 && at === login.browser;
    if (!bySelfie && !byCodes && !viaSession) {
      expect.fail(`a code for browser ${at}, although ${objections.join(', and ')}`);
    }
    expect(at, 'a code in another browser than the one that asked').toBe(login.browser);
    coverage.codes += 1;
    if (viaSession) coverage.singleSignOn += 1;
    else {
      if (selfie && bySelfie) selfie.codes += 1;
      if (byCodes) login.typed.codes += 1;
      signedInAs.set(login.person ?? '', login);
    }
    secrets.add(code);
    codes.push({ code, verifier, login, used: false, viaSession, bySelfie, byCodes });
    return true;
  }

  async function exchange(pick: number): Promise<void> {
    const issued = of(codes, pick);
    if (!issued) return;
    const { code, verifier, login } = issued;
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
    if (response.status !== 200) return;
    issued.used = true;
    coverage.tokens += 1;
    const { id_token } = (await response.json()) as { id_token: string };
    const claims = decodeJwt<Claims>(id_token);
    if (issued.viaSession) return;
    if (issued.byCodes && claims.acr.includes('fallback')) {
      expectHonestCodes(claims, login.typed, nowMs);
      coverage.byCodes += 1;
    } else {
      expect(issued.bySelfie, 'a token that speaks of a selfie').toBe(true);
      if (login.selfie) expectHonest(claims, login.selfie, nowMs);
    }
  }

  /** A code is asked for instead of a selfie. @param isGood in a way that was not used yet. */
  async function ask(pick: number, by: number, wayPick: number, isGood: boolean): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here) return;
    const { typed } = login;
    const left = ways.filter((way) => !isGood || !typed.right.some((one) => one.way === way));
    const way = of(left, wayPick) ?? 'totp';
    const mailsBefore = bed.mails.length;
    const answer = seen(await browserOf(by).browser.post(`${login.here}/factor`, { factor: way }));
    if (by % 2 !== login.browser || answer.status !== 303) return;
    if (login.selfie) login.selfie.mayBeOver = true;
    // Whoever asks for more than two begins anew.
    if (typed.right.length >= 2) forget(typed);
    if (typed.right.some((one) => one.way === way)) return;
    typed.asked = way;
    if (way !== 'mail') return;
    delete typed.mailed;
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
    const [mail, ...others] = bed.mails.slice(mailsBefore);
    if (mail?.message.kind !== 'code' || others.length > 0) return;
    typed.mailed = { code: mail.message.code, atMs: nowMs };
  }

  /** The person types what they have, or somebody types what they should not have. */
  async function type(
    pick: number,
    by: number,
    what: 'right' | 'wrong' | 'spent' | 'other',
  ): Promise<void> {
    const login = of(logins, pick);
    if (!login?.here || login.typed.asked === undefined) return;
    if (people.has(login.person ?? '') && !equipped) {
      const own = await equip(store, person);
      equipped = { ...own, spent: new Set(), lastStep: 0 };
      for (const code of own.paper) secrets.add(code);
    }
    const { typed, here } = login;
    const way = login.typed.asked;
    const code = codeFor(login, way, what);
    if (code === undefined) return;
    const isGenuine = genuine(login, way, code);
    const { browser } = browserOf(by);
    const answer = seen(await browser.post(`${here}/answer`, { answer: code }));
    if (by % 2 !== login.browser || answer.status !== 303) return;
    const page = seen(await browser.follow(answer));
    const wanted = typed.right.length === 0 ? 'One more step' : 'It is you';
    if (heading(page) !== wanted) return;
    expect(isGenuine, `${way}: a code that was not right was taken`).toBe(true);
    typed.right.push({ way, atMs: nowMs });
    delete typed.asked;
    equipped?.spent.add(code);
    if (way === 'totp' && equipped) equipped.lastStep = Math.max(equipped.lastStep, stepOf(code));
    coverage.typed += 1;
  }

  function codeFor(
    login: Login,
    way: Way,
    what: 'right' | 'wrong' | 'spent' | 'other',
  ): string | undefined {
    if (what === 'wrong') return 'not a code';
    if (what === 'spent') return of([...(equipped?.spent ?? [])], nowMs);
    if (what === 'other') {
      return logins.find((one) => one !== login && one.typed.mailed)?.typed.mailed?.code;
    }
    if (way === 'mail') return login.typed.mailed?.code;
    if (way === 'recovery') return equipped?.paper.find((code) => !equipped?.spent.has(code));
    return [-1, 0, 1]
      .map((steps) => equipped?.app(steps) ?? '')
      .find((code) => !equipped?.spent.has(code));
  }

  /** In the words of the requirements: the person's own, of this sign-in if mailed, in time, and new. */
  function genuine({ typed, person: who }: Login, way: Way, code: string): boolean {
    if (who !== person || !equipped) return false;
    if (way === 'mail') {
      const { mailed } = typed;
      return mailed?.code === code && nowMs < mailed.atMs + 600_000;
    }
    if (equipped.spent.has(code)) return false;
    return way === 'recovery' ? equipped.paper.includes(code) : stepOf(code) > equipped.lastStep;
  }

  /** The step of now, or of next to now, at which the app shows this; 0 when it does not. */
  function stepOf(code: string): number {
    const steps = [-1, 0, 1].find((one) => equipped?.app(one) === code);
    return steps === undefined ? 0 : Math.floor(nowMs / 30_000) + steps;
  }

  async function ringBell(pick: number, statusPick: number, genuine: boolean): Promise<void> {
    const id = of(logins, pick)?.selfie?.diditSessionId ?? 'a-session-of-nobody';
    const change = {
      timestampSeconds: Math.floor(nowMs / 1000),
      ...(genuine ? {} : { secret: 'a-secret-of-somebody-else' }),
    };
    const { status } = await ring(bed, id, of(ringStatuses, statusPick) ?? '', change);
    const selfie = of(logins, pick)?.selfie;
    if (genuine && selfie) selfie.mayBeOver = true;
    expect([200, 401, 503]).toContain(status);
    if (genuine) coverage.forged += 1;
    else expect(status).toBe(401);
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
    const { browser } = browserOf(by);
    if (login.selfie) login.selfie.mayBeOver = true;
    const step = of(leaving, stepPick) ?? '';
    const answer = seen(await browser.post(`${login.here}/${step}`));
    if (by % 2 === login.browser && startingAnew.includes(step)) forget(login.typed);
    takeCode(by % 2, answer.location);
  }

  const count = (event: string): number => bed.events.filter((one) => one.event === event).length;

  return {
    ...{ begin, start, press, takeSelfie, comeBack, look, finish, exchange },
    ...{ ringBell, changeByHand, leave, ask, type },
    jump: (pick: number): void => pass(of(jumpsMs, pick) ?? 0),
    webhooksFail: (pick: number) => bed.control('faults', { webhooks: of(webhookFaults, pick) }),
    apiFails: (pick: number, times: number) =>
      bed.control('faults', {
        api: {
          operation: pick % 3 === 0 ? 'create' : 'decision',
          mode: of(apiFaults, pick),
          times: 1 + (times % 2),
        },
      }),
    async mend(): Promise<void> {
      await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
    },
    async restart(): Promise<void> {
      await bed.restart();
      coverage.restarts += 1;
    },
    /** Lets Didit's webhooks arrive. */
    breathe: () => new Promise<void>((resolve) => setTimeout(resolve, 8)),
    outcomeOf: (pick: number): string => of(outcomes, pick) ?? 'approve',
    /** I6 and I7, over all that happened here. */
    async close(): Promise<void> {
      const text = log.text();
      const told = JSON.stringify([...events, ...bed.events]);
      await store.close();
      await bed.close();
      vi.useRealTimers();
      for (const secret of secrets) {
        expect(text.includes(secret), 'a secret in the log').toBe(false);
        expect(told.includes(secret), 'a secret in an event').toBe(false);
      }
      expect(overheard.creates.length).toBeLessThanOrEqual(3 * pressed);
    },
  };
}
