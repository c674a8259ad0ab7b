/** Passkeys in a real browser, by its own authenticator. */
import type { Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { finishSelfie, heading, newPerson, press, toSelfie } from '../support/chromium.ts';
import { soon } from '../support/soon.ts';
import { type PasskeyStage, openPasskeyStage } from './passkey-stage.ts';

vi.setConfig({ testTimeout: 60_000 });

const [useButton, offer] = ['Use your passkey', 'Sign in with a passkey'];
const phr = { acr: 'phr:test', amr: ['swk', 'user', 'pop', 'mfa'] };
const mustBe = (value: string) => ({
  claims: JSON.stringify({ id_token: { acr: { essential: true, value } } }),
});
const onlyPhr = mustBe(phr.acr);
let stage: PasskeyStage;

beforeAll(async () => {
  stage = await openPasskeyStage();
});
afterAll(() => stage.close());

/** A browser whose authenticator has a passkey of somebody whom no test has been yet. */
async function owner() {
  const somebody = { ...(await stage.someone()), name: stage.person() };
  await stage.makePasskey(somebody.page, somebody.name);
  return somebody;
}

async function begin(page: Page, parameters: Record<string, string> = {}) {
  const request = await stage.party.begin(parameters);
  await page.goto(request.url);
  return async () => {
    await page.waitForURL(`${stage.callback}?**`);
    return (await request.finish(page.url())).claims();
  };
}

const text = (page: Page): Promise<string> => page.getByRole('main').innerText();
const refusal = (page: Page) => page.getByText('That passkey did not let you in');
const isAnswer = (one: Request): boolean => one.url().endsWith('/passkey-answer');

/** Types a name. */
async function identify(page: Page, name: string): Promise<void> {
  await page.getByRole('textbox').fill(name);
  await press(page, 'Continue');
}

/** Chooses the passkey and keeps what the browser would send. */
async function withhold(page: Page): Promise<string> {
  const held = page.waitForEvent('requestfailed', isAnswer);
  await page.route('**/passkey-answer', (route) => route.abort());
  await press(page, offer);
  const body = (await held).postData() ?? '';
  await page.unroute('**/passkey-answer');
  return new URLSearchParams(body).get('credential') ?? '';
}

/** Sends a form of the page that this browser has open, by another step's name. @returns the status of the answer. */
async function send(page: Page, step: string, fields: Record<string, string>): Promise<number> {
  const formToken = await page.locator('[name=form_token]').first().getAttribute('value');
  const response = await page.context().request.post(`${signInOf(page)}/${step}`, {
    form: { form_token: formToken ?? '', ...fields },
    headers: { origin: stage.issuer },
    maxRedirects: 0,
  });
  return response.status();
}

const signInOf = (page: Page): string =>
  /^.*\/interaction\/[\w-]+/.exec(page.url())?.[0] ?? page.url();
const answer = (page: Page, credential: string): Promise<number> =>
  send(page, 'passkey-answer', { credential });

describe('[FB-02] a passkey', () => {
  it('signs in from the first page, without a name and without a selfie', async () => {
    const { page, name } = await owner();
    const before = await stage.selfiesAskedFor();
    const claims = await begin(page);
    await press(page, offer);
    const { id } = await stage.accountOf(name);
    expect(await claims()).toMatchObject({ ...phr, sub: id, email: name });
    expect(await stage.selfiesAskedFor()).toBe(before);
    const told = stage.events.filter(({ account }) => account === id).map(({ event }) => event);
    // What was decided was decided for anybody: the name came with the passkey.
    expect(told).toEqual(['factor.proven', 'login.completed']);
  });

  it('is a sign-in like every other: in the history, told as one in a new browser, and no stranger the next time', async () => {
    const { page, name } = await owner();
    const { id } = await stage.accountOf(name);
    const tagsOf = async (): Promise<number> => {
      const cookies = await page.context().cookies(stage.issuer);
      return (
        Math.floor((cookies.find((one) => one.name === '_device')?.value.length ?? 0) / 22) - 1
      );
    };
    const finish = await begin(page);
    expect(await tagsOf()).toBe(0);
    await press(page, offer);
    const claims = await finish();
    expect(await tagsOf()).toBe(1);
    expect(await stage.history.list(id)).toMatchObject([
      { event: 'signed_in', client: 'Wiki', acr: phr.acr, authTime: claims?.auth_time },
    ]);
    await soon(() =>
      expect(
        stage.mails.filter(({ to }) => to.address === name).map(({ message }) => message),
      ).toMatchObject([{ kind: 'new_device', keepsKey: false, client: 'Wiki' }]),
    );
  });

  it('signs in after a name, after another way, and after a selfie that failed', async () => {
    const { page, name } = await owner();
    const afterName = await begin(page, { prompt: 'login' });
    await identify(page, name);
    await press(page, offer);
    expect(await afterName()).toMatchObject(phr);

    const afterOther = await begin(page, { prompt: 'login' });
    await press(page, 'None of these works for me');
    await press(page, offer);
    expect(await afterOther()).toMatchObject(phr);

    const afterCode = await begin(page, { prompt: 'login' });
    await press(page, 'Use a code from an app');
    await press(page, offer);
    expect(await afterCode()).toMatchObject(phr);

    const afterSelfie = await begin(page, { prompt: 'login' });
    await press(page, 'Take a selfie');
    await finishSelfie(page, 'decline');
    await page.getByText('The check did not confirm that it was you').waitFor();
    await press(page, offer);
    expect(await afterSelfie()).toMatchObject(phr);
  });

  it('of somebody else than was named is refused, and says nothing of who has one', async () => {
    const [ana, ben] = [await owner(), stage.person()];
    const seen: string[] = [];
    for (const name of [ben, 'nobody@example.com']) {
      await ana.page.context().clearCookies();
      await begin(ana.page);
      await identify(ana.page, name);
      await press(ana.page, offer);
      await refusal(ana.page).waitFor();
      seen.push((await text(ana.page)).replaceAll(name, 'NAME'));
    }
    expect(seen[0]).toBe(seen[1]);
    await ana.page.goto(signInOf(ana.page));
    expect(await heading(ana.page).innerText()).toBe('One selfie to sign in');
  });

  it('is used once, and in the sign-in that it was asked for alone', async () => {
    const { page } = await owner();
    const countProven = (): number =>
      stage.events.filter(({ event }) => event === 'factor.proven').length;
    const provenBefore = countProven();
    await begin(page);
    const here = page.url();
    const credential = await withhold(page);
    const { page: elsewhere } = await stage.someone();
    await begin(elsewhere);
    await press(elsewhere, offer);
    await elsewhere.getByText('No passkey was used').waitFor();
    expect(await answer(elsewhere, credential)).toBe(400);

    await page.goto(here);
    const answers = await Promise.all(Array.from({ length: 10 }, () => answer(page, credential)));
    expect(answers).toContain(303);
    expect(countProven()).toBe(provenBefore + 1);
  });

  it('is tried five times in one sign-in, and costs its owner nothing elsewhere', async () => {
    const { page, name } = await owner();
    await begin(page);
    for (let tries = 0; tries < 5; tries += 1) expect(await answer(page, 'wrong')).toBe(400);
    await press(page, offer);
    await refusal(page).waitFor();
    const elsewhere = await begin(page);
    await identify(page, name);
    await press(page, offer);
    expect(await elsewhere()).toMatchObject(phr);
  });

  it('of an account that is erased is nobody’s', async () => {
    const { page, name } = await owner();
    await stage.accounts.setStatus((await stage.accountOf(name)).id, 'erased');
    await begin(page);
    await press(page, offer);
    await refusal(page).waitFor();
  });

  it.each(['blocked', 'held', 'invited'] as const)(
    'of an account that is %s is nobody’s',
    async (status) => {
      const { page, name } = await owner();
      const { id } = await stage.accountOf(name);
      await stage.accounts.setStatus(id, status);
      // What is proven in the second of a block is void with it.
      const second = Math.floor(Date.now() / 1000);
      const claims = await begin(page);
      await press(page, offer);
      await refusal(page).waitFor();
      await stage.accounts.setStatus(id, 'active');
      await expect.poll(() => Math.floor(Date.now() / 1000), { timeout: 3_000 }).not.toBe(second);
      await press(page, useButton);
      expect(await claims()).toMatchObject({ sub: id });
    },
  );

  it('without the PIN or the finger is none, and the page says what can be done', async () => {
    const { page, fits } = await owner();
    await fits(false);
    const claims = await begin(page);
    await press(page, offer);
    await page.getByText('No passkey was used').waitFor();
    await fits(true);
    await press(page, useButton);
    expect(await claims()).toMatchObject(phr);
  });
});

describe('the class phr', () => {
  it('[AS-03] is among those that the provider says it has', () => {
    const { acr_values_supported: classes } = stage.party.config.serverMetadata();
    const others = ['selfie-device', 'selfie', 'device', 'fallback'];
    expect(classes).toEqual([phr.acr, ...others.map((name) => `urn:didit-oidc:acr:${name}:test`)]);
  });

  it('[AS-03] as a wish is honoured by a passkey; a selfie says honestly what it is', async () => {
    const wish = { acr_values: phr.acr };
    const { page, name } = await owner();
    const bySelfie = await begin(page, wish);
    await toSelfie(page, name);
    await finishSelfie(page, 'approve');
    expect((await bySelfie())?.acr).toBe('urn:didit-oidc:acr:selfie:test');

    const byPasskey = await begin(page, wish);
    await press(page, offer);
    expect(await byPasskey()).toMatchObject(phr);
    expect(await (await begin(page, wish))()).toMatchObject(phr);
  });

  it('[AS-03] as a must leads to the passkey alone, and to no selfie that could not help', async () => {
    const { page, name } = await owner();
    const before = await stage.selfiesAskedFor();
    const claims = await begin(page, onlyPhr);
    expect(await text(page)).toContain('It accepts nothing else');
    for (const button of ['Continue', 'Take a selfie', 'Sign in another way']) {
      expect(await page.getByRole('button', { name: button }).count(), button).toBe(0);
    }
    for (const step of ['identify', 'selfie']) {
      expect(await send(page, step, { identifier: name }), step).toBe(303);
    }
    expect(await stage.selfiesAskedFor()).toBe(before);
    await page.reload();
    await press(page, useButton);
    expect(await claims()).toMatchObject(phr);
  });

  it('[AS-03] is not offered, and not taken, where a face is a must', async () => {
    const selfie = 'urn:didit-oidc:acr:selfie:test';
    const { page, name } = await owner();
    const claims = await begin(page, mustBe(selfie));
    for (const step of ['passkey', 'passkey-answer']) {
      expect(await send(page, step, { credential: '{}' }), step).toBe(400);
    }
    const pressWithoutOffer = async (button: string): Promise<void> => {
      await page.getByRole('button', { name: button, exact: true }).waitFor();
      expect(await page.getByRole('button', { name: offer }).count(), button).toBe(0);
      await press(page, button);
    };
    await page.getByRole('textbox').fill(name);
    for (const button of [
      'Continue',
      'Sign in another way',
      'Take a selfie after all',
      'Take a selfie',
    ]) {
      await pressWithoutOffer(button);
    }
    await finishSelfie(page, 'approve');
    expect((await claims())?.acr).toBe(selfie);
  });

  it('[AS-03] as a must over a session by selfie asks for the passkey of that person', async () => {
    const { page, name } = await owner();
    const first = await begin(page);
    await toSelfie(page, name);
    await finishSelfie(page, 'approve');
    const sub = (await first())?.sub;
    const claims = await begin(page, onlyPhr);
    await press(page, useButton);
    expect(await claims()).toMatchObject({ ...phr, sub });
  });
});

describe('the script', () => {
  it('says so where the browser has no passkeys', async () => {
    const { page } = await newPerson(stage.browser);
    await page.addInitScript('delete globalThis.PublicKeyCredential');
    await begin(page);
    await press(page, offer);
    await page.getByText('This browser cannot use passkeys on this page').waitFor();
    await press(page, 'Sign in another way');
    expect(await heading(page).innerText()).toBe('Sign in another way');
  });

  it('makes a new passkey for any form that asks for one, and no second of the same', async () => {
    const { page } = await stage.someone();
    const account = await stage.accountOf(stage.person());
    await begin(page);
    await press(page, offer);
    const script = await page.locator('script[src*=passkey]').getAttribute('src');
    const open = async (): Promise<void> => {
      const options = await stage.passkeys.registrationOptions(account, 'form');
      const quoted = JSON.stringify(options).replaceAll('"', '&quot;');
      await page.route('**/a-form', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<!doctype html><script type="module" src="${script}"></script>
            <form method="post" action="/kept" data-passkey="create" data-options="${quoted}">
            <input type="hidden" name="credential"><p data-tells="known" hidden>You have one.</p>
            <p data-tells="failed" hidden>None.</p><button>Make</button>
            <button formaction="/away">Away</button></form>`,
        }),
      );
      await page.goto(`${stage.issuer}/a-form`);
    };
    // What is sent is looked at here, and the page stays.
    await page.route(/\/(kept|away)$/, (route) => route.fulfill({ status: 204 }));
    await open();
    const sent = page.waitForRequest('**/kept');
    await press(page, 'Make');
    const made = new URLSearchParams((await sent).postData() ?? '').get('credential');
    expect(await stage.passkeys.register(account, 'form', made, 'Laptop')).toBeDefined();

    await open();
    await press(page, 'Make');
    await page.getByText('You have one.').waitFor();
    const away = page.waitForRequest('**/away');
    await press(page, 'Away');
    expect((await away).postData()).toBe('credential=');
  });
});
