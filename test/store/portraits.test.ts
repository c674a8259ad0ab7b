import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import type { Enrolment } from '../../src/store/accounts.ts';
import { type PortraitOpening, createPortraits } from '../../src/store/portraits.ts';
import { countSealings } from './sealings.ts';
import { openSqlite } from './stores.ts';

const image = Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.from('a face, one might think')]);
const account = 'account-1';

/** A store that is not sealed: what protects a face here protects it everywhere. */
async function enrolled() {
  const opened = await openSqlite(':memory:');
  onTestFinished(() => opened.close());
  const { store } = opened;
  const openings: PortraitOpening[] = [];
  const portraits = createPortraits(store, (opening) => openings.push(opening));
  const ids = { id: 'enrolment-1', vendorData: 'opaque-1' };
  const enrolment: Enrolment = { ...ids, ...(await portraits.save(account, ids, image)) };
  const load = (change: Partial<Enrolment> = {}, of = account) =>
    portraits.load(of, { ...enrolment, ...change }, 'sign_in');
  return { store, portraits, enrolment, openings, load };
}

it('a portrait comes back as Didit takes it', async () => {
  const { load } = await enrolled();
  expect(await load()).toBe(image.toString('base64'));
});

it('at rest it is unreadable, and never the same twice', async () => {
  const { store, portraits, enrolment } = await enrolled();
  const first = (await store.get('portrait:enrolment-1'))?.value ?? '';
  expect(Buffer.from(first, 'base64').includes('a face')).toBe(false);
  const { portraitKey: key } = await portraits.save(account, enrolment, image);
  expect(key).not.toBe(enrolment.portraitKey);
  expect((await store.get('portrait:enrolment-1'))?.value).not.toBe(first);
});

describe('[BD-02] a portrait does not open', () => {
  test.each([
    ['with another key', { portraitKey: randomBytes(32).toString('base64') }],
    ['with half a key', { portraitKey: randomBytes(16).toString('base64') }],
    ['for another name at Didit', { vendorData: 'opaque-2' }],
  ])('%s', async (_name, change) => {
    const { load, openings } = await enrolled();
    await expect(load(change)).rejects.toThrow();
    expect(openings).toEqual([]);
  });

  test('for another account that was given this very enrolment, key and all', async () => {
    const { load, openings } = await enrolled();
    await expect(load({}, 'account-2')).rejects.toThrow();
    expect(openings).toEqual([]);
  });

  test('for another enrolment to which it was moved', async () => {
    const { store, load } = await enrolled();
    const stored = await store.get('portrait:enrolment-1');
    await store.put('portrait:enrolment-2', stored?.value ?? '');
    await expect(load({ id: 'enrolment-2' })).rejects.toThrow();
  });

  test('for either of two people whose pictures were swapped', async () => {
    const { store, portraits, load } = await enrolled();
    const ids = { id: 'enrolment-2', vendorData: 'opaque-2' };
    const other = { ...ids, ...(await portraits.save('account-2', ids, image)) };
    const keys = ['portrait:enrolment-1', 'portrait:enrolment-2'] as const;
    const [first, second] = await store.getMany(keys);
    await store.put(keys[0], second?.value ?? '');
    await store.put(keys[1], first?.value ?? '');
    await expect(load()).rejects.toThrow();
    await expect(portraits.load('account-2', other, 'sign_in')).rejects.toThrow();
    // Not even when the keys were swapped with them.
    await expect(load({ portraitKey: other.portraitKey })).rejects.toThrow();
  });

  test('with any bit changed, or cut short', async () => {
    const { store, load } = await enrolled();
    const sealed = Buffer.from((await store.get('portrait:enrolment-1'))?.value ?? '', 'base64');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      await store.put('portrait:enrolment-1', changed.toString('base64'));
      await expect(load()).rejects.toThrow();
    }
    for (const length of [0, 11, 12, 27, sealed.length - 1]) {
      await store.put('portrait:enrolment-1', sealed.subarray(0, length).toString('base64'));
      await expect(load()).rejects.toThrow();
    }
  });

  test('without its key, whatever else is still there', async () => {
    const { store, portraits, enrolment } = await enrolled();
    const { portraitKey: _erased, ...without } = enrolment;
    expect(await portraits.load(account, without, 'sign_in')).toBeUndefined();
    expect(await store.get('portrait:enrolment-1')).toBeDefined();
  });
});

it('[BD-02] no two have a nonce or a key in common', async () => {
  const many = 1_000;
  expect(await countSealings(many)).toEqual({ nonces: many, keys: many });
});

it('once it was erased there is none', async () => {
  const { store, portraits, load, openings } = await enrolled();
  expect(await portraits.erase('enrolment-1')).toBe(true);
  expect(await load()).toBeUndefined();
  expect(await store.get('portrait:enrolment-1')).toBeUndefined();
  expect(openings).toEqual([]);
});

it('[BD-11] whoever opens one is told of before they have it: whose, which and what for', async () => {
  const { load, portraits, enrolment, openings } = await enrolled();
  await load();
  await portraits.load(account, enrolment, 'export');
  const opening = { accountId: account, enrolmentId: 'enrolment-1' };
  expect(openings).toEqual([
    { ...opening, purpose: 'sign_in' },
    { ...opening, purpose: 'export' },
  ]);
  const opened = (): never => {
    throw new Error('the trace cannot be kept');
  };
  const { store } = await enrolled();
  const unwatched = createPortraits(store, opened);
  const sealed = { ...enrolment, ...(await unwatched.save(account, enrolment, image)) };
  await expect(unwatched.load(account, sealed, 'sign_in')).rejects.toThrow('trace');
});

it('[VD-10] a picture in the place of the enrolled one is not sent, even under a key that opens it', async () => {
  const { portraits, enrolment, load } = await enrolled();
  const { portraitKey } = await portraits.save(account, enrolment, Buffer.from('another face'));
  await expect(load({ portraitKey })).rejects.toThrow('not the one');
});
