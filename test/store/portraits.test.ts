import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import type { Enrolment } from '../../src/store/accounts.ts';
import { createPortraits } from '../../src/store/portraits.ts';
import { openSqlite } from './stores.ts';

const image = Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.from('a face, one might think')]);

/** A store that is not sealed: what protects a face here protects it everywhere. */
async function enrolled() {
  const opened = await openSqlite(':memory:');
  onTestFinished(() => opened.close());
  const { store } = opened;
  const portraits = createPortraits(store);
  const ids = { id: 'enrolment-1', vendorData: 'opaque-1' };
  const enrolment: Enrolment = { ...ids, ...(await portraits.save(ids, image)) };
  return { store, portraits, enrolment };
}

it('a portrait comes back as Didit takes it', async () => {
  const { portraits, enrolment } = await enrolled();
  expect(await portraits.load(enrolment)).toBe(image.toString('base64'));
});

it('at rest it is unreadable, and never the same twice', async () => {
  const { store, portraits, enrolment } = await enrolled();
  const first = (await store.get('portrait:enrolment-1'))?.value ?? '';
  expect(Buffer.from(first, 'base64').includes('a face')).toBe(false);
  const { portraitKey: key } = await portraits.save(enrolment, image);
  expect(key).not.toBe(enrolment.portraitKey);
  expect((await store.get('portrait:enrolment-1'))?.value).not.toBe(first);
});

it.each([
  ['another key', { portraitKey: randomBytes(32).toString('base64') }],
  ['another purpose', { vendorData: 'opaque-2' }],
])('with %s it does not open', async (_name, change) => {
  const { portraits, enrolment } = await enrolled();
  await expect(portraits.load({ ...enrolment, ...change })).rejects.toThrow();
});

it('moved to another enrolment it does not open', async () => {
  const { store, portraits, enrolment } = await enrolled();
  const stored = await store.get('portrait:enrolment-1');
  await store.put('portrait:enrolment-2', stored?.value ?? '');
  await expect(portraits.load({ ...enrolment, id: 'enrolment-2' })).rejects.toThrow();
});

it('with any byte changed, or cut short, it does not open', async () => {
  const { store, portraits, enrolment } = await enrolled();
  const sealed = Buffer.from((await store.get('portrait:enrolment-1'))?.value ?? '', 'base64');
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    await store.put('portrait:enrolment-1', changed.toString('base64'));
    await expect(portraits.load(enrolment)).rejects.toThrow();
  }
  for (const length of [0, 11, 12, 27, sealed.length - 1]) {
    await store.put('portrait:enrolment-1', sealed.subarray(0, length).toString('base64'));
    await expect(portraits.load(enrolment)).rejects.toThrow();
  }
});

it('without its key, or without a picture, there is none', async () => {
  const { store, portraits, enrolment } = await enrolled();
  const { portraitKey: _erased, ...without } = enrolment;
  expect(await portraits.load(without)).toBeUndefined();
  await store.delete('portrait:enrolment-1');
  expect(await portraits.load(enrolment)).toBeUndefined();
});

it('[VD-10] a picture in the place of the enrolled one is not sent, even under a key that opens it', async () => {
  const { portraits, enrolment } = await enrolled();
  const { portraitKey } = await portraits.save(enrolment, Buffer.from('another face'));
  await expect(portraits.load({ ...enrolment, portraitKey })).rejects.toThrow('not the one');
});
