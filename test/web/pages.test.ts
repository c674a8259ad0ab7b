import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Koa from 'koa';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadAssets } from '../../src/web/assets.ts';
import { createPages, type FallbackReason, type Page } from '../../src/web/pages.ts';
import { loadText } from '../../src/web/text.ts';
import { contrast, parse, themeStylesheet } from '../../src/web/theme.ts';
import { handoffVariants } from './handoff-samples.ts';
import { samples } from './page-samples.ts';

// A browser on a busy machine takes its time; nothing here is about how long.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const views = join(import.meta.dirname, '../../views');
const assets = loadAssets({ directory: join(views, 'assets') });
const operator = {
  name: 'Acme',
  supportAddress: 'help@acme.example',
  privacyUrl: 'https://acme.example/privacy',
  termsUrl: 'https://acme.example/terms',
  dataController: 'Acme Ltd',
};
const pages = createPages({ viewsDirectory: views, operator, sandbox: true, assets });
const locales = readdirSync(join(views, 'locales')).map((file) => file.replace('.json', ''));
const plain = samples((text) => text);
const context = { locale: 'en', reference: '7F3K-29QD' };
const fallbackReasons: Record<FallbackReason, true> = {
  changed: true,
  declined: true,
  elsewhere: true,
  expired: true,
  limited: true,
  paused: true,
  not_finished: true,
  other_way: true,
  other_first: true,
  refused: true,
  unmet: true,
  wrong_code: true,
  stale: true,
  unavailable: true,
};
const problems: Record<Extract<Page, { page: 'error' }>['problem'], true> = {
  body_too_large: true,
  body_too_slow: true,
  cross_site: true,
  step_missing: true,
  interaction_not_yours: true,
  interaction_over: true,
  internal: true,
  malformed: true,
  method_not_allowed: true,
  not_found: true,
  request_refused: true,
  too_many_requests: true,
  unavailable: true,
  unsupported_media_type: true,
  unauthorized: true,
  forbidden: true,
  sign_in_again: true,
  invalid: true,
  conflict: true,
  changed_meanwhile: true,
  version_required: true,
  webhook_refused: true,
};

describe('hostile text', () => {
  const payloads = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    '</title></textarea></style><svg/onload=alert(1)>',
    '{{7*7}}<%= process.env %>${7*7}&lt;b&gt;',
    '{client} {x, select, other {y}} <b>',
  ];
  /** Tags and attribute names, without any text or attribute value. */
  const skeleton = (html: string) => html.replace(/"[^"]*"/g, '""').match(/<[^>]*>/g);

  for (const payload of payloads) {
    test(`[PL-14] ${payload} changes no page's markup`, () => {
      const hostile = samples(() => payload);
      for (const [name, page] of Object.entries(plain)) {
        const html = pages.render(hostile[name]!, { ...context, reference: payload });
        expect(skeleton(html), name).toEqual(skeleton(pages.render(page, context)));
        expect(html, name).not.toContain(payload);
      }
    });
  }

  test('[PL-14] a link that is not a web address is left out', () => {
    const consent = plain.consent as Extract<Page, { page: 'consent' }>;
    const client = { ...consent.client, privacyUrl: 'javascript:alert(1)', termsUrl: 'data:,x' };
    const html = createPages({
      viewsDirectory: views,
      operator: { name: 'Acme', supportAddress: 'javascript:a@b', privacyUrl: 'javascript:1' },
      sandbox: false,
      assets,
    }).render({ ...consent, client }, context);
    // Our own is no link of theirs.
    expect(html.replace(/<a href="\/privacy\/biometrics">/, '')).not.toMatch(/<a /);
  });

  test('a name that turns the direction of writing does not turn our sentence', () => {
    const client = { name: 'Acme\u202e ikiW', host: 'acme.example' };
    const html = pages.render({ ...plain.continue, client } as Page, context);
    expect(html).toContain('Continue to Acme ikiW');
    expect(html).toContain('<bdi class="name">');
  });

  test('[PL-14] only the layout and the logout form print without escaping', () => {
    const raw = templates().flatMap(({ name, source }) =>
      [...source.matchAll(/<%[-_]?\s*~(.*?)%>/g)].map((match) => [name, match[1]!.trim()]),
    );
    expect(raw).toEqual([
      ['layout.eta', 'it.body'],
      ['logout.eta', 'page.formHtml'],
    ]);
  });

  test('[PL-09] no page has an inline style, script or handler', () => {
    for (const [name, page] of Object.entries(plain)) {
      const html = pages.render(page, context);
      expect(html, name).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=")/i);
    }
  });
});

