/** Sessions that end though nobody signed out: the apps that somebody is signed in to are told all the same. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { type Accounts, createAccounts } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import { developmentEnv } from '../config/support.ts';
import { keepLog, overhear } from '../didit/support.ts';
import { createOtherParty, newRequest, signedIn } from '../oidc/support.ts';
import type { TestBrowser } from '../support/browser.ts';
import { createBrowser } from '../support/login.ts';
import { type LogoutListener, listenForLogout } from '../support/logout-listener.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

// A command is a process, whose start takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const overheard = overhear();
const log = keepLog();
let bed: Testbed;
let listener: LogoutListener;
let accounts: Accounts;
let storeEnv: Record<string, string>;

beforeEach(async () => {
  listener = await listenForLogout();
  const [url, encryptionKey] = [await freshRedis(), randomKey()];
  storeEnv = { STORE_URL: url, STORE_ENCRYPTION_KEYS: encryptionKey };
  const app = (client_id: string, more: object = {}): object => ({
    ...{ client_id, token_endpoint_auth_method: 'none', first_party: true },
    redirect_uris: [redirectUri],
    backchannel_logout_uri: `${listener.url}/${client_id}`,
    backchannel_logout_session_required: true,
    ...more,
  });
  bed = await startTestbed({
    flags: {
      store: { url, encryptionKeys: [encryptionKey] },
      outgoing: { allowPrivateNetworks: true },
    },
    ...{ log: log.write, fetch: overheard.fetch, people: 4 },
    clients: [app('wiki'), app('notes', { subject_type: 'pairwise' })],
  });
  // Another process, such as that of an operator's command.
  const { store } = await openStore({ url, encryptionKeys: [encryptionKey], clock: Date.now });
  accounts = createAccounts(store, { clock: Date.now, random: randomKey });
  log.clear();
  return async () => {
    await bed.close();
    await store.close();
    await listener.close();
  };
});

/** Single sign-on to an app. @returns the claims of its ID token. */
async function visit(browser: TestBrowser, clientId: string): Promise<jose.JWTPayload> {
  const config = await createOtherParty(bed, clientId, oidc.None());
  const { parameters, checks } = await newRequest();
  const { location = '' } = await browser.get(oidc.buildAuthorizationUrl(config, parameters).href);
  const tokens = await oidc.authorizationCodeGrant(config, new URL(location), checks);
  return jose.decodeJwt(tokens.id_token ?? '');
}

/** Who was told of whom, so far. */
const told = (): { aud: unknown; sub: unknown; sid: unknown }[] =>
  listener.tokens.map((token) => {
    const { aud, sub, sid } = jose.decodeJwt(token);
    return { aud, sub, sid };
  });
const toldOf = ({ aud, sub, sid }: jose.JWTPayload) =>
  expect.objectContaining({ aud, sub, sid }) as object;
const ended = (): unknown[] =>
  log
    .lines()
    .filter(({ message }) => message === 'sessions ended')
    .map(({ sessions }) => sessions);

async function expectTold(...claims: jose.JWTPayload[]): Promise<void> {
  await vi.waitFor(() => expect(listener.tokens).toHaveLength(claims.length), { timeout: 5_000 });
  expect(told()).toEqual(expect.arrayContaining(claims.map(toldOf)));
}

async function command(...args: string[]): Promise<string> {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const env = { ...developmentEnv, ...storeEnv };
  return (await promisify(execFile)(process.execPath, [main, ...args], { env })).stdout;
}

describe('[PR-19] an app is told', () => {
  it('of each session of somebody who is blocked, and of nobody else', async () => {
    const person = bed.person();
    const [desk, phone, other] = [
      await signedIn(bed, person),
      await signedIn(bed, person),
      await signedIn(bed, bed.person()),
    ];
    const wikis = [await visit(desk, 'wiki'), await visit(phone, 'wiki')] as const;
    const notes = await visit(desk, 'notes');
    await visit(other, 'wiki');
    expect(notes.sub).not.toBe(wikis[0].sub);
    await accounts.setStatus(String(wikis[0].sub), 'blocked');
    await expectTold(...wikis, notes);
    expect(ended()).toEqual([2]);
  });

  it('of nothing, when somebody is let in again', async () => {
    const browser = await signedIn(bed, bed.person());
    const { sub } = await visit(browser, 'wiki');
    await accounts.setStatus(String(sub), 'active');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(listener.tokens).toEqual([]);
  });

  it('of a selfie that turned out to be borrowed, and not of the person’s own session', async () => {
    const person = bed.person();
    const own = await signedIn(bed, person);
    await visit(own, 'wiki');
    // Proofs are told apart by their second.
    const second = Math.floor(Date.now() / 1000);
    await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 2_000 }).not.toBe(second);
    const borrowed = await signedIn(bed, person);
    const claims = await visit(borrowed, 'wiki');
    const notes = await visit(borrowed, 'notes');
    expect((await createBrowser().get(overheard.latest().body.callback)).status).toBe(403);
    await expectTold(claims, notes);
    await visit(own, 'wiki');
    expect(ended()).toEqual([1]);
  });

  it('when the provider was not there at that moment, once it is', async () => {
    const browser = await signedIn(bed, bed.person());
    const claims = await visit(browser, 'wiki');
    await bed.app.close();
    await accounts.setStatus(String(claims.sub), 'blocked');
    await bed.restart();
    await expectTold(claims);
  });

  it.each(['block', 'erase'])('of what an operator does: accounts %s', async (verb) => {
    const person = bed.person();
    const browser = await signedIn(bed, person);
    const claims = await visit(browser, 'wiki');
    expect(await command('accounts', verb, person)).toContain(String(claims.sub));
    await expectTold(claims);
    await vi.waitFor(async () => {
      expect(await accounts.idOf(person)).toBe(verb === 'block' ? claims.sub : undefined);
    }, 5_000);
    await expect(command('accounts', verb, 'nobody@example.com')).rejects.toThrow(
      'nobody signs in',
    );
  });
});

it('[PR-19] a session that has ended by itself is nobody’s to be told of', async () => {
  const browser = await signedIn(bed, bed.person());
  const claims = await visit(browser, 'wiki');
  const page = await browser.get(`${bed.issuer}/session/end`);
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
  await browser.post(`${bed.issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
  await expectTold(claims);
  await accounts.setStatus(String(claims.sub), 'blocked');
  await vi.waitFor(() => expect(ended()).toEqual([0]), { timeout: 5_000 });
  expect(listener.tokens).toHaveLength(1);
});
