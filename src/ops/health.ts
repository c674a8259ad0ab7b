/**
 * ops/ is running the provider: the commands (cli/) and the management listener. It is on a port of its own, on
 * the loopback by default, so that nothing of it can be reached from outside by accident.
 *
 * Health and metrics are answered here, by plain code that needs nothing else: they are looked at when all else fails.
 */
import { isIP } from 'node:net';
import type { RequestListener, ServerResponse } from 'node:http';

export interface ManagementTools {
  /** Why nobody may be sent here, if that is so; see readiness.ts. */
  whyNotReady(): Promise<string | undefined>;
  /** In the format that Prometheus reads. */
  metrics(): Promise<{ type: string; body: string }>;
  /** The name of the console, under which metrics are to be had as well. */
  consoleHost: string | undefined;
  /** Answers everything else, where there is anything else. */
  rest: RequestListener;
  /** Why the configuration as it is now is not in force; undefined when it is. */
  reloadProblem(): string | undefined;
}

/** `/healthz`: the process is alive; it looks at nothing else, so that an outage elsewhere restarts nobody. */
export function createManagementListener(tools: ManagementTools): RequestListener {
  const plain: Record<string, (res: ServerResponse) => Promise<void> | void> = {
    '/healthz': (res) => answer(res, 200, { status: 'alive' }),
    '/readyz': async (res) => {
      const reason = await tools.whyNotReady();
      if (reason === undefined) answer(res, 200, { status: 'ready', ...reloadFailed(tools) });
      else answer(res, 503, { status: 'not ready', reason });
    },
    '/metrics': async (res) => {
      const { type, body } = await tools.metrics();
      res.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
      res.end(body);
    },
  };
  return function manage(req, res) {
    const [path = ''] = (req.url ?? '').split('?', 1);
    const own = Object.hasOwn(plain, path) ? plain[path] : undefined;
    if (!own) {
      tools.rest(req, res);
    } else if (path === '/metrics' && !isOfThisNetwork(req.headers.host, tools.consoleHost)) {
      answer(res, 421, { error: 'not under this name: an address, or the name of the console' });
    } else if (req.method !== 'GET' && req.method !== 'HEAD') {
      answer(res, 405, { error: 'GET only' });
    } else {
      Promise.resolve(own(res)).catch(() => answer(res, 500, { error: 'internal' }));
    }
  };
}

export const nothingElse: RequestListener = (_req, res) => {
  answer(res, 404, { error: 'not found' });
};

/**
 * A page on the web reaches into this network under a name that it has made lead here (DNS rebinding), and such a name is
 * one that anybody can have: with a dot in it, and none of a cluster's own.
 */
function isOfThisNetwork(header: string | undefined, consoleHost: string | undefined): boolean {
  // Every browser sends it.
  if (header === undefined) return true;
  const { hostname = '' } = URL.parse(`http://${header}`) ?? {};
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
  const isOwn = /^[a-z0-9_-]+$|\.(?:localhost|svc|cluster\.local|internal)$/i.test(hostname);
  return isAddress || isOwn || hostname === consoleHost;
}

function answer(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(body));
}

/** People are served as before, so it is ready; whoever looks closer sees that something waits for them. */
function reloadFailed(tools: ManagementTools): { reload_failed?: string } {
  const reason = tools.reloadProblem();
  return reason === undefined ? {} : { reload_failed: reason };
}
