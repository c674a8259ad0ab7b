import { defineConfig } from 'vitest/config';
import usual from './vitest.config.ts';

/** The image and docker-compose.yml, built and run: these need a Docker engine and a registry of packages. */
export default defineConfig({
  test: {
    ...usual.test,
    include: ['test/image/**/*.test.ts'],
    exclude: [],
    globalSetup: [],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
