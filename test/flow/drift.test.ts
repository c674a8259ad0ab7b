import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { createParty, signIn } from '../support/login.ts';
import { freshRedis } from '../support/redis.ts';
import { type Testbed, startTestbed } from '../support/testbed.ts';
import { wordsOf } from '../support/words.ts';

let near: Testbed | undefined;
let far: Testbed | undefined;
beforeAll(async () => {
  // The simulator's faces are alike to 96.41 of 100.
  const bedWith = (minimumFaceMatchScore: number, storeUrl: string) =>
    startTestbed({ storeUrl, people: 3, flags: { didit: { minimumFaceMatchScore } } });
  near = await bedWith(92, await freshRedis());
  far = await bedWith(91, 'sqlite::memory:');
});
afterAll(async () => {
  await near?.close();
  await far?.close();
});

async function signInTimes(bed: Testbed, person: string, times: number): Promise<void> {
  const party = await createParty(bed);
  for (let at = 0; at < times; at += 1) {
    const request = await party.begin();
    const tokens = await request.finish(await signIn(createBrowser(), request, person));
    // It is between the person and us.
    expect(wordsOf(tokens.claims())).not.toMatch(/near|alike|score/i);
  }
}

const warnings = (bed: Testbed, person: string) =>
  bed.mails.filter(({ to, message }) => to.address === person && message.kind === 'face_drifting');

it('[BD-06] whoever is only just recognised three times in a row is written to, once, and no score is kept', async () => {
  const person = near!.person();
  await signInTimes(near!, person, 2);
  expect(warnings(near!, person)).toEqual([]);
  await signInTimes(near!, person, 3);
  await expect.poll(() => warnings(near!, person).length).toBe(1);
  const [{ text } = { text: '' }] = warnings(near!, person);
  expect(text.replaceAll(new URL(near!.issuer).host, '')).not.toMatch(/\d/);
  const store = await near!.openStore();
  const accounts = await Array.fromAsync(store.scan('account'));
  await store.close();
  const kept = accounts.map(({ value }) => value).find((value) => value.includes(person));
  expect(kept).toContain('"nearInARow":5');
  expect(kept).not.toContain('96.41');
});

it('whoever is recognised well is not', async () => {
  const person = far!.person();
  await signInTimes(far!, person, 4);
  expect(warnings(far!, person)).toEqual([]);
});
