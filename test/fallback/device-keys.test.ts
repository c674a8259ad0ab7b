/** What a browser's key signed, and everything that is nearly it. */
import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type PublicKey,
  deviceKeyMessage,
  isSignedBy,
  readNewKey,
} from '../../src/fallback/device-keys.ts';
import { createDevice } from '../support/device.ts';

const issuer = 'https://login.example';
const challenge = createHash('sha256').update('attempt').digest('base64url');
const message = deviceKeyMessage(issuer, 'prove', challenge);
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;

function newKey(namedCurve = 'P-256'): { privateKey: KeyObject; point: PublicKey } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return { privateKey, point: { x, y } };
}

const { privateKey, point } = newKey();
const rawBy = (key: KeyObject, text: string, hash = 'sha256'): Buffer =>
  sign(hash, Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
const given = (text: string, key = privateKey): string => rawBy(key, text).toString('base64url');

const number = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`);
const bytes32 = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
const coordinate = (value: bigint): string => bytes32(value).toString('base64url');

/** The same signature with s and with n - s: both are right, and nothing here depends on which of them comes. */
function otherHalf(signature: Buffer): Buffer {
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  return Buffer.concat([r, bytes32(order - number(s))]);
}

describe('[FB-03] a signature', () => {
  it('by the key, over the message, is right: by Node and by what browsers do', async () => {
    expect(isSignedBy(point, message, given(message))).toBe(true);
    const device = createDevice();
    const fields = await device.make(message);
    const key = { x: fields.device_key_x ?? '', y: fields.device_key_y ?? '' };
    expect(isSignedBy(key, message, fields.device_signature)).toBe(true);
    const again = await device.sign(message);
    expect(again.device_signature).not.toBe(fields.device_signature);
    expect(isSignedBy(key, message, again.device_signature)).toBe(true);
  });

  it('in its other half is no other proof: what is proven once per attempt is the message', () => {
    const signature = rawBy(privateKey, message);
    for (const one of [signature, otherHalf(signature)]) {
      expect(isSignedBy(point, message, one.toString('base64url'))).toBe(true);
    }
  });

  it.each([
    ['another attempt', deviceKeyMessage(issuer, 'prove', `${challenge.slice(1)}A`)],
    ['the other use', deviceKeyMessage(issuer, 'make', challenge)],
    ['another issuer', deviceKeyMessage('https://login.example.evil', 'prove', challenge)],
    ['an issuer with a line of its own', deviceKeyMessage(`${issuer}\nprove`, 'prove', challenge)],
    ['the challenge alone', challenge],
    ['nothing', ''],
    ['the message and more', `${message}\n`],
  ])('over %s is none', (_, other) => {
    expect(isSignedBy(point, message, given(other))).toBe(false);
  });

  it('by another key, on the same curve or another, is none', () => {
    expect(isSignedBy(point, message, given(message, newKey().privateKey))).toBe(false);
    expect(isSignedBy(newKey().point, message, given(message))).toBe(false);
    const other = newKey('secp256k1');
    expect(isSignedBy(other.point, message, given(message, other.privateKey))).toBe(false);
  });

  it('with another hash is none', () => {
    for (const hash of ['sha1', 'sha384', 'sha512']) {
      const signature = rawBy(privateKey, message, hash).toString('base64url');
      expect(isSignedBy(point, message, signature)).toBe(false);
    }
  });

  it('in DER is none, as short as it may be', () => {
    for (let tries = 0; tries < 50; tries += 1) {
      const der = sign('sha256', Buffer.from(message), privateKey);
      expect(isSignedBy(point, message, der.toString('base64url'))).toBe(false);
    }
  });

  it.each([
    ['', ''],
    ['zeros', Buffer.alloc(64).toString('base64url')],
    ['r of zero', Buffer.concat([Buffer.alloc(32), rawBy(privateKey, message).subarray(32)])],
    ['s of zero', Buffer.concat([rawBy(privateKey, message).subarray(0, 32), Buffer.alloc(32)])],
    ['r and s of the order', Buffer.concat([bytes32(order), bytes32(order)])],
    ['one byte too few', rawBy(privateKey, message).subarray(1)],
    ['one byte too many', Buffer.concat([rawBy(privateKey, message), Buffer.alloc(1)])],
    ['twice', Buffer.concat([rawBy(privateKey, message), rawBy(privateKey, message)])],
    ['with padding', `${given(message)}==`],
    ['with a space', `${given(message)} `],
    ['with a line', `${given(message)}\n`],
    ['in hex', rawBy(privateKey, message).toString('hex')],
  ])('forged, %s, is none', (_, forged) => {
    const text = typeof forged === 'string' ? forged : forged.toString('base64url');
    expect(isSignedBy(point, message, text)).toBe(false);
  });

  it('that is missing is none', () => {
    expect(isSignedBy(point, message, undefined)).toBe(false);
  });

  test('with any bit turned is none', () => {
    const signature = rawBy(privateKey, message);
    fc.assert(
      fc.property(fc.nat(511), (bit) => {
        const turned = Buffer.from(signature);
        turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(isSignedBy(point, message, turned.toString('base64url'))).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('of any bytes, under any point, is false and never an error', () => {
    const bytes = (length: number) =>
      fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((all) => Buffer.from(all).toString('base64url'));
    fc.assert(
      fc.property(bytes(32), bytes(32), bytes(64), (x, y, any) => {
        expect(isSignedBy({ x, y }, message, any)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });
});

describe('[FB-03] a new key', () => {
  const id = randomBytes(32).toString('base64url');
  const make = deviceKeyMessage(issuer, 'make', challenge);
  const right = {
    ...{ device_key: id, device_signature: given(make) },
    ...{ device_key_x: point.x, device_key_y: point.y },
  };
  const read = (fields: Record<string, string | undefined>) =>
    readNewKey(
      new Map(
        Object.entries(fields).filter((one): one is [string, string] => one[1] !== undefined),
      ),
      make,
    );

  it('that shows that its private half is there is taken, and nothing else of the form', () => {
    expect(read({ ...right, name: 'x', kty: 'RSA', d: 'x' })).toEqual({ id, ...point });
  });

  it.each(Object.keys(right))('without the field %s is none', (name) => {
    expect(read({ ...right, [name]: undefined })).toBeUndefined();
    expect(read({ ...right, [name]: '' })).toBeUndefined();
  });

  it.each([
    ['what proves a key', { device_signature: given(message) }],
    ['by somebody else', { device_signature: given(make, newKey().privateKey) }],
    ['of somebody else', newKeyFields()],
    ['off the curve', { device_key_y: coordinate(1n) }],
    ['at the origin', { device_key_x: coordinate(0n), device_key_y: coordinate(0n) }],
    ['beyond the field', { device_key_x: coordinate(prime), device_key_y: coordinate(prime) }],
    ['with a mirrored point', mirrored()],
    ['with a short coordinate', { device_key_x: point.x.slice(1) }],
    ['with a long coordinate', { device_key_x: `${point.x}A` }],
    ['with the coordinates of another curve', longPoint()],
    ['with a short name', { device_key: id.slice(1) }],
    ['with a long name', { device_key: `${id}A` }],
    ['with a name that says something', { device_key: `${id.slice(2)}: ` }],
    ['with a name in two lines', { device_key: `${id}\n` }],
  ])('%s is none', (_, changed) => {
    expect(read({ ...right, ...changed })).toBeUndefined();
  });
});

function newKeyFields(): Record<string, string> {
  const { x, y } = newKey().point;
  return { device_key_x: x, device_key_y: y };
}

function mirrored(): Record<string, string> {
  const y = number(Buffer.from(point.y, 'base64url'));
  return { device_key_y: coordinate(prime - y) };
}

function longPoint(): Record<string, string> {
  const { x, y } = newKey('P-384').point;
  return { device_key_x: x, device_key_y: y };
}

test('what is signed says for whom, for what and for which attempt, each on a line', () => {
  expect(message.split('\n')).toEqual(['didit-oidc device key', issuer, 'prove', challenge]);
});
