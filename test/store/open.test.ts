import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { parseRedisUrl } from '../../src/store/redis-url.ts';
import { freshRedis, startRedisServer } from '../support/redis.ts';
import { newKey } from './stores.ts';

const plain = { encryptionKeys: [], clock: Date.now };

test.each([
  ['redis://localhost', { nodes: [{ host: 'localhost', port: 6379 }], tls: false, database: 0 }],
  ['redis://h:1/7', { nodes: [{ host: 'h', port: 1 }], database: 7 }],
  ['rediss://:p%40ss%3A@[::1]:7000', { nodes: [{ host: '::1', port: 7000 }], tls: true }],
  ['rediss://:p%40ss%3A@h', { username: undefined, password: 'p@ss:' }],
  ['redis://us%2Fer:pw@h', { username: 'us/er', password: 'pw' }],
  [
    'redis+cluster://u:p@a:1,b,c:3',
    {
      shape: 'cluster',
      username: 'u',
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
        { host: 'c', port: 3 },
      ],
    },
  ],
  ['rediss+cluster://a', { shape: 'cluster', tls: true }],
  [
    'redis+sentinel://a,b:2/main',
    {
      shape: 'sentinel',
      group: 'main',
      nodes: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 2 },
      ],
    },
  ],
  ['rediss+sentinel://a/main', { shape: 'sentinel', tls: true }],
])('the address %s is understood', (url, address) => {
  expect(parseRedisUrl(url)).toMatchObject(address);
});

test.each([
  'http://:geheim@h',
  'redis:geheim',
  'redis://:geheim@a,b',
  'redis://:geheim@h/name',
  'redis://:geheim@h:99999',
  'redis://:geheim@h/1?tls=false',
  'redis+cluster://:geheim@a/1',
  'redis+sentinel://:geheim@a',
  'sqlite:',
])('the address %s is refused without repeating it', async (url) => {
  const refusal = await openStore({ ...plain, url }).catch((error: unknown) => String(error));
  expect(refusal).toMatch(/store/);
  expect(refusal).not.toContain('geheim');
});

test('a password is used, and a wrong one is an error without the password', async () => {
  const server = await startRedisServer({ args: ['--requirepass', 'right one'] });
  const url = (password: string): string => server.url.replace('//', `//:${password}@`);
  const { store } = await openStore({ ...plain, url: url('right%20one') });
  await store.ping();
  await store.close();
  const refusal = await openStore({ ...plain, url: url('geheim') }).catch(String);
  expect(refusal).toContain('WRONGPASS');
  expect(refusal).not.toContain('geheim');
  await server.stop();
});

test.each(['redis://127.0.0.1:1', 'redis+cluster://127.0.0.1:1', 'redis+sentinel://127.0.0.1:1/m'])(
  'nobody at %s is an error that names the place',
  async (url) => {
    await expect(openStore({ ...plain, url })).rejects.toThrow('127.0.0.1:1 does not answer');
  },
);

test('a sealed store is not opened without its keys, nor with others', async () => {
  const url = await freshRedis();
  const { store } = await openStore({ ...plain, url, encryptionKeys: [newKey()] });
  await store.close();
  await expect(openStore({ ...plain, url })).rejects.toThrow('STORE_ENCRYPTION_KEYS');
  await expect(openStore({ ...plain, url, encryptionKeys: [newKey()] })).rejects.toThrow(
    /"sealed" is sealed with the key "[\w-]{8}", which is not configured/,
  );
});
