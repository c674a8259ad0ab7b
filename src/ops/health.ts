/**
 * ops/ is running the provider: the commands (cli/) and the management listener. It is on a port of its own, on
 * the loopback by default, so that nothing of it can be reached from outside by accident.
 */
import type { RequestListener } from 'node:http';

export interface HealthChecks {
  /** Rejects when the store does not answer. */
  pingStore(): Promise<void>;
  /** False once the process has been told to stop. */
  isServing(): boolean;
}

/**
 * `/healthz`: the process is alive; it looks at nothing else, so that an outage elsewhere restarts nobody.
 * `/readyz`: it may be sent people: it is not stopping and its store answers. Didit is not asked: without it
 * people are told so, which takes a provider that is ready.
 */
export function createHealthListener(checks: HealthChecks): RequestListener {
  return function health(req, res) {
    const answer = (status: number, body: object): void => {
      res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      res.end(JSON.stringify(body));
    };
    if (req.method !== 'GET' && req.method !== 'HEAD') return answer(405, { error: 'GET only' });
    switch (req.url) {
      case '/healthz':
        return answer(200, { status: 'alive' });
      case '/readyz':
        void readiness(checks).then((reason) =>
          reason === undefined
            ? answer(200, { status: 'ready' })
            : answer(503, { status: 'not ready', reason }),
        );
        return;
      default:
        return answer(404, { error: 'not found' });
    }
  };
}

async function readiness(checks: HealthChecks): Promise<string | undefined> {
  if (!checks.isServing()) return 'stopping';
  try {
    await checks.pingStore();
    return undefined;
  } catch {
    return 'the store does not answer';
  }
}
