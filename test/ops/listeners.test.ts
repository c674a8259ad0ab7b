import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createListeners } from '../../src/ops/listeners.ts';
import { freshRedis, withRedis } from '../support/redis.ts';
import { freePort } from '../support/ports.ts';
import { soon } from '../support/soon.ts';
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
  // The other worker has a database of its own on the same server.
  const own = ` db=${new URL(storeUrl).pathname.slice(1)} `;
  const connections = (): Promise<number> =>
    withRedis(storeUrl, async (redis) => {
      const all = String(await redis.client('LIST')).split('\n');
      return all.filter((line) => line.includes(own)).length;
    });
  const before = await connections();
  expect(before).toBeGreaterThan(0);
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
  await soon(async () => expect(await connections()).toBe(before));
});

it('[PL-16] who comes after the last connection that there is room for is hung up on, and those who leave make room', async () => {
  const listeners = createListeners({
    public: { host: '127.0.0.1', port: 0, admit: () => true, mostConnections: 20 },
    management: { host: '127.0.0.1', port: 0 },
    publicListener: (_req, res) => res.end('served'),
    managementListener: (_req, res) => res.end('alive'),
    opened: () => undefined,
    closing: () => undefined,
    closed: () => Promise.resolve(),
  });
  onTestFinished(() => listeners.close());
  const { publicPort, managementPort } = await listeners.listen();
  const open = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = connect(publicPort, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    }),
  );
  const ask = (port: number): Promise<string> =>
    fetch(`http://127.0.0.1:${port}/`).then(
      (answer) => answer.text(),
      () => 'hung up',
    );
  expect(await ask(publicPort)).toBe('hung up');
  // Whoever watches over it has a door of their own.
  expect(await ask(managementPort)).toBe('alive');
  expect(open.filter(({ destroyed }) => destroyed)).toEqual([]);
  open.pop()?.destroy();
  await expect.poll(() => ask(publicPort)).toBe('served');
});
