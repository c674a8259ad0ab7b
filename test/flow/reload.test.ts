/** A configuration is exchanged below people who are in the middle of something. */
import * as jose from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Configured } from '../../src/app-doors.ts';
import { generateJwks, generateSigningKey, randomKey } from '../../src/config/keys.ts';
import { isoSeconds } from '../../src/domain/dated.ts';
import { withNewKey } from '../../src/domain/signing-keys.ts';
import { visit } from '../faults/people.ts';
import {
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  signIn,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, type TestbedOptions, startTestbed } from '../support/testbed.ts';

async function start(options: TestbedOptions = {}): Promise<Testbed> {
  const bed = await startTestbed(options);
  onTestFinished(() => bed.close());
  return bed;
}

/** New keys for both algorithms sign from now on; the ones before stay in the set. */
async function rotated({ keys }: { keys: jose.JWK[] }): Promise<{ keys: jose.JWK[] }> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const fresh = await Promise.all(['ES256', 'RS256'].map(generateSigningKey));
  const dates = { nowSeconds, signsFrom: nowSeconds, keptForSeconds: 3_600 };
  return { keys: fresh.reduce<jose.JWK[]>((all, key) => withNewKey(all, key, dates), keys) };
}

const withCookieKeys = (now: Configured, keys: string[]): Configured => ({
  ...now,
  config: { ...now.config, cookies: { keys } },
});

/** Nor does a page learn of a verdict by asking, as it does after a second. */
const unreadable = { operation: 'decision', mode: 503, times: 1_000 };

describe('a login that began before', () => {
  it.each([
    ['SQLite', () => Promise.resolve('sqlite::memory:')],
    ['Redis', freshRedis],
  ])('[PL-03] ends after everything was rotated, on %s', async (_, storeUrl) => {
    const bed = await start({ storeUrl: await storeUrl() });
    const [party, browser] = [await createParty(bed), createBrowser()];
    const request = await party.begin();
    const didit = await toSelfie(browser, request);
    await bed.reload(async (now) => {
      const { config } = withCookieKeys(now, [randomKey(), ...now.config.cookies.keys]);
      const encryptionKeys = [randomKey(), ...config.store.encryptionKeys];
      const store = { ...config.store, encryptionKeys };
      return { ...now, config: { ...config, store }, jwks: await rotated(now.jwks) };
    });
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    const { location = '' } = await settle(browser, await press(browser, ready, 'resume'));
    const tokens = await request.finish(location);
    const keySet = jose.createRemoteJWKSet(new URL(`${bed.issuer}/jwks`));
    await jose.jwtVerify(tokens.id_token ?? '', keySet, { issuer: bed.issuer });
    expect(tokens.claims()?.email).toBe('ana@example.com');
  });

  it('[PL-03] a page that waits is told to look again, and hears of the verdict from the new one', async () => {
    const bed = await start();
    const [party, browser] = [await createParty(bed), createBrowser()];
    const request = await party.begin();
    const didit = await toSelfie(browser, request);
    await bed.control('faults', { webhooks: 'withhold', api: unreadable });
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    expect(heading(back)).toBe('Checking your selfie');
    const events = `${back.url.split('?')[0]}/events`;
    const cookie = await browser.jar.getCookieString(events);
    const listen = () => fetch(events, { headers: { cookie } });
    const before = await listen();
    await bed.reload((now) => now);
    expect(await before.text()).toBe('retry: 1000\n\nretry: 1000\n\n');
    const after = await listen();
    await fetch(`${bed.simulatorUrl}/control/faults`, { method: 'DELETE' });
    await bed.control('webhooks/release', {});
    expect(await after.text()).toContain('look again');
  });
});