describe('words', () => {
  test('[AX-08] every text exists, with its values, in every language', () => {
    const {
      options: _,
      error: __,
      ...onlyPasskey
    } = plain.passkey as Extract<Page, { page: 'passkey' }>;
    const all = [
      ...Object.values(plain),
      ...Object.keys(fallbackReasons).flatMap((reason) => {
        const fallback = { ...plain.fallback, reason } as Page;
        return [
          fallback,
          { ...fallback, ways: [] } as Page,
          { ...fallback, actions: { factor: '/factor', back: '/back' } } as Page,
        ];
      }),
      ...(['mail', 'totp', 'recovery'] as const).flatMap((factor) =>
        [true, false].map((isSecond) => ({ ...plain.factor, factor, isSecond }) as Page),
      ),
      { ...plain.secondLeg, ways: [] } as Page,
      { ...plain.capture, ways: [] } as Page,
      ...handoffVariants(plain),
      ...Object.keys(problems).map((problem) => ({ page: 'error', problem }) as Page),
      { ...plain.identify, error: 'too_long' } as Page,
      { ...plain.waiting, selfieTakenAtMs: undefined, returnedAtMs: undefined } as Page,
      {
        ...onlyPasskey,
        onlyPasskey: true,
        actions: { ...onlyPasskey.actions, otherWay: undefined },
      },
      { page: 'finished' } as Page,
      { page: 'logout', formHtml: '' } as Page,
    ];
    const bare = createPages({
      viewsDirectory: views,
      operator: { name: 'Acme' },
      sandbox: false,
      assets,
    });
    for (const locale of locales) {
      for (const page of all) {
        expect(pages.render(page, { locale })).toContain(`<html lang="${locale}">`);
        expect(bare.render(page, { locale })).not.toMatch(/undefined|\{\w+\}/);
      }
    }
  });

  test('every text of the catalogue is used', () => {
    // Mails call factors by their names.
    const sources = ['pages', 'mail-words'].map((name) => ({
      source: readFileSync(join(views, `../src/web/${name}.ts`), 'utf8'),
    }));
    const used = [...templates(), ...sources].flatMap(({ source }) => [
      ...[...source.matchAll(/'([a-z_]+(?:\.[a-z_]+)*)'/g)].map((match) => match[1]!),
      ...[...source.matchAll(/`([a-z_.]+\$\{[^}]+\}[a-z_.]*)`/g)].map((match) => match[1]!),
    ]);
    const patterns = used.map(
      (key) => new RegExp(`^${key.replace(/\./g, '\\.').replace(/\$\{[^}]+\}/, '[a-z_]+')}$`),
    );
    // That the other languages have the same ones is looked at in languages.test.ts.
    const english = JSON.parse(readFileSync(join(views, 'locales/en.json'), 'utf8')) as object;
    const unused = Object.keys(english).filter((key) => !patterns.some((one) => one.test(key)));
    // Those of mails are looked for where mails are made, in mail-words.test.ts.
    expect(unused.filter((key) => !key.startsWith('mail.'))).toEqual([]);
  });

  test('a missing text or value throws, so that no key is ever shown to a person', () => {
    const t = loadText(join(views, 'locales')).translator('en');
    expect(() => t('no.such_key')).toThrow('no text "no.such_key"');
    expect(() => t('action.back', {})).toThrow('client');
  });
});

