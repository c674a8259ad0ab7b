/** A new signing key by the console of a provider that runs from files, while people go on signing in. */
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeProtectedHeader } from 'jose';
import * as oidc from 'openid-client';
import { expect, onTestFinished, test } from 'vitest';
import { createBrowser } from '../support/browser.ts';
import { enter, look, send } from '../support/console.ts';
import { createParty, settle, signIn } from '../support/login.ts';
import { freePort } from '../support/ports.ts';
import { freshRedis } from '../support/redis.ts';
import { lineOf, prepareDeployment, spawnMain } from './deployment.ts';

test('[PL-03] a signing key that an operator makes at the console takes over, and no sign-in fails meanwhile', async () => {
  const managementPort = await freePort();
  const deployment = await prepareDeployment({
    storeUrl: await freshRedis(),
    windowless: { people: 200 },
    config: {
      management: { port: managementPort },
      keys: { publishedForSeconds: '30s', lookEverySeconds: '1s' },
    },
  });
  onTestFinished(() => deployment.close());
  await deployment.start();
  const linking = spawnMain(['operators', 'link', '--json', '--config', deployment.configFile]);
  const { link } = JSON.parse(await lineOf(linking, (line) => line.includes('link'))) as {
    link: string;
  };
  const { browser } = await enter(link, deployment.person());

  /** Its signature is checked by keys that were fetched just now. @returns which one signed. */
  async function keyOfSignIn(): Promise<string | undefined> {
    const party = await createParty(deployment);
    oidc.enableNonRepudiationChecks(party.config);
    const request = await party.begin();
    const callback = await signIn(createBrowser(), request, deployment.person());
    const { id_token: idToken = '' } = await request.finish(callback);
    return decodeProtectedHeader(idToken).kid;
  }

  const before = await keyOfSignIn();
  const scene = { origin: `http://127.0.0.1:${managementPort}` };
  const page = await look(scene, browser, '/keys');
  const after = await settle(browser, await send(browser, page, 'rotate', { use: 'signing' }));
  expect(after.text).toContain('There is a new key');
  expect(after.text).toContain('<th scope="row">published</th>');

  const seen = [before];
  const untilMs = Date.now() + 90_000;
  while (seen.at(-1) === before && Date.now() < untilMs) {
    seen.push(await keyOfSignIn());
    await sleep(500);
  }
  expect(seen.at(-1)).not.toBe(before);
  // It was there for a while before it signed.
  expect(seen.length).toBeGreaterThan(3);
  expect(seen.slice(0, -1).every((kid) => kid === before)).toBe(true);
  expect(await keyOfSignIn()).toBe(seen.at(-1));
}, 150_000);
