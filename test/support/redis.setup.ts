import type { TestProject } from 'vitest/node';
import { provideRedis, type RedisSource } from './redis-source.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    redisWay: RedisSource['way'];
  }
}

/** One Redis for the whole run. Globals do not reach the workers, so its address is handed over. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const source = await provideRedis(process.env);
  project.provide('redisUrl', source.url);
  project.provide('redisWay', source.way);
  return () => source.stop();
}
