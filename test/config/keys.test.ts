import { importJWK, jwtVerify, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { generateJwks, randomKey } from '../../src/config/keys.ts';

test('generated keys are private, never the same, and sign with their algorithms', async () => {
  const [first, second] = await Promise.all([generateJwks(), generateJwks()]);
  expect(first.keys.map(({ alg, use }) => [alg, use])).toEqual([
    ['ES256', 'sig'],
    ['RS256', 'sig'],
  ]);
  expect(new Set([...first.keys, ...second.keys].map(({ kid }) => kid)).size).toBe(4);
  for (const jwk of first.keys) {
    expect(jwk.d).toBeTypeOf('string');
    const key = await importJWK(jwk);
    const token = await new SignJWT({}).setProtectedHeader({ alg: jwk.alg! }).sign(key);
    const isSecret = ([name]: [string, unknown]) => /^(d|p|q|dp|dq|qi)$/.test(name);
    const publicJwk = Object.entries(jwk).filter((entry) => !isSecret(entry));
    await jwtVerify(token, await importJWK(Object.fromEntries(publicJwk)));
  }
});

test('a random key carries as many bytes as asked for', () => {
  expect(Buffer.from(randomKey(), 'base64url')).toHaveLength(32);
  expect(Buffer.from(randomKey(9), 'base64url')).toHaveLength(9);
  expect(randomKey()).not.toBe(randomKey());
});
