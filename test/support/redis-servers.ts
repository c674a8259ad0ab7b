/** Servers of a test's own: it may kill them, stop them, and lose what they hold. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { redisServerPath } from './packages.ts';
import { freePort } from './ports.ts';

export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { protocol: 2, retryStrategy: () => null });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

export interface RedisServer {
  port: number;
  url: string;
  directory: string;
  /** SIGSTOP makes it fall silent, SIGCONT goes on. */
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL: nothing is saved any more. */
  kill(): Promise<void>;
  /** Starts again after `kill`, on the same port, with what is on the disk. */
  restart(): Promise<void>;
  /** Ends it and removes what it left. */
  stop(): Promise<void>;
}

export async function startRedisServer(options: { args?: string[] } = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'didit-oidc-redis-'));
  const port = await freePort();
  const place = ['--port', String(port), '--dir', directory, '--bind', '127.0.0.1'];
  const args = [...place, '--save', '', ...(options.args ?? [])];
  let child = await launch(args);

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    directory,
    signal: (signal) => void child.kill(signal),
    kill,
    async restart() {
      child = await launch(args);
    },
    async stop() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Three masters that share the slots. */
export async function startRedisCluster() {
  const busPorts = await Promise.all([freePort(), freePort(), freePort()]);
  const servers = await Promise.all(
    busPorts.map((busPort) =>
      startRedisServer({ args: ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)] }),
    ),
  );
  const bounds = [0, 5461, 10923, 16384];
  for (const [at, { url }] of servers.entries()) {
    await withRedis(url, async (redis) => {
      const slots = [bounds[at]!, bounds[at + 1]! - 1];
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', ...slots);
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
      for (const [other, { port }] of servers.entries()) {
        if (other < at) await redis.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[other]!);
      }
    });
  }
  for (const { url } of servers) {
    await withRedis(url, (redis) =>
      until(async () => /cluster_state:ok/.test(String(await redis.call('CLUSTER', 'INFO')))),
    );
  }
  return {
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    async flush() {
      await Promise.all(servers.map(({ url }) => withRedis(url, (redis) => redis.flushall())));
    },
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** A master, its replica, and a sentinel that makes the replica master when the master is gone. */
export async function startSentinel() {
  const master = await startRedisServer();
  const replica = await startRedisServer({
    args: ['--replicaof', `127.0.0.1 ${master.port}`, '--repl-diskless-sync-delay', '0'],
  });
  await withRedis(replica.url, (redis) =>
    until(async () => (await redis.info('replication')).includes('master_link_status:up')),
  );
  const directory = await mkdtemp(join(tmpdir(), 'didit-oidc-sentinel-'));
  const port = await freePort();
  const file = join(directory, 'sentinel.conf');
  await writeFile(
    file,
    [
      `port ${port}`,
      `dir ${directory}`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ].join('\n'),
  );
  const sentinel = await launch([file, '--sentinel'], '+monitor');
  await withRedis(`redis://127.0.0.1:${port}`, (redis) =>
    until(async () => String(await redis.call('SENTINEL', 'REPLICAS', 'main')).length > 0),
  );
  return {
    url: `redis+sentinel://127.0.0.1:${port}/main`,
    master,
    async stop() {
      const gone = once(sentinel, 'exit');
      sentinel.kill('SIGKILL');
      await Promise.all([gone, master.stop(), replica.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function launch(args: string[], ready = 'Ready to accept'): Promise<ChildProcess> {
  const child = spawn(redisServerPath(), args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // A test run that is cut short must not leave servers behind.
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  child.once('exit', () => process.off('exit', endWithUs));
  let output = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    output += String(chunk);
    if (!output.includes(ready)) continue;
    child.stdout.resume(); // A pipe that nobody reads fills up and holds the server up.
    return child;
  }
  throw new Error(`redis-server ended at once: ${output.slice(-500)}`);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
