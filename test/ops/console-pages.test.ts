/** Every page of the console, opened at a provider where something has happened to be shown there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateJwks, randomKey } from '../../src/config/keys.ts';
import { cost } from '../../src/ops/console/pages/cost.ts';
import { consolePages } from '../../src/ops/console/pages/index.ts';
import { since } from '../../src/ops/console/views.ts';
import { type Answer, type TestBrowser, createBrowser } from '../support/browser.ts';
import { type ConsoleScene, look, openConsole, operator, send } from '../support/console.ts';
import { createParty, heading, settle, signIn, takeSelfie, toSelfie } from '../support/login.ts';
import { soon } from '../support/soon.ts';
import { webhookSecret, workflowId } from '../support/testbed.ts';

const raw = '<i>raw</i>';
const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-console-'));
const configFile = join(directory, 'config.yaml');

let scene: ConsoleScene;
let browser: TestBrowser;
let accountId: string;
/** What stands for the variable parts of paths. */
const places = new Map<string, string>();

beforeAll(async () => {
  writeFileSync(join(directory, 'jwks.json'), JSON.stringify(await generateJwks()));
  writeFileSync(
    configFile,
    JSON.stringify({
      ...{ mode: 'development', issuer: 'http://127.0.0.1:3000', jwksFile: 'jwks.json' },
      cookies: { keys: [randomKey()] },
      store: { url: 'sqlite::memory:', encryptionKeys: [randomKey()] },
      didit: {
        ...{ apiKey: 'the-key-of-the-application', environment: 'sandbox' },
        ...{ webhookSecrets: [webhookSecret], workflows: { passive: workflowId } },
      },
    }),
  );
  scene = await openConsole({
    readFrom: { fileName: configFile, env: {} },
    flags: { cost: { freePerMonth: 0, hardPerMonth: 80 } },
  });
  ({ browser, accountId } = await operator(scene));
  const party = await createParty(scene.bed);
  const whose = scene.bed.person();
  const request = await party.begin();
  await request.finish(await signIn(createBrowser(), request, whose));
  const other = createBrowser();
  const didit = await toSelfie(other, await party.begin(), scene.bed.person());
  await settle(other, await takeSelfie(other, didit, 'review'));
  const [held] = await soon(async () => {
    const cases = await Array.fromAsync(scene.records.reviews.list());
    expect(cases).toHaveLength(1);
    return cases;
  });
  places.set('/people/:id', `/people/${await scene.records.accounts.idOf(whose)}`);
  places.set('/reviews/:id', `/reviews/${held!.id}`);
  places.set('/audit/:reference', `/audit/${held!.reference}`);
  const form = await look(scene, browser, '/new-app');
  const added = await send(browser, form, 'add', {
    ...{ template: 'web', client_name: raw, client_id: 'lunch' },
    redirect_uris: 'https://lunch.example/callback',
  });
  expect(added.status).toBe(303);
  places.set('/apps/:id', '/apps/lunch');
});
afterAll(async () => {
  await scene.close();
  rmSync(directory, { recursive: true });
});

const show = (path: string): Promise<Answer> =>
  look(scene, browser, path === '/' ? '' : (places.get(path) ?? path));

