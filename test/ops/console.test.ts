/** The console over HTTP: who comes in, by what, for how long, and what each form takes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acts } from '../../src/ops/acts/index.ts';
import { consolePages } from '../../src/ops/console/pages/index.ts';
import { type Role, hasRole, roles } from '../../src/domain/operator.ts';
import { createBrowser } from '../support/browser.ts';
import {
  type ConsoleScene,
  enter,
  look,
  openConsole,
  operator,
  selfie,
  send,
} from '../support/console.ts';
import { tokenOn } from '../support/enrol.ts';
import { heading, settle } from '../support/login.ts';

let scene: ConsoleScene;
beforeAll(async () => {
  scene = await openConsole();
});
afterAll(() => scene.close());

describe('[PL-20] the one-time link', () => {
  it('leads through a sign-in by this provider to the console, and the person is an operator then', async () => {
    const { page, accountId } = await operator(scene, 'reviewer');
    expect([page.status, heading(page)]).toEqual([200, 'Overview']);
    expect(await scene.records.operators.find(accountId)).toMatchObject({ role: 'reviewer' });
    const account = await scene.records.accounts.find(accountId);
    expect(account?.groups).toContain('operators');
  });

  it('is used up by it', async () => {
    const link = await scene.link('viewer');
    await enter(link, scene.bed.person());
    const again = await createBrowser().get(link);
    expect([again.status, heading(again)]).toEqual([404, 'This link is over']);
  });

  it('is not used up by being looked at, nor by a sign-in that nobody finished', async () => {
    const link = await scene.link('viewer');
    const browser = createBrowser();
    const welcome = await browser.get(link);
    await settle(browser, await browser.post(link, tokenOn(welcome)));
    const { page } = await enter(link, scene.bed.person());
    expect(heading(page)).toBe('Overview');
  });

  it('is void as soon as another one was made for the same person', async () => {
    const first = await scene.link('admin');
    await scene.link('admin');
    expect((await createBrowser().get(first)).status).toBe(404);
  });

  it('for one person makes nobody else an operator, and stays good', async () => {
    const [whose, other] = [scene.bed.person(), scene.bed.person()];
    const link = await scene.link('admin', await scene.records.accounts.idOf(whose));
    const { page } = await enter(link, other);
    expect([page.status, heading(page)]).toEqual([403, 'Somebody else’s link']);
    const otherId = (await scene.records.accounts.idOf(other)) ?? '';
    expect(await scene.records.operators.find(otherId)).toBeUndefined();
    expect(heading((await enter(link, whose)).page)).toBe('Overview');
  });

  it('takes nothing from an operator who has more', async () => {
    const { address, accountId } = await operator(scene, 'admin');
    await enter(await scene.link('viewer'), address);
    expect(await scene.records.operators.find(accountId)).toMatchObject({ role: 'admin' });
  });

  it('is not taken from another site', async () => {
    const link = await scene.link('viewer');
    const browser = createBrowser();
    const token = tokenOn(await browser.get(link));
    const sent = await browser.request(link, {
      method: 'POST',
      body: new URLSearchParams(token),
      headers: { 'sec-fetch-site': 'same-site', origin: scene.bed.issuer },
    });
    expect(sent.status).toBe(403);
  });
});

describe('[PL-20] a session of the console', () => {
  it('is begun by nobody who is no operator, however well they sign in', async () => {
    const browser = createBrowser();
    const asked = await settle(browser, await look(scene, browser, ''));
    // No key in this browser: what the console takes cannot be shown here.
    const address = scene.bed.person();
    const choice = await settle(
      browser,
      await browser.post(asked.url.replace(/$/, '/identify'), { identifier: address }),
    );
    expect(choice.status).toBeLessThan(500);
    const accountId = (await scene.records.accounts.idOf(address)) ?? '';
    expect(await scene.records.operators.find(accountId)).toBeUndefined();
  });

  it('takes more than a selfie, also from a browser that asks the provider for less than the console does', async () => {
    const { address } = await operator(scene, 'admin');
    const browser = createBrowser();
    const sent = await look(scene, browser, '');
    const request = new URL(sent.location!);
    // What the console asked for is in the browser's hands.
    request.searchParams.delete('claims');
    const asked = await settle(browser, await browser.get(request.href));
    const page = await selfie(browser, asked, address);
    expect([page.status, heading(page)]).toEqual([403, 'Not signed in']);
    expect((await look(scene, browser, '/people')).status).toBe(303);
  });

  it.each([
    ['the person is blocked', (id: string) => scene.records.accounts.setStatus(id, 'blocked')],
    ['their sign-ins are taken back', (id: string) => scene.records.accounts.signOutEverywhere(id)],
    ['they are no longer an operator', (id: string) => scene.records.operators.remove(id)],
  ])('is over as soon as %s', async (_, end) => {
    await operator(scene, 'admin');
    const { browser, accountId } = await operator(scene, 'viewer');
    expect((await look(scene, browser, '/people')).status).toBe(200);
    await end(accountId);
    await expect
      .poll(async () => (await look(scene, browser, '/people')).status, { timeout: 12_000 })
      .toBe(303);
  });

  it('has a cookie that no script reads and no other path gets', async () => {
    const { browser } = await operator(scene, 'viewer');
    const cookies = await browser.jar.getCookies(`${scene.origin}/console`);
    const session = cookies.find(({ key }) => key === '_console-session');
    expect(session).toMatchObject({ path: '/console', httpOnly: true, sameSite: 'lax' });
  });

  it('ends by signing out', async () => {
    const { browser, page } = await operator(scene, 'viewer');
    const out = await send(browser, page, 'sign-out');
    expect(out.location).toBe(`${scene.origin}/console/signed-out`);
    expect((await look(scene, browser, '')).status).toBe(303);
  });
});

const pages = consolePages('https://login.example.com');
const forms = pages.flatMap((page) =>
  (page.forms ?? []).map((form) => {
    const path = `${page.path === '/' ? '' : page.path}/${form.name}`.replace(':id', 'some-id');
    return { path, act: form.act, role: form.act.role };
  }),
);

describe('[PL-20] every form of the console', () => {
  const browsers = new Map<Role, Awaited<ReturnType<typeof operator>>>();
  beforeAll(async () => {
    for (const role of roles) browsers.set(role, await operator(scene, role));
  });

  it('is an act, and there are some', () => {
    expect(forms.length).toBeGreaterThan(8);
    expect(forms.filter(({ act }) => !acts.includes(act))).toEqual([]);
  });

  it.each(forms)('$path does nothing without a session', async ({ path }) => {
    const answer = await createBrowser().post(`${scene.origin}/console${path}`, {});
    expect([answer.status, answer.location?.split('?')[0]]).toEqual([
      303,
      `${scene.bed.issuer}/auth`,
    ]);
  });

  it.each(forms)('$path does nothing without the token of its page', async ({ path }) => {
    const { browser } = browsers.get('admin')!;
    const answer = await browser.post(`${scene.origin}/console${path}`, { form_token: 'none' });
    expect(answer.status).toBe(403);
  });

  const lower = forms.flatMap((form) =>
    roles.filter((role) => !hasRole(role, form.role)).map((role) => ({ ...form, role })),
  );
  it.each(lower)('$path is not for the role $role', async ({ path, role }) => {
    const { browser, page } = browsers.get(role)!;
    const before = scene.bed.events.length;
    const answer = await browser.post(`${scene.origin}/console${path}`, tokenOn(page));
    expect([answer.status, heading(answer)]).toEqual([403, 'Not done']);
    const told = scene.bed.events.slice(before).map(({ event }) => event);
    expect(told).toContain('operator.refused');
  });
});

describe('[PL-20] the console’s door', () => {
  it('opens under no other name', async () => {
    const { request } = await import('node:http');
    const ask = (host: string, path = '/console'): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const url = new URL(`${scene.origin}${path}`);
        request({ host: url.hostname, port: url.port, path, headers: { host } }, (res) => {
          res.resume();
          resolve(res.statusCode);
        })
          .on('error', reject)
          .end();
      });
    const { host, port } = new URL(scene.origin);
    expect(await ask('rebound.example')).toBe(421);
    expect(await ask(`rebound.example:${port}`)).toBe(421);
    expect(await ask(`localhost:${port}`)).toBe(307);
    expect(await ask(host)).toBe(303);
  });

  it('answers with headers that keep other pages out', async () => {
    const { browser } = await operator(scene, 'viewer');
    const { headers } = await look(scene, browser, '/people');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    expect(headers.get('cache-control')).toBe('no-store');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
  });
});

describe('an app', () => {
  it('is added by a form, and its settings and its secret are shown once', async () => {
    const { browser } = await operator(scene);
    const form = await look(scene, browser, '/new-app');
    const sent = await send(browser, form, 'add', {
      ...{ template: 'web', client_name: 'Lunch', client_id: 'lunch' },
      redirect_uris: 'https://lunch.example/callback',
    });
    expect(sent.status).toBe(303);
    const shown = await settle(browser, sent);
    expect(shown.text).toContain('client_id:     lunch');
    expect(shown.text).toMatch(/client_secret: [\w-]{40,}/);
    const later = await browser.get(shown.url);
    expect(later.text).not.toMatch(/client_secret: [\w-]{40,}/);
  });

  it('that is filled in wrongly comes back with all that was typed, and says what is wrong beside its field', async () => {
    const { browser } = await operator(scene);
    const form = await look(scene, browser, '/new-app');
    const answer = await send(browser, form, 'add', {
      ...{ template: 'web', client_name: 'Wrong <b>app</b>', client_id: 'wrong' },
      redirect_uris: 'not an address',
    });
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('Wrong &lt;b&gt;app&lt;/b&gt;');
    expect(answer.text).toMatch(/id="add-redirect_uris-error"/);
  });
});

it('the last admin stays', async () => {
  const { browser, accountId } = await operator(scene);
  for (const { accountId: id } of await scene.records.operators.list()) {
    if (id !== accountId) await scene.records.operators.remove(id);
  }
  const page = await look(scene, browser, '/operators');
  const answer = await send(browser, page, 'remove', { sub: accountId });
  expect(answer.text).toContain('last admin');
  expect(await scene.records.operators.find(accountId)).toMatchObject({ role: 'admin' });
});

it('what is wrong about one operator, and what was chosen for them, stands at them alone', async () => {
  const { browser, accountId } = await operator(scene);
  const { accountId: viewer } = await operator(scene, 'viewer');
  for (const { accountId: id } of await scene.records.operators.list()) {
    if (id !== accountId && id !== viewer) await scene.records.operators.remove(id);
  }
  const page = await look(scene, browser, '/operators');
  const { text } = await send(browser, page, 'set-role', { sub: accountId, role: 'reviewer' });
  expect(text.match(/role="alert"/g)).toHaveLength(1);
  const chosenFor = (id: string) =>
    new RegExp(`id="set-role-role-${id}"[^]*?<option value="(\\w+)" selected`).exec(text)?.[1];
  expect(chosenFor(accountId)).toBe('reviewer');
  expect(chosenFor(viewer)).toBe('viewer');
});
