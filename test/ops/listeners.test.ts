import { type AddressInfo, createServer } from 'node:net';
import { expect, it, vi } from 'vitest';
import { freshRedis, withRedis } from '../support/redis.ts';
import { freePort } from '../support/ports.ts';
import { deploymentKeys, startApp } from '../support/testbed.ts';

it('a provider that cannot open its second listener closes the first, and its store', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const port = await freePort();
  const app = await startApp({
    ...{ keys: await deploymentKeys(), port, apiKey: 'test-api-key-0123456789' },
    simulatorUrl: 'http://127.0.0.1:9',
    flags: { management: { port: (taken.address() as AddressInfo).port } },
  });
  await expect(app.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await expect(fetch(`http://127.0.0.1:${port}/jwks`)).rejects.toThrow('fetch failed');
  await new Promise((resolve) => taken.close(resolve));
});

it('a provider that cannot be put together lets go of its Redis', async () => {
  const storeUrl = await freshRedis();
  const connections = (): Promise<number> =>
    withRedis(storeUrl, async (redis) => String(await redis.client('LIST')).split('\n').length);
  const before = await connections();
  const bad = {
    client_id: 'bad',
    redirect_uris: ['not an address'],
    client_secret: 'x'.repeat(32),
  };
  await expect(
    startApp({
      ...{ keys: await deploymentKeys(), port: await freePort(), storeUrl },
      ...{ apiKey: 'test-api-key-0123456789', simulatorUrl: 'http://127.0.0.1:9', clients: [bad] },
    }),
  ).rejects.toThrow('client "bad"');
  await vi.waitFor(async () => expect(await connections()).toBe(before));
});
