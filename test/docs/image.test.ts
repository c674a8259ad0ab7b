/** The image and the compose file as far as they can be held to the program without a container engine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { createManagementListener, nothingElse } from '../../src/ops/health.ts';
import { createProgram } from '../../src/ops/cli/program.ts';
import { exists, read } from './support.ts';

interface Service {
  image: string;
  build?: string;
  command?: string[];
  env_file?: string[];
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

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const dockerfile = read('Dockerfile').replaceAll('\\\n', ' ');
const manifest = JSON.parse(read('package.json')) as {
  bin: Record<string, string>;
  devDependencies: Record<string, string>;
};
const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
};

const providers = ['provider-1', 'provider-2'].map((name) => services[name]!);

test('the image has the Node that the tests run on', () => {
  const [major = ''] = (manifest.devDependencies['node'] ?? '').split('.');
  expect(arguments_('ARG')).toEqual([`NODE_IMAGE=node:${major}-slim`]);
  const bases = arguments_('FROM').map((line) => line.split(' ')[0]);
  expect(bases).toEqual(['${NODE_IMAGE}', '${NODE_IMAGE}']);
});

test('[PL-02] what the image copies is there, and .dockerignore lets it through', () => {
  const let_through = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  const copied = arguments_('COPY')
    .filter((line) => !line.startsWith('--from'))
    .flatMap((line) => line.split(' ').slice(0, -1));
  expect(copied.filter((name) => !exists(name))).toEqual([]);
  expect(let_through.sort()).toEqual([...new Set(copied)].sort());
  // Whatever is let through, keys are not.
  const last = read('.dockerignore').trimEnd().split('\n').slice(-10);
  expect(last).toEqual(
    [
      ...['.env*', '*.env', '*.key', '*.pem', '*.sqlite*', 'jwks*.json'],
      ...['cookie-keys*', 'store-keys*', 'didit-api-key*', 'webhook-secrets*'],
    ].map((it) => `**/${it}`),
  );
});

test('[PL-22] the image holds production packages only, runs no install script, and is not root', () => {
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  expect(last).toMatch(/^RUN npm ci --ignore-scripts --omit=dev\b/m);
  expect(last).toMatch(/^USER node$/m);
  for (const line of arguments_('RUN').filter((it) => it.startsWith('npm ci'))) {
    expect(line).toContain('--ignore-scripts');
  }
});

test('the image starts the program that the package names', () => {
  const [entry = '[]'] = arguments_('ENTRYPOINT');
  const [, file] = JSON.parse(entry) as string[];
  expect(`./${file ?? ''}`).toBe(manifest.bin['didit-oidc']);
  const [command = '[]'] = arguments_('CMD');
  expect(programCommands()).toEqual(expect.arrayContaining(JSON.parse(command) as string[]));
});

test('the health check is content with a provider that lives, ready or not', async () => {
  const notReady = createManagementListener({
    consoleHost: undefined,
    whyNotReady: () => Promise.resolve('the store does not answer'),
    reloadProblem: () => undefined,
    metrics: () => Promise.reject(new Error('away')),
    rest: nothingElse,
  });
  expect(await healthCheck(notReady)).toBe(0);
});

test('the health check notices a provider that does not answer, and one that answers nonsense', async () => {
  expect(await healthCheck((_req, res) => res.writeHead(500).end())).toBe(1);
  expect(await healthCheck((_req, res) => res.destroy())).toBe(1);
});

test.each(Object.entries(services))(
  '[PL-23] the service %s has no rights that it does not need',
  (_, it) => {
    expect(it.read_only).toBe(true);
    expect(it.cap_drop).toEqual(['ALL']);
    expect(it.security_opt).toEqual(['no-new-privileges:true']);
  },
);

test('nothing is published in the clear but to this machine', () => {
  const published = Object.values(services).flatMap(({ ports = [] }) => ports);
  expect(published).toEqual([
    '127.0.0.1:${PUBLIC_PORT:-3000}:8080',
    '127.0.0.1:${CONSOLE_PORT:-9000}:9090',
    '${PUBLIC_TLS_PORT:-127.0.0.1:3443}:8443',
  ]);
});

test('Redis forgets nothing, answers on the loopback, and the providers wait for it', () => {
  const { redis } = services;
  expect(redis?.command?.join(' ')).toBe(
    'redis-server --bind 127.0.0.1 --dir /data --appendonly yes --maxmemory-policy noeviction',
  );
  expect(redis?.healthcheck?.test).toEqual(['CMD', 'redis-cli', 'ping']);
  for (const provider of providers) {
    expect(provider.depends_on).toEqual({ redis: { condition: 'service_healthy' } });
    expect(provider.network_mode).toBe(redis?.network_mode);
    expect(new URL(provider.environment?.['STORE_URL'] ?? '').hostname).toBe('127.0.0.1');
  }
});

test('the proxy knows both providers by the ports that they listen on', () => {
  const ports = providers.map(({ environment }) => environment);
  const lines = [...read('ops/haproxy/haproxy.cfg').matchAll(/^ {2}server \w+ 127.*$/gm)];
  expect(lines.map(([line]) => line.trim())).toEqual([
    ...['one', 'two'].map(
      (name, at) =>
        `server ${name} 127.0.0.1:${ports[at]?.['PORT'] ?? ''} check port ${ports[at]?.['MANAGEMENT_PORT'] ?? ''}`,
    ),
    ...['one', 'two'].map(
      (name, at) => `server ${name} 127.0.0.1:${ports[at]?.['MANAGEMENT_PORT'] ?? ''}`,
    ),
  ]);
});

test('without .env there is a file for the providers that is always there', () => {
  for (const { env_file } of providers) expect(env_file).toEqual(['${ENV_FILE:-.env.example}']);
  expect(read('.env.example')).toMatch(/^ENV_FILE=\.env$/m);
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
  const [program, file, ...words] = JSON.parse(command) as string[];
  expect([program, `./${file ?? ''}`]).toEqual(['node', manifest.bin['didit-oidc']]);
  const env = { ...process.env, MANAGEMENT_PORT: String(port) };
  const child = spawn(process.execPath, [mainFile, ...words], { env, stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number];
  return status;
}