describe('colour and assets', () => {
  test('whatever colour an operator brings, text in it and on it can be read', () => {
    const colours = [
      '#ffff00',
      '#ffffff',
      '#000000',
      '#0a7d4f',
      '#ff0000',
      'red;}*{x:y',
      undefined,
    ];
    for (const colour of colours) {
      const css = themeStylesheet(colour);
      const accents = [...css.matchAll(/--(?:on-)?accent:(#[0-9a-f]{6})/g)].map(([, hex]) => hex!);
      expect(accents).toHaveLength(4);
      const [accent, onAccent, darkAccent, onDarkAccent] = accents.map(parse);
      expect(css.match(/[{}]/g)).toHaveLength(6);
      expect(contrast(accent!, onAccent!), css).toBeGreaterThanOrEqual(4.5);
      expect(contrast(darkAccent!, onDarkAccent!), css).toBeGreaterThanOrEqual(4.5);
    }
    expect(themeStylesheet('#0a7d4f')).toContain('--accent:#0a7d4f');
    expect(themeStylesheet('#ffff00')).toBe(themeStylesheet(undefined));
  });

  test('assets are kept for ever under their hashed name, and nothing else is served', async () => {
    const path = assets.href('pages.css');
    expect(path).toMatch(/^\/assets\/pages\.[0-9a-f]{12}\.css$/);
    const found = await fetch(origin + path);
    expect(found.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(found.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await found.text()).length).toBeLessThan(12_288);
    for (const other of ['/assets/pages.css', '/assets/..%2flayout.eta', '/assets/constructor']) {
      expect((await fetch(origin + other)).status, other).toBe(404);
    }
    expect((await fetch(origin + path, { method: 'POST' })).status).toBe(405);
    expect(() => assets.href('none.css')).toThrow('no asset "none.css"');
  });
});

describe('in a browser', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const looks = [320, 1280].flatMap((width) =>
    (['light', 'dark'] as const).flatMap((colorScheme) =>
      (['none', 'active'] as const).map((forcedColors) => ({
        ...{ locale: 'en', width, colorScheme, forcedColors },
      })),
    ),
  );
  // Other words are of other lengths and break elsewhere, at 320 px first; their colours are the same.
  const inOtherLanguages = locales
    .filter((locale) => locale !== 'en')
    .map((locale) => ({ ...looks[0]!, locale }));

  for (const { locale, width, colorScheme, forcedColors } of [...looks, ...inOtherLanguages]) {
    const look = `${width} px, ${colorScheme}, forced colours ${forcedColors}, in ${locale}`;
    test(`[AX-06] no page has an accessibility flaw at ${look}`, async () => {
      const browserContext = await browser.newContext({
        viewport: { width, height: 800 },
        colorScheme,
        forcedColors,
        reducedMotion: forcedColors === 'active' ? 'reduce' : 'no-preference',
      });
      const tab = await browserContext.newPage();
      for (const name of Object.keys(plain)) {
        await tab.goto(`${origin}/page/${name}?locale=${locale}`);
        await tab.evaluate(axe);
        const violations = await tab.evaluate(async () => {
          const { axe: run } = globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          };
          return (await run.run()).violations.map(({ id, nodes }) => [id, nodes[0]?.html]);
        });
        expect(violations, name).toEqual([]);
        const overflow = await tab.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        expect(overflow, name).toBe(0);
      }
      await browserContext.close();
    });
  }

  test('[AX-01] the other ways are the next buttons, of equal size, one press away', async () => {
    const tab = await browser.newPage();
    const phone = 'Use your phone’s camera';
    const [passkey, mail, paper] = [
      'Sign in with a passkey',
      'Get a code by mail',
      'Use a recovery code',
    ];
    for (const [name, ...labels] of [
      ['identify', 'Continue', passkey, 'Sign in another way'],
      ['capture', 'Take a selfie', passkey, phone, mail, 'Use a code from an app', paper],
      ['fallback', 'Try another selfie', passkey, mail, paper],
      ['factor', 'Continue', 'Send a new code', passkey, 'Use a code from an app', paper],
      ['consent', 'Allow', 'Do not allow'],
    ] as const) {
      await tab.goto(`${origin}/page/${name}`);
      const buttons = (await tab.locator('form:not(.who) > button').all()).slice(0, labels.length);
      expect(await Promise.all(buttons.map((button) => button.innerText()))).toEqual(labels);
      const boxes = await Promise.all(buttons.map((button) => button.boundingBox()));
      const sizes = new Set(boxes.map((box) => `${box!.width} ${box!.height}`));
      expect(sizes.size, [...sizes].join(', ')).toBe(1);
      expect(boxes[0]!.height).toBeGreaterThanOrEqual(44);
    }
    for (const [button, path] of [
      ['None of these works for me', '/other'],
      [passkey, '/passkey'],
      [mail, '/factor'],
    ] as const) {
      await tab.goto(`${origin}/page/capture`);
      await tab.getByRole('button', { name: button }).click();
      expect(await tab.innerText('body')).toBe(`POST ${path}`);
    }
    await tab.close();
  });

  test('[AX-01] on a phone the selfie’s button is in sight without scrolling', async () => {
    const viewport = { width: 360, height: 740 };
    const tab = await browser.newPage({ viewport });
    await tab.goto(`${origin}/page/capture`);
    const box = await tab.getByRole('button', { name: 'Take a selfie' }).boundingBox();
    expect(box!.y + box!.height).toBeLessThan(viewport.height);
    await tab.close();
  });

  test('without scripts no passkey is offered, and its page says why none can be used', async () => {
    const browserContext = await browser.newContext({ javaScriptEnabled: false });
    const tab = await browserContext.newPage();
    for (const name of ['identify', 'capture', 'fallback', 'factor']) {
      await tab.goto(`${origin}/page/${name}`);
      expect(await tab.getByText('Sign in with a passkey').isVisible(), name).toBe(false);
    }
    await tab.goto(`${origin}/page/passkey`);
    expect(await tab.locator('noscript p').isVisible()).toBe(true);
    expect(await tab.getByRole('button', { name: 'Use your passkey' }).isVisible()).toBe(false);
    await tab.getByRole('button', { name: 'Sign in another way' }).click();
    expect(await tab.innerText('body')).toBe('POST /action');
    await browserContext.close();
  });

  test('[AX-04] the heading has the focus, and what happened is announced', async () => {
    const tab = await browser.newPage();
    for (const name of ['waiting', 'continue', 'fallback', 'passkey', 'foreign', 'error']) {
      await tab.goto(`${origin}/page/${name}`);
      await tab.locator('h1:focus').waitFor();
      expect(await tab.getByRole('status').count(), name).toBe(1);
    }
    await tab.close();
  });

  test('an event makes the waiting page look again', async () => {
    const tab = await browser.newPage();
    eventsPending = 1;
    await tab.goto(`${origin}/page/waiting`);
    await tab.waitForRequest(`${origin}/page/waiting`);
    await tab.close();
  });

  test('[AX-04] without scripts the waiting page looks again by itself', async () => {
    const browserContext = await browser.newContext({ javaScriptEnabled: false });
    const tab = await browserContext.newPage();
    await tab.goto(`${origin}/page/waiting`);
    await tab.waitForRequest(`${origin}/page/waiting`);
    await browserContext.close();
  });

  test('the last form is submitted by the script, and by hand where there is none', async () => {
    const tab = await browser.newPage();
    await tab.goto(`${origin}/continue`);
    await tab.waitForURL('**/continued');
    const browserContext = await browser.newContext({ javaScriptEnabled: false });
    const quiet = await browserContext.newPage();
    await quiet.goto(`${origin}/continue`);
    await quiet.getByRole('button', { name: 'Continue to Acme Wiki' }).click();
    await quiet.waitForURL('**/continued');
    await browserContext.close();
    await tab.close();
  });

  test('[PL-09] the pages need no exception from the content security policy', async () => {
    const tab = await browser.newPage();
    const complaints: string[] = [];
    tab.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) complaints.push(message.text());
    });
    for (const name of Object.keys(plain)) await tab.goto(`${origin}/page/${name}`);
    expect(complaints).toEqual([]);
    await tab.close();
  });
});

