/** However somebody signs in, no token claims more than that, and none speaks of what a document said. */
import * as jose from 'jose';
import * as oidc from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acr, acrName } from '../../src/domain/assurance.ts';
import { basic, post, tokensOf, userinfo } from '../oidc/support.ts';
import { type Scene, minute, openScene, selfieAgain, somebody } from '../support/account.ts';
import { document, openToAll, signUp } from '../support/enrol.ts';
import {
  type Party,
  type PartyRequest,
  createBrowser,
  createParty,
  settle,
  signIn,
} from '../support/login.ts';
import { answer, choose, equip, finishOn, mailedCode, toChoice } from '../support/ways.ts';
import { wordsOf } from '../support/words.ts';

const [wiki, vault] = ['https://wiki.example/api', 'https://vault.example/api'];
const vaultSecret = 'a-secret-of-the-vault-0123456789abcdef';
const [selfie, fallback] = [acrName(acr.selfie, 'sandbox'), acrName(acr.fallback, 'sandbox')];
let scene: Scene;
let party: Party;

beforeAll(async () => {
  scene = await openScene({
    flags: openToAll,
    clients: [
      { client_id: 'vault', client_secret: vaultSecret, response_types: [], grant_types: [] },
    ],
    resources: [
      { identifier: wiki, scope: 'read' },
      {
        ...{ identifier: vault, scope: 'read', access_token_format: 'opaque' },
        introspected_by: ['vault'],
      },
    ],
  });
  party = await createParty(scene.bed);
});
afterAll(() => scene.close());
// Limits count by the quarter of an hour, and all browsers of a test share an address.
beforeEach(() => scene.passQuarter());

type Person = Awaited<ReturnType<typeof somebody>>;
type Browser = ReturnType<typeof createBrowser>;
type SignIn = (browser: Browser, request: PartyRequest, person: Person) => Promise<string>;

const byCodes =
  (...ways: ('mail' | 'totp' | 'recovery')[]): SignIn =>
  async (browser, request, person) => {
    const mailsBefore = scene.bed.mails.length;
    let page = await toChoice(browser, request, person.address);
    for (const way of ways) {
      const asked = await choose(browser, page, way);
      const code = {
        mail: () => mailedCode(scene.bed, person.address, mailsBefore),
        totp: () => person.app(),
        recovery: () => person.paper.pop() ?? '',
      }[way];
      page = await answer(browser, asked, await code());
    }
    return finishOn(browser, page);
  };

const bySelfie: SignIn = (browser, request, { address }) => signIn(browser, request, address);

/** In a session that two codes began. */
const bySelfieOverCodes: SignIn = async (browser, request, person) => {
  await byCodes('totp', 'recovery')(browser, await party.begin(), person);
  const page = await settle(browser, await browser.get(`${request.url}&prompt=login`));
  return (await selfieAgain(browser, page, person.address)).location ?? '';
};

const bySelfieOfSomebodyNew: SignIn = async (browser, request, { address }) =>
  (await signUp(scene.bed, browser, request, `new-${address}`)).location;

const ways: [string, SignIn, { acr: string; amr: string[] }][] = [
  ['a selfie', bySelfie, { acr: selfie, amr: ['face'] }],
  ['a selfie over two codes', bySelfieOverCodes, { acr: selfie, amr: ['face'] }],
  ['document and selfie of somebody new', bySelfieOfSomebodyNew, { acr: selfie, amr: ['face'] }],
  ['mail and app', byCodes('mail', 'totp'), { acr: fallback, amr: ['otp', 'mca'] }],
  ['paper and mail', byCodes('recovery', 'mail'), { acr: fallback, amr: ['otp', 'mca'] }],
  ['app and paper', byCodes('totp', 'recovery'), { acr: fallback, amr: ['otp'] }],
];

/** What anybody can read in tokens of this browser's session, and about them: by single sign-on and refresh, too. */
async function allThatIsSaid(
  browser: Browser,
  first: Awaited<ReturnType<PartyRequest['finish']>>,
): Promise<Record<string, unknown>[]> {
  const about = async (token: string): Promise<Record<string, unknown>> => {
    const url = `${scene.bed.issuer}/token/introspection`;
    return (await post(url, { token }, basic('first', scene.bed.clientSecret))).json;
  };
  const said: Record<string, unknown>[] = [(await userinfo(scene.bed, first.access_token)).json];
  const wanted = JSON.stringify({
    id_token: { acr: null, amr: null, auth_time: null, verified_claims: null },
    userinfo: { acr: null, amr: null, verified_claims: null },
  });
  const sets = [first];
  for (const resource of [wiki, vault]) {
    const request = await party.begin({ resource, scope: 'openid read', claims: wanted });
    sets.push(await tokensOf(browser, request));
  }
  for (const set of sets) {
    const renewed = await oidc.refreshTokenGrant(party.config, set.refresh_token ?? '');
    for (const { access_token: token, id_token: idToken } of [set, renewed]) {
      if (idToken !== undefined) said.push(jose.decodeJwt(idToken));
      said.push(token.includes('.') ? jose.decodeJwt(token) : await about(token));
    }
  }
  return said;
}