describe('a reload', () => {
  it.each([
    ['SQLite', () => Promise.resolve('sqlite::memory:')],
    ['Redis', freshRedis],
  ])('[PL-03] turns nobody away, in whatever step they are, on %s', async (_, storeUrl) => {
    const bed = await start({ storeUrl: await storeUrl(), people: 500 });
    const party = await createParty(bed);
    let isDone = false;
    async function reloads(): Promise<void> {
      for (let times = 0; times < 6; times += 1) {
        await bed.reload((now) => withCookieKeys(now, [randomKey(), ...now.config.cookies.keys]));
      }
    }
    async function visits(): Promise<boolean[]> {
      const arrived: boolean[] = [];
      while (!isDone) {
        const person = bed.person();
        const ended = await visit(party, person);
        arrived.push('email' in ended && ended.email === person);
      }
      return arrived;
    }
    const [, ...arrived] = await Promise.all([
      reloads().finally(() => (isDone = true)),
      ...Array.from({ length: 4 }, visits),
    ]);
    expect(arrived.flat().length).toBeGreaterThan(3);
    expect(arrived.flat()).not.toContain(false);
  });
});

describe('a cookie key', () => {
  it('[PL-03] that is older keeps people signed in', async () => {
    const bed = await start();
    const [party, browser] = [await createParty(bed), createBrowser()];
    await signIn(browser, await party.begin());
    await bed.reload((now) => withCookieKeys(now, [randomKey(), ...now.config.cookies.keys]));
    const { location } = await settle(browser, await browser.get((await party.begin()).url));
    expect(location).toContain('code=');
  });

  it('[PL-03] that is gone has people sign in again, and nobody sees an error', async () => {
    const bed = await start();
    const [party, browser] = [await createParty(bed), createBrowser()];
    await signIn(browser, await party.begin());
    await bed.reload((now) => withCookieKeys(now, [randomKey()]));
    const page = await settle(browser, await browser.get((await party.begin()).url));
    expect({ status: page.status, location: page.location }).toEqual({ status: 200 });
    const callback = await signIn(browser, await party.begin());
    expect(callback).toContain('code=');
  });

  it('[PL-03] that was there before it was used is no other key when its time comes', async () => {
    let nowMs = Date.now();
    const bed = await start({ clock: () => nowMs });
    const [party, browser] = [await createParty(bed), createBrowser()];
    const mark = await bed.app.keyMark(nowMs);
    await bed.reload((now) =>
      withCookieKeys(now, [
        `${randomKey()} from ${isoSeconds(nowMs + 60_000)}`,
        ...now.config.cookies.keys,
      ]),
    );
    const coming = await bed.app.keyMark(nowMs);
    await signIn(browser, await party.begin());
    nowMs += 61_000;
    const begun = await bed.app.keyMark(nowMs);
    expect(new Set([mark, coming, begun]).size).toBe(3);
    await bed.reload((now) => now);
    const { location } = await settle(browser, await browser.get((await party.begin()).url));
    expect(location).toContain('code=');
  });
});

describe('an ID token that an earlier key signed', () => {
  it('[PL-03] is still a hint, as long as the key is published', async () => {
    const bed = await start();
    const [party, browser] = [await createParty(bed), createBrowser()];
    const request = await party.begin();
    const hint = (await request.finish(await signIn(browser, request))).id_token ?? '';
    let known: { keys: jose.JWK[] } = { keys: [] };
    await bed.reload(async (now) => {
      known = now.jwks;
      return { ...now, jwks: await rotated(now.jwks) };
    });
    const silent = async () =>
      settle(
        browser,
        await browser.get(
          (await party.begin({ prompt: 'none', id_token_hint: hint, scope: 'openid' })).url,
        ),
      );
    expect((await silent()).location).toContain('code=');
    const { kid } = jose.decodeProtectedHeader(hint);
    const { keys } = (await (await fetch(`${bed.issuer}/jwks`)).json()) as jose.JSONWebKeySet;
    expect(keys.map((key) => key.kid)).toContain(kid);
    expect(JSON.stringify(keys)).not.toMatch(/"d":|signs_from|retires_at|published_at/);

    const left = known.keys.map((key) => key.kid);
    await bed.reload((now) => ({
      ...now,
      jwks: { keys: now.jwks.keys.filter((key) => !left.includes(key.kid)) },
    }));
    expect((await silent()).location).toContain('error=invalid_request');
  });
});

