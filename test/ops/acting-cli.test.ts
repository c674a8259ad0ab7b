/** The commands that are acts, beside a running provider that knows of what they did at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { templates } from '../../src/ops/console/pages/app-settings.ts';
import { type Scene, openScene } from '../support/account.ts';
import { apiOf } from '../support/api.ts';
import { createBrowser, createParty, settle, signIn } from '../support/login.ts';
import { hireOperators } from '../support/operators.ts';
import { redirectUri } from '../support/testbed.ts';
import { freshRedis } from '../support/redis.ts';

const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-acting-'));
let scene: Scene;
let operators: ReturnType<typeof hireOperators>;
beforeAll(async () => {
  const storeUrl = await freshRedis();
  scene = await openScene({ storeUrl });
  operators = hireOperators(scene.bed, storeUrl);
});
afterAll(async () => {
  operators.dismiss();
  await scene.close();
  rmSync(directory, { recursive: true });
});

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await operators.command(...args, '--json');
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('didit-oidc clients', () => {
  test('adds an app, whose settings it prints, and people sign in to it', async () => {
    const added = await json(
      ...['clients', 'add', '--id', 'wiki', '--name', 'Wiki', '--redirect-uri', redirectUri],
      ...['--first-party', '--operator', 'ann'],
    );
    const { value } = added['secret'] as { value: string };
    expect(added['settings']).toMatchObject({
      issuer: scene.bed.issuer,
      client_id: 'wiki',
      discovery: `${scene.bed.issuer}/.well-known/openid-configuration`,
      redirect_uris: [redirectUri],
    });
    const { issuer } = scene.bed;
    const request = await (await createParty({ issuer, clientSecret: value }, 'wiki')).begin();
    await request.finish(await signIn(createBrowser(), request, scene.bed.person()));

    const second = await json('clients', 'secret', 'add', 'wiki');
    const shown = await operators.command('clients', 'show', 'wiki');
    expect(shown.stdout).toContain(`oidc_issuer_url = "${issuer}"`);
    for (const secret of [value, (second['secret'] as { value: string }).value]) {
      expect(shown.stdout).not.toContain(secret);
    }
    await json('clients', 'change', 'wiki', '--redirect-uri', 'https://wiki.example/cb');
    const browser = createBrowser();
    expect((await settle(browser, await browser.get(request.url))).status).toBe(400);
    await json('clients', 'remove', 'wiki');
    const { clients } = await json('clients', 'list');
    expect((clients as { client_id: string }[]).map((one) => one.client_id)).not.toContain('wiki');
  });

  test('adds an app as the console does of its kind, but for what is said of it', async () => {
    const metadata = join(directory, 'program.json');
    writeFileSync(metadata, JSON.stringify({ grant_types: ['client_credentials'] }));
    const [web, page] = ['web', 'page'].map(
      (wanted) => templates.find(({ id }) => id === wanted)?.metadata,
    );
    for (const [said, expected] of [
      [['--redirect-uri', redirectUri], web],
      [['--redirect-uri', redirectUri, '--public'], page],
      [['--metadata', metadata], { ...web, grant_types: ['client_credentials'] }],
    ] as const) {
      const added = await json('clients', 'add', '--name', 'Lunch', ...said);
      expect(added['metadata']).toMatchObject(expected ?? {});
    }
    expect(web).toMatchObject({ grant_types: ['authorization_code', 'refresh_token'] });
    expect(page).toMatchObject({ token_endpoint_auth_method: 'none' });
  });

  test('says what is wrong with what was given, and adds nothing', async () => {
    const said = await operators.command(
      ...['clients', 'add', '--name', 'Bad', '--redirect-uri', 'nowhere'],
    );
    expect(said.status).toBe(1);
    expect(said.stderr).toContain('redirect_uris.0');
  });
});

describe('didit-oidc api-keys', () => {
  test('makes a key for a program, until it is revoked', async () => {
    const made = await json('api-keys', 'add', '--name', 'ci', '--scope', 'clients:read');
    const call = apiOf(scene.bed, String(made['token']));
    expect((await call('GET', '/clients')).status).toBe(200);
    expect((await call('GET', '/accounts')).status).toBe(403);
    const { keys } = await json('api-keys', 'list');
    expect(keys).toMatchObject([{ name: 'ci', scopes: ['clients:read'] }]);
    await json('api-keys', 'revoke', String(made['id']));
    expect((await call('GET', '/clients')).status).toBe(401);
    const unknown = await operators.command('api-keys', 'add', '--name', 'x', '--scope', 'all');
    expect(unknown.stderr).toContain('scopes.0');
  });
});

describe('didit-oidc sessions', () => {
  test('shows where somebody is signed in, and ends it', async () => {
    const address = scene.bed.person();
    const request = await (await createParty(scene.bed)).begin();
    const tokens = await request.finish(await signIn(createBrowser(), request, address));
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const { sessions } = await json('sessions', 'list', address);
    const [{ id = '' } = {}] = sessions as { id?: string }[];
    await json('sessions', 'end', address, id);
    expect((await fetch(`${scene.bed.issuer}/me`, { headers })).status).toBe(401);
    expect((await operators.command('sessions', 'end', address)).status).toBe(1);
  });
});
