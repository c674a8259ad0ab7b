/** The image and the compose file as far as they can be held to the program without a container engine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { settingByKey } from '../../src/config/settings.ts';
import { createHealthListener } from '../../src/ops/health.ts';
import { createProgram } from '../../src/ops/cli/program.ts';
import { exists, read } from './support.ts';

interface Service {
  image: string;
  build?: string;
  command?: string[];
  network_mode?: string;
  ports?: string[];
  read_only: boolean;
  cap_drop: string[];
  security_opt: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
  environment?: Record<string, string>;
  profiles?: string[];
}

const dockerfile = read('Dockerfile').replaceAll('\\\n', ' ');
const manifest = JSON.parse(read('package.json')) as {
  bin: Record<string, string>;
  devDependencies: Record<string, string>;
};
const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
};

test('the image has the Node that the tests run on', () => {
  const [major = ''] = (manifest.devDependencies['node'] ?? '').split('.');
  expect(arguments_('FROM').map((line) => line.split(' ')[0])).toEqual([
    `node:${major}-slim`,
    `node:${major}-slim`,
  ]);
});

test('what the image copies is there, and .dockerignore lets it through', () => {
  const let_through = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = arguments_('COPY')
    .filter((line) => !line.startsWith('--from'))
    .flatMap((line) => line.split(' ').slice(0, -1));
  expect(copied.filter((name) => !exists(name))).toEqual([]);
  expect(let_through.sort()).toEqual([...new Set(copied)].sort());
});

test('the image holds production packages only, runs no install script, and is not root', () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  expect(last).toMatch(/^RUN npm ci --ignore-scripts --omit=dev\b/m);
  expect(last).toMatch(/^USER node$/m);
});

test('the image starts the program that the package names', () => {
  const [entry = '[]'] = arguments_('ENTRYPOINT');
  const [, file] = JSON.parse(entry) as string[];
  expect(`./${file ?? ''}`).toBe(manifest.bin['didit-oidc']);
  const [command = '[]'] = arguments_('CMD');
  expect(programCommands()).toEqual(expect.arrayContaining(JSON.parse(command) as string[]));
});

test('the health check is content with a provider that lives, ready or not', async () => {
  const notReady = createHealthListener({
    pingStore: () => Promise.reject(new Error('away')),
    isServing: () => true,
  });
  expect(await healthCheck(notReady)).toBe(0);
});

test('the health check notices a provider that does not answer, and one that answers nonsense', async () => {
  expect(await healthCheck((_req, res) => res.writeHead(500).end())).toBe(1);
  expect(await healthCheck((_req, res) => res.destroy())).toBe(1);
});

test.each(Object.entries(services))(
  'the service %s has no rights that it does not need',
  (_, it) => {
    expect(it.read_only).toBe(true);
    expect(it.cap_drop).toEqual(['ALL']);
    expect(it.security_opt).toEqual(['no-new-privileges:true']);
  },
);

test('nothing is published but the public port, and that to this machine only', () => {
  const port = String(settingByKey.get('port')?.default);
  const published = Object.values(services).flatMap(({ ports = [] }) => ports);
  expect(published).toEqual([`127.0.0.1:${port}:${port}`]);
});

test('Redis forgets nothing, answers on the loopback, and the provider waits for it', () => {
  const { redis, provider } = services;
  expect(redis?.command?.join(' ')).toBe(
    'redis-server --bind 127.0.0.1 --appendonly yes --maxmemory-policy noeviction',
  );
  expect(redis?.healthcheck?.test).toEqual(['CMD', 'redis-cli', 'ping']);
  expect(provider?.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
  expect(provider?.network_mode).toBe(redis?.network_mode);
  expect(new URL(provider?.environment?.['STORE_URL'] ?? '').hostname).toBe('127.0.0.1');
});

test('the demo is a command of the program and comes up only when it is asked for', () => {
  const { demo } = services;
  expect(programCommands()).toEqual(expect.arrayContaining(demo?.command ?? ['nothing']));
  expect(demo?.profiles).toEqual(['demo']);
  expect(demo?.network_mode).toBe('host');
});

function arguments_(instruction: string): string[] {
  const pattern = new RegExp(`^${instruction} (.+)$`, 'gm');
  return [...dockerfile.matchAll(pattern)].map(([, rest = '']) => rest);
}

function programCommands(): string[] {
  return createProgram().commands.map((command) => command.name());
}

/** Runs the image's own health check against a management listener. @returns its exit status. */
async function healthCheck(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const command = /^HEALTHCHECK .*? CMD (\[.+\])$/m.exec(dockerfile)?.[1] ?? '[]';
  const [program, ...words] = JSON.parse(command) as string[];
  expect(program).toBe('node');
  const env = { ...process.env, MANAGEMENT_PORT: String(port) };
  const child = spawn(process.execPath, words, { env, stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number];
  return status;
}
