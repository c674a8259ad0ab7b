/**
 * What a login costs at Redis, counted at the client. Each command is a trip, or a share of one, and a regression
 * here shows in no other test: everything still works, only slower.
 *
 * The clock stands still, so the reconcile timer finds nothing due. It looks every half second all the same, login
 * or no login, and that look, `zrangebyscore` of the list of due attempts, is the one command that is left out.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type TestBrowser, createBrowser } from '../support/browser.ts';
import { heading, isCallback, press, takeSelfie } from '../support/login.ts';
import { freshRedis, isMeter, noteCommands } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

const timersOwn = 'zrangebyscore';
const plainSecret = 'a-client-secret-of-32-characters';

type Part = 'oidc' | 'didit' | 'refresh';
interface Row {
  part: Part;
  request: string;
  commands: string[];
}

let testbed: Testbed;
let sent: readonly string[] = [];

beforeAll(async () => {
  const standingStill = Date.now();
  testbed = await startTestbed({
    storeUrl: await freshRedis(),
    clock: () => standingStill,
    clients: [
      {
        client_id: 'plain',
        client_secret: plainSecret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code'],
        first_party: true,
      },
    ],
  });
  if (!testbed.app.redis) throw new Error('the store is not on Redis');
  // The first look at whose time is over comes soon after the start, and is no part of a login.
  const store = await testbed.openStore();
  const isSwept = async () =>
    expect((await store.get('retention:state'))?.value).toContain('sweptAtMs');
  await vi.waitFor(isSwept, { timeout: 10_000 });
  await store.close();
  sent = noteCommands(testbed.app.redis);
});
afterAll(() => testbed.close());

it('a full login sends at most 26 commands for OpenID and 29 for Didit, a refresh at most 5', async () => {
  // Scripts are loaded by whoever is first after a start; that is not what a login costs.
  await signInCounted('ana@example.com', 'first');
  const rows = await signInCounted('ben@example.com', 'plain');
  const withRefresh = await signInCounted('chiyo@example.com', 'first');
  print(rows);
  print(withRefresh);
  // Four of them are for the next one: why it went so, which nobody waits for, and what is familiar of the account.
  expect(commandsOf(rows, 'oidc').length).toBeLessThanOrEqual(26);
  // Two of them are for later: what it is counted as is taken out once, and an approval is remembered for as long as
  // something hangs on it, so that it can be taken back. Both go together with what wakes the page: nobody waits.
  expect(commandsOf(rows, 'didit').length).toBeLessThanOrEqual(29);
  // A client that refreshes has one record more, its refresh token.
  expect(commandsOf(withRefresh, 'oidc').length).toBeLessThanOrEqual(27);
  // All three were in a new browser, and are told so by mail: a link that ends what it opened, and the queue.
  for (const one of [rows, withRefresh]) expect(toldIn(one).length).toBeLessThanOrEqual(10);
  expect(commandsOf(withRefresh, 'refresh').length).toBeLessThanOrEqual(5);
  // Nobody waits for it: a block, its place among those of the account, and now and then where the chain ends.
  const blocks = await auditWrites(3);
  console.log(`for the audit log, in three logins: ${blocks.join(' · ')}\n`);
  expect(blocks.length).toBeLessThanOrEqual(3 * 3);
  await vi.waitFor(() => expect(sent.filter(isMeter).length).toBeGreaterThan(0), {
    timeout: 10_000,
  });
  expect(sent.filter(isMeter).length).toBeLessThanOrEqual(3 * 2);
  // Nothing was overlooked: every request of both parts needs the store.
  expect(withRefresh.filter(({ commands }) => commands.length === 0)).toEqual([]);
});

/** One request after the other, and the webhook only once the page waits, so that each command has one cause. */
async function signInCounted(identifier: string, clientId: string): Promise<Row[]> {
  const rows: Row[] = [];
  const browser = createBrowser();
  await testbed.control('faults', { webhooks: { mode: 'withhold' } });

  async function counted<T>(part: Part, request: string, act: () => Promise<T>): Promise<T> {
    const before = sent.length;
    const result = await act();
    const commands = sent
      .slice(before)
      .filter(
        (command) => !command.startsWith(timersOwn) && !isAudit(command) && !isMeter(command),
      );
    rows.push({ part, request, commands });
    return result;
  }

  const { url, verifier } = authorizationRequest(clientId);
  const begun = await counted('oidc', 'GET /auth', () => browser.get(url));
  const first = begun.location!;
  const address = first.replace('?begin', '');
  const page = (): ReturnType<TestBrowser['get']> => browser.get(address);

  const identify = await counted('oidc', 'GET …/:uid (first)', () => browser.get(first));
  await counted('didit', 'POST …/identify', () =>
    press(browser, identify, 'identify', { identifier }),
  );
  const capture = await counted('didit', 'GET …/:uid (context)', page);
  const leaving = await counted('didit', 'POST …/selfie', () => press(browser, capture, 'selfie'));
  const didit = await browser.get(leaving.location!);
  const returning = (await takeSelfie(browser, didit, 'approve')).location!;
  await counted('didit', 'GET …/didit/:nonce', () => browser.get(returning));
  const waiting = await counted('didit', 'GET …/:uid (waiting)', page);
  expect(heading(waiting)).toBe('Checking your selfie');
  const rung = await counted('didit', 'GET …/events', () => openEvents(browser, address));
  await counted('didit', 'POST /webhooks/didit, page rung', async () => {
    await releaseWebhooks();
    expect(await rung.text()).toContain('data: look again');
  });
  const ready = await counted('didit', 'GET …/:uid (ready)', page);

  const resumed = await counted('oidc', 'POST …/resume', () => press(browser, ready, 'resume'));
  const back = await counted('oidc', 'GET /auth/:uid', () => browser.get(resumed.location!));
  expect(back.location).toSatisfy(isCallback);
  const code = new URL(back.location!).searchParams.get('code')!;
  const tokens = await counted('oidc', 'POST /token (code)', () =>
    token(clientId, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }),
  );
  const claims = await counted('oidc', 'GET /me', () => userinfo(tokens.access_token));
  expect(claims).toMatchObject({ email: identifier });
  const { refresh_token } = tokens;
  if (refresh_token === undefined) return rows;
  const next = await counted('refresh', 'POST /token (refresh)', () =>
    token(clientId, { grant_type: 'refresh_token', refresh_token }),
  );
  expect(next.refresh_token).not.toBe(refresh_token);
  return rows;
}

