/**
 * A whole login with everything in it that must not get about, at the most talkative log level, on a sealed Redis.
 * Then the log and all that Redis holds, at every stage, are searched for each of these things.
 */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { apiKey, keepLog, overhear, ring } from '../didit/support.ts';
import { chromeOnLinux } from '../support/browser.ts';
import {
  type Party,
  createBrowser,
  createParty,
  press,
  settle,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';
import { dumpOf, freshRedis } from '../support/redis.ts';
import { type Testbed, redirectUri, startTestbed, webhookSecret } from '../support/testbed.ts';
import { answer, choose, equip, finishOn, mailedCode, toChoice } from '../support/ways.ts';

type Canaries = Record<string, string>;

interface Findings {
  log: string;
  redis: string;
  /** Key name to seconds left, -1 for ever. */
  lifetimes: Map<string, number>;
  canaries: Canaries;
  /** The bodies of all answers on the way. */
  bodies: string[];
  toDidit: { status: number; cacheControl: string | null };
  /** All that the store holds, by those who have its key. */
  unsealed: string;
}

let sealed: Findings;
beforeAll(async () => {
  sealed = await loginAndSearch();
});

it('[XD-10] Didit’s link stands in the head of one redirect, and nowhere else', () => {
  const { bodies, toDidit, canaries } = sealed;
  expect(toDidit).toEqual({ status: 303, cacheControl: 'no-store' });
  expect(bodies).toHaveLength(5);
  const link = canaries['secret of the link'] ?? '';
  expect(find([...bodies, sealed.log, sealed.redis].join('\n'), { link })).toEqual([]);
});

describe('nothing of a login is readable', () => {
  it('in the log', () => {
    // That it is the log of a login, so that finding nothing means something.
    for (const message of ['login.started', 'verdict.received', 'login.completed', 'refused']) {
      expect(sealed.log).toContain(`"message":"${message}"`);
    }
    expect(find(sealed.log, sealed.canaries)).toEqual([]);
  });

  it('in Redis', () => {
    expect(sealed.redis.length).toBeGreaterThan(10_000);
    expect(find(sealed.redis, sealed.canaries)).toEqual([]);
  });

  it('unless one has the key of the seal: then the same search finds it', () => {
    const found = ['address', 'Didit session', 'person at Didit', 'refresh token', 'code'];
    const all = find(sealed.unsealed, sealed.canaries);
    expect(all).toEqual(expect.arrayContaining([...found, 'secret of the app']));
    // Even then nothing that somebody could type.
    for (const typed of ['code by mail', 'code on paper', 'unused code']) {
      expect(all).not.toContain(typed);
    }
  });
});

it('[XD-05] what must come back with the browser and with the decision is not kept, not even under the seal', () => {
  const names = ['nonce of the callback', 'nonce of the metadata', 'secret of the link'];
  const nonces = Object.fromEntries(names.map((name) => [name, sealed.canaries[name] ?? '']));
  expect(nonces['nonce of the callback']).toMatch(/^[\w-]{43}$/);
  expect(find(sealed.unsealed, nonces)).toEqual([]);
  // What it is compared with is.
  for (const name of names.slice(0, 2)) {
    const hash = createHash('sha256')
      .update(nonces[name] ?? '')
      .digest('base64url');
    expect(sealed.unsealed).toContain(hash);
  }
});

it('[PL-06] everything but the people, what they have, what Didit has yet to delete, and our own secrets has its time', () => {
  const lasting = [...sealed.lifetimes].filter(([, seconds]) => seconds === -1);
  const kinds = new Set(lasting.map(([key]) => key.split(':').at(-2)));
  expect(sealed.lifetimes.size).toBeGreaterThan(lasting.length);
  const people = ['account', 'factors', 'familiar', 'identifier', 'portrait'];
  expect([...kinds].sort()).toEqual(
    [...people, 'accounts-by-time', 'didit-sessions', 'retention']
      .concat('rotating-secret', 'sealed', 'secret')
      .sort(),
  );
});

async function loginAndSearch(): Promise<Findings> {
  const [storeUrl, log, overheard] = [await freshRedis(), keepLog(), overhear()];
  const encryptionKeys = [randomBytes(32).toString('base64')];
  const flags = { store: { url: storeUrl, encryptionKeys } };
  const bed = await startTestbed({ flags, log: log.write, fetch: overheard.fetch });
  const dumps: string[] = [];
  const dump = async (): Promise<void> => void dumps.push((await dumpOf(storeUrl)).text);
  try {
    const { canaries, ...seen } = await login(bed, await createParty(bed), overheard, dump);
    await byCodes(bed, flags.store, canaries, dump);
    await misfortunes(bed, canaries);
    // The first round of what forgets goes on beside everybody, and writes down when it was here.
    await vi.waitFor(
      async () => {
        const names = [...(await dumpOf(storeUrl)).lifetimes.keys()];
        expect(names.some((name) => name.includes(':record:retention:'))).toBe(true);
      },
      { timeout: 30_000, interval: 100 },
    );
    await dump();
    const { lifetimes } = await dumpOf(storeUrl);
    const unsealed = await unseal(storeUrl, encryptionKeys, [...lifetimes.keys()]);
    return { log: log.text(), redis: dumps.join('\n'), unsealed, lifetimes, canaries, ...seen };
  } finally {
    await bed.close();
  }
}

async function unseal(url: string, encryptionKeys: string[], names: string[]): Promise<string> {
  const { store } = await openStore({ url, encryptionKeys, clock: Date.now });
  const lines: string[] = [];
  for (const kind of new Set(names.map((name) => name.split(':').at(-2) ?? ''))) {
    if (kind === 'sealed') continue;
    for await (const { key, value } of store.scan(kind)) lines.push(key, value);
  }
  await store.close();
  return lines.join('\n');
}

/** From the first request to the tokens, with a look into Redis at every stage. */
async function login(
  bed: Testbed,
  party: Party,
  overheard: ReturnType<typeof overhear>,
  dump: () => Promise<void>,
): Promise<Pick<Findings, 'canaries' | 'bodies' | 'toDidit'>> {
  const browser = createBrowser();
  const cookies = new Map<string, string>();
  const remember = (): void => {
    for (const { key, value } of browser.jar.serializeSync()?.cookies ?? []) {
      cookies.set(`cookie ${String(key)} ${cookies.size}`, String(value));
    }
  };
  const request = await party.begin({ login_hint: 'hinted-canary@example.com' });
  const identify = await settle(browser, await browser.get(request.url));
  const as = { identifier: 'ana@example.com' };
  const context = await settle(browser, await press(browser, identify, 'identify', as));
  const toDidit = await press(browser, context, 'selfie');
  const link = toDidit.location ?? '';
  const didit = await settle(browser, toDidit);
  remember();
  await dump();
  const waiting = await settle(browser, await takeSelfie(browser, didit, 'approve'));
  await dump();
  const ready = await whileWaiting(browser, waiting);
  await dump();
  const done = await settle(browser, await press(browser, ready, 'resume'));
  remember();
  await dump();
  const tokens = await request.finish(done.location ?? '');
  await dump();

  const { body, diditSessionId } = overheard.latest();
  const parameters = new URL(request.url).searchParams;
  const sent = new URL(done.location ?? '').searchParams;
  const { nonce } = body['metadata'] as { nonce: string };
  const oidcCookie = (await browser.jar.getCookies(bed.issuer)).find(
    ({ key }) => key === '_session',
  );
  return {
    bodies: [identify, context, toDidit, waiting, ready].map(({ text }) => text),
    toDidit: { status: toDidit.status, cacheControl: toDidit.headers.get('cache-control') },
    canaries: {
      ...Object.fromEntries(cookies),
      'oidc cookie': oidcCookie?.value ?? '',
      address: 'ana@example.com',
      hint: 'hinted-canary@example.com',
      'user agent': chromeOnLinux,
      picture: body.portrait_image.slice(200, 260),
      'link to Didit': link,
      'secret of the link': link.split('/').at(-1) ?? '',
      'Didit session': diditSessionId,
      'person at Didit': body.vendor_data,
      'nonce of the callback': body.callback.split('/').at(-1) ?? '',
      'nonce of the metadata': nonce,
      'API key': apiKey,
      'webhook secret': webhookSecret,
      'client secret': bed.clientSecret,
      code: sent.get('code') ?? '',
      state: sent.get('state') ?? '',
      'PKCE challenge': parameters.get('code_challenge') ?? '',
      'access token': tokens.access_token,
      'ID token': tokens.id_token ?? '',
      'refresh token': tokens.refresh_token ?? '',
    },
  };
}

/** Somebody without a selfie. Adds what they have, and what they typed, to the canaries. */
async function byCodes(
  bed: Testbed,
  { url, encryptionKeys }: { url: string; encryptionKeys: string[] },
  canaries: Canaries,
  dump: () => Promise<void>,
): Promise<void> {
  const { store } = await openStore({ url, encryptionKeys, clock: Date.now });
  const { paper, secret } = await equip(store, 'ben@example.com');
  await store.close();
  const browser = createBrowser();
  const request = await (await createParty(bed)).begin();
  const asked = await choose(browser, await toChoice(browser, request, 'ben@example.com'), 'mail');
  const mailed = await mailedCode(bed, 'ben@example.com');
  await dump();
  const second = await choose(browser, await answer(browser, asked, mailed), 'recovery');
  const ready = await answer(browser, second, paper[0]!);
  await dump();
  await request.finish(await finishOn(browser, ready));
  const typed = { 'code by mail': mailed, 'code on paper': paper[0]!, 'unused code': paper[1]! };
  Object.assign(canaries, typed, {
    'secret of the app': secret,
    'other address': 'ben@example.com',
  });
}

/** What goes wrong is told of, too, and quotes nothing. Adds what it brought along to the canaries. */
async function misfortunes(bed: Testbed, canaries: Canaries): Promise<void> {
  const token = randomBytes(16).toString('hex');
  canaries['what was sent in error'] = token;
  const secret = 'a-secret-of-somebody-else';
  const headers = { 'X-Canary': token, 'user-agent': token };
  expect((await ring(bed, token, token, { secret, headers })).status).toBe(401);
  expect((await ring(bed, token, token, { body: `{"${token}":"${token}` })).status).toBe(401);
  expect((await ring(bed, token, token, { headers })).status).toBe(200);
  const browser = createBrowser();
  const address = `${bed.issuer}/interaction/${token}/didit/${token}?status=${token}`;
  expect((await browser.get(address)).status).toBe(403);
  const page = await settle(
    browser,
    await browser.get((await (await createParty(bed)).begin()).url),
  );
  const asked = await press(browser, page, 'identify', { identifier: `${token}@example.com` });
  const context = await settle(browser, asked);
  expect((await press(browser, context, 'selfie')).status).toBe(303);
  const wrong = await fetch(`${bed.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: token,
      redirect_uri: redirectUri,
    }),
    headers: { authorization: `Basic ${Buffer.from(`first:${token}`).toString('base64')}` },
  });
  expect(wrong.status).toBe(401);
}

/** Names of the canaries that stand in the text: as they are, in base64, or as an address would write them. */
function find(text: string, canaries: Canaries): string[] {
  const found = Object.entries(canaries).filter(([name, canary]) => {
    if (canary.length < 8) throw new Error(`the canary "${name}" is too short to be looked for`);
    const forms = [canary, encodeURIComponent(canary), Buffer.from(canary).toString('base64')];
    return forms.some((form) => text.includes(form.replace(/=+$/, '')));
  });
  return found.map(([name]) => name);
}
