/**
 * Somebody has the database, whole, after a day on which everything happened that can happen. They read it, and try
 * everything in it on us: as a cookie, a code, a token, an address.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { openStore } from '../../src/store/open.ts';
import { overhear } from '../didit/support.ts';
import { createParty } from '../support/login.ts';
import { startRedisServer, withRedis } from '../support/redis.ts';
import { redirectUri, startTestbed } from '../support/testbed.ts';
import { type Day, liveThrough, registrationToken, toldClient } from './whole-day.ts';

interface Target {
  url: string;
  /** The files that a thief would carry away. */
  steal: () => Promise<string>;
}

async function redis(): Promise<Target> {
  const server = await startRedisServer({ args: ['--appendonly', 'yes'] });
  onTestFinished(() => server.stop());
  return {
    url: server.url,
    steal: async () => {
      await withRedis(server.url, async (client) => {
        // Else the file holds its strings compressed, and a thief would have to unpack it first.
        await client.config('SET', 'rdbcompression', 'no');
        await client.save();
      });
      return everyFileBelow(server.directory);
    },
  };
}

function sqlite(): Promise<Target> {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-stolen-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return Promise.resolve({
    url: `sqlite:${join(directory, 'store.sqlite')}`,
    steal: () => Promise.resolve(everyFileBelow(directory)),
  });
}

function everyFileBelow(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

/** A provider, and a day of it. */
async function deploy(url: string, encryptionKeys: string[]): Promise<Day> {
  const overheard = overhear();
  const bed = await startTestbed({
    fetch: overheard.fetch,
    clients: [toldClient],
    flags: {
      store: { url, encryptionKeys },
      dynamicRegistration: { enabled: true, initialAccessToken: registrationToken },
    },
  });
  onTestFinished(() => bed.close());
  return liveThrough(bed, overheard);
}

const readableWithKey = [
  ...['an address', 'a hint', 'a code', 'a nonce', 'a challenge', 'a sign-in'],
  ...['an account', 'a person at Didit', 'a pushed request', 'a session id'],
  ...['the name of a registered client', 'the cookie _session'],
];

/** All records, by whoever has the key; their kinds are what can be read without it. */
async function unseal(url: string, encryptionKeys: string[], stolen: string): Promise<string> {
  const { store } = await openStore({ url, encryptionKeys, clock: Date.now });
  const kinds = new Set([...stolen.matchAll(/([A-Za-z]+):(?=[\w-]{20})/g)].map(([, kind]) => kind));
  const lines: string[] = [];
  for (const kind of kinds) {
    if (!kind || kind === 'sealed') continue;
    for await (const { key, value } of store.scan(kind)) lines.push(key, value);
  }
  await store.close();
  return lines.join('\n');
}

/** Names of the secrets that can be read in the text, in whatever spelling, or known by their digest. */
function readable(text: string, secrets: Day['secrets']): string[] {
  return [...secrets]
    .filter(([, secret]) => {
      const bytes = Buffer.from(secret, 'latin1');
      const digest = createHash('sha256').update(bytes).digest();
      const forms = [
        ...[secret, encodeURIComponent(secret), encodeURIComponent(encodeURIComponent(secret))],
        ...[...middles(bytes), bytes.toString('base64url'), bytes.toString('hex')],
        ...[digest.toString('hex'), digest.toString('base64url'), digest.toString('base64')],
      ];
      return forms.some((form) => text.includes(form.replace(/=+$/, '')));
    })
    .map(([name]) => name);
}

/** In base64, wherever among other bytes they stand: of three ways to begin, the part that is always the same. */
function middles(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(4, -4);
  });
}