function authorizationRequest(clientId: string): { url: string; verifier: string } {
  const verifier = randomBytes(32).toString('base64url');
  const parameters = new URLSearchParams({
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  return { url: `${testbed.issuer}/auth?${parameters.toString()}`, verifier };
}

/** Resolves when the stream is open: the page listens from then on. */
async function openEvents(browser: TestBrowser, address: string): Promise<Response> {
  const response = await fetch(`${address}/events`, {
    headers: { cookie: await browser.jar.getCookieString(`${address}/events`) },
  });
  expect(response.status).toBe(200);
  return response;
}

/** Resolves when the provider has answered all of them. */
async function releaseWebhooks(): Promise<void> {
  const answered = async (): Promise<number> => (await testbed.log()).webhooks.length;
  const before = await answered();
  const { released } = (await testbed.control('webhooks/release', {})) as { released: number };
  expect(released).toBeGreaterThan(0);
  while ((await answered()) < before + released) await sleep(10);
}

async function token(
  clientId: string,
  parameters: Record<string, string>,
): Promise<{ access_token: string; refresh_token?: string }> {
  const secret = clientId === 'plain' ? plainSecret : testbed.clientSecret;
  const basic = Buffer.from(`${clientId}:${secret}`).toString('base64');
  const response = await fetch(`${testbed.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    headers: { authorization: `Basic ${basic}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { access_token: string; refresh_token?: string };
}

async function userinfo(accessToken: string): Promise<unknown> {
  const response = await fetch(`${testbed.issuer}/me`, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  return response.json();
}

/** What selfies came to, and how sign-ins ended, is gathered for two seconds and written for all of that time at once. */
const isAudit = (command: string): boolean => /^\w+ audit(-\w+)?$/.test(command);

/** What was written for so many logins, once all of it is there. */
async function auditWrites(logins: number): Promise<string[]> {
  const store = await testbed.openStore();
  const blocks = async (): Promise<string> => {
    const found = await store.getMany(Array.from({ length: 20 }, (_, at) => `audit:${at + 1}`));
    return found.map((block) => block?.value ?? '').join('');
  };
  await vi.waitFor(
    async () => expect((await blocks()).match(/login\.completed/g)).toHaveLength(logins),
    { timeout: 5_000, interval: 50 },
  );
  await store.close();
  return sent.filter((command) => isAudit(command) && !command.startsWith('get '));
}

const isTelling = (command: string): boolean => /^\w+ (mails?|tickets?)$/.test(command);

function commandsOf(rows: Row[], part: Part): string[] {
  return rows
    .filter((row) => row.part === part)
    .flatMap(({ commands }) => commands)
    .filter((command) => !isTelling(command));
}

/** What it takes to write to the person: by the process that has time for it, at about this moment. */
function toldIn(rows: Row[]): string[] {
  return rows.flatMap(({ commands }) => commands).filter(isTelling);
}

function print(rows: Row[]): void {
  const lines = rows.map(({ part, request, commands }) =>
    [part.padEnd(8), request.padEnd(34), String(commands.length).padStart(2), commands.join(' · ')]
      .join(' ')
      .trimEnd(),
  );
  const sums = (['oidc', 'didit', 'refresh'] as const).map(
    (part) => `${part} ${commandsOf(rows, part).length}`,
  );
  console.log(['', ...lines, '', `in all: ${sums.join(', ')}`, ''].join('\n'));
}
