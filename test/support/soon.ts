import { vi } from 'vitest';

/** What comes at once as a rule, and on a machine that has more to do a while later. */
export const soon = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 20_000 });