let browser: Browser;
let server: ReturnType<Koa['listen']>;
let origin: string;
let eventsPending = 0;

beforeAll(async () => {
  const app = new Koa();
  app.use((ctx) => {
    const name = ctx.path.split('/').at(-1)!;
    if (ctx.path.startsWith('/assets/')) assets.serve(ctx);
    else if (ctx.path === '/events') {
      ctx.type = 'text/event-stream';
      // Either one event and the end, or silence: the page then falls back to its slow look.
      if (eventsPending-- > 0) ctx.body = 'data: look\n\n';
      else ctx.status = 204;
    } else if (ctx.method === 'POST') ctx.body = `POST ${ctx.path}`;
    else if (plain[name]) {
      ctx.set(
        'Content-Security-Policy',
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; " +
          "connect-src 'self'",
      );
      ctx.type = 'html';
      // Under /page/ it tells the person something, and waits to be read; else it submits itself.
      const goesOn = name === 'continue' && !ctx.path.startsWith('/page/');
      const page = goesOn ? { ...plain.continue, notices: [] } : plain[name];
      const { locale = 'en' } = ctx.query;
      ctx.body = pages.render(page as Page, { ...context, locale: String(locale) });
    }
  });
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});

afterAll(async () => {
  await browser.close();
  server.closeAllConnections();
  server.close();
});

function templates(): { name: string; source: string }[] {
  return readdirSync(views)
    .filter((name) => name.endsWith('.eta'))
    .sort()
    .map((name) => ({ name, source: readFileSync(join(views, name), 'utf8') }));
}

test.each(locales)('pages in %s say that selfies do not work, and until when', (locale) => {
  const capture = plain['capture']!;
  const withOutage = (outage: object) =>
    pages.render(capture, { ...context, locale, outage: { isCertain: true, ...outage } });
  expect(pages.render(capture, { ...context, locale })).not.toContain('class="badge"');
  const until = withOutage({ untilMs: Date.UTC(2026, 10, 29, 3) });
  expect(until).toContain('class="badge"');
  expect(until).toMatch(/2026/);
  for (const outage of [withOutage({}), until]) {
    expect(outage).not.toContain('name="shared"');
    expect(outage).toContain('value="totp"');
  }
  expect(withOutage({ isCertain: false })).toContain('name="shared"');
  const identify = pages.render(plain['identify']!, {
    ...{ ...context, locale, outage: { isCertain: true } },
  });
  expect(identify).not.toContain('class="badge"');
});
