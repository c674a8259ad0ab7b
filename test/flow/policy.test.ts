import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Testbed, startTestbed } from '../support/testbed.ts';

let bed: Testbed;
beforeAll(async () => {
  bed = await startTestbed({
    flags: { people: { diditSessionsKeptSeconds: 7 * 86_400, inactiveSeconds: 90 * 86_400 } },
  });
});
afterAll(() => bed.close());

it('[BD-12] anybody can read what happens to faces: who answers for it, what is kept and for how long', async () => {
  const response = await fetch(`${bed.issuer}/privacy/biometrics`);
  expect(response.status).toBe(200);
  expect(response.headers.getSetCookie()).toEqual([]);
  const page = await response.text();
  expect(page).toContain('What happens to faces here');
  expect(page).toContain('deleted at Didit after 7 days');
  expect(page).toContain('has not signed in for 90 days is erased');
  expect(page).toContain('href="/account"');
  expect((await fetch(`${bed.issuer}/privacy/biometrics`, { method: 'POST' })).status).toBe(404);
});

it('[BD-12] each page of a sign-in leads there', async () => {
  expect(await (await fetch(`${bed.issuer}/privacy/nothing`)).text()).toContain(
    'href="/privacy/biometrics"',
  );
});
