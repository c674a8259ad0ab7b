import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { lookBeforeGivingUp } from './patience.ts';
import type { RedisAddress } from './redis-url.ts';

export type RedisClient = Redis | Cluster;

/** What we tell of a connection that breaks and heals. */
export interface StoreLog {
  warn(message: string, fields?: object): void;
}

/**
 * A command is sent now or refused now. Nothing waits in a queue for a Redis that is away, and
 * nothing is sent a second time: the caller has long answered by then, and a repeated increment or
 * take would be another one.
 */
const promptness = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: 2000,
  // A batch may have to wait for the batch before it; twice this is the longest that anybody waits.
  commandTimeout: 1000,
  // A peer that fell silent without closing the connection is given up, else only TCP would notice,
  // minutes later.
  socketTimeout: 3000,
} as const satisfies RedisOptions;

const startWithinMs = 5000;
const retryDelayMs = (times: number): number => Math.min(50 * times, 1000);

/** Connects and waits until Redis answers. Afterwards the client reconnects by itself, for ever. */
export async function connectRedis(address: RedisAddress, log: StoreLog): Promise<RedisClient> {
  const client = createClient(address);
  lookBeforeGivingUp(client);
  let reason: string | undefined;
  client.on('error', (error: Error) => {
    reason = error.message;
  });
  // With sentinels the client would go on asking for a master for ever.
  const giveUp = setTimeout(() => client.disconnect(), startWithinMs);
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    // Of a cluster the error itself says only that all nodes failed.
    const { lastNodeError, message } = error as Error & { lastNodeError?: Error };
    reason = lastNodeError?.message ?? reason ?? message;
    const nodes = address.nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
    throw new Error(`Redis at ${nodes} does not answer: ${reason}`, { cause: error });
  } finally {
    clearTimeout(giveUp);
  }
  reportOutages(client, log);
  return client;
}

/**
 * One line when the connection is lost and one when it is back, however often it is tried between.
 */
function reportOutages(client: RedisClient, log: StoreLog): void {
  let isAway = false;
  client.on('reconnecting', () => {
    if (!isAway) log.warn('the connection to Redis is lost');
    isAway = true;
  });
  client.on('ready', () => {
    if (isAway) log.warn('the connection to Redis is back');
    isAway = false;
  });
}

/**
 * The servers that hold the data: all of them have to be asked about what is not bound to one key.
 */
export function mastersOf(client: RedisClient): Redis[] {
  if (!client.isCluster) return [client as Redis];
  const masters = (client as Cluster).nodes('master');
  if (masters.length === 0) throw new Error('no master of the Redis Cluster is known');
  return masters;
}

function createClient(address: RedisAddress): RedisClient {
  const { username, password, database: db } = address;
  const credentials = { ...(username && { username }), ...(password && { password }) };
  const tls = address.tls ? { tls: {} } : {};
  const [first] = address.nodes;
  const common = {
    ...promptness,
    ...credentials,
    // Redis 6.2 and its relatives all speak it, and replies have one shape.
    protocol: 2,
  } as const satisfies RedisOptions;
  const single = {
    ...common,
    db,
    lazyConnect: true,
    enableAutoPipelining: true,
    retryStrategy: retryDelayMs,
    // A master that was demoted refuses writes; a new connection finds its successor.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } as const satisfies RedisOptions;
  switch (address.shape) {
    case 'single':
      return new Redis({ ...single, ...first, ...tls });
    case 'sentinel':
      return new Redis({
        ...single,
        ...tls,
        sentinels: address.nodes,
        name: address.group,
        ...(address.tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
        sentinelRetryStrategy: retryDelayMs,
      });
    case 'cluster': {
      const { enableOfflineQueue, ...nodeOptions } = common;
      return new Cluster(address.nodes, {
        lazyConnect: true,
        enableOfflineQueue,
        enableAutoPipelining: true,
        clusterRetryStrategy: retryDelayMs,
        // A node that is gone is asked for again a few times only, so that the caller hears in
        // time.
        maxRedirections: 5,
        slotsRefreshInterval: 5000,
        redisOptions: { ...nodeOptions, ...tls },
        // A certificate names a host: the names that the cluster announces must not become numbers.
        ...(address.tls && { dnsLookup: (host, found) => found(null, host) }),
      });
    }
  }
}
