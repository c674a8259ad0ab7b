/** What processes add to the story: they die, they stop, and there are several of them. */
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  finishSelfie,
  heading,
  launchChromium,
  newPerson,
  press,
  toSelfie,
} from '../support/chromium.ts';
import { freshRedis } from '../support/redis.ts';
import { freePort } from '../support/ports.ts';
import { signInLink, signedIn } from './apps.ts';
import { type Deployment, prepareDeployment } from './deployment.ts';
import { startProxy } from './proxy.ts';

// Each story starts two processes; on a busy machine that alone takes its time.
vi.setConfig({ testTimeout: 60_000 });

async function deploy(options: Parameters<typeof prepareDeployment>[0]): Promise<Deployment> {
  const deployment = await prepareDeployment(options);
  onTestFinished(() => deployment.close());
  return deployment;
}

async function visitor({ simulator }: Deployment) {
  const browser = await launchChromium(simulator.url);
  onTestFinished(() => browser.close());
  return newPerson(browser);
}

async function openSelfie(page: Page, { apps }: Deployment): Promise<void> {
  await page.goto(apps.wiki);
  await signInLink(page).click();
  await toSelfie(page, 'ana@example.com');
}

describe('a provider that is killed while the selfie is being taken', () => {
  test.each([
    ['Redis', freshRedis],
    ['a sqlite file', () => Promise.resolve('sqlite:{directory}/store.sqlite')],
  ] as const)('knows everything when it is back, with %s', async (_store, storeUrl) => {
    const deployment = await deploy({ storeUrl: await storeUrl() });
    const first = await deployment.start();
    const { page } = await visitor(deployment);
    await openSelfie(page, deployment);
    expect(await first.end('SIGKILL')).toBeNull();
    await deployment.start();
    await finishSelfie(page, 'approve');
    await signedIn(page).waitFor();

    // The session was begun after the restart; the second app finds it.
    await page.goto(`${deployment.apps.notes}/login`);
    await signedIn(page).waitFor();
  });
});

test('two processes on one Redis take turns, and a ring at one reaches the page at the other', async () => {
  const deployment = await deploy({ storeUrl: await freshRedis() });
  const behindProxy = { PORT: '0', TRUST_PROXY: '1' };
  const processes = await Promise.all([
    deployment.start(behindProxy),
    deployment.start(behindProxy),
  ]);
  const servedBy = new Map<string, number[]>();
  let turn = 0;
  const proxy = await startProxy(deployment.port, ({ url = '' }) => {
    turn = 1 - turn;
    const step = url.split('/').at(-1)!;
    servedBy.set(step, [...(servedBy.get(step) ?? []), turn]);
    return processes[turn]!.publicPort;
  });
  onTestFinished(() => proxy.close());
  const control = (path: string, body: object) =>
    fetch(`${deployment.simulator.url}/control/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });

  const { page } = await visitor(deployment);
  await openSelfie(page, deployment);
  // Nor does the page learn of the verdict by asking, as it does after a second.
  const unreadable = { operation: 'decision', mode: 503, times: 1_000 };
  await control('faults', { webhooks: 'withhold', api: unreadable });
  const listening = page.waitForResponse('**/events');
  await finishSelfie(page, 'approve');
  await listening;
  const [listener] = servedBy.get('events')!;
  // The webhook gets the process that does not hold the stream.
  if (turn !== listener) await fetch(`${deployment.issuer}/jwks`);
  await fetch(`${deployment.simulator.url}/control/faults`, { method: 'DELETE' });
  await control('webhooks/release', {});
  await signedIn(page).waitFor();

  expect(servedBy.get('didit')).toContain(1 - listener!);
  expect([...servedBy.values()].flat().filter((one) => one === 0).length).toBeGreaterThan(3);
  expect([...servedBy.values()].flat().filter((one) => one === 1).length).toBeGreaterThan(3);
});

test('[RL-06] a graceful stop finishes what is in flight, and says first that it is not ready', async () => {
  const apiPort = await freePort();
  const deployment = await deploy({ storeUrl: 'sqlite:{directory}/store.sqlite', apiPort });
  const arrived = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  const didit = await startProxy(apiPort, async ({ method, url }) => {
    if (method === 'POST' && url === '/v3/session/') {
      arrived.resolve(undefined);
      await released.promise;
    }
    return Number(new URL(deployment.simulator.url).port);
  });
  onTestFinished(() => didit.close());
  const provider = await deployment.start();
  const { page } = await visitor(deployment);
  await page.goto(deployment.apps.wiki);
  await signInLink(page).click();
  await page.getByRole('textbox').fill('ana@example.com');
  await press(page, 'Continue');
  const pressed = press(page, 'Take a selfie');
  await arrived.promise;

  const ended = provider.end('SIGTERM');
  const readiness = () => fetch(`${provider.managementUrl}/readyz`);
  await expect.poll(async () => (await readiness()).status).toBe(503);
  expect(await (await readiness()).json()).toMatchObject({ reason: 'stopping' });
  await expect(fetch(deployment.issuer)).rejects.toThrow('fetch failed');
  released.resolve(undefined);
  await pressed;
  await page.locator('[data-outcome="approve"]').waitFor();
  expect(await heading(page).innerText()).toBe('Take a selfie');
  expect(await ended).toBe(0);
});
