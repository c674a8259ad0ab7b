/** Somebody has the database, whole, and tries everything in it on us: as a cookie, a code, a token. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import { createBrowser, createParty, isCallback, settle, signIn } from '../support/login.ts';
import { startRedisServer, withRedis } from '../support/redis.ts';
import { redirectUri, startTestbed } from '../support/testbed.ts';

interface Target {
  url: string;
  /** The files that a thief would carry away. */
  steal: () => Promise<string>;
}

async function redis(): Promise<Target> {
  const server = await startRedisServer();
  onTestFinished(() => server.stop());
  return {
    url: server.url,
    steal: async () => {
      await withRedis(server.url, async (client) => {
        // Else the file holds its strings compressed, and a thief would have to unpack it first.
        await client.config('SET', 'rdbcompression', 'no');
        await client.save();
      });
      return readFileSync(join(server.directory, 'dump.rdb'), 'latin1');
    },
  };
}

function sqlite(): Promise<Target> {
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-stolen-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return Promise.resolve({
    url: `sqlite:${join(directory, 'store.sqlite')}`,
    steal: () =>
      Promise.resolve(
        readdirSync(directory)
          .map((name) => readFileSync(join(directory, name), 'latin1'))
          .join('\n'),
      ),
  });
}

it.each([
  ['Redis', redis],
  ['a sqlite file', sqlite],
])(
  '[PL-04] nothing that is in %s opens anything',
  async (_name, prepare) => {
    const { url, steal } = await prepare();
    const encryptionKeys = [randomKey()];
    const bed = await startTestbed({ flags: { store: { url, encryptionKeys } } });
    onTestFinished(() => bed.close());
    const party = await createParty(bed);
    const browser = createBrowser();
    const request = await party.begin();
    const tokens = await request.finish(await signIn(browser, request));
    const unused = await party.begin();
    const { location: callback = '' } = await settle(browser, await browser.get(unused.url));
    expect(isCallback(callback)).toBe(true);

    const stolen = await steal();
    const strings = new Set(stolen.match(/[\w~.-]{16,}/g) ?? []);
    expect(strings.size).toBeGreaterThan(20);
    for (const own of [tokens.access_token, tokens.refresh_token ?? '', callback, 'ana@example']) {
      expect(stolen).not.toContain(own);
    }

    const tryAll = async (one: string): Promise<void> => {
      const me = await fetch(`${bed.issuer}/me`, { headers: { authorization: `Bearer ${one}` } });
      expect(me.status, 'as an access token').toBe(401);
      for (const fields of [
        { grant_type: 'authorization_code', code: one, redirect_uri: redirectUri },
        { grant_type: 'refresh_token', refresh_token: one },
      ]) {
        const answer = await fetch(`${bed.issuer}/token`, {
          method: 'POST',
          headers: { authorization: `Basic ${btoa(`first:${bed.clientSecret}`)}` },
          body: new URLSearchParams(fields as Record<string, string>),
        });
        expect(answer.status, 'as a code or refresh token').toBe(400);
      }
      const cookie = `_session=${one}; _session.sig=${one.slice(0, 27)}; _interaction=${one}`;
      const silent = await fetch((await party.begin({ prompt: 'none' })).url, {
        redirect: 'manual',
        headers: { cookie },
      });
      expect(silent.headers.get('location'), 'as a cookie').toContain('error=login_required');
      const pushed = new URLSearchParams({
        client_id: 'first',
        request_uri: `urn:ietf:params:oauth:request_uri:${one}`,
      });
      const begun = await fetch(`${bed.issuer}/auth?${pushed.toString()}`, { redirect: 'manual' });
      expect(begun.status, 'as a pushed request').toBe(400);
    };
    for (const one of strings) await tryAll(one);

    // The real ones work, so that all that refusing means something.
    const me = await fetch(`${bed.issuer}/me`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(me.status).toBe(200);
    expect((await unused.finish(callback)).access_token).toBeDefined();
  },
  60_000,
);
