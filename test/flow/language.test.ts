/** Somebody is spoken to in one language: by our pages, by Didit's and by mails. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAccounts } from '../../src/store/accounts.ts';
import { createTickets } from '../../src/store/tickets.ts';
import { type Answer, type TestBrowser, createBrowser, formsOf } from '../support/browser.ts';
import { agree, confirmAddress, document, openToAll, takeCodes, toJoin } from '../support/enrol.ts';
import { type Party, createParty, press, settle, signIn, toSelfie } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let party: Party;
beforeAll(async () => {
  bed = await startTestbed({ storeUrl: await freshRedis(), flags: openToAll, people: 3 });
  party = await createParty(bed);
});
afterAll(() => bed.close());

const languageOf = ({ text }: Answer): string | undefined =>
  /<html lang="([^"]+)">/.exec(text)?.[1];
/** Didit's page has its language in its address. */
const diditLanguageOf = ({ url }: Answer): string | undefined =>
  /^http:\/\/[^/]+\/([^/]+)\/session\//.exec(url)?.[1];
const mailsTo = (address: string) =>
  bed.mails.filter(({ to }) => to.address === address).map(({ locale }) => locale);

/** Consent, recovery codes, document and selfie. @returns the languages of the pages on the way, and Didit's page. */
async function enrol(browser: TestBrowser, consent: Answer) {
  const protect = await agree(browser, consent);
  const { page } = await takeCodes(bed, browser, protect);
  const didit = await settle(browser, await press(browser, page, 'selfie'));
  const answered = await browser.post(didit.url, { outcome: 'approve', ...document });
  const back = await settle(browser, answered);
  const ready = await vi.waitFor(async () => {
    const looked = await browser.get(back.url);
    expect(formsOf(looked).flatMap(({ actions }) => actions)).toContainEqual(
      expect.stringMatching(/\/resume$/),
    );
    return looked;
  }, 10_000);
  await press(browser, ready, 'resume');
  return { languages: [consent, protect, page, ready].map(languageOf), didit };
}

describe('somebody new', () => {
  it.each([
    ['of the browser', 'ja-JP,ja;q=0.9,en;q=0.5', {}, 'ja'],
    ['that the app names', 'ja', { ui_locales: 'es-419' }, 'es'],
    ['that there is, of those that the app names', 'en', { ui_locales: 'tlh ja' }, 'ja'],
  ])('is spoken to in the language %s, from the first page to the last mail', async (...row) => {
    const [which, header, parameters, language] = row;
    const browser = createBrowser({ language: header });
    const address = `${which.replace(/\W+/g, '-')}@example.com`;
    const join = await toJoin(browser, await party.begin(parameters));
    expect(languageOf(join)).toBe(language);
    const consent = await confirmAddress(bed, browser, join, address);
    const { languages, didit } = await enrol(browser, consent);
    expect(languages).toEqual([language, language, language, language]);
    expect(diditLanguageOf(didit)).toBe(language);
    // A code, the new way to sign in, and the face.
    await vi.waitFor(() => expect(mailsTo(address)).toEqual([language, language, language]), 5_000);
  });

  it('who was invited is written to as they were spoken to, once they have come', async () => {
    const store = await bed.openStore();
    const random = (bytes: number) => randomBytes(bytes).toString('base64url');
    const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
    const email = 'invited@example.com';
    const added = await createAccounts(store, { clock: Date.now, random }).add({
      ...{ email, groups: [], status: 'invited', emailVerified: false },
    });
    const accountId = added?.id ?? '';
    const tickets = createTickets(store, { random, hash });
    const secret = await tickets.issue('invitation', { accountId }, 60);
    await store.close();

    const browser = createBrowser({ language: 'ja' });
    const link = `${bed.issuer}/enrol/${secret}`;
    const invitation = await browser.get(link);
    expect(languageOf(invitation)).toBe('ja');
    const { languages } = await enrol(
      browser,
      await settle(browser, await browser.post(link, formsOf(invitation)[0]!.fields)),
    );
    expect(languages).toEqual(['ja', 'ja', 'ja', 'ja']);
    // The new way to sign in, and the face.
    await vi.waitFor(() => expect(mailsTo(email)).toEqual(['ja', 'ja']), 5_000);
  });
});

describe('somebody who is here already', () => {
  it('takes a selfie at Didit in the language of the browser', async () => {
    const browser = createBrowser({ language: 'es-MX' });
    expect(diditLanguageOf(await toSelfie(browser, await party.begin(), bed.person()))).toBe('es');
  });

  it('takes it in whatever Didit speaks when nobody named a language that it has', async () => {
    const browser = createBrowser({ language: 'tlh' });
    const didit = await toSelfie(browser, await party.begin(), bed.person());
    expect(new URL(didit.url).pathname).toMatch(/^\/session\//);
  });
});

it('signing out, and what the library refuses, is told in the language that the app names', async () => {
  const browser = createBrowser();
  await signIn(browser, await party.begin(), bed.person());
  const { end_session_endpoint: end = '', authorization_endpoint: begins = '' } =
    party.config.serverMetadata();
  for (const address of [`${end}?ui_locales=ja`, `${begins}?client_id=nobody&ui_locales=ja`]) {
    const page = await browser.get(address);
    expect(languageOf(page), address).toBe('ja');
    expect(page.headers.get('content-language'), address).toBe('ja');
  }
});
