/** An operator changes an account, from another process, while its person is before the last button. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomKey } from '../../src/config/keys.ts';
import type { Account } from '../../src/store/accounts.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import {
  createBrowser,
  createParty,
  heading,
  press,
  settle,
  takeSelfie,
  toSelfie,
  whileWaiting,
} from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
let store: Store;

beforeAll(async () => {
  const [url, encryptionKeys] = [await freshRedis(), [randomKey()]];
  bed = await startTestbed({ people: 9, flags: { store: { url, encryptionKeys } } });
  ({ store } = await openStore({ url, encryptionKeys, clock: Date.now }));
});
afterAll(async () => {
  await store.close();
  await bed.close();
});

async function change(person: string, next: (account: Account) => object): Promise<void> {
  const id = (await store.get(`identifier:${person}`))?.value ?? '';
  const { value = '{}' } = (await store.get(`account:${id}`)) ?? {};
  await store.put(`account:${id}`, JSON.stringify(next(JSON.parse(value) as Account)));
  await store.publish('accounts', id);
}

it.each([
  ['blocked', (account: Account) => ({ ...account, status: 'blocked' })],
  [
    'given another face',
    (account: Account) => ({ ...account, enrolment: { ...account.enrolment, id: 'another' } }),
  ],
  ['left without a face', ({ enrolment: _, ...account }: Account) => account],
])('[VD-10] an account that was %s meanwhile opens to no selfie', async (_name, next) => {
  const [browser, person] = [createBrowser(), bed.person()];
  const request = await (await createParty(bed)).begin();
  const selfie = await toSelfie(browser, request, person);
  const back = await settle(browser, await takeSelfie(browser, selfie, 'approve'));
  const ready = await whileWaiting(browser, back);
  expect(heading(ready)).toBe('It is you');
  await change(person, next);
  const end = await settle(browser, await press(browser, ready, 'resume'));
  expect(end.location).toBeUndefined();
  expect(heading(end)).toBe('We could not sign you in');
  expect(bed.events.at(-1)).toMatchObject({ event: 'login.denied', reason: 'changed' });
  const library = await browser.get(end.url.replace('/interaction/', '/auth/'));
  expect(library.location ?? '').not.toContain('code=');
});
