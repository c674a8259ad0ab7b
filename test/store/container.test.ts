import { expect, inject, test } from 'vitest';
import { dockerAnswers, provideRedis } from '../support/redis-source.ts';
import { freshRedis, withRedis } from '../support/redis.ts';

test('the Redis of this run came by the first way that is open', async () => {
  const way = inject('redisWay');
  if (process.env['TEST_REDIS_URL']) expect(way).toBe('TEST_REDIS_URL');
  else if (process.env['TEST_REDIS_IMAGE']) expect(way).toBe('container');
  // An engine may lack the usual image; without an engine there cannot be a container.
  else expect(way).toMatch((await dockerAnswers()) ? /container|redis-server/ : /redis-server/);
});

test('a container has a Redis in it, and only a container', async () => {
  const facts = await withRedis(await freshRedis(), (redis) => redis.info('server'));
  // What a container starts is its process no. 1.
  const isContained = facts.includes('process_id:1\r\n');
  const way = inject('redisWay');
  expect(way === 'TEST_REDIS_URL' || isContained === (way === 'container')).toBe(true);
});

test('an address that is given is taken as it is', async () => {
  const source = await provideRedis({ TEST_REDIS_URL: 'redis://given:1', TEST_REDIS_IMAGE: 'x' });
  expect(source).toMatchObject({ way: 'TEST_REDIS_URL', url: 'redis://given:1' });
});

test('an image that is given and cannot be had is an error that names it', async () => {
  const image = 'localhost:1/no-such-redis:0';
  await expect(provideRedis({ TEST_REDIS_IMAGE: image })).rejects.toThrow(
    `TEST_REDIS_IMAGE is ${image}`,
  );
});
