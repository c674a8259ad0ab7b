/**
 * What an address says about the way to it: in the clear or not, and whether it leaves this
 * machine.
 */

export interface StoreAddress {
  isTls: boolean;
  hasPassword: boolean;
  isLoopback: boolean;
}

export function isPlainHttp(address: string): boolean {
  return new URL(address).protocol === 'http:';
}

export function isOnLoopback(address: string): boolean {
  return isLoopbackHost(new URL(address).hostname);
}

/** SQLite has more than one way to write it. */
export function isInMemory(storeUrl: string): boolean {
  return /^sqlite:.*(:memory:|mode=memory)/.test(storeUrl);
}

/**
 * Reads a Redis address, which may list several hosts and then is no URL in the standard's sense.
 * @returns undefined for SQLite.
 */
export function storeAddress(storeUrl: string): StoreAddress | undefined {
  const parts = /^(rediss?)(?:\+\w+)?:\/\/(?:([^@/]*)@)?([^/?]+)/.exec(storeUrl);
  if (!parts) return undefined;
  const [, scheme, credentials = '', hosts = ''] = parts;
  return {
    isTls: scheme === 'rediss',
    hasPassword: /:./.test(credentials),
    isLoopback: hosts.split(',').every((host) => isLoopbackHost(host.replace(/:\d+$/, ''))),
  };
}

function isLoopbackHost(host: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

/** Where operators reach the console; undefined where the port is known only once it is open. */
export function consoleOrigin({
  origin,
  port,
}: {
  origin?: string | undefined;
  port: number;
}): string | undefined {
  return origin ?? (port === 0 ? undefined : `http://127.0.0.1:${port}`);
}
