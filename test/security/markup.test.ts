/**
 * Text of strangers on our pages: of apps that named themselves, of requests, of browsers. A real browser reads every
 * page, and finds in it what the same page has with harmless words: no other element, no other attribute.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AppPage, openAppPage } from '../support/app-page.ts';
import {
  finishSelfie,
  heading,
  hostedOrigin,
  launchChromium,
  newPerson,
  press,
} from '../support/chromium.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

const hostile: Record<string, string> = {
  'elements, and the ends of others':
    '</title></textarea></style></noscript></script><script>globalThis.pwned = 1; alert(1)</script>' +
    '--><svg/onload=pwned=1><img src=x onerror=pwned=1><iframe srcdoc="<script>parent.pwned=1</script>">',
  attributes: `"' autofocus onfocus='globalThis.pwned = 1' x="><img src=x onerror="pwned=1">`,
  'what a template or a message would fill in':
    '<%= process.env %><%~ it %>{{7*7}}${7*7}{client} {x, select, other {y}} &lt;script&gt;pwned=1&#60;/script&#62;',
  'addresses and orders':
    'javascript:pwned=1//"><base href=//evil.example><meta http-equiv="refresh" content="0;url=//evil.example">' +
    '<form action=//evil.example><link rel=stylesheet href=//evil.example>',
};
/** What a scope may consist of (RFC 6749, 3.3). */
const asScope = (text: string): string => text.replaceAll(/[^\x21\x23-\x5b\x5d-\x7e]/g, '');
const texts: Record<string, string> = { harmless: 'Somebody', ...hostile };

let app: AppPage;
let bed: Testbed;
let browser: Browser;

beforeAll(async () => {
  app = await openAppPage();
  bed = await startTestbed({
    simulator: { hostedOrigin },
    flags: { didit: { hostedOrigins: [hostedOrigin] } },
    clients: Object.entries(texts).map(([client_id, text]) => ({
      ...{ client_id, client_name: text, token_endpoint_auth_method: 'none' },
      ...{ redirect_uris: [app.callback], client_uri: `https://rp.example/${text}` },
      logo_uri: `https://rp.example/${text}`,
      policy_uri: `https://rp.example/${text}`,
      tos_uri: `https://rp.example/?${text}`,
    })),
    // Names of scopes are the operator's, and stand on the page for consent when they are new.
    resources: Object.entries(texts).map(([id, text]) => ({
      identifier: `https://api.example/${encodeURIComponent(id)}`,
      scope: `read:${asScope(text)}`,
    })),
  });
  browser = await launchChromium(bed.simulatorUrl);
});
afterAll(async () => {
  await browser.close();
  await bed.close();
  await app.close();
});

/** Elements with the names of their attributes, and where links lead: all that is not text. */
const bones = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(`
    [...document.querySelectorAll('*')].map((element) =>
      [element.tagName, ...[...element.attributes].map(({ name }) => name), element.protocol ?? ''].join(' '))
  `);

/** All pages that show what somebody else wrote, in the order in which a person can come to them. */
async function visitAll(id: string, text: string): Promise<Map<string, string[]>> {
  const { page } = await newPerson(browser, {
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 ${text}`,
  });
  const seen = new Map<string, string[]>();
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const look = async (name: string): Promise<void> => {
    expect(await page.evaluate<unknown>('globalThis.pwned'), name).toBeUndefined();
    expect(await page.evaluate<string>('document.baseURI'), name).toBe(page.url());
    seen.set(name, await bones(page));
  };
  const authorization = (more: Record<string, string> = {}): string => {
    const query = new URLSearchParams({
      ...{ client_id: id, redirect_uri: app.callback, response_type: 'code', scope: 'openid' },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
      ...{ state: text, nonce: text, login_hint: text, ui_locales: text, ...more },
    });
    return `${bed.issuer}/auth?${query.toString()}`;
  };
  const back = async (): Promise<URLSearchParams> => {
    await page.getByRole('heading', { name: 'The app' }).waitFor();
    const answer = app.answers.at(-1);
    expect(answer?.get('state')).toBe(text);
    return answer ?? new URLSearchParams();
  };

  await page.goto(authorization());
  await look('the page that asks for a name, which is hinted at');
  await page.getByRole('textbox').fill(text);
  await press(page, 'Continue');
  await look('the page before the selfie, of a person by that name');
  await press(page, 'None of these works for me');
  await look('the page with other ways');
  await page.getByRole('button', { name: /^Go back to / }).click();
  expect((await back()).get('error')).toBe('access_denied');

  await page.goto(authorization({ login_hint: 'ana@example.com' }));
  await press(page, 'Continue');
  await press(page, 'Take a selfie');
  await finishSelfie(page, 'approve');
  await page.getByRole('heading', { name: /^Share this with / }).waitFor();
  expect(await heading(page).innerText()).toContain(text.replaceAll(/\s+/g, ' '));
  await look('the page that asks for consent');
  await press(page, 'Allow');
  expect((await back()).get('code')).toMatch(/^[\w-]{43}$/);
  const resource = `https://api.example/${encodeURIComponent(id)}`;
  const scope = `openid read:${asScope(text)}`;
  await page.goto(authorization({ resource, scope }));
  await look('consent for a scope of that name');

  const before = app.answers.length;
  await page.goto(authorization({ response_mode: 'form_post' }));
  expect((await back()).get('code')).toMatch(/^[\w-]{43}$/);
  await page.goto(authorization({ response_mode: 'form_post', prompt: text }));
  expect((await back()).get('error')).toBe('invalid_request');
  expect(app.answers).toHaveLength(before + 2);

  for (const name of ['client_id', 'scope', 'error_description']) {
    await page.goto(`${bed.issuer}/auth?${new URLSearchParams({ [name]: text }).toString()}`);
    await look(`an error page, by ${name}`);
  }
  await page.goto(
    `${bed.issuer}/session/end?${new URLSearchParams({ client_id: id, state: text }).toString()}`,
  );
  await look('the page that asks whether to sign out');
  expect(dialogs).toEqual([]);
  expect(app.asked).toEqual([]);
  return seen;
}

let plain: Map<string, string[]> | undefined;

it.each(Object.entries(hostile))(
  '[PL-14] who writes %s has written text, wherever strangers may write',
  async (id, text) => {
    plain ??= await visitAll('harmless', 'Somebody');
    const seen = await visitAll(id, text);
    expect([...seen.keys()]).toEqual([...plain.keys()]);
    for (const [name, elements] of seen) expect(elements, name).toEqual(plain.get(name));
  },
  60_000,
);
