/** The composition root's last part: what listens, what runs meanwhile, and how it ends. */
import type { Provider } from 'oidc-provider';
import type { AppOptions } from './app.ts';
import { type OpenStreams, closeStreams } from './login/waiting.ts';
import { createHealthListener } from './ops/health.ts';
import { type Listeners, createListeners } from './ops/listeners.ts';
import type { Store } from './store/store.ts';
import { createEdge } from './web/edge.ts';

/** What runs besides answering. They end in their order: each may still need those after it. */
export interface Side {
  start?(): void;
  stop(): Promise<unknown>;
}

export function openDoors(
  { config }: Pick<AppOptions, 'config'>,
  { provider, store, streams }: { provider: Provider; store: Store; streams: OpenStreams },
  sides: readonly Side[],
): Listeners {
  const { issuer, host, port, trustProxy, management } = config;
  let isServing = true;
  const handle = provider.callback();
  return createListeners({
    public: { host, port, admit: createEdge(issuer, trustProxy) },
    management,
    publicListener: (req, res) => void handle(req, res),
    managementListener: createHealthListener({
      pingStore: () => store.ping(),
      isServing: () => isServing,
    }),
    opened() {
      for (const side of sides) side.start?.();
    },
    closing() {
      isServing = false;
      closeStreams(streams);
    },
    async closed() {
      for (const side of sides) await side.stop();
    },
  });
}
