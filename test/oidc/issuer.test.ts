/** Every answer says whose it is (RFC 9207), so that a client of two providers cannot mistake one for the other. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBrowser, formsOf } from '../support/browser.ts';
import {
  type Party,
  createParty,
  interactionOf,
  isCallback,
  settle,
  signIn,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { answerOf, changed, signedIn } from './support.ts';

let bed: Testbed;
let hostile: Testbed;
let party: Party;

beforeAll(async () => {
  [bed, hostile] = await Promise.all([startTestbed(), startTestbed()]);
  party = await createParty(bed);
});
afterAll(() => Promise.all([bed.close(), hostile.close()]));

describe('[PR-05] the issuer', () => {
  it.each([
    ['that nobody is signed in', { prompt: 'none' }, 'login_required'],
    [
      'that the response type is none of ours',
      { response_type: 'token' },
      'unsupported_response_type',
    ],
    ['that the prompts contradict', { prompt: 'none login' }, 'invalid_request'],
    ['that PKCE is missing', { code_challenge: undefined }, 'invalid_request'],
    ['that the claims are no JSON', { claims: '{' }, 'invalid_request'],
    [
      'that a request object is not signed',
      { request: 'eyJhbGciOiJub25lIn0.e30.' },
      'invalid_request_object',
    ],
  ])('stands in the answer %s', async (_name, changes, error) => {
    const { location } = await createBrowser().get(await changed(party, changes));
    // For a response type with a token the answer would stand behind the hash.
    expect(answerOf(location?.replace('#', '?'))).toMatchObject({ error, iss: bed.issuer });
  });

  it('stands in the answer that somebody turned back, and in a code', async () => {
    const browser = createBrowser();
    await settle(browser, await browser.get((await party.begin()).url));
    const cancel = `${await interactionOf(browser, bed)}/cancel`;
    const left = await settle(browser, await browser.post(cancel));
    expect(answerOf(left.location)).toMatchObject({ error: 'access_denied', iss: bed.issuer });
    const code = await signIn(browser, await party.begin());
    expect(answerOf(code)).toMatchObject({ iss: bed.issuer });
  });

  it.each([
    ['query', '?'],
    ['fragment', '#'],
  ])('stands in codes and errors alike, in the %s', async (mode, mark) => {
    const browser = await signedIn(bed);
    for (const [prompt, told] of [
      ['none', 'code'],
      ['none consent', 'error'],
    ] as const) {
      const url = await changed(party, { response_mode: mode, prompt });
      const { location = '' } = await browser.get(url);
      const answer = new URLSearchParams(location.slice(location.indexOf(mark) + 1));
      expect(answer.has(told)).toBe(true);
      expect(answer.getAll('iss')).toEqual([bed.issuer]);
    }
  });

  it('stands in a form that is posted, be it a code or an error', async () => {
    const browser = await signedIn(bed);
    for (const [prompt, told] of [
      ['none', 'code'],
      ['none consent', 'error'],
    ] as const) {
      const url = await changed(party, { response_mode: 'form_post', prompt });
      const [form] = formsOf(await browser.get(url));
      expect(form?.fields).toMatchObject({ iss: bed.issuer });
      expect(form?.fields).toHaveProperty(told);
    }
  });

  it('is announced in the metadata', () => {
    const metadata = party.config.serverMetadata();
    expect(metadata.authorization_response_iss_parameter_supported).toBe(true);
  });

  it('keeps a code of ours from a relying party that thinks it is of another provider', async () => {
    const asked = await (await createParty(hostile)).begin();
    const code = new URL(await signIn(createBrowser(), await party.begin()));
    expect(isCallback(code.href)).toBe(true);
    code.searchParams.set('state', new URL(asked.url).searchParams.get('state') ?? '');
    const aboutIssuer = { cause: { message: expect.stringContaining('"iss"') as string } };
    await expect(asked.finish(code.href)).rejects.toMatchObject(aboutIssuer);
    code.searchParams.delete('iss');
    await expect(asked.finish(code.href)).rejects.toMatchObject(aboutIssuer);
  });

  it('keeps an error of a hostile provider from a relying party that asked us', async () => {
    const asked = await party.begin({ prompt: 'none' });
    const theirs = await (await createParty(hostile)).begin({ prompt: 'none' });
    const { location = '' } = await createBrowser().get(theirs.url);
    const mixed = new URL(location);
    mixed.searchParams.set('state', new URL(asked.url).searchParams.get('state') ?? '');
    expect(mixed.searchParams.get('iss')).toBe(hostile.issuer);
    await expect(asked.finish(mixed.href)).rejects.toMatchObject({
      cause: { message: expect.stringContaining('"iss"') as string },
    });
    const own = await createBrowser().get(asked.url);
    await expect(asked.finish(own.location ?? '')).rejects.toMatchObject({
      error: 'login_required',
    });
  });
});