/** Claims about the proof, wherever they are nested, as a list of texts. */
function proofsIn(said: unknown): string[] {
  const found: string[] = [];
  JSON.stringify(said, (key, value: unknown) => {
    if (key === 'acr' || key === 'amr') found.push(JSON.stringify(value));
    return value;
  });
  return found;
}

describe('[AS-02] the tokens of a sign-in by', () => {
  it.each(ways)('%s say that and no more', async (_, way, proof) => {
    const person = await somebody(scene);
    const [browser, request] = [createBrowser(), await party.begin()];
    const tokens = await request.finish(await way(browser, request, person));
    expect(tokens.claims()).toMatchObject(proof);
    const said = await allThatIsSaid(browser, tokens);
    const proofs = proofsIn(said);
    // Three sets of tokens and their renewals; userinfo says nothing of it.
    expect(proofs.filter((one) => one === JSON.stringify(proof.acr))).toHaveLength(12);
    expect(new Set(proofs)).toEqual(
      new Set([JSON.stringify(proof.acr), JSON.stringify(proof.amr)]),
    );
    const text = wordsOf(said);
    expect(text).not.toMatch(
      /\bphrh?\b|\bhwk\b|[aif]al-?[123]\b|nist|eidas|\bloa|score|verified_claims/i,
    );
    if (proof.acr === fallback) expect(text).not.toMatch(/face|liveness|selfie/i);
  });

  it.each(['phr', 'phr:test', 'phrh', 'http://eidas.europa.eu/LoA/high', 'urn:x:nist:aal:2'])(
    'a selfie is none that answers "%s"',
    async (wanted) => {
      const { address } = await somebody(scene);
      const wish = await party.begin({ acr_values: wanted });
      const browser = createBrowser();
      const tokens = await wish.finish(await signIn(browser, wish, address));
      expect(tokens.claims()?.acr).toBe(selfie);
      const claims = JSON.stringify({ id_token: { acr: { essential: true, value: wanted } } });
      const { location } = await browser.get((await party.begin({ claims })).url);
      expect(location).toContain('error=unmet_authentication_requirements');
    },
  );
});

describe('[AS-07] whoever showed a document when they enrolled', () => {
  it('signs in later by two codes, and the token says two codes', async () => {
    const address = 'nora-as07@example.com';
    const [browser, request] = [createBrowser(), await party.begin()];
    const { location, codes } = await signUp(scene.bed, browser, request, address);
    const enrolled = await request.finish(location);
    expect(enrolled.claims()).toMatchObject({ acr: selfie, amr: ['face'] });
    const equipped = await equip(scene.store, address, { has: ['totp'] });
    expect(equipped.accountId).toBe(enrolled.claims()?.sub);

    scene.pass(16 * minute);
    for (const pair of [['mail', 'totp'] as const, ['mail', 'recovery'] as const]) {
      const person = { ...equipped, address, paper: [...codes] };
      const [elsewhere, later] = [createBrowser(), await party.begin()];
      const tokens = await later.finish(await byCodes(...pair)(elsewhere, later, person));
      expect(tokens.claims()).toMatchObject({
        ...{ sub: equipped.accountId, acr: fallback, amr: ['otp', 'mca'] },
      });
      const said = await allThatIsSaid(elsewhere, tokens);
      expect(new Set(proofsIn(said))).toEqual(
        new Set([JSON.stringify(fallback), JSON.stringify(['otp', 'mca'])]),
      );
      // Nothing that the document said is a claim about the sign-in, or any claim that nobody asked for.
      const text = wordsOf(said);
      expect(text).not.toMatch(/document|kyc|id_verification|birthdate|proofing|verified_claims/i);
      expect(text).not.toContain(document.date_of_birth);
    }

    // The session that the document began is one by a selfie, still.
    const own = await tokensOf(browser, await party.begin());
    expect(own.claims()).toMatchObject({ acr: selfie, amr: ['face'] });
  });

  it('is not said to have proven more than a selfie right after it', async () => {
    const [browser, request] = [createBrowser(), await party.begin()];
    const { location } = await signUp(scene.bed, browser, request, 'otto-as07@example.com');
    const tokens = await request.finish(location);
    const claims = JSON.stringify({
      id_token: { acr: { essential: true, value: acrName(acr.selfieActive, 'sandbox') } },
    });
    expect(tokens.claims()?.acr).toBe(selfie);
    const better = await browser.get((await party.begin({ claims })).url);
    expect(better.location).not.toContain('code=');
  });
});
