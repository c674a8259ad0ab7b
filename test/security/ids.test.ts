/** Every name by which something of ours can be opened, forty of each, from real logins: which of its bits are random? */
import * as jose from 'jose';
import { beforeAll, expect, it } from 'vitest';
import { overhear } from '../didit/support.ts';
import { basic, post } from '../oidc/support.ts';
import { randomKey } from '../../src/config/keys.ts';
import { formTokenFor } from '../support/browser.ts';
import { type Party, createBrowser, createParty, signIn } from '../support/login.ts';
import { type Testbed, redirectUri, startTestbed } from '../support/testbed.ts';

const samples = 40;
const registrationToken = randomKey();
const found = new Map<string, string[]>();

const keep = (kind: string, id: unknown): void => {
  expect(typeof id, kind).toBe('string');
  found.set(kind, [...(found.get(kind) ?? []), id as string]);
};

async function login(bed: Testbed, party: Party, overheard: ReturnType<typeof overhear>) {
  const browser = createBrowser();
  const request = await party.begin({ scope: 'openid offline_access', prompt: 'consent login' });
  const callback = await signIn(browser, request, bed.person());
  const tokens = await request.finish(callback);
  const { body } = overheard.latest();
  const nonce = (body['metadata'] as { nonce: string }).nonce;
  const [, , , , uid = ''] = body.callback.split('/');
  keep('the nonce of the way back', body.callback.split('/').at(-1));
  keep('the nonce of the metadata', nonce);
  keep('a person at Didit', body.vendor_data);
  keep('an interaction', uid);
  keep('the token of a form', formTokenFor(body.callback)['form_token']);
  keep('a code', new URL(callback).searchParams.get('code'));
  keep('an access token', tokens.access_token);
  const [family, token] = (tokens.refresh_token ?? '').split('.');
  keep('a family of refresh tokens', family);
  keep('a refresh token', token);
  const claims = jose.decodeJwt(tokens.id_token ?? '');
  keep('an account', claims.sub);
  const cookies = await browser.jar.getCookies(bed.issuer);
  keep('a session', cookies.find(({ key }) => key === '_session')?.value);
  keep('a device', cookies.find(({ key }) => key === '_device')?.value.slice(0, 22));
}

async function register(bed: Testbed) {
  const answer = await fetch(`${bed.issuer}/reg`, {
    method: 'POST',
    body: JSON.stringify({ application_type: 'native', redirect_uris: [redirectUri] }),
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${registrationToken}`,
    },
  });
  const made = (await answer.json()) as Record<string, string>;
  keep('a client', made['client_id']);
  keep('the secret of a client', made['client_secret']);
  keep('the token of a registration', made['registration_access_token']);
}

async function push(bed: Testbed) {
  const { json } = await post(
    `${bed.issuer}/request`,
    {
      ...{ client_id: 'first', redirect_uri: redirectUri, response_type: 'code', scope: 'openid' },
      ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
    },
    basic('first', bed.clientSecret),
  );
  keep('a pushed request', String(json['request_uri']).split(':').at(-1));
}

beforeAll(async () => {
  const overheard = overhear();
  const bed = await startTestbed({
    people: samples,
    fetch: overheard.fetch,
    flags: {
      dynamicRegistration: { enabled: true, initialAccessToken: registrationToken },
    },
  });
  const party = await createParty(bed);
  for (let at = 0; at < samples; at += 1) {
    await login(bed, party, overheard);
    await register(bed);
    await push(bed);
  }
  for (const event of bed.events) {
    if (event.event === 'login.started') keep('an attempt', event.attempt);
  }
  await bed.close();
});

/** How many bits are now set and now not, of the bytes that the text stands for. */
function bitsThatVary(texts: readonly string[]): number {
  const bytes = texts.map((text) => Buffer.from(text, 'base64url'));
  const length = Math.min(...bytes.map((one) => one.length));
  let varying = 0;
  for (let bit = 0; bit < length * 8; bit += 1) {
    const values = new Set(bytes.map((one) => ((one[bit >> 3] ?? 0) >> (bit & 7)) & 1));
    if (values.size === 2) varying += 1;
  }
  return varying;
}

it('[PL-19] every id has at least 128 bits that nobody can guess', () => {
  const bits = [...found].map(([kind, ids]) => [kind, bitsThatVary(ids)] as const);
  expect(bits.filter(([, number]) => number < 128)).toEqual([]);
});

it('[PL-19] no id comes twice', () => {
  for (const [kind, ids] of found) {
    expect(ids.length, kind).toBeGreaterThanOrEqual(samples);
    expect(new Set(ids).size, kind).toBe(ids.length);
  }
});
