/** What the cookies say, at each step and of each kind of request: nothing but ids that mean nothing. */
import * as oidc from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../support/browser.ts';
import { type Party, createBrowser, createParty, press, settle, signIn } from '../support/login.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { newRequest } from './support.ts';

const selfie = 'urn:didit-oidc:acr:selfie:test';
const wanted: Record<string, string> = {
  ...{ scope: 'openid email groups', acr_values: selfie, max_age: '300' },
  ...{ state: 'state-that-is-seen', nonce: 'nonce-that-is-seen', ui_locales: 'en' },
  claims: JSON.stringify({ id_token: { acr: { essential: true, value: selfie } } }),
};

let bed: Testbed;
let party: Party;

beforeAll(async () => {
  bed = await startTestbed({ people: 2 });
  party = await createParty(bed);
});
afterAll(() => bed.close());

/** A browser, and every cookie that it was ever sent, by name. */
function watched() {
  const seen = new Map<string, Set<string>>();
  const browser = createBrowser({
    seen({ headers, url }: Answer) {
      if (!url.startsWith(bed.issuer)) return;
      for (const cookie of headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        if (value !== '') seen.set(name, (seen.get(name) ?? new Set()).add(value));
      }
    },
  });
  return { browser, seen };
}

/** The text itself, and whatever it may be an encoding of. */
function readings(value: string): string[] {
  const decoded = [
    value,
    decodeURIComponent(value),
    ...(['base64url', 'base64', 'hex'] as const).map((of) =>
      Buffer.from(value, of).toString('latin1'),
    ),
  ];
  return [...decoded, ...decoded.map((text) => text.split('').reverse().join(''))];
}

/** @param secrets what must not be in them, besides what was asked for. */
function expectOpaque(seen: Map<string, Set<string>>, secrets: readonly string[]): void {
  expect([...seen.keys()].toSorted()).toEqual([
    ...['_device', '_device.sig', '_interaction', '_interaction.sig'],
    ...['_interaction_resume', '_interaction_resume.sig', '_session', '_session.sig'],
  ]);
  const telling = [
    ...Object.values(wanted),
    ...secrets,
    'first',
    'localhost',
    'acr',
    'selfie',
    '{',
  ];
  for (const [name, values] of seen) {
    for (const value of values) {
      // Ids of 128 bits and more; a device has one for each account that it knows behind its own.
      expect(value, name).toMatch(/^[\w-]{22,132}$/);
      for (const reading of readings(value)) {
        // Bytes that are random are hardly ever a text as a whole; a few letters stand in them sooner or later.
        if (/^[\x20-\x7e]+$/.test(reading)) {
          expect(reading).not.toMatch(/[a-z]{4,}@|https?:|urn:|\{"\w{2}/i);
        }
        expect(reading).not.toMatch(/[a-z]{2,}@[\w-]+\.[a-z]{2}|https?:\/\/|urn:\w|\{"\w+":/i);
        for (const text of telling.filter(({ length }) => length > 3)) {
          expect(reading).not.toContain(text);
        }
      }
    }
  }
}

describe('[PR-30] after a sign-in and a step-up', () => {
  it.each(['pushed', 'in the address'])(
    'whose request was %s, cookies hold opaque ids',
    async (how) => {
      const { browser, seen } = watched();
      const person = bed.person();
      const secrets = [person];
      const begin = async (more: Record<string, string>) => {
        const { parameters, checks } = await newRequest({ ...wanted, login_hint: person, ...more });
        const isPushed = how === 'pushed';
        const url = isPushed
          ? await oidc.buildAuthorizationUrlWithPAR(party.config, parameters)
          : oidc.buildAuthorizationUrl(party.config, parameters);
        secrets.push(...Object.values(parameters), ...url.searchParams.values());
        const given = {
          ...checks,
          expectedState: wanted.state ?? '',
          expectedNonce: wanted.nonce ?? '',
          maxAge: 300,
        };
        const finish = (to: string): ReturnType<typeof oidc.authorizationCodeGrant> =>
          oidc.authorizationCodeGrant(party.config, new URL(to), given);
        return { url: url.href, finish };
      };
      const first = await begin({});
      const tokens = await first.finish(await signIn(browser, first, person));
      secrets.push(tokens.claims()?.sub ?? '', tokens.access_token, tokens.refresh_token ?? '');

      const again = await begin({ prompt: 'login' });
      const context = await settle(browser, await browser.get(again.url));
      const didit = await settle(browser, await press(browser, context, 'selfie'));
      expect(didit.url).toContain(bed.simulatorUrl);
      expectOpaque(seen, [...secrets, 'Ana', 'login', didit.url.split('/').at(-1) ?? '']);
    },
  );
});
