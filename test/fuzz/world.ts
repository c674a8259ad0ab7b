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
import { type Claims, type Login, expectHonest, hasTurn, objectionTo } from './model.ts';

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
  const people = new Set<string>();
  const secrets = new Set<string>([webhookSecret, bed.clientSecret]);
  const events: unknown[] = [];
  let pressed = 0;
  let browsers: { browser: TestBrowser; userAgent: string; signedInAs: Set<string> }[] = [];
  let logins: Login[] = [];
  let codes: {
    code: string;
    verifier: string;
    login: Login;
    used: boolean;
    viaSession: boolean;
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
      signedInAs: new Set<string>(),
    }));
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
    const login: Login = { browser: at, userAgent, client, begunAtMs: nowMs };
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
      for (const one of browsers) if (login.selfie.codes > 0) one.signedInAs.clear();
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
    const objection = objectionTo(login, nowMs, people);
    const viaSession = objection !== undefined && signedInAs.size > 0 && at === login.browser;
    if (objection !== undefined && !viaSession) {
      expect.fail(`a code for browser ${at}, although ${objection}`);
    }
    expect(at, 'a code in another browser than the one that asked').toBe(login.browser);
    coverage.codes += 1;
    if (viaSession) coverage.singleSignOn += 1;
    else {
      if (selfie) selfie.codes += 1;
      signedInAs.add(login.person ?? '');
    }
    secrets.add(code);
    codes.push({ code, verifier, login, used: false, viaSession });
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
    if (!issued.viaSession && login.selfie) expectHonest(claims, login.selfie, nowMs);
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
    const answer = seen(await browser.post(`${login.here}/${of(leaving, stepPick)}`));
    takeCode(by % 2, answer.location);
  }

  const count = (event: string): number => bed.events.filter((one) => one.event === event).length;

  return {
    ...{ begin, start, press, takeSelfie, comeBack, look, finish, exchange },
    ...{ ringBell, changeByHand, leave },
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
