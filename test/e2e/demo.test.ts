/** The demo as somebody meets it who has just cloned the repository. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import type { ChildProcess } from 'node:child_process';
import {
  finishSelfie,
  heading,
  launchChromium,
  newPerson,
  press,
  signIn,
  toSelfie,
} from '../support/chromium.ts';
import { claimsOn, signInLink, signedIn } from './apps.ts';
import { end, lineOf, spawnMain } from './deployment.ts';

/** Provider, simulator, sample app, management. */
const ports = [3000, 3001, 3002, 9000];

let demo: ChildProcess | undefined;
let browser: Browser | undefined;

beforeAll(async () => {
  const taken = (await Promise.all(ports.map(isTaken))).flatMap((is, at) =>
    is ? [ports[at]] : [],
  );
  if (taken.length > 0) {
    throw new Error(
      `The demo listens on ${ports.join(', ')}, and something else has ${taken.join(', ')}. ` +
        'Stop that (another demo?) and run this test again.',
    );
  }
  demo = spawnMain(['demo']);
  await lineOf(demo, (line) => line === 'ready');
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  if (demo) await end(demo, 'SIGKILL');
});

async function isTaken(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => false,
    () => true,
  );
  server.listen(port, '127.0.0.1');
  if (await listening) return true;
  server.close();
  await once(server, 'close');
  return false;
}

test('ana signs in and reads on the screen how she did, and where the time went', async () => {
  const { page } = await newPerson(browser!);
  await page.goto('http://localhost:3002');
  await signInLink(page).click();
  await signIn(page, 'ana@example.com', 'approve');
  await signedIn(page).waitFor();
  expect(await heading(page).innerText()).toBe('Hello, Ana');
  const { acr, amr, auth_time, iss } = await claimsOn(page);
  expect({ acr, amr, iss }).toEqual({
    acr: 'urn:didit-oidc:acr:selfie:test',
    amr: '["face"]',
    iss: 'http://127.0.0.1:3000',
  });
  expect(Math.abs(Number(auth_time) - Date.now() / 1000)).toBeLessThan(60);
  const hops = await page.getByRole('listitem').allInnerTexts();
  expect(hops[0]).toContain('The provider asks who you are');
  expect(hops.at(-1)).toContain('The door opens');
  expect(hops).toHaveLength(6);
});

test('[AS-03] something sensitive takes a selfie with movement, in the browser that has its key', async () => {
  const { page } = await newPerson(browser!);
  await page.goto('http://localhost:3002');
  await signInLink(page).click();
  await signIn(page, 'chiyo@example.com', 'approve');
  await signedIn(page).waitFor();
  expect((await claimsOn(page)).acr).toBe('urn:didit-oidc:acr:selfie:test');
  await page.getByRole('link', { name: 'Do something sensitive' }).click();
  await press(page, 'Take a selfie');
  await finishSelfie(page, 'approve');
  await signedIn(page).waitFor();
  const { acr, amr } = await claimsOn(page);
  expect({ acr, amr }).toEqual({
    acr: 'urn:didit-oidc:acr:selfie-active:test',
    amr: '["face","swk","pop","mfa"]',
  });
});

test('choosing a person on the first page fills in who it is', async () => {
  const { page } = await newPerson(browser!);
  await page.goto('http://localhost:3002');
  await page.getByRole('link', { name: 'ben@example.com' }).click();
  expect(await page.getByRole('textbox').inputValue()).toBe('ben@example.com');
});

test('the first page leads to the mails, of which there is one for each new browser so far', async () => {
  const { page } = await newPerson(browser!);
  await page.goto('http://localhost:3002');
  await page.getByRole('link', { name: 'Mails that the sign-in page sent' }).click();
  expect(await heading(page).innerText()).toBe('Mails');
  const subjects = await page.getByRole('article').getByRole('heading').allInnerTexts();
  expect([...new Set(subjects)]).toEqual(['A new browser is remembered']);
});

test('a link to a selfie that is opened elsewhere is told to ana by mail', async () => {
  const { page: attacker } = await newPerson(browser!);
  await attacker.goto('http://localhost:3002');
  await signInLink(attacker).click();
  await toSelfie(attacker, 'ana@example.com');
  const { page: ana } = await newPerson(browser!);
  await ana.goto(attacker.url());
  await attacker.close();
  await finishSelfie(ana, 'approve');
  await ana.getByRole('heading', { name: 'This was not started here' }).waitFor();
  await ana.goto('http://localhost:3002/mail');
  const mail = ana.getByRole('article').filter({ hasText: 'We stopped a sign-in' });
  for (let look = 0; look < 20 && (await mail.count()) === 0; look += 1) {
    await ana.getByRole('link', { name: 'Look again' }).click();
  }
  expect(await mail.innerText()).toContain('We stopped a sign-in that used your selfie');
  expect(await mail.innerText()).toContain('To ana@example.com');
});

test('each answer says where its time went, for whoever looks at the network', async () => {
  const answer = await fetch('http://127.0.0.1:3000/auth');
  expect(answer.headers.get('server-timing')).toMatch(/^(\w+;dur=[\d.]+, )*total;dur=[\d.]+$/);
});

test('it ends when it is told to, without complaint', async () => {
  expect(await end(demo!, 'SIGTERM')).toBe(0);
});
