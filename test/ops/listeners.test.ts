import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { deploymentKeys, freePort, startApp } from '../support/testbed.ts';

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
