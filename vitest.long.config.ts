import { defineConfig } from 'vitest/config';
import usual from './vitest.config.ts';

/** What takes too long for every change: one after the other, for they measure. */
export default defineConfig({
  test: { ...usual.test, include: ['test/long/**/*.test.ts'], exclude: [], maxWorkers: 1 },
});
