import { Secret, TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { createTotp } from '../../src/fallback/totp.ts';
import { countRight, openParts } from './support.ts';

async function start() {
  const parts = await openParts();
  const totp = createTotp(parts);
  /** The app on the phone: what it shows now, or so many steps from now. */
  const app = (secret: string) => (steps: number) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({
      timestamp: parts.clock() + steps * 30_000,
    });
  return {
    ...{ ...parts, totp, app },
    elsewhere: createTotp({ ...parts, records: parts.elsewhere }),
    /** Sets one up, and waits until its first code is over. */
    setUp: async (accountId: string) => {
      const { secret } = await totp.begin(accountId, 'ana@example.com');
      expect(await totp.confirm(accountId, app(secret)(0))).toBe(true);
      parts.pass(90);
      return app(secret);
    },
  };
}

const wrongFor = (codes: readonly string[]): string =>
  ['000000', '111111', '222222', '333333'].find((code) => !codes.includes(code)) ?? '';

describe('an app that shows codes', () => {
  it('is told all that it needs in one address', async () => {
    const { totp } = await start();
    const { secret, uri } = await totp.begin('ana', 'ana@example.com');
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const { protocol, host, pathname, searchParams } = new URL(uri);
    expect([protocol, host]).toEqual(['otpauth:', 'totp']);
    expect(decodeURIComponent(pathname)).toBe('/Example sign-in:ana@example.com');
    expect(Object.fromEntries(searchParams)).toEqual({
      ...{ issuer: 'Example sign-in', secret, algorithm: 'SHA1', digits: '6', period: '30' },
    });
    expect((await totp.begin('ana', 'ana@example.com')).secret).not.toBe(secret);
  });

  it('counts once its first code was typed, and that code is used', async () => {
    const { totp, app } = await start();
    expect(await totp.confirm('ana', '000000')).toBe(false);
    const { secret } = await totp.begin('ana', 'ana');
    const shows = app(secret);
    expect(await totp.verify('ana', shows(0))).toBe(false);
    expect(await totp.confirm('ana', wrongFor([-1, 0, 1].map(shows)))).toBe(false);
    expect(await totp.confirm('ana', shows(0))).toBe(true);
    expect(await totp.confirm('ana', shows(0))).toBe(false);
    expect(await totp.verify('ana', shows(0))).toBe(false);
    expect(await totp.verify('ana', shows(1))).toBe(true);
  });

  it('[EN-11] is not lost when another one is begun and never confirmed', async () => {
    const { totp, app, setUp, pass } = await start();
    const before = await setUp('ana');
    const next = app((await totp.begin('ana', 'ana')).secret);
    expect(await totp.verify('ana', before(0))).toBe(true);
    pass(60);
    expect(await totp.verify('ana', next(0))).toBe(false);
    expect(await totp.confirm('ana', next(0))).toBe(true);
    pass(60);
    expect(await totp.verify('ana', before(0))).toBe(false);
    expect(await totp.verify('ana', next(0))).toBe(true);
  });
});

describe('[FB-05] a code', () => {
  it('is right one step early or late, and no further', async () => {
    for (const [steps, isRight] of [
      [-2, false],
      [-1, true],
      [0, true],
      [1, true],
      [2, false],
    ] as const) {
      const { totp, setUp } = await start();
      const shows = await setUp('ana');
      expect(await totp.verify('ana', shows(steps)), `${steps} steps`).toBe(isRight);
    }
  });

  it('is right once, of twenty at the same time in two processes', async () => {
    const { totp, elsewhere, setUp, pass } = await start();
    const shows = await setUp('ana');
    for (let round = 0; round < 3; round += 1) {
      const code = shows(0);
      const right = await countRight(20, (at) => (at % 2 ? totp : elsewhere).verify('ana', code));
      expect(right).toBe(1);
      expect(await totp.verify('ana', code)).toBe(false);
      pass(60);
    }
  });

  it('of an older step than the last one is refused', async () => {
    const { totp, setUp } = await start();
    const shows = await setUp('ana');
    expect(await totp.verify('ana', shows(1))).toBe(true);
    for (const steps of [-1, 0, 1]) expect(await totp.verify('ana', shows(steps))).toBe(false);
  });

  it('is one person’s, and may be typed with a space', async () => {
    const { totp, setUp } = await start();
    const shows = await setUp('ana');
    expect(await totp.verify('ben', shows(0))).toBe(false);
    expect(await totp.verify('ana', '')).toBe(false);
    const code = shows(0);
    expect(await totp.verify('ana', `${code.slice(0, 3)} ${code.slice(3)}`)).toBe(true);
  });
});
