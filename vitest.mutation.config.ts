import { defineConfig } from 'vitest/config';

/** What stryker runs for each mutant: the pure rules and the signature, without a server or a database. */
export default defineConfig({
  test: {
    include: ['test/domain/**/*.test.ts', 'test/didit/signature.test.ts'],
    reporters: ['dot'],
  },
});
