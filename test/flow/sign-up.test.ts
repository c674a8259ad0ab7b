import { decodeJwt } from 'jose';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import {
  accountPage,
  agree,
  confirmAddress,
  openToAll,
  secretOn,
  signUp,
  toJoin,
} from '../support/enrol.ts';
import { type Party, createParty, heading, press, settle, signIn } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let party: Party;
beforeAll(async () => {
  bed = await startTestbed({ storeUrl: await freshRedis(), flags: openToAll });
  party = await createParty(bed);
});
afterAll(() => bed.close());

describe('somebody new', () => {
  it('[FB-01] enrols in one visit, without a second selfie, and signs in with one from then on', async () => {
    const browser = createBrowser();
    const request = await party.begin();
    const { location, codes } = await signUp(bed, browser, request, 'nora@example.com');
    expect(codes).toHaveLength(10);
    const tokens = await request.finish(location);
    const claims = decodeJwt(tokens.id_token ?? '');
    expect(claims).toMatchObject({
      ...{ acr: 'urn:didit-oidc:acr:selfie:test', amr: ['face'] },
      ...{ email: 'nora@example.com', email_verified: true },
    });
    const { calls } = await bed.log();
    expect(calls.filter(({ operation }) => operation === 'create')).toHaveLength(1);

    const again = await party.begin();
    const elsewhere = createBrowser();
    const later = await again.finish(await signIn(elsewhere, again, 'nora@example.com'));
    expect(later.claims()?.sub).toBe(claims.sub);
    expect(heading(await accountPage(bed, elsewhere))).toBe('Your account');
  });

  it('[FB-01] who mistypes the first code of their app is shown the same app again', async () => {
    const browser = createBrowser();
    const join = await toJoin(browser, await party.begin());
    const consent = await confirmAddress(bed, browser, join, 'otto@example.com');
    const choice = await agree(browser, consent);
    const shown = await settle(browser, await press(browser, choice, 'protect-totp'));
    const wrong = await press(browser, shown, 'protect-totp-code', { code: '000000' });
    expect(wrong.status).toBe(400);
    expect(secretOn(shown)).toMatch(/^[A-Z2-7 ]{32,}$/);
    expect(secretOn(wrong)).toBe(secretOn(shown));
    const secret = Secret.fromBase32(secretOn(shown).replaceAll(' ', ''));
    const code = new TOTP({ secret }).generate();
    const next = await settle(browser, await press(browser, wrong, 'protect-totp-code', { code }));
    expect(heading(next)).toBe('A document and one selfie');
  });
});
