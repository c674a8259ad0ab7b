/** What the commands about keys need: the configuration as the provider reads it, and the provider's store. */
import type { Keys } from '../keys/rotate.ts';
import { complain } from './complaint.ts';
import type { PeopleOptions } from './people.ts';

export interface KeysSide {
  keys: Keys;
  /** How many records of the store each of its keys seals. */
  recordsOf: () => Promise<ReadonlyMap<string, number>>;
  /**
   * Does it, or says what to put where. What would have been written is for whoever can write it, so it alone goes to
   * standard output. @returns undefined when it could not be done.
   */
  explain: <T>(work: () => Promise<T>) => Promise<T | undefined>;
}

export async function withKeys(
  { config: fileName }: PeopleOptions,
  work: (side: KeysSide) => Promise<void>,
): Promise<void> {
  const { loadConfig } = await import('../../config/load.ts');
  const { openDriver, openStore } = await import('../../store/open.ts');
  const { countByKey } = await import('../../store/reseal.ts');
  const { createLog, recordTo } = await import('../../web/telemetry.ts');
  const { createKeys } = await import('../keys/rotate.ts');
  const { tryDiditKey } = await import('../keys/try-didit-key.ts');
  const { config } = loadConfig({ fileName, env: process.env });
  const clock = Date.now;
  const log = createLog('info', { write: (line) => void process.stderr.write(line) });
  const { openRecording } = await import('./recording.ts');
  const { store } = await openStore({ ...config.store, clock });
  const { audit, record } = await openRecording(config, { store, log, told: recordTo(log) });
  try {
    await work({
      keys: createKeys({
        ...{ fileName, env: process.env, store, clock, tryDiditKey },
        record,
      }),
      async recordsOf() {
        const driver = await openDriver({ url: config.store.url, clock });
        try {
          return await countByKey(driver.store);
        } finally {
          await driver.store.close();
        }
      },
      explain,
    });
  } finally {
    await audit.close();
    await store.close();
  }
}

async function explain<T>(work: () => Promise<T>): Promise<T | undefined> {
  const { CannotWrite } = await import('../keys/replace-file.ts');
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CannotWrite)) throw error;
    complain(`didit-oidc: ${error.message}`);
    if (error.instead !== '') process.stdout.write(`${error.instead.trimEnd()}\n`);
    process.exitCode = 1;
    return undefined;
  }
}
