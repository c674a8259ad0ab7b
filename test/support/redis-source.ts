/** Where the Redis of a test run comes from: the first of three ways that is open. Never none. */
import { RedisContainer } from '@testcontainers/redis';
import { getContainerRuntimeClient } from 'testcontainers';
import { startRedisServer } from './redis-servers.ts';

export interface RedisSource {
  url: string;
  way: 'TEST_REDIS_URL' | 'container' | 'redis-server';
  stop(): Promise<void>;
}

export async function provideRedis(env: NodeJS.ProcessEnv): Promise<RedisSource> {
  const url = env['TEST_REDIS_URL'];
  if (url) return { url, way: 'TEST_REDIS_URL', stop: () => Promise.resolve() };

  const image = env['TEST_REDIS_IMAGE'];
  try {
    if (image || (await dockerAnswers())) return await startContainer(image ?? 'redis:8-alpine');
  } catch (error) {
    const reason = (error as Error).message;
    // Who names an image wants that image; only the usual one may be out of reach.
    if (image) throw new Error(`TEST_REDIS_IMAGE is ${image}, but: ${reason}`, { cause: error });
    process.stderr.write(`Docker cannot provide a Redis (${reason}); taking redis-server.\n`);
  }

  const server = await startRedisServer();
  return { url: server.url, way: 'redis-server', stop: () => server.stop() };
}

export async function dockerAnswers(): Promise<boolean> {
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}

async function startContainer(image: string): Promise<RedisSource> {
  // We stop the container ourselves; its guardian, Ryuk, would be one more image to fetch.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const container = await new RedisContainer(image)
    // Said in full, since images differ in what they start by themselves and whom they let in.
    .withEntrypoint(['redis-server'])
    .withCommand(['--protected-mode', 'no'])
    .start();
  return {
    url: container.getConnectionUrl(),
    way: 'container',
    async stop() {
      await container.stop();
    },
  };
}
