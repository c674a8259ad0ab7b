/** Ports for servers of a test that must know their address before they listen, or come back to it. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give to outgoing connections, one of which could otherwise take a port that was just found. */
const range = { from: 10_000, to: 32_000 };
/** No client of the web goes there (WHATWG Fetch, "bad port"). */
const barred = 10_080;
const given = new Set<number>();
/** Of several workers each has ports of its own: between finding one and listening there passes a while. */
const worker = Number(process.env['VITEST_POOL_ID'] ?? '0') % 2;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(range.from, range.to);
    if (port % 2 !== worker || port === barred || given.has(port)) continue;
    if (!(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
