/** An app that asks without a person: in a hidden frame, as single-page applications used to, and at the top. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { signIn } from '../support/chromium.ts';
import { signInLink, signedIn } from './apps.ts';
import { type Stage, openStage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

function silentRequest(prompt?: string): string {
  const url = new URL(`${stage.bed.issuer}/auth`);
  const parameters = {
    ...{ client_id: 'wiki', response_type: 'code', scope: 'openid', state: 's', nonce: 'n' },
    ...{ code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' },
    redirect_uri: `${stage.apps.wiki}/callback`,
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  if (prompt) url.searchParams.set('prompt', prompt);
  return url.href;
}

/** A page of another site that shows this address in a frame. */
async function frame(page: Page, url: string): Promise<void> {
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'text/html');
    res.end(
      '<!doctype html><title>app</title><link rel="icon" href="data:,">' +
        `<iframe src="${url.replaceAll('&', '&amp;')}"></iframe>`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await page.goto(`http://app.localhost:${(server.address() as AddressInfo).port}/`, {
    waitUntil: 'commit',
  });
}

test.each([
  ['without a session', false],
  ['with one, whose cookie does not go into another site’s frame', true],
])('[PR-11] prompt=none in a frame, %s: login_required, and Didit is not asked', async (_, has) => {
  const { page } = await stage.newPerson();
  if (has) {
    await page.goto(stage.apps.wiki);
    await signInLink(page).click();
    await signIn(page, 'ana@example.com', 'approve');
    await signedIn(page).waitFor();
  }
  const before = await stage.selfiesAskedFor();
  const answered = page.waitForResponse(`${stage.bed.issuer}/auth?**`);
  await frame(page, silentRequest('none'));
  const { location } = await (await answered).allHeaders();
  const { searchParams } = new URL(location ?? '');
  expect(Object.fromEntries(searchParams)).toMatchObject({
    ...{ error: 'login_required', state: 's', iss: stage.bed.issuer },
  });
  expect(await stage.selfiesAskedFor()).toBe(before);
});

test('[PR-11] a sign-in is not begun in a frame: its page is not shown there', async () => {
  const { page, complaints } = await stage.newPerson();
  const before = await stage.selfiesAskedFor();
  await frame(page, silentRequest());
  await expect.poll(() => complaints.join()).toMatch(/frame-ancestors 'none'/);
  complaints.splice(0);
  expect(await stage.selfiesAskedFor()).toBe(before);
});
