/** A process that ends in the middle of a login: what it knew is in the store, and another one goes on. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { App } from '../../src/app.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { apiKey } from '../didit/support.ts';
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
import { freePort } from '../support/ports.ts';
import { deploymentKeys, startApp, webhookSecret } from '../support/testbed.ts';

/** One deployment, of which the process can be replaced while its store and Didit stay. */
async function deploy(storeUrl: string) {
  const simulator = await createSimulator({
    ...{ apiKeys: { sandbox: [apiKey] }, webhookSecret, webhookDelayMs: 0 },
    webhookRetryDelaysMs: [500, 1000],
  });
  const simulatorUrl = await simulator.listen(0);
  const [port, keys] = [await freePort(), await deploymentKeys()];
  const issuer = `http://127.0.0.1:${port}`;
  simulator.sendWebhooksTo(`${issuer}/webhooks/didit`);
  let app: App | undefined;

  async function start(): Promise<void> {
    app = await startApp({ keys, port, simulatorUrl, apiKey, storeUrl });
    await app.listen();
  }
  async function stop(): Promise<void> {
    await app?.close();
  }
  onTestFinished(async () => {
    await stop();
    await simulator.close();
  });
  await start();

  async function control(path: string, body: object): Promise<void> {
    const response = await fetch(`${simulatorUrl}/control/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
  }
  return { start, stop, control, party: await createParty({ issuer, ...keys }) };
}

async function sqliteFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'didit-oidc-restart-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return `sqlite:${join(directory, 'store.db')}`;
}

describe.each([
  ['Redis', freshRedis],
  ['a sqlite file', sqliteFile],
])('a login on %s survives a restart', (_name, storeUrlOf) => {
  it('between the selfie and the verdict', async () => {
    const { start, stop, control, party } = await deploy(await storeUrlOf());
    await control('faults', { webhooks: 'withhold' });
    const browser = createBrowser();
    const request = await party.begin();
    const didit = await toSelfie(browser, request);
    await stop();
    const back = await takeSelfie(browser, didit, 'approve');
    await start();
    const waiting = await settle(browser, back);
    expect(heading(waiting)).toBe('Checking your selfie');
    await control('webhooks/release', {});
    const ready = await whileWaiting(browser, waiting);
    const done = await settle(browser, await press(browser, ready, 'resume'));
    expect((await request.finish(done.location ?? '')).claims()?.email).toBe('ana@example.com');
  });

  it('after the return, when the webhook is lost with it', async () => {
    const { start, stop, control, party } = await deploy(await storeUrlOf());
    await control('faults', { webhooks: 'drop' });
    const browser = createBrowser();
    const request = await party.begin();
    const didit = await toSelfie(browser, request);
    const waiting = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    expect(heading(waiting)).toBe('Checking your selfie');
    await stop();
    await start();
    const ready = await whileWaiting(browser, await browser.get(waiting.url));
    const done = await settle(browser, await press(browser, ready, 'resume'));
    expect((await request.finish(done.location ?? '')).claims()?.email).toBe('ana@example.com');
  });

  it('after the verdict, and again after the code was issued', async () => {
    const { start, stop, party } = await deploy(await storeUrlOf());
    const browser = createBrowser();
    const request = await party.begin();
    const didit = await toSelfie(browser, request);
    const back = await settle(browser, await takeSelfie(browser, didit, 'approve'));
    const ready = await whileWaiting(browser, back);
    await stop();
    await start();
    const done = await settle(browser, await press(browser, ready, 'resume'));
    await stop();
    await start();
    expect((await request.finish(done.location ?? '')).claims()?.email).toBe('ana@example.com');
    await expect(request.finish(done.location ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });
});
