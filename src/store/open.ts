/** Opens the store that STORE_URL names. A driver is loaded only by those who use it. */
import type { Clock } from '../domain/environment.ts';
import type { RedisClient, StoreLog } from './redis-client.ts';
import { sealStore, secretKey } from './sealed.ts';
import { nameOutages } from './outage.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  url: string;
  /** Newest first. None at all leaves the store unsealed, which is for the demo and for tests. */
  encryptionKeys: readonly string[];
  clock: Clock;
  log?: StoreLog;
}

export interface OpenedStore {
  store: Store;
  /** What the operator should know, in whole sentences. */
  warnings: string[];
  /** The connection below, where there is one. */
  redis: RedisClient | undefined;
}

export async function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const driver = await openDriver(options);
  try {
    const store = await protect(nameOutages(driver.store), options.encryptionKeys);
    return { ...driver, store };
  } catch (error) {
    await driver.store.close();
    throw error;
  }
}

async function openDriver({ url, clock, log = silent }: OpenStoreOptions): Promise<OpenedStore> {
  const file = /^sqlite:(.+)$/.exec(url)?.[1];
  if (file !== undefined) {
    const { createSqliteStore } = await import('./sqlite.ts');
    return { store: createSqliteStore({ file, clock }), warnings: [], redis: undefined };
  }
  const { parseRedisUrl } = await import('./redis-url.ts');
  const address = parseRedisUrl(url);
  const { connectRedis } = await import('./redis-client.ts');
  const { checkRedis } = await import('./redis-check.ts');
  const { createRedisStore } = await import('./redis.ts');
  const redis = await connectRedis(address, log);
  try {
    return { store: createRedisStore(redis), warnings: await checkRedis(redis), redis };
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

async function protect(store: Store, encryptionKeys: readonly string[]): Promise<Store> {
  if (encryptionKeys.length > 0) return sealStore(store, encryptionKeys);
  // Without its keys a sealed store would look empty, and be filled in the open.
  if (await store.get(secretKey))
    throw new Error('the store is sealed: give STORE_ENCRYPTION_KEYS');
  return store;
}

const silent: StoreLog = { warn: () => undefined };