describe('what cannot be used', () => {
  const broken: [string, (now: Configured) => Configured | Promise<Configured>, RegExp][] = [
    ['a key set without RS256', (now) => withSet(now, now.jwks.keys.slice(0, 1)), /RS256/],
    ['a key whose halves are of two', mixed, /does not work/],
    [
      'keys that are all retired',
      (now) =>
        withSet(
          now,
          now.jwks.keys.map((key) => ({ ...key, retires_at: 1 })),
        ),
      /all are retired/,
    ],
    [
      'another key of the store',
      (now) => ({
        ...now,
        config: { ...now.config, store: { ...now.config.store, encryptionKeys: [randomKey()] } },
      }),
      /is not configured/,
    ],
    [
      'a file of accounts that is not there',
      (now) => ({ ...now, config: { ...now.config, accountsFile: '/nowhere' } }),
      /ENOENT/,
    ],
    [
      'a configuration that cannot be read',
      () => Promise.reject(new Error('the configuration has a problem')),
      /has a problem/,
    ],
  ];

  it.each(broken)('[PL-03] %s never stops what is in force', async (_, change, reason) => {
    const bed = await start({ storeUrl: await freshRedis() });
    const party = await createParty(bed);
    const refused = bed.app.reload(async () => change(bed.configured()));
    await expect(refused).rejects.toThrow(reason);
    const ready = await fetch(`${bed.managementUrl}/readyz`);
    expect(ready.status).toBe(200);
    const body = (await ready.json()) as { reload_failed?: string };
    expect(body.reload_failed).toMatch(reason);
    const metrics = async () => (await fetch(`${bed.managementUrl}/metrics`)).text();
    expect(await metrics()).toContain('config_reload_failed 1');
    expect(await signIn(createBrowser(), await party.begin())).toContain('code=');

    await bed.reload((now) => now);
    expect(await (await fetch(`${bed.managementUrl}/readyz`)).json()).toEqual({ status: 'ready' });
    expect(await metrics()).toContain('config_reload_failed 0');
  });

  it('[PL-03] [PL-24] is not what the metrics are about from then on', async () => {
    const bed = await start({ storeUrl: await freshRedis() });
    const party = await createParty(bed);
    const browser = createBrowser();
    await bed.control('faults', { webhooks: 'withhold', api: unreadable });
    const didit = await toSelfie(browser, await party.begin());
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const events = `${back.url.split('?')[0]}/events`;
    const cookie = await browser.jar.getCookieString(events);
    const listening = await fetch(events, { headers: { cookie } });
    const metrics = async () => (await fetch(`${bed.managementUrl}/metrics`)).text();
    await expect.poll(metrics).toContain('sse_connections 1');

    const store = await bed.openStore();
    onTestFinished(() => store.close());
    const app = { client_id: 'of-nobody', redirect_uris: [], policy: 'gone' };
    await store.put('Client:of-nobody', JSON.stringify(app));
    await store.indexAdd('clients-by-time', 'of-nobody', 0);
    // Almost all of what answers next is there when that is found.
    await expect(bed.app.reload(() => Promise.resolve(bed.configured()))).rejects.toThrow(/gone/);
    expect(await metrics()).toContain('sse_connections 1');
    await listening.body?.cancel();
  });

  function withSet(now: Configured, keys: jose.JWK[]): Configured {
    return { ...now, jwks: { keys } };
  }

  async function mixed(now: Configured): Promise<Configured> {
    const other = (await generateJwks()).keys;
    const keys = now.jwks.keys.map((key, at) =>
      key.alg === 'ES256' && other[at]?.d ? { ...key, d: other[at].d } : key,
    );
    return withSet(now, keys);
  }
});
