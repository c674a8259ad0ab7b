import { expect, it } from 'vitest';
import { createMailCodes } from '../../src/fallback/mail-code.ts';
import { countRight, openParts } from './support.ts';

const to = { key: 'attempt-1', address: 'ana@example.com', purpose: 'sign_in' } as const;

async function start() {
  const parts = await openParts();
  const codes = createMailCodes(parts);
  return {
    ...parts,
    codes,
    elsewhere: createMailCodes({ ...parts, store: parts.neighbour }),
    /** @returns the code that a mail brought. */
    send: async (of: Parameters<typeof codes.send>[0] = to): Promise<string> => {
      await codes.send(of);
      const last = parts.mails.at(-1)?.message;
      return last?.kind === 'code' ? last.code : '';
    },
  };
}

const other = (code: string): string => (code === '00000000' ? '11111111' : '00000000');

it('[FB-06] is eight digits in a mail that says what for and for how long, and has no link', async () => {
  const { send, mails } = await start();
  const codes = new Set<string>();
  for (let times = 0; times < 50; times += 1) codes.add(await send({ ...to, locale: 'ja' }));
  for (const code of codes) expect(code).toMatch(/^\d{8}$/);
  expect(codes.size).toBe(50);
  expect(mails[0]).toEqual({
    to: { address: 'ana@example.com', locale: 'ja' },
    message: { kind: 'code', purpose: 'sign_in', code: [...codes][0], minutes: 10 },
  });
});

it('[FB-06] is right once, of twenty who type it at the same time in two processes', async () => {
  const { send, codes, elsewhere } = await start();
  for (let round = 0; round < 5; round += 1) {
    const code = await send();
    // No more than the five tries that a code has.
    expect(await countRight(5, (at) => (at % 2 ? codes : elsewhere).verify(to.key, code))).toBe(1);
    expect(await codes.verify(to.key, code)).toBe(false);
  }
  const code = await send();
  const right = await countRight(20, (at) => (at % 2 ? codes : elsewhere).verify(to.key, code));
  expect(right).toBe(1);
});

it('[FB-06] is right once: whoever types it again a moment later types a wrong one', async () => {
  const { send, codes, elsewhere } = await start();
  const code = await send();
  expect(await codes.verify(to.key, code)).toBe(true);
  expect(await codes.verify(to.key, code)).toBe(false);
  expect(await elsewhere.verify(to.key, code)).toBe(false);
});

it('[FB-06] [AB-03] is tried five times, of twenty at once, and then even the right one is wrong', async () => {
  const { send, codes, elsewhere } = await start();
  const code = await send();
  for (let tries = 0; tries < 4; tries += 1) {
    expect(await codes.verify(to.key, other(code))).toBe(false);
  }
  expect(await codes.verify(to.key, code)).toBe(true);

  const used = await send();
  for (let tries = 0; tries < 5; tries += 1) await codes.verify(to.key, other(used));
  expect(await codes.verify(to.key, used)).toBe(false);

  const next = await send();
  await countRight(20, (at) => (at % 2 ? codes : elsewhere).verify(to.key, other(next)));
  expect(await codes.verify(to.key, next)).toBe(false);
  // A new one has tries of its own.
  expect(await codes.verify(to.key, await send())).toBe(true);
});

it('[FB-06] is good for ten minutes', async () => {
  const { send, codes, pass } = await start();
  const code = await send();
  pass(599);
  expect(await codes.verify(to.key, other(code))).toBe(false);
  pass(1);
  expect(await codes.verify(to.key, code)).toBe(false);
  const next = await send();
  pass(599);
  expect(await codes.verify(to.key, next)).toBe(true);
});

it('[FB-06] is ended by a new one', async () => {
  const { send, codes } = await start();
  const [first, second] = [await send(), await send()];
  expect(await codes.verify(to.key, first)).toBe(false);
  expect(await codes.verify(to.key, second)).toBe(true);
});

it('[FB-06] belongs to what it was asked for: another sign-in knows nothing of it', async () => {
  const { send, codes, store } = await start();
  const code = await send();
  expect(await codes.verify('attempt-2', code)).toBe(false);
  expect(await codes.verify('', code)).toBe(false);
  // Not even if its record lay under the other's name.
  const record = await store.get(`mail-code:${to.key}`);
  await store.put('mail-code:attempt-2', record?.value ?? '', { ttlSeconds: 60 });
  expect(await codes.verify('attempt-2', code)).toBe(false);
  expect(await codes.verify(to.key, code)).toBe(true);
});

it('may be typed with spaces, dashes and wide digits', async () => {
  const { send, codes } = await start();
  const wide = (text: string): string =>
    text.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
  for (const as of [
    (code: string) => ` ${code.slice(0, 4)} ${code.slice(4)}\n`,
    (code: string) => `${code.slice(0, 4)}–${code.slice(4)}`,
    wide,
  ]) {
    expect(await codes.verify(to.key, as(await send()))).toBe(true);
  }
});

it('[FB-04] [BD-04] is kept as a hash that takes a key to try out, and its record has an end', async () => {
  const { send, store, secret } = await start();
  const code = await send();
  const record = (await store.get(`mail-code:${to.key}`))?.value ?? '';
  expect(record).not.toContain(code);
  const another = createMailCodes({
    ...{ store, secret: `${secret}!`, sendMail: () => Promise.resolve() },
    ...{ random: () => '', clock: () => 0 },
  });
  expect(await another.verify(to.key, code)).toBe(false);
});

it('that could not be sent says so to whoever asked for it', async () => {
  const parts = await openParts();
  const away = new Error('no mail server');
  const codes = createMailCodes({ ...parts, sendMail: () => Promise.reject(away) });
  await expect(codes.send(to)).rejects.toBe(away);
});
