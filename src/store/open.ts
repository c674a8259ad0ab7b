/** Opens the store that STORE_URL names. A driver is loaded only by those who use it. */
import { inOrder } from '../domain/dated.ts';
import type { Clock } from '../domain/environment.ts';
import { shareDriver } from './lease.ts';
import type { RedisClient, StoreLog } from './redis-client.ts';
import { sealStore, secretKey } from './sealed.ts';
import { nameOutages } from './outage.ts';
import type { Driver, Store } from './store.ts';

export interface OpenStoreOptions {
  url: string;
  /** Newest first, perhaps dated (domain/dated.ts). None at all leaves the store unsealed, which is for the demo and for tests. */
  encryptionKeys: readonly string[];
  clock: Clock;
  log?: StoreLog;
}

export type OpenedStore = Opened<Store>;

interface Opened<S extends Store> {
  store: S;
  /** What the operator should know, in whole sentences. */
  warnings: string[];
  /** The connection below, where there is one. */
  redis: RedisClient | undefined;
}

export function openStore(options: OpenStoreOptions): Promise<OpenedStore> {
  return createStoreOpener()(options);
}

/** For who opens anew what may be the same database: one connection to each, closed by the last who closes. */
export function createStoreOpener(): (options: OpenStoreOptions) => Promise<OpenedStore> {
  const connections = new Map<string, Opened<Driver> & ReturnType<typeof shareDriver>>();

  async function connect(options: OpenStoreOptions) {
    const known = connections.get(options.url);
    if (known?.isOpen()) return known;
    const opened = await openDriver(options);
    const connection = { ...opened, ...shareDriver(opened.store) };
    connections.set(options.url, connection);
    return connection;
  }

  return async function open(options) {
    const connection = await connect(options);
    const { warnings, redis } = connection;
    const driver = connection.lease();
    try {
      const keys = inOrder(options.encryptionKeys, options.clock());
      return { store: await protect(nameOutages(driver), keys), warnings, redis };
    } catch (error) {
      await driver.close();
      throw error;
    }
  };
}

/** What lies there as it lies there, sealed, for whoever seals it anew. */
export async function openDriver({
  url,
  clock,
  log = silent,
}: Omit<OpenStoreOptions, 'encryptionKeys'>): Promise<Opened<Driver>> {
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
