/**
 * Once begun, a request is what it was: whatever is added to an address or a form on the way, what comes back is a
 * code in the query, for the client, the scope and the address that were asked for.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseClients } from '../../src/oidc/clients.ts';
import { type Answer, type TestBrowser, createBrowser, formsOf } from '../support/browser.ts';
import {
  type Party,
  createParty,
  heading,
  isCallback,
  settle,
  takeSelfie,
  whileWaiting,
} from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

/** What would be worth something to whoever could slip it in. */
const wanted = {
  ...{ response_type: 'code id_token token', response_mode: 'fragment', grant_types: 'implicit' },
  ...{ redirect_uri: 'http://evil.example/', client_id: 'second', scope: 'openid groups' },
  ...{ code_challenge_method: 'plain', prompt: 'none', state: 'slipped in', nonce: 'slipped in' },
  ...{ accountId: 'ben', acr: 'phr', result: '{"login":{"accountId":"ben"}}', consent: '{}' },
};
const query = new URLSearchParams(wanted).toString();
const tampered = (url: string): string => `${url}${url.includes('?') ? '&' : '?'}${query}`;

let bed: Testbed;

beforeAll(async () => {
  bed = await startTestbed();
});
afterAll(() => bed.close());

/** As `settle`, with the parameters in each address of ours. */
async function settleTampered(browser: TestBrowser, answer: Answer): Promise<Answer> {
  let current = answer;
  while (current.location !== undefined && !isCallback(current.location)) {
    current = await browser.get(tampered(current.location));
  }
  return current;
}

/** As `press`, with the parameters in the address and among the hidden fields. */
async function pressTampered(
  browser: TestBrowser,
  page: Answer,
  step: string,
  fields: Record<string, string> = {},
): Promise<Answer> {
  const form = formsOf(page).find(({ actions }) => actions.some((to) => to.endsWith(`/${step}`)));
  const action = form?.actions.find((to) => to.endsWith(`/${step}`));
  if (!form || action === undefined) throw new Error(`no "${step}" on "${heading(page)}"`);
  const answer = await browser.post(tampered(action), { ...form.fields, ...wanted, ...fields });
  return settleTampered(browser, answer);
}

async function signInTampered(browser: TestBrowser, party: Party) {
  const request = await party.begin({ scope: 'openid' });
  const identify = await settleTampered(browser, await browser.get(request.url));
  const context = await pressTampered(browser, identify, 'identify', {
    identifier: 'ana@example.com',
  });
  const form = formsOf(context).flatMap(({ actions }) => actions);
  const selfie = form.find((to) => to.endsWith('/selfie')) ?? '';
  // Didit's own page is not ours to tamper with.
  const didit = await settle(browser, await browser.post(tampered(selfie), wanted));
  const back = await takeSelfie(browser, didit, 'approve');
  const waiting = await settle(browser, back);
  const ready = await whileWaiting(browser, waiting);
  let page = await pressTampered(browser, ready, 'resume');
  if (heading(page).startsWith('Share this with')) {
    page = await pressTampered(browser, page, 'allow');
  }
  return { request, location: page.location ?? '' };
}

describe('[PR-07] what is added on the way', () => {
  it.each(['first', 'stranger'])('changes nothing of the answer to "%s"', async (clientId) => {
    const browser = createBrowser();
    const party = await createParty(bed, clientId);
    const { request, location } = await signInTampered(browser, party);
    const { hash, searchParams } = new URL(location);
    expect(hash).toBe('');
    expect([...searchParams.keys()].toSorted()).toEqual(['code', 'iss', 'state']);
    expect(searchParams.get('state')).toBe(new URL(request.url).searchParams.get('state'));
    // openid-client has looked at nonce, client and PKCE here.
    const tokens = await request.finish(location);
    expect(tokens).toMatchObject({ scope: 'openid' });
    const claims = tokens.claims();
    expect(claims).toMatchObject({ aud: clientId, acr: 'urn:didit-oidc:acr:selfie:test' });
    expect(claims).not.toHaveProperty('groups');
    expect(claims).not.toHaveProperty('email');
  });

  it('to the address at which the library goes on leads to no second answer', async () => {
    const browser = createBrowser();
    const { request, location } = await signInTampered(browser, await createParty(bed));
    await request.finish(location);
    const cookies = await browser.jar.getCookies(bed.issuer, { allPaths: true });
    const uid = cookies.find(({ key }) => key === '_interaction')?.value ?? '';
    for (const path of [`/auth/${uid}`, `/interaction/${uid}`]) {
      const again = await browser.get(tampered(bed.issuer + path));
      expect(again.status).toBeGreaterThanOrEqual(400);
      expect(again.location).toBeUndefined();
    }
  });
});

describe('[PR-07] a client that the operator writes for another flow', () => {
  it.each([
    ['implicit', { response_types: ['id_token'], grant_types: ['implicit'] }],
    ['hybrid', { response_types: ['code id_token'] }],
    ['password', { grant_types: ['authorization_code', 'password'] }],
    ['device', { grant_types: ['urn:ietf:params:oauth:grant-type:device_code'] }],
    ['back-channel', { grant_types: ['urn:openid:params:grant-type:ciba'] }],
  ])('(%s) keeps the provider from starting', async (_, metadata) => {
    const client = {
      ...{ client_id: 'odd', token_endpoint_auth_method: 'none' },
      ...{ redirect_uris: ['https://rp.example/cb'], ...metadata },
    };
    expect(parseClients(JSON.stringify({ clients: [client] })).clients).toHaveLength(1);
    await expect(startTestbed({ clients: [client] })).rejects.toThrow('client "odd": ');
  });
});