/** @returns the page after it. */
async function fill(path: string, name: string, fields: Record<string, string>): Promise<Answer> {
  const page = await show(path);
  const hidden = [...page.text.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(
    ([, field = '', value = '']): [string, string] => [field, value.replaceAll('&quot;', '"')],
  );
  return settle(
    browser,
    await send(browser, page, name, { ...Object.fromEntries(hidden), ...fields }),
  );
}

const pages = consolePages('https://login.example.com').map(({ name, path }) => ({ name, path }));

describe('a page of the console', () => {
  it.each(pages)('"$name" is drawn, small, and prints nothing raw', async ({ path }) => {
    const { status, text } = await show(path);
    expect(status, text).toBe(200);
    // A word by itself: what is random, an id of an account or a link, may have these letters in it.
    expect(text).not.toMatch(/<i>|undefined|(?<![\w-])NaN(?![\w-])|\[object|&lt;%/);
    expect(Buffer.byteLength(text)).toBeLessThan(100 * 1024);
    expect(text.match(/<h1/g)).toHaveLength(1);
  });

  it.each(['/reviews/:id', '/audit/:reference'])(
    '[PL-26] a look at %s is written down with whom it is about',
    async (path) => {
      const [held] = await Array.fromAsync(scene.records.reviews.list());
      const [before, place] = [scene.bed.events.length, places.get(path) ?? ''];
      expect((await show(path)).status).toBe(200);
      expect(scene.bed.events.slice(before)).toMatchObject([
        { event: 'operator.acted', object: place.split('/').at(-1), account: held!.account },
      ]);
    },
  );

  it('shows what happened, and why a sign-in went as it did', async () => {
    await expect.poll(async () => (await show('/audit')).text).toContain('review.opened');
    const narrowed = await show('/audit?event=operator&since=2026-01-01T00:00');
    expect(narrowed.text).toContain('<strong>operator.acted');
    expect(narrowed.text).not.toContain('<strong>review.opened');
    const explained = await show('/audit/:reference');
    expect(heading(explained)).toMatch(/^Sign-in [2-9A-Z]{4}-/);
    expect(explained.text).toContain('<strong>login.started</strong>');
    expect((await show('/audit/AAAA-AAAA')).status).toBe(404);
    expect((await show(`/audit/${'A'.repeat(21)}`)).status).toBe(422);
  });

  it('shows what waits, for whom, and who is signed in', async () => {
    expect((await show('/')).text).toMatch(/Reviews open<\/dt>\s*<dd><a [^>]*>1</);
    expect((await show('/reviews')).text).toContain('Didit wants it looked at');
    const person = (await show('/people/:id')).text;
    expect(person).toMatch(/Signed in at<\/th>[^]*<th scope="row">\d{4}-\d\d-\d\d/);
    expect(person).toContain('login.completed');
    expect((await show('/operators')).text).toContain(`/console/people/${accountId}`);
  });

  it('counts today’s sign-ins by how they ended', async () => {
    await expect
      .poll(async () => (await show('/')).text, { timeout: 15_000 })
      .toMatch(/event=login\.completed&amp;since=[\d-]+T00:00">signed in<\/a> <strong>[1-9]/);
  });

  it('about cost shows what was spent, and takes caps', async () => {
    // What was counted is written down a moment later.
    await expect
      .poll(async () => (await show('/cost')).text, { timeout: 15_000 })
      .toMatch(/<th scope="row"><bdi>First<\/bdi><\/th><td>2<\/td>/);
    expect((await show('/cost')).text).toContain('soft none, hard $80.00');
    const after = await fill('/cost', 'caps', {
      soft: '10',
      hard: '20',
      'clients:hard:lunch': '5',
    });
    expect(after.text).toContain('The caps are set');
    expect(after.text).toContain('soft $10.00, hard $20.00');
    expect(after.text).toContain('name="clients:hard:lunch" value="5"');
    const mistyped = { 'clients:another': raw, 'clients:soft': '30', 'clients:hard': '20' };
    const wrong = await fill('/cost', 'caps', { soft: '', hard: '', ...mistyped });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('&lt;i&gt;raw&lt;/i&gt;: the soft cap is above the hard one');
    expect(wrong.text).toContain('name="clients:another" value="&lt;i&gt;raw&lt;/i&gt;"');
    const none = { soft: '', hard: '', 'clients:hard:lunch': '' };
    const emptied = await fill('/cost', 'caps', none);
    expect(emptied.text).toContain('soft none, hard $80.00');
  });

  it('about Didit switches it off and on, and shows what is planned', async () => {
    const off = await fill('/didit', 'off', { note: raw, from: '', until: '' });
    expect(off.text).toContain('Selfies are paused, by an operator');
    expect(off.text).toContain('&lt;i&gt;raw');
    const on = await fill('/didit', 'on', {});
    expect(on.text).toContain('Selfies are on');
    const planned = await fill('/didit', 'off', {
      ...{ note: raw, from: '2999-01-01T10:00', until: '2999-01-01T11:00' },
    });
    expect(planned.text).toMatch(/2999-01-01 10:00 UTC<\/th><td [^>]*>2999-01-01 11:00 UTC/);
    const wrong = await fill('/didit', 'off', { note: 'why', from: '2999-01-01T10:00', until: '' });
    expect([wrong.status, wrong.text.includes('what is planned has an end')]).toEqual([422, true]);
    await fill('/didit', 'on', {});
  });

  it('about keys shows where each is in its life, and makes a new one', async () => {
    const before = (await show('/keys')).text;
    expect(before).toMatch(/Keys that sign tokens<\/h2>[^]*Keys that sign cookies<\/h2>/);
    expect(before).not.toContain('published</th>');
    const after = await fill('/keys', 'rotate', { use: 'signing' });
    expect(after.text).toContain('There is a new key.');
    expect(after.text).toContain('<th scope="row">published</th>');
    expect(after.text).toMatch(/It is used from \d{4}-/);
  });

  it('about keys says so where a program gave the configuration', async () => {
    const plain = await openConsole({ people: 3 });
    try {
      const { browser: theirs } = await operator(plain);
      const { status, text } = await look(plain, theirs, '/keys');
      expect(status).toBe(200);
      expect(text).toContain('given by a program');
    } finally {
      await plain.close();
    }
  });
});

describe('the form about caps', () => {
  const [caps] = cost.forms ?? [];
  const sent = (kept: object, fields: object) =>
    caps?.input(
      new Map(Object.entries({ version: '7', kept: JSON.stringify(kept), ...fields })),
      {},
    );

  it('leaves alone what it does not ask for', () => {
    const all = { day: { hard: 3 }, month: { hard: 10 } };
    const kept = { all, set: { all, each_client: { day: { hard: 2 } }, clients: { wiki: all } } };
    const row = { 'clients:soft:wiki': '', 'clients:hard:wiki': '5' };
    expect(sent(kept, { soft: '', hard: '20', ...row })).toEqual({
      ifVersion: '7',
      body: {
        ...{ all: { day: { hard: 3 }, month: { hard: 20 } }, each_client: { day: { hard: 2 } } },
        clients: { wiki: { day: { hard: 3 }, month: { hard: 5 } } },
      },
    });
  });

  it('takes caps away that are emptied, keeps those of apps that have no row, and takes another app', () => {
    const month = { hard: 9 };
    const set = { clients: { wiki: { month }, gone: { month }, free: { month: {} } } };
    const fields = {
      ...{ 'clients:hard:wiki': '', 'clients:hard:free': '' },
      ...{ 'clients:another': ' lunch ', 'clients:soft': '2', 'clients:hard': '' },
    };
    expect(sent({ all: {}, set }, { soft: '', hard: '', ...fields })).toEqual({
      ifVersion: '7',
      body: { clients: { gone: { month }, free: { month: {} }, lunch: { month: { soft: 2 } } } },
    });
  });

  it.each([
    ['left as they are', { soft: '', hard: '80' }],
    ['emptied', { soft: '', hard: '' }],
  ])('leaves the caps of the settings in force when they are %s', (_, fields) => {
    const kept = { all: { month: { hard: 80 } }, set: {} };
    expect(sent(kept, fields)).toEqual({ ifVersion: '7', body: { clients: {} } });
  });
});

const at = '2026-11-28T10:00:00.000Z';
it.each([
  [0, '0 min'],
  [192, '3 h 12 min'],
  [1500, '1 d 1 h'],
])('%i minutes are %s', (minutes, text) => {
  expect(since(at, Date.parse(at) + minutes * 60_000)).toBe(text);
});
