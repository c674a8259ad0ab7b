import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createRecoveryCodes } from '../../src/fallback/recovery-codes.ts';
import { countRight, openParts } from './support.ts';

async function start() {
  const parts = await openParts();
  return {
    ...parts,
    codes: createRecoveryCodes(parts),
    elsewhere: createRecoveryCodes({ ...parts, records: parts.elsewhere }),
  };
}

it('[FB-04] are ten, of 80 bits each, in groups and without letters that look like digits', async () => {
  const { codes } = await start();
  const letters = new Set<string>();
  for (let round = 0; round < 20; round += 1) {
    const made = await codes.make('ana');
    expect(new Set(made).size).toBe(10);
    for (const code of made) {
      // 16 of 32 letters.
      expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
      for (const letter of code.replaceAll('-', '')) letters.add(letter);
    }
  }
  expect(letters.size).toBe(32);
});

it('[FB-04] each work once, of twenty at the same time in two processes', async () => {
  const { codes, elsewhere } = await start();
  const made = await codes.make('ana');
  for (const [at, code] of made.slice(0, 3).entries()) {
    const right = await countRight(20, (n) => (n % 2 ? codes : elsewhere).use('ana', code));
    expect(right).toBe(1);
    expect(await codes.left('ana')).toBe(9 - at);
    expect(await codes.use('ana', code)).toBe(false);
  }
  // Different ones do not stand in each other's way.
  const rest = made.slice(3);
  expect(await countRight(7, (at) => codes.use('ana', rest[at]!))).toBe(7);
  expect(await codes.left('ana')).toBe(0);
});

it('[FB-04] of a new set end the old one', async () => {
  const { codes } = await start();
  const [old] = await codes.make('ana');
  const [made] = await codes.make('ana');
  expect(await codes.use('ana', old!)).toBe(false);
  expect(await codes.use('ana', made!)).toBe(true);
});

it('are one person’s, and none at all before they were made', async () => {
  const { codes, records } = await start();
  expect(await codes.left('ana')).toBe(0);
  expect(await codes.use('ana', '0000-0000-0000-0000')).toBe(false);
  const [code] = await codes.make('ana');
  await codes.make('ben');
  expect(await codes.use('ben', code!)).toBe(false);
  // Not even if the hash were moved.
  const { recoveryCodes } = await records.load('ana');
  await records.change('ben', (factors) => ({
    factors: { ...factors, ...(recoveryCodes ? { recoveryCodes } : {}) },
    result: undefined,
  }));
  expect(await codes.use('ben', code!)).toBe(false);
  expect(await codes.use('ana', code!)).toBe(true);
});

it('forgive case, separators and letters that are read as digits', async () => {
  const { codes } = await start();
  const made = await codes.make('ana');
  const ways = [
    (code: string) => code.toLowerCase(),
    (code: string) => code.replaceAll('-', ''),
    (code: string) => ` ${code.replaceAll('-', ' ')} `,
    (code: string) => code.replaceAll('-', '–'),
    (code: string) => code.replaceAll('0', 'O').replaceAll('1', 'l'),
    (code: string) => code.replaceAll('0', 'o').replaceAll('1', 'I'),
  ];
  for (const [at, as] of ways.entries()) {
    expect(await codes.use('ana', as(made[at]!)), as(made[at]!)).toBe(true);
  }
  expect(await codes.use('ana', made[9]!.slice(0, -1))).toBe(false);
  expect(await codes.use('ana', '')).toBe(false);
});

it('[FB-04] are kept as hashes that no list of codes leads to without the key', async () => {
  const { codes, records, secret, ...parts } = await start();
  const made = await codes.make('ana');
  const { hashes = [] } = (await records.load('ana')).recoveryCodes ?? {};
  expect(hashes).toHaveLength(10);
  const plain = made.map((code) => code.replaceAll('-', ''));
  const tried = [...made, ...plain].flatMap((code) => [
    ...[code, `recovery${code}`, `ana${code}`, JSON.stringify(['recovery', 'ana', code])].map(
      (text) => createHash('sha256').update(text).digest('base64url'),
    ),
    code,
  ]);
  for (const text of tried) expect(JSON.stringify(hashes)).not.toContain(text);
  const another = createRecoveryCodes({ ...parts, records, secret: `${secret}!` });
  expect(await another.use('ana', made[0]!)).toBe(false);
});
