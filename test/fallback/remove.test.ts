import { describe, expect, it } from 'vitest';
import { removeFactor } from '../../src/fallback/remove.ts';
import { type Factors, hasOtherWay, noFactors } from '../../src/store/factors.ts';
import { openParts } from './support.ts';

const passkey = (id: string) => ({
  ...{ id, publicKey: 'k', counter: 0, transports: [], isSynced: false },
  ...{ name: 'Laptop', createdAtMs: 1 },
});
const totp = { secret: 's', lastStep: 0, createdAtMs: 1 };
const recoveryCodes = { hashes: ['h'], createdAtMs: 1 };

async function start(factors: Partial<Factors>) {
  const parts = await openParts();
  await parts.records.change('ana', () => ({
    factors: { ...noFactors, ...factors },
    result: undefined,
  }));
  return parts;
}

describe('[EN-11] the last way in without a face', () => {
  it.each<[string, Partial<Factors>, Parameters<typeof removeFactor>[2]]>([
    ['a passkey', { passkeys: [passkey('a')] }, { passkey: 'a' }],
    ['an app', { totp }, 'totp'],
    ['recovery codes', { recoveryCodes }, 'recovery'],
  ])('stays: %s', async (_, factors, which) => {
    const { records } = await start(factors);
    expect(await removeFactor(records, 'ana', which)).toBe('last');
    expect(await records.load('ana')).toEqual({ ...noFactors, ...factors });
  });

  it('is any that is left, so the others go', async () => {
    const { records } = await start({
      passkeys: [passkey('a'), passkey('b')],
      totp,
      recoveryCodes,
    });
    expect(await removeFactor(records, 'ana', 'recovery')).toBe('removed');
    expect(await removeFactor(records, 'ana', { passkey: 'a' })).toBe('removed');
    expect(await removeFactor(records, 'ana', 'totp')).toBe('removed');
    expect(await removeFactor(records, 'ana', { passkey: 'b' })).toBe('last');
    expect(await records.load('ana')).toEqual({ ...noFactors, passkeys: [passkey('b')] });
  });

  it('stays also when two are removed at once, in two processes', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { records, elsewhere } = await start({ passkeys: [passkey('a')], totp });
      const answers = await Promise.all([
        removeFactor(records, 'ana', { passkey: 'a' }),
        removeFactor(elsewhere, 'ana', 'totp'),
      ]);
      expect(answers.sort()).toEqual(['last', 'removed']);
      expect(hasOtherWay(await records.load('ana'))).toBe(true);
    }
  });

  it('takes two where the person cannot be written to', async () => {
    const { records } = await start({ totp, recoveryCodes });
    const alone = { byMail: false };
    expect(await removeFactor(records, 'ana', 'totp', alone)).toBe('last');
    expect(await removeFactor(records, 'ana', 'recovery', alone)).toBe('last');
    expect(await removeFactor(records, 'ana', 'totp')).toBe('removed');
  });
});

it('what is not there is not removed, and what was of no use may go', async () => {
  const { records } = await start({});
  for (const which of ['totp', 'recovery', { passkey: 'a' }] as const) {
    expect(await removeFactor(records, 'ana', which)).toBe('absent');
  }
  const used = { hashes: [], createdAtMs: 1 };
  const begun = { secret: 's', createdAtMs: 1 };
  const left = await start({ recoveryCodes: used, totpToConfirm: begun });
  expect(await removeFactor(left.records, 'ana', 'recovery')).toBe('removed');
  expect(await removeFactor(left.records, 'ana', 'totp')).toBe('removed');
  expect(await left.records.load('ana')).toEqual(noFactors);
});
