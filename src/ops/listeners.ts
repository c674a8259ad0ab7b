/** The two listeners: opening them, and closing them so that nobody is cut off. */
import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Edge } from '../web/edge.ts';

export interface Listeners {
  listen(): Promise<{ publicPort: number; managementPort: number }>;
  /** Finishes what is in flight, for at most ten seconds. */
  close(): Promise<void>;
}

interface ListenersOptions {
  /** `mostConnections`: whoever comes after them is hung up on, and those who are there stay. */
  public: { host: string; port: number; admit: Edge; mostConnections?: number };
  management: { host: string; port: number };
  publicListener: RequestListener;
  managementListener: RequestListener;
  opened(): void;
  /** Readiness goes and waiting pages are sent away, before the doors close. */
  closing(): void;
  closed(): Promise<void>;
}

const finishWithinMs = 10_000;
const sweepEveryMs = 50;

/**
 * Headers within ten seconds, the whole request within thirty, looked at every two; nothing is larger than a login
 * needs. Who is slow holds a connection for so long, and no more than these.
 */
const limits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 65_000,
};

export function createListeners(options: ListenersOptions): Listeners {
  const { admit, mostConnections = 10_000 } = options.public;
  const publicServer = createServer(limits, (req, res) => {
    if (admit(req, res)) options.publicListener(req, res);
  });
  publicServer.maxConnections = mostConnections;
  const managementServer = createServer(limits, options.managementListener);
  let closing: Promise<void> | undefined;

  return {
    async listen() {
      try {
        const managementPort = await open(managementServer, options.management);
        const publicPort = await open(publicServer, options.public);
        options.opened();
        return { publicPort, managementPort };
      } catch (error) {
        // Half a provider is none.
        await close();
        throw error;
      }
    },
    close,
  };

  function close(): Promise<void> {
    closing ??= (async () => {
      options.closing();
      await finish(publicServer);
      await finish(managementServer);
      await options.closed();
    })();
    return closing;
  }
}

async function open(
  server: Server,
  { host, port }: { host: string; port: number },
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(port, host, () => resolve(undefined));
  await promise;
  server.off('error', reject);
  return (server.address() as AddressInfo).port;
}

async function finish(server: Server): Promise<void> {
  if (!server.listening) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.close(() => resolve(undefined));
  // A connection that has answered is idle, and would be kept for the next request.
  const sweep = setInterval(() => server.closeIdleConnections(), sweepEveryMs);
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), finishWithinMs);
  await promise;
  clearInterval(sweep);
  clearTimeout(cut);
}
