/**
 * Programs that tests need and npm does not bring: found on PATH, else installed from Debian's
 * packages where that is possible (as root, on Debian), else one error that names the ways.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const debianPackages = [
  ...['redis-server', 'redis-sentinel', 'chromium'],
  ...['apache2-bin', 'libapache2-mod-auth-openidc'],
];
const containerPackages = ['docker-compose', 'haproxy', 'busybox-static', 'redis-server'];
const openidcModule = '/usr/lib/apache2/modules/mod_auth_openidc.so';

export function redisServerPath(): string {
  return (
    findProgram('redis-server') ??
    install('redis-server') ??
    fail(
      'The tests need a Redis: set TEST_REDIS_URL, or start a Docker engine that has or can pull ' +
        'the image TEST_REDIS_IMAGE (redis:8-alpine), or put redis-server on PATH, or run them ' +
        'as root on Debian, which installs it. Tests of a cluster and of restarts need redis-server.',
    )
  );
}

export function chromiumPath(): string {
  return (
    findProgram('chromium') ??
    process.env['CHROMIUM_PATH'] ??
    install('chromium') ??
    fail(
      'The tests need a browser: put chromium on PATH, or set CHROMIUM_PATH, or run them as root ' +
        'on Debian, which installs it.',
    )
  );
}

/** With the module `auth_openidc` beside it. */
export function apachePath(): string {
  const find = (): string | undefined =>
    existsSync(openidcModule) ? findProgram('apache2') : undefined;
  const installed = find() ?? (install('apache2') && find());
  return (
    installed ??
    fail(
      'The tests need Apache with mod_auth_openidc: install libapache2-mod-auth-openidc, or run ' +
        'them as root on Debian, which installs it.',
    )
  );
}

/** Of what the container tests need besides a Docker engine. */
export function programPath(
  name: 'docker-compose' | 'haproxy' | 'busybox' | 'redis-server' | 'redis-cli',
): string {
  return (
    findProgram(name) ??
    install(name, containerPackages) ??
    fail(
      `The tests of the image need ${name}: put it on PATH, or run them as root on Debian, which ` +
        'installs it.',
    )
  );
}

function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Installs all packages at once. Two test files may want to at the same time: apt makes one wait.
 */
function install(program: string, packages = debianPackages): string | undefined {
  if (process.getuid?.() !== 0 || !findProgram('apt-get')) return undefined;
  process.stderr.write(`Installing ${packages.join(', ')} with apt-get, this once.\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]): void => {
    const wait = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'APT::Get::Assume-Yes=true'];
    execFileSync('apt-get', ['-qq', ...wait, ...args], { env, stdio: ['ignore', 2, 2] });
  };
  apt('update');
  apt('install', '--no-install-recommends', ...packages);
  return findProgram(program);
}

function fail(message: string): never {
  throw new Error(message);
}