it.each([
  ['Redis', redis],
  ['a sqlite file', sqlite],
])(
  '[PL-04] no secret, address or face of a whole day can be read in %s, and nothing in it opens anything',
  async (_name, prepare) => {
    const { url, steal } = await prepare();
    const encryptionKeys = [randomKey()];
    const { bed, secrets, still } = await deploy(url, encryptionKeys);
    const stolen = await steal();
    expect(secrets.size).toBeGreaterThan(60);
    expect(readable(stolen, secrets)).toEqual([]);
    // With the key of the seal the same search finds what there is, so it is a search.
    const unsealed = await unseal(url, encryptionKeys, stolen);
    expect(readable(unsealed, secrets)).toEqual(expect.arrayContaining(readableWithKey));

    const strings = [...new Set(stolen.match(/[\w~.-]{16,}/g) ?? [])].map((one) =>
      // A sealed picture is longer than any header, in which it stands four times; its beginning must do.
      one.slice(0, 3_800),
    );
    expect(strings.length).toBeGreaterThan(80);
    const party = await createParty(bed);
    const request = await party.begin({ prompt: 'none' });
    const asFirst = { authorization: `Basic ${btoa(`first:${bed.clientSecret}`)}` };

    const tryAll = async (one: string): Promise<void> => {
      const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
        fetch(`${bed.issuer}${path}`, { redirect: 'manual', ...init });
      const bearer = { headers: { authorization: `Bearer ${one}` } };
      expect((await ask('/me', bearer)).status, 'as an access token').toBe(401);
      expect((await ask(`/reg/${still.clientId}`, bearer)).status, 'as a registration').toBe(401);
      for (const fields of [
        { grant_type: 'authorization_code', code: one, redirect_uri: redirectUri },
        { grant_type: 'refresh_token', refresh_token: one },
      ]) {
        const body = new URLSearchParams(fields as Record<string, string>);
        const answer = await ask('/token', { method: 'POST', headers: asFirst, body });
        expect(answer.status, 'as a code or refresh token').toBe(400);
      }
      const secret = { authorization: `Basic ${btoa(`first:${encodeURIComponent(one)}`)}` };
      const body = new URLSearchParams({ grant_type: 'client_credentials' });
      const asSecret = await ask('/token', { method: 'POST', headers: secret, body });
      expect(asSecret.status, 'as the secret of a client').toBe(401);
      const signature = one.slice(0, 27);
      const names = ['_session', '_interaction', '_interaction_resume', '_device'];
      const cookie = names.map((name) => `${name}=${one}; ${name}.sig=${signature}`).join('; ');
      const headers = { cookie };
      const silent = await ask(request.url.replace(bed.issuer, ''), { headers });
      expect(silent.headers.get('location'), 'as a session').toContain('error=login_required');
      const short = encodeURIComponent(one.slice(0, 200));
      for (const path of [`/interaction/${short}`, `/auth/${short}`]) {
        expect((await ask(path, { headers })).status, path).toBeGreaterThanOrEqual(400);
      }
      const back = await ask(`${still.here}/didit/${short}`, { headers });
      expect(back.status, 'as the secret of the way back').toBe(403);
      const pushed = new URLSearchParams({
        client_id: 'first',
        request_uri: `urn:ietf:params:oauth:request_uri:${one.slice(0, 2_000)}`,
      });
      expect((await ask(`/auth?${pushed.toString()}`)).status, 'as a pushed request').toBe(400);
    };
    // Several at once: the real ones below last a minute.
    for (let at = 0; at < strings.length; at += 8) {
      await Promise.all(strings.slice(at, at + 8).map(tryAll));
    }

    // The real ones work, so that all that refusing means something.
    await still.expectAllGood();
  },
  180_000,
);

it('[PL-06] after a whole day everything in Redis has its end, but for people, apps, what Didit has yet to delete, and our own secrets', async () => {
  const { url } = await redis();
  await deploy(url, [randomKey()]);
  const lasting = new Set<string>();
  const ending = new Set<string>();
  await withRedis(url, async (client) => {
    for (const key of await client.keys('*')) {
      const kind = key.split(':').at(-2) ?? '';
      ((await client.ttl(key)) === -1 ? lasting : ending).add(kind);
    }
  });
  // Since when it is noted who signs in; written by the first sweep, which may come later.
  lasting.delete('retention');
  expect([...lasting].sort()).toEqual([
    ...['Client', 'RegistrationAccessToken', 'account', 'accounts-by-time', 'didit-sessions'],
    ...['familiar', 'identifier', 'portrait', 'rotating-secret', 'sealed', 'secret'],
  ]);
  expect(ending.size).toBeGreaterThan(12);
}, 60_000);
