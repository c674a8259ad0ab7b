import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**', 'test/image/**'],
    globalSetup: ['test/support/redis.setup.ts'],
    pool: 'forks',
    // Tests start servers and browsers of their own: more workers than this only wait for each
    // other.
    maxWorkers: 2,
    // How long something may take is for its test to say; this is only against waiting for ever, on
    // a machine that has more to do.
    testTimeout: 60_000,
    // The first run on a new machine may install a browser in a hook.
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    reporters: ['default'],
  },
});
